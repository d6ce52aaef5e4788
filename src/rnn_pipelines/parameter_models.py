"""The base class of parameter models, and the validation of parameters that are given in Python."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from numbers import Integral
from typing import Any, Self, get_args

from pydantic import (
    BaseModel,
    RootModel,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import InitErrorDetails

from rnn_pipelines.errors import ParameterError, show

# The parameter of retrainings, experiments and checks that messages name without its block.
AS_OF = "as_of"
# Names of our parameters in Keras, scikit-learn, Darts, GluonTS, AutoGluon and Nixtla's libraries.
ELSEWHERE = {
    "training.max_steps": "epochs n_epochs max_epochs num_epochs n_steps max_iter",
    "training.learning_rate": "lr",
    "training.seed": "random_state random_seed",
    "training.patience": "early_stop_patience_steps",
    "window.horizon": "h fh steps prediction_length output_chunk_length pred_len",
    "window.lookback": "input_size input_chunk_length context_length look_back seq_len n_lags lags",
    "evaluation.season_length": "seasonality seasonal_period seasonal_periods sp",
    "lstm.units": "hidden_size hidden_dim encoder_hidden_size num_units",
    "gru.units": "hidden_size hidden_dim encoder_hidden_size num_units",
    "level": "levels quantiles quantile_levels confidence_level alpha",
    "use": "model models estimator",
    "source.freq": "frequency",
    "source.time": "time_col timestamp_column date_column",
    "source.target": "target_col target_column",
    "source.id": "id_col id_column item_id",
    "covariates.future": "known_covariates_names future_covariates exog",
    "covariates.past": "past_covariates",
    "covariates.static": "static_covariates",
    "split.validation": "val_size",
    "split.test": "test_size",
}


class ParameterModel(BaseModel, extra="forbid", frozen=True):
    """A block of parameters; its names and values are checked before anything runs."""

    # For the whole block, because pydantic allows no validator of a discriminator field.
    @model_validator(mode="before")
    @classmethod
    def _validate_numbers_are_no_booleans(cls, block: Any) -> Any:
        given = block if isinstance(block, Mapping) else {}
        faults = []
        for name, field in cls.model_fields.items():
            if _has_truth(given.get(name)) and _is_number(field.annotation):
                error = {"error": _expect_number(given[name])}
                faults.append(
                    InitErrorDetails(type="value_error", loc=(name,), input=given[name], ctx=error)
                )
        if faults:
            raise ValidationError.from_exception_data(cls.__name__, faults)
        return block


class Parametrized:
    """A class of the Python interface, whose parameters scikit-learn reads, copies and changes."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        self._arguments = arguments

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the arguments of the constructor; `deep` is for scikit-learn, and has no effect."""
        return dict(self._arguments)

    def set_params(self, **params: Any) -> Self:
        """Set arguments of the constructor; a fit before it is forgotten."""
        self.__dict__ = type(self)(**{**self._arguments, **params}).__dict__
        return self


def expect(what: str) -> WrapValidator:
    """Return a validator with one message, the expected values in words, for a union; pydantic has one per type."""

    def take(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            raise ValueError(f"expected {what}, received {show(value)}") from error

    return WrapValidator(take)


def check_whole_number(name: str, value: Any, least: int, most: int) -> None:
    """Raise a ParameterError for an argument that is no whole number of Python or NumPy, or is outside a range."""
    if (
        not isinstance(value, Integral)
        or isinstance(value, bool)
        or not least <= int(value) <= most
    ):
        raise ParameterError(
            f"{name}: expected a whole number from {least:,} to {most:,}, received {show(value)}."
        )


def list_values(given: Any) -> list[Any]:
    """Return given values as a list; a text, or a value that is no collection, is a list of itself."""
    try:
        return [given] if isinstance(given, str) else list(given)
    except TypeError:
        return [given]


def validate_number_is_no_boolean(value: Any) -> Any:
    """Raise a ValueError for a boolean in place of a number, because pydantic accepts booleans as 1 and 0."""
    if _has_truth(value):
        raise _expect_number(value)
    return value


def _has_truth(value: Any) -> bool:
    values = value if isinstance(value, list | tuple) else [value]
    # NumPy's booleans by the name of their dtype, because commands that only read records don't import NumPy.
    return any(isinstance(one, bool) or str(getattr(one, "dtype", "")) == "bool" for one in values)


def _expect_number(value: Any) -> ValueError:
    return ValueError(f"expected a number, received {show(value)}")


def _is_number(kind: Any) -> bool:
    parts = set(_list_parts(kind))
    return bool({int, float} & parts) and bool not in parts


def _list_parts(kind: Any) -> Iterator[Any]:
    yield kind
    for part in get_args(kind):
        yield from _list_parts(part)


def join_parameters(always: Mapping[str, Any], block: Any) -> Any:
    """Return the defaults updated with a block; a block that is no mapping is returned as it is, and rejected later."""
    if block is None or isinstance(block, Mapping):
        return {**always, **(block or {})}
    return block


def read_parameter_model(name: str, kind: Any, block: Any) -> Any:
    """Validate the values of one block of parameters by its model class; a ParameterError if one is wrong."""
    try:
        return kind.model_validate(block)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(map(str, (name, *first["loc"])))
        if first["type"] == "extra_forbidden":
            hint = suggest(
                str(first["loc"][-1]), sorted(kind.model_fields), prefix=f"{name}.", mark=""
            )
            raise ParameterError(f"{path}: no such parameter. {hint}") from error
        received = "" if first["type"] == "value_error" else f" Received {show(first['input'])}."
        message = first["msg"].removeprefix("Value error, ")
        end = "" if message.endswith("?") else "."
        raise ParameterError(f"{path}: {message}{end}{received}") from error


def check_block_names(
    given: Iterable[str], types: Mapping[str, Any], further: Iterable[str] = ()
) -> None:
    """Check that all blocks exist, by their types and others; a ParameterError suggests the closest name."""
    names = [*further, *types]
    for name in given:
        if name not in names:
            for path in [
                *list_own_names(name),
                *(f"{block}.{name}" for block in reversed([*types])),
            ]:
                block, _, field = path.partition(".")
                if block in types and (not field or field in types[block].model_fields):
                    own = f"{block}={{'{field}': ...}}" if field else block
                    raise ParameterError(f"{name}: no such parameter. Did you mean {own}?")
            raise ParameterError(
                f"{name}: no such parameter. {suggest(name, sorted(names), mark='')}"
            )


def check_network_cell(place: str, name: str, cell: str) -> None:
    """Check that a network has the cell that its block is named after, because its results have that name too.

    The place is the path of the parameter, in messages. Another cell raises a ParameterError.
    """
    if cell != name:
        expected = f"expected '{name}', the name of the block and of its results, received '{cell}'"
        raise ParameterError(f"{place}: {expected}.")


def suggest(name: str, known: list[str], prefix: str = "", mark: str = "'") -> str:
    """Return a hint with the closest known name, in marks after a prefix, or with all known names if none is close.

    For the name of a parameter in another library, it is ours.
    """
    for path in list_own_names(name.rpartition(".")[2]):
        for own in known:
            if f".{prefix}{own}".endswith(f".{path}"):
                return f"Did you mean {mark}{prefix}{own}{mark}?"
    close = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {mark}{prefix}{close[0]}{mark}?" if close else f"Expected one of {known}."


def list_own_names(name: str) -> list[str]:
    """Return the parameters that other libraries give a name."""
    return [own for own, names in ELSEWHERE.items() if name in names.split()]


def rename_parameters(message: str, names: Mapping[str, str]) -> str:
    """Return a message of the library with its parameters as the caller writes them.

    The library names them without the pipeline, such as `source.tz` and `gaps=`; the caller's by those are names such
    as `forecast.source.tz`, `--tz` or `tz=`.
    """
    if not names:
        return message
    # Of names that begin alike, the longest one.
    ordered = sorted(names, key=len, reverse=True)
    listed = "|".join(re.escape(name) + ("" if name.endswith("=") else r"\b") for name in ordered)
    return re.sub(rf"(?<![\w./])(?:{listed})", lambda match: names[match[0]], message)


def list_parameter_names(full: str, kind: Any) -> Iterator[tuple[str, str]]:
    """Yield the short and the full name of each field of a block, and of the blocks within; `gaps=` without fields."""
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return
    owner, _, block = full.rpartition(".")
    if issubclass(kind, RootModel):
        yield f"{block}=", f"{full}="
        return
    for field, facts in kind.model_fields.items():
        yield f"{block}.{field}", f"{full}.{field}"
        if field == AS_OF and not owner:
            yield AS_OF, f"{full}.{AS_OF}"
        yield from list_parameter_names(f"{full}.{field}", facts.annotation)
