"""Blocks of parameters: what they have in common, and those that are given in Python, checked like those of files."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError, ValidatorFunctionWrapHandler, WrapValidator, model_validator
from pydantic_core import InitErrorDetails

from rnn_pipelines.errors import ParameterError, show


class ParameterModel(BaseModel, extra="forbid", frozen=True):
    """A block of parameters, whose names and values are checked before anything runs."""

    # Of the block, because pydantic takes none of a field by which it tells blocks apart.
    @model_validator(mode="before")
    @classmethod
    def _validate_numbers_are_no_booleans(cls, block: Any) -> Any:
        given = block if isinstance(block, Mapping) else {}
        faults = [
            InitErrorDetails(
                type="value_error", loc=(name,), input=given[name], ctx={"error": _expect_number(given[name])}
            )
            for name, field in cls.model_fields.items()
            if _has_truth(given.get(name)) and _is_number(field.annotation)
        ]
        if faults:
            raise ValidationError.from_exception_data(cls.__name__, faults)
        return block


def expect(what: str) -> WrapValidator:
    """One message for a parameter of several kinds, of which pydantic tells each kind's fault under a name of its own.

    Args:
        what: is expected.
    """

    def take(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            raise ValueError(f"expected {what}, received {show(value)}") from error

    return WrapValidator(take)


def validate_number_is_no_boolean(value: Any) -> Any:
    """Refuses true and false where a number is expected: pydantic takes them for 1 and 0."""
    if _has_truth(value):
        raise _expect_number(value)
    return value


def _has_truth(value: Any) -> bool:
    values = value if isinstance(value, list | tuple) else [value]
    # Those of NumPy by their type alone: what only reads a champion's records does without NumPy.
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
    """A block over what it always has; one that is no dictionary, for whoever checks it to refuse."""
    if block is None or isinstance(block, Mapping):
        return {**always, **(block or {})}
    return block


def read_parameter_model(name: str, kind: Any, block: Any) -> Any:
    """One block of parameters.

    Args:
        name: of the block, in messages.
        kind: its type.
        block: what was given.
    Raises:
        ParameterError: it has a name that is not known, or a value that is refused.
    """
    try:
        return kind.model_validate(block)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(map(str, (name, *first["loc"])))
        if first["type"] == "extra_forbidden":
            hint = suggest(str(first["loc"][-1]), sorted(kind.model_fields), prefix=f"{name}.", mark="")
            raise ParameterError(f"{path}: no such parameter. {hint}") from error
        received = "" if first["type"] == "value_error" else f" Received {show(first['input'])}."
        raise ParameterError(f"{path}: {first['msg'].removeprefix('Value error, ')}.{received}") from error


def check_block_names(given: Iterable[str], types: Mapping[str, Any], others: Iterable[str] = ()) -> None:
    """Refuses blocks that there are not.

    Args:
        given: names of blocks.
        types: of those that there are, by name.
        others: names beside those of blocks that whoever asks knows.
    Raises:
        ParameterError: there is no such block; the message says which one was meant.
    """
    known = [*others, *types]
    for name in given:
        if name not in known:
            homes = [block for block, kind in types.items() if _is_inside(name, kind)]
            if homes:
                raise ParameterError(f"{name}: no such parameter. Did you mean {homes[-1]}={{'{name}': ...}}?")
            raise ParameterError(f"{name}: no such parameter. {suggest(name, sorted(known), mark='')}")


def check_network_cell(place: str, name: str, cell: str) -> None:
    """Results stand under the name of a network's block, so that `lstm` must be an LSTM.

    Args:
        place: of the cell, in messages.
        name: of the block.
        cell: what the network is made of.
    Raises:
        ParameterError: the block is named after one cell and holds another.
    """
    if cell != name:
        raise ParameterError(
            f"{place}: expected '{name}', after which the block and its results are named, received '{cell}'."
        )


def _is_inside(name: str, kind: Any) -> bool:
    return issubclass(kind, BaseModel) and name in kind.model_fields


def suggest(name: str, known: list[str], prefix: str = "", mark: str = "'") -> str:
    """The name that was meant, or all that there are.

    Args:
        name: one that is not known.
        known: all that are.
        prefix: what stands before the name that was meant.
        mark: what stands around it.
    """
    close = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {mark}{prefix}{close[0]}{mark}?" if close else f"Expected one of {known}."
