"""Parameters, metrics and tags in MLflow are those of the record, in a form that MLflow accepts."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rnn_pipelines.connectors.mlflow import facts

NAME = "2026-01-31T02.01.00.250000Z-26e3a5"
END = 1769824860250


@pytest.fixture
def record(make_record: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    return make_record(version=NAME, record=NAME)


def test_parameters_have_the_names_of_the_command_line_in_letters_of_mlflow(
    record: dict[str, Any], make_record: Callable[..., dict[str, Any]]
) -> None:
    assert facts.list_parameters(record) == {
        "forecast.source.path": "null",
        "forecast.source.name": "seattle",
        "forecast.lstm.units": "[64, 32]",
        "forecast.lstm.centre": "false",
        "retrain_forecast.policy.must_beat": "[]",
    }
    record = make_record(parameters={"forecast": {"how much?": 1}})
    assert facts.list_parameters(record) == {"forecast.how much_": "1"}


def test_metrics_are_the_measured_numbers(
    record: dict[str, Any], make_record: Callable[..., dict[str, Any]]
) -> None:
    assert list(facts.list_metrics(record)) == [
        ("loss/challenger", 14.25, 0),
        ("validation_loss/challenger", 11.5, 0),
        ("by_step/challenger", 14.0, 1),
        ("by_step/challenger", 14.5, 2),
        ("loss/last_value", 22.25, 0),
        ("loss/ridge", 13.5, 0),
        ("p_value", 0.25, 0),
        ("seconds/training", 40.5, 0),
        ("seconds/total", 60.25, 0),
    ]
    metrics = {
        "challenger": {"loss": None, "is_good": True, "by_step": [None, 1]},
        "champion": None,
    }
    record = make_record(metrics=metrics, p_value=None, seconds={})
    assert list(facts.list_metrics(record)) == [("by_step/challenger", 1.0, 2)]


def test_tags_have_the_version_with_its_outcome(record: dict[str, Any]) -> None:
    tags = facts.make_tags(record)
    assert (tags["record"], tags["version"], tags["outcome"]) == (NAME, NAME, "promoted")


def test_tags_have_the_source_of_the_data(record: dict[str, Any]) -> None:
    tags = facts.make_tags(record)
    assert (tags["data_hash"], tags["data.source"], tags["with.keras"]) == (
        "d" * 12,
        "seattle",
        "3.15.1",
    )


def test_tags_have_the_commit(record: dict[str, Any]) -> None:
    tags = facts.make_tags(record)
    assert (tags["mlflow.source.git.commit"], tags["as_of"]) == ("a" * 40, "2026-01-31")


def test_the_note_of_a_run_has_its_reasons(record: dict[str, Any]) -> None:
    assert facts.make_tags(record)["mlflow.note.content"] == "**promoted**: promoted by the policy"


def test_tags_of_a_version_have_its_path_with_the_checksum(record: dict[str, Any]) -> None:
    tags = facts.make_version_tags(record, Path("/data/versions") / NAME, "abc")
    assert (tags["version"], tags["path"], tags["checksum"]) == (
        NAME,
        f"/data/versions/{NAME}",
        "abc",
    )


def test_tags_of_a_version_have_its_fingerprints(record: dict[str, Any]) -> None:
    tags = facts.make_version_tags(record, Path("/data/versions") / NAME, "abc")
    assert {"data_hash", "parameters_hash", "code_hash"} <= set(tags)


def test_a_run_ends_when_its_version_was_made(record: dict[str, Any]) -> None:
    assert facts.find_times(record) == (END - 60250, END)


@pytest.fixture(scope="module")
def failure() -> dict[str, Any]:
    return {
        "record": NAME,
        "task": "forecast",
        "outcome": "failed",
        "reasons": ["it failed"],
        "error": "OSError: full.",
    }


def test_a_failure_has_its_error(failure: dict[str, Any]) -> None:
    assert facts.make_tags(failure)["reasons"] == "OSError: full"


def test_a_failure_has_no_numbers(failure: dict[str, Any]) -> None:
    assert (facts.list_parameters(failure), list(facts.list_metrics(failure))) == ({}, [])


def test_a_failure_takes_no_time(failure: dict[str, Any]) -> None:
    assert facts.find_times(failure) == (END, END)


def test_record_is_left_as_it_was(record: dict[str, Any]) -> None:
    before = json.dumps(record)
    facts.list_parameters(record), list(facts.list_metrics(record)), facts.make_tags(record)
    assert json.dumps(record) == before
