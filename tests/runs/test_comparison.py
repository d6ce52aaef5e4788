"""Runs are listed, and compared by their metrics and inputs."""

import json
from typing import Any

import pytest

from rnn_pipelines.champion.records import list_leaves
from rnn_pipelines.errors import RunError
from rnn_pipelines.runs import comparison
from rnn_pipelines.runs.comparison import EarlierRun, find_earlier_run
from rnn_pipelines.runs.run_store import RunRecord, RunStore
from rnn_pipelines.runs.writing import open_run, publish_run

FILES = ("08_reporting/metrics.json", "08_reporting/losses.json")


def do_run(
    store: RunStore, mse: float = 1.0, horizon: int = 7, fingerprint: str = "a", **record: Any
) -> str:
    run = open_run(store, FILES, needed=None)
    folder = run.folder / "08_reporting"
    folder.mkdir()
    results = {"run": run.name, "lstm": {"mse": mse, "seconds": 3.0}, "said": "yes"}
    (folder / "metrics.json").write_text(json.dumps(results))
    (folder / "losses.json").write_text('{"data": [1, 2], "layout": {"mse": 5}}')
    facts: Any = {
        "run": run.name,
        "ended": "2026-01-01T00:00:00+00:00",
        "data": {"forecast_table": {"fingerprint": fingerprint, "num_rows": 1000}},
        "parameters": {"forecast": {"window": {"horizon": horizon, "lookback": 30}}},
        "code": "c",
        "commit": None,
        "versions": {"numpy": "2"},
    }
    publish_run(run, {**facts, **record})
    return run.name


def test_numbers_of_a_run_are_those_of_its_results(store: RunStore) -> None:
    name = do_run(store)
    assert comparison.read_numbers(store.folder / name, FILES) == {
        "lstm.mse": 1.0,
        "lstm.seconds": 3.0,
    }


def test_every_run_has_its_main_metric(store: RunStore) -> None:
    do_run(store)
    do_run(store, mse=2.0)
    do_run(store, mse=1.5)
    lines = comparison.tabulate_runs(store).splitlines()
    assert ["lstm.mse 2" in lines[2], "lstm.mse 1.5" in lines[3]] == [True, True]


def test_the_main_metric_is_that_of_the_ensemble(store: RunStore) -> None:
    name = do_run(store)
    folder = store.folder / name / "08_reporting"
    (folder / "metrics.json").write_text(
        '{"run": "a", "lstm": {"mse": 1}, "ensemble": {"mse": 3, "mae": 2}}'
    )
    assert comparison.find_main_metric(store, store.read_record(name)) == "ensemble.mse 3"


def test_a_run_with_damaged_results_has_no_main_metric(store: RunStore) -> None:
    name = do_run(store)
    folder = store.folder / name / "08_reporting"
    (folder / "metrics.json").write_text("{")
    assert comparison.find_main_metric(store, store.read_record(name)) == "–"


def test_list_says_what_differs_from_the_run_before(store: RunStore) -> None:
    do_run(store)
    do_run(store, horizon=14)
    do_run(store, horizon=14, fingerprint="b")
    do_run(store, horizon=14, fingerprint="b")
    lines = comparison.tabulate_runs(store).splitlines()
    assert [line.rpartition("  ")[2] for line in lines[1:]] == [
        "–",
        "parameters",
        "data",
        "nothing",
    ]


def test_list_marks_the_run_that_is_shown(store: RunStore) -> None:
    names = [do_run(store), do_run(store)]
    lines = comparison.tabulate_runs(store).splitlines()
    assert [line.split()[0] for line in lines[1:]] == [names[0][-6:], f"{names[1][-6:]}*"]


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"format": 99}', '{"format": 1, "run": "NAME", "files": {}, "versions": []}'],
)
def test_damaged_record_hides_no_other_run(store: RunStore, content: str) -> None:
    names = [do_run(store) for _ in range(3)]
    (store.folder / names[1] / "run.json").write_text(content.replace("NAME", names[1]))
    lines = comparison.tabulate_runs(store).splitlines()
    assert [line.split()[0].rstrip("*") for line in lines[1:]] == [name[-6:] for name in names]
    assert [f"{names[1]}/run.json: it " in line for line in lines[1:]] == [False, True, False]


def test_programs_are_told_what_is_wrong_with_a_record(store: RunStore) -> None:
    names = [do_run(store) for _ in range(2)]
    (store.folder / names[0] / "run.json").write_text("{")
    damaged, whole = comparison.list_run_records(store)
    assert damaged["run"] == names[0]
    assert "it is damaged" in damaged["problem"]
    assert "problem" not in whole


def test_list_is_empty_before_the_first_run(store: RunStore) -> None:
    assert comparison.tabulate_runs(store) == "forecast: no runs yet"
    assert comparison.list_run_records(store) == []


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 5000])
def test_damaged_results_are_refused_by_name(store: RunStore, content: bytes) -> None:
    name = do_run(store)
    path = store.folder / name / "08_reporting/metrics.json"
    path.write_bytes(content)
    with pytest.raises(RunError, match=f"^{path}: it is damaged"):
        comparison.read_numbers(store.folder / name, FILES)


def test_comparison_sets_metrics_side_by_side(store: RunStore) -> None:
    names = [do_run(store, mse=1.5), do_run(store, mse=0.25)]
    text = comparison.compare_runs(store, names, metrics=["mse"])
    assert "lstm.mse  1.5     0.25" in text
    assert "seconds" not in text


@pytest.mark.parametrize(
    ("changed", "kind", "expected"),
    [
        ({"horizon": 14}, "parameters", {"forecast.window.horizon": (7, 14)}),
        ({"fingerprint": "b"}, "data", {"forecast_table": ("1,000 rows, a", "1,000 rows, b")}),
        ({"code": "d"}, "code", {"code": ("c", "d")}),
        ({"versions": {"numpy": "3"}}, "versions", {"numpy": ("2", "3")}),
    ],
)
def test_comparison_gives_the_differences(
    store: RunStore, changed: dict[str, Any], kind: str, expected: dict
) -> None:
    names = [do_run(store), do_run(store, **changed)]
    compared = comparison.compare_records(store, names)
    kinds = ("data", "parameters", "code", "versions", "files")
    assert {name: compared[name] for name in kinds} == {
        name: expected if name == kind else {} for name in kinds
    }
    (key,) = expected
    text = comparison.compare_runs(store, names, metrics=None)
    assert [line.split()[0] for line in text.split("\n\n")[1].splitlines()[1:]] == [f"{kind}.{key}"]


def test_commit_that_leaves_the_code_as_it_was_is_no_difference(store: RunStore) -> None:
    names = [do_run(store, commit="1" * 40), do_run(store, commit="2" * 40)]
    assert comparison.compare_records(store, names)["code"] == {}
    assert comparison.tabulate_runs(store).splitlines()[-1].endswith("  nothing")


def test_commits_are_given_if_the_code_differs(store: RunStore) -> None:
    names = [do_run(store, commit="1" * 40), do_run(store, commit="2" * 40, code="d")]
    assert comparison.compare_records(store, names)["code"] == {
        "code": ("c", "d"),
        "commit": ("1" * 12, "2" * 12),
    }


def test_comparison_names_files_that_not_all_runs_have(store: RunStore) -> None:
    names = [do_run(store), do_run(store)]
    path = store.folder / names[1] / "run.json"
    record = json.loads(path.read_text())
    del record["files"]["08_reporting/losses.json"]
    path.write_text(json.dumps(record))
    assert comparison.compare_records(store, names)["files"] == {
        "08_reporting/losses.json": ("yes", None)
    }


def test_comparison_of_equal_runs_has_only_metrics(store: RunStore) -> None:
    text = comparison.compare_runs(store, [do_run(store), do_run(store)], metrics=None)
    assert [line.split()[0] for line in text.splitlines()[1:]] == ["lstm.mse", "lstm.seconds"]


def test_run_is_known_by_its_last_letters(store: RunStore) -> None:
    names = [do_run(store), do_run(store)]
    assert comparison.find_run(store, names[0][-6:]) == names[0]
    assert comparison.find_run(store, None) == names[1]


def test_unknown_run_is_refused_with_those_that_there_are(store: RunStore) -> None:
    with pytest.raises(RunError, match="kedro run --pipelines=forecast"):
        comparison.find_run(store, None)
    name = do_run(store)
    with pytest.raises(RunError, match=f"xyz.*found 0; known: {name[-6:]}"):
        comparison.find_run(store, "xyz")
    (store.folder / "current").unlink()
    with pytest.raises(RunError, match=f"known: {name[-6:]}\\."):
        comparison.find_run(store, None)


def test_description_names_damaged_files(store: RunStore) -> None:
    name = do_run(store)
    (store.folder / name / "08_reporting/metrics.json").write_text("{}")
    assert "damaged" in comparison.format_run(store, name)
    assert "08_reporting/metrics.json" in comparison.format_run(store, name)


def test_numbers_of_files_that_somebody_put_there_are_none_of_the_run(store: RunStore) -> None:
    name = do_run(store)
    (store.folder / name / "08_reporting/mine.json").write_text('{"run": "x", "mse": 9}')
    (store.folder / name / "08_reporting/losses.json").unlink()
    assert comparison.compare_records(store, [name])["metrics"] == {
        "lstm.mse": (1.0,),
        "lstm.seconds": (3.0,),
    }


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"a": {"b": 1}, "c": 2}, {"a.b": 1, "c": 2}),
        ({"a": [1, 2]}, {"a": [1, 2]}),
        (
            {"a": [{"name": "x", "mse": 1}, {"mse": 2}]},
            {"a.x.name": "x", "a.x.mse": 1, "a.1.mse": 2},
        ),
        ({"a": [{"name": ["x"]}]}, {"a.['x'].name": ["x"]}),
        (
            {"a": [{"name": "x", "v": 1}, {"name": "x", "v": 2}]},
            {"a.0.name": "x", "a.0.v": 1, "a.1.name": "x", "a.1.v": 2},
        ),
        ({"a": {}, "b": 1}, {"a": {}, "b": 1}),
        (5, {"": 5}),
    ],
)
def test_nested_values_are_named_by_their_path(values: Any, expected: dict[str, Any]) -> None:
    assert list_leaves(values) == expected


def make_record(run: str, path: str | None = "a.csv", units: int = 16, **facts: Any) -> RunRecord:
    made: Any = {
        "run": run,
        "pipeline": "forecast",
        "data": {"forecast_table": {"fingerprint": "a", "num_rows": 9}},
        "parameters": {
            "forecast.source": {"path": path, "tz": None},
            "forecast": {"lstm": {"units": units}},
        },
        "code": "c",
        "commit": None,
        "versions": {},
    }
    record: RunRecord = made | facts
    return record


def do_run_on(store: RunStore, **facts: Any) -> str:
    run = open_run(store, FILES[:1], needed=None)
    (run.folder / "08_reporting").mkdir()
    results = {"run": run.name, "ensemble": {"mse": 2.5}, "test_fingerprint": "f"}
    (run.folder / FILES[0]).write_text(json.dumps(results))
    publish_run(run, make_record(run.name, **({"ended": "2026-01-01T00:00:00+00:00"} | facts)))
    return run.name


def find(store: RunStore, **facts: Any) -> EarlierRun | None:
    return find_earlier_run(store, make_record("now", **facts))


def test_there_is_no_earlier_run_before_the_first(store: RunStore) -> None:
    assert find(store) is None


def test_newest_run_on_the_source_is_found(store: RunStore) -> None:
    do_run_on(store)
    newest = do_run_on(store)
    do_run_on(store, path="b.csv")
    found = find(store)
    assert found is not None
    assert (found.pipeline, found.run, found.ended) == (
        "forecast",
        newest,
        "2026-01-01T00:00:00+00:00",
    )


def test_an_earlier_run_has_its_results(store: RunStore) -> None:
    do_run_on(store)
    found = find(store)
    assert found is not None
    assert found.results == {"ensemble.mse": 2.5, "test_fingerprint": "f"}


def test_equal_runs_have_no_differences(store: RunStore) -> None:
    do_run_on(store)
    found = find(store)
    assert found is not None
    assert found.differences == {}


def test_a_run_in_another_zone_is_on_the_same_source(store: RunStore) -> None:
    run = do_run_on(store)
    found = find(store, parameters={"forecast.source": {"path": "a.csv", "tz": "UTC"}})
    assert found is not None
    assert found.run == run


def test_differences_are_named_by_kind(store: RunStore) -> None:
    do_run_on(store)
    data = {"forecast_table": {"fingerprint": "b", "num_rows": 10}}
    found = find(store, units=32, code="d", data=data)
    assert found is not None
    assert found.differences == {
        "data": {"forecast_table": ("9 rows, a", "10 rows, b")},
        "parameters": {"forecast.lstm.units": (16, 32)},
        "code": {"code": ("c", "d")},
    }


def test_data_that_are_missing_are_no_difference(store: RunStore) -> None:
    do_run_on(store)
    found = find(store, data={})
    assert found is not None
    assert "data" not in found.differences


def test_a_run_with_a_damaged_record_is_passed_over(store: RunStore) -> None:
    whole = do_run_on(store)
    damaged = do_run_on(store)
    (store.folder / damaged / "run.json").write_text("{")
    found = find(store)
    assert found is not None
    assert found.run == whole


def test_damaged_results_of_a_run_are_an_error(store: RunStore) -> None:
    run = do_run_on(store)
    (store.folder / run / FILES[0]).write_text("{")
    with pytest.raises(RunError, match=r"metrics\.json"):
        find(store)
