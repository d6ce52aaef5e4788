"""The run before is the newest complete one on the same data source."""

import json
from typing import Any

import pytest

from rnn_pipelines.errors import RunError
from rnn_pipelines.runs.earlier import EarlierRun, find_earlier_run
from rnn_pipelines.runs.records import RunRecord
from rnn_pipelines.runs.run_store import RunStore
from rnn_pipelines.runs.writing import open_run, publish

FILES = ("08_reporting/metrics.json",)


def make_record(run: str, path: str | None = "a.csv", units: int = 16, **facts: Any) -> RunRecord:
    made: Any = {
        "run": run,
        "pipeline": "forecast",
        "data": {"forecast_table": {"fingerprint": "a", "num_rows": 9}},
        "parameters": {"forecast.source": {"path": path, "tz": None}, "forecast": {"lstm": {"units": units}}},
        "code": "c",
        "commit": None,
        "versions": {},
    }
    record: RunRecord = made | facts
    return record


def do_run(store: RunStore, **facts: Any) -> str:
    run = open_run(store, FILES, needed=None)
    (run.folder / "08_reporting").mkdir()
    results = {"run": run.name, "ensemble": {"mse": 2.5}, "test_fingerprint": "f"}
    (run.folder / FILES[0]).write_text(json.dumps(results))
    publish(run, make_record(run.name, **({"ended": "2026-01-01T00:00:00+00:00"} | facts)))
    return run.name


def find(store: RunStore, **facts: Any) -> EarlierRun | None:
    return find_earlier_run(store, make_record("now", **facts))


def test_first_run_has_none_before(store: RunStore) -> None:
    assert find(store) is None


def test_newest_run_on_the_source_is_found_with_its_results(store: RunStore) -> None:
    do_run(store)
    newest = do_run(store)
    do_run(store, path="b.csv")
    found = find(store)
    assert found is not None
    assert (found.pipeline, found.run, found.ended) == ("forecast", newest, "2026-01-01T00:00:00+00:00")
    assert found.results == {"ensemble.mse": 2.5, "test_fingerprint": "f"}
    assert found.differences == {}


def test_other_settings_of_a_source_are_the_same_source(store: RunStore) -> None:
    run = do_run(store)
    found = find(store, parameters={"forecast.source": {"path": "a.csv", "tz": "UTC"}})
    assert found is not None
    assert found.run == run


def test_differences_are_named_by_kind(store: RunStore) -> None:
    do_run(store)
    data = {"forecast_table": {"fingerprint": "b", "num_rows": 10}}
    found = find(store, units=32, code="d", data=data)
    assert found is not None
    assert found.differences == {
        "data": {"forecast_table": ("9 rows, a", "10 rows, b")},
        "parameters": {"forecast.lstm.units": (16, 32)},
        "code": {"code": ("c", "d")},
    }


def test_partial_run_without_data_compares_none(store: RunStore) -> None:
    do_run(store)
    found = find(store, data={})
    assert found is not None
    assert "data" not in found.differences


def test_run_with_a_damaged_record_is_passed_over(store: RunStore) -> None:
    whole, damaged = do_run(store), do_run(store)
    (store.folder / damaged / "run.json").write_text("{")
    found = find(store)
    assert found is not None
    assert found.run == whole


def test_damaged_results_are_an_error(store: RunStore) -> None:
    run = do_run(store)
    (store.folder / run / FILES[0]).write_text("{")
    with pytest.raises(RunError, match=r"metrics\.json"):
        find(store)
