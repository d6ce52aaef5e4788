"""Tasks and plans that can't be meant are refused before Keras loads."""

from typing import Any

import pytest
from pydantic import ValidationError

from rnn_pipelines.lab.compare.specs import PlanSpec, TaskBook, TaskSpec

ADDING = {"kind": "adding", "num_steps": 10}


def make_task(**changes: Any) -> dict[str, Any]:
    contenders = {"lstm": {"cell": "lstm", "units": 8}, "gru": {"cell": "gru", "units": 9}}
    return {"data": ADDING, "contenders": contenders, "training": {}} | changes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": {"kind": "adding", "num_step": 10}}, "num_step"),
        ({"data": {"kind": "adding", "delay": 10}}, "delay"),
        ({"data": {"kind": "sorting"}}, "sorting"),
        ({"data": {"kind": "adding", "num_steps": 1}}, "num_steps"),
        ({"data": {"kind": "copy", "delay": 0}}, "delay"),
        ({"data": {"kind": "music", "file": "../secret.mat"}}, "file"),
        (
            {"data": {"kind": "series", "source": {"name": "catalog"}}},
            "expected a name or a path, received the catalog",
        ),
        ({"contenders": {"lstm": {"cell": "lstm", "units": 8}}}, "contenders"),
        ({"contender": {}}, "contender"),
        ({"steps_per_epoch": 0}, "steps_per_epoch"),
        ({"learnt_below": 0}, "learnt_below"),
        ({"training": {"epoch": 3}}, "epoch"),
    ],
)
def test_wrong_task_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TaskSpec.model_validate(make_task(**changes))


def test_contender_has_the_cell_of_its_name_or_a_name_of_its_own() -> None:
    """Its results would stand under the wrong name."""
    contenders = {"lstm": {"cell": "gru", "units": 9}, "gru": {"cell": "gru", "units": 9}}
    with pytest.raises(
        ValidationError, match="contender 'lstm': expected the cell of that name, received 'gru'"
    ):
        TaskSpec.model_validate(make_task(contenders=contenders))
    contenders = {"mine": {"cell": "gru", "units": 9}, "gru": {"cell": "gru", "units": 9}}
    assert list(TaskSpec.model_validate(make_task(contenders=contenders)).contenders) == [
        "mine",
        "gru",
    ]
    contenders = {"my cell": {"cell": "gru", "units": 9}, "gru": {"cell": "gru", "units": 9}}
    with pytest.raises(ValidationError, match="pattern"):
        TaskSpec.model_validate(make_task(contenders=contenders))


@pytest.mark.parametrize("name", ["", "my task", "../a"])
def test_name_that_is_no_word_is_refused(name: str) -> None:
    """It couldn't stand in the list of tasks, or in the name of a file."""
    with pytest.raises(ValidationError, match="pattern"):
        TaskBook.model_validate({name: make_task()})


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"tasks": " "}, "received none"), ({"seeds": 0}, "seeds"), ({"seed": 3}, "seed")],
)
def test_wrong_plan_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        PlanSpec(**{"tasks": "adding", **changes})
