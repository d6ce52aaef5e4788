"""Blocks of parameters: a truth value is no number."""

from typing import Literal

import pytest

from rnn_pipelines.errors import ParameterError
from rnn_pipelines.parameter_models import ParameterModel, read_parameter_model


class Inner(ParameterModel, frozen=True):
    units: int = 1


class Outer(ParameterModel, frozen=True):
    """One of each kind."""

    kind: Literal["outer"] = "outer"
    share: float | None = None
    steps: int | str = 1
    choices: tuple[int, ...] = ()
    is_fast: bool = True
    inner: Inner = Inner()


def test_truth_values_are_no_numbers_but_in_their_places() -> None:
    for block, place in [
        ({"share": True}, r"outer\.share"),
        ({"steps": False}, r"outer\.steps"),
        ({"inner": {"units": True}}, r"outer\.inner\.units"),
    ]:
        with pytest.raises(
            ParameterError, match=rf"^{place}: expected a number, received (True|False)\.$"
        ):
            read_parameter_model("outer", Outer, block)
    with pytest.raises(
        ParameterError, match=r"^outer\.choices: expected a number, received \[1, True\]\.$"
    ):
        read_parameter_model("outer", Outer, {"choices": [1, True]})
    block = {
        "share": 1,
        "steps": "2",
        "choices": [1.0, "2"],
        "is_fast": False,
        "inner": {"units": "3"},
    }
    found = read_parameter_model("outer", Outer, block)
    assert found.model_dump() == {
        "kind": "outer",
        "share": 1.0,
        "steps": "2",
        "choices": (1, 2),
        "is_fast": False,
        "inner": {"units": 3},
    }
