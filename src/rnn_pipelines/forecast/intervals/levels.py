"""The levels of intervals and the quantiles that a user asks for."""

from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, RootModel

from rnn_pipelines.parameter_models import validate_number_is_no_boolean


def _check_percent(level: Any) -> Any:
    if isinstance(level, float) and 0 < level < 1:
        raise ValueError(
            f"expected whole percent, such as {100 * level:.0f} for {level:g}, received {level:g}"
        )
    return level


NoBoolean = BeforeValidator(validate_number_is_no_boolean)
Percent = BeforeValidator(_check_percent)
Level = Annotated[int, Field(ge=1, le=99), Percent, NoBoolean]
Listed = BeforeValidator(
    lambda levels: (levels,) if isinstance(levels, int | float | np.number) else levels
)
Sorted = AfterValidator(lambda levels: tuple(sorted(set(levels))))


class LevelSpec(RootModel[Annotated[tuple[Level, ...], Sorted, Listed]], frozen=True):
    """Levels of intervals in whole percent, such as 80 and 95: the share of actuals inside; empty for no intervals.

    A single level needs no list.
    """


Quantile = Annotated[float, Field(gt=0, lt=1, multiple_of=0.005), NoBoolean]


class QuantileSpec(
    RootModel[Annotated[tuple[Quantile, ...], Sorted, Listed, Field(min_length=1)]], frozen=True
):
    """Quantiles between 0 and 1 in steps of .005, such as .1 and .9. A single one needs no list."""

    def list_levels(self) -> dict[float, int]:
        """Return the level in percent of the interval that each quantile bounds, 0 for the median."""
        return {quantile: round(abs(200 * quantile - 100)) for quantile in self.root}
