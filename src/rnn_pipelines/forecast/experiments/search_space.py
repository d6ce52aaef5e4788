"""The search space of a parameter search; independent of Optuna."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator, model_validator

from rnn_pipelines.errors import show_all
from rnn_pipelines.forecast.parameters import list_parameter_models
from rnn_pipelines.forecast.source.as_of import AsOfSpec
from rnn_pipelines.networks.specs import Seed, format_units
from rnn_pipelines.parameter_models import ParameterModel, expect, read_parameter_model

# Blocks that can be searched besides the networks; other blocks would change the data that trials are evaluated on.
SEARCHED = ("window", "calendar", "training")
NOT_SEARCHED = ("window.horizon", "training.seed", "training.engine")
NOT_SEARCHED_IN_NETWORKS = ("cell", "save_keras")


# A list of units as text is a parameter too; Optuna stores no lists.
WriteUnits = BeforeValidator(
    lambda choice: format_units(choice) if isinstance(choice, list | tuple) else choice
)
Choice = Annotated[
    int | float | str | None, WriteUnits, expect("a number, a text, a list of units or null")
]
Limit = Annotated[int | float | None, expect("a number")]


class DimensionSpec(ParameterModel, frozen=True):
    """The values of one parameter: a list of choices, or the range from `low` to `high`.

    Attributes:
        choices: values; those of `units` may be lists, such as `[64, 32]`.
        low, high: the range is of whole numbers if both are.
        log: whether to sample on a logarithmic scale.
    """

    choices: tuple[Choice, ...] | None = Field(None, min_length=1)
    low: Limit = None
    high: Limit = None
    log: bool = False

    @model_validator(mode="after")
    def _require_one(self) -> "DimensionSpec":
        has_range = self.low is not None and self.high is not None and self.low < self.high
        if (self.choices is None) is not has_range or (self.log and (self.low or 0) <= 0):
            raise ValueError("expected choices, or low below high, and low above 0 if log is true")
        return self

    def contains(self, value: Any) -> bool:
        """Return whether a value can be sampled."""
        if self.choices is not None:
            return value in self.choices
        return (
            self.low is not None
            and self.high is not None
            and value is not None
            and self.low <= value <= self.high
        )


class TuningSpec(AsOfSpec, frozen=True):
    """Parameters of a search; data and all parameters outside the space are those of `forecast`.

    Attributes:
        space: by names of parameters of `forecast`, such as `gru.units`.
        num_samples: total number of trials, including earlier runs; the first has the current parameters.
        time_budget: seconds after which no trial but the first begins; None for no limit.
        seed: of the search.
    """

    space: dict[str, DimensionSpec] = Field(min_length=1)
    num_samples: Annotated[int, Field(ge=1, le=10**6)] = 20
    time_budget: float | None = Field(None, gt=0, le=1e8)
    seed: Seed = 0

    @field_validator("space", mode="before")
    @classmethod
    def _validate_names(cls, space: Any) -> Any:
        names = [
            f"{block}.{field}"
            for block, kind in _list_searched().items()
            for field in kind.model_fields
            if field not in NOT_SEARCHED_IN_NETWORKS and f"{block}.{field}" not in NOT_SEARCHED
        ]
        wrong = [name for name in space if name not in names] if isinstance(space, Mapping) else []
        if wrong:
            remedy = "Write block and parameter as one name, such as gru.units"
            raise ValueError(
                f"expected some of {sorted(names)}, received {show_all(wrong)}. {remedy}"
            )
        return space

    @field_validator("space")
    @classmethod
    def _validate_values(cls, space: dict[str, DimensionSpec]) -> dict[str, DimensionSpec]:
        kinds = _list_searched()
        for name, dimension in space.items():
            block, _, field = name.partition(".")
            for value in dimension.choices or (dimension.low, dimension.high):
                cell = {"cell": block} if "cell" in kinds[block].model_fields else {}
                read_parameter_model(block, kinds[block], {field: value} | cell)
        return space


def _list_searched() -> dict[str, Any]:
    """Return the parameter models of the blocks that can be searched, by name."""
    return {
        name: kind
        for name, kind in list_parameter_models().items()
        if name in SEARCHED or "units" in kind.model_fields
    }
