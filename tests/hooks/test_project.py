"""A parameter that would mislead ends the run before its first node; a run ends by saying where its report is."""

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from kedro.io import DataCatalog, MemoryDataset, SharedMemoryDataCatalog
from kedro.pipeline import Node, Pipeline
from kedro.runner.parallel_runner import ParallelRunnerManager
from kedro_datasets.text import TextDataset

from rnn_pipelines.champion.outcome import save_outcome
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.datasets import ChampionDataset, PostgresRowsDataset
from rnn_pipelines.datasets.passed import prepare_messages
from rnn_pipelines.errors import ParameterError, RunStopped, SeriesError
from rnn_pipelines.forecast.methods.training.specs import NetworkSpec
from rnn_pipelines.hooks import project
from rnn_pipelines.hooks.project import RunHooks
from rnn_pipelines.report.failures import guard


@pytest.fixture
def run_hook(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Calls the hook before a run of three pipelines, of which `forecast` is the default."""
    pipelines = {
        "forecast": Pipeline(
            [
                Node(
                    print,
                    ["params:forecast.window", "params:forecast.lstm"],
                    None,
                    name="read_parameter_models",
                )
            ]
        ),
        "compare": Pipeline([Node(print, "params:compare.cells", None, name="read_cells")]),
        "predict": Pipeline([Node(print, "params:forecast.source", None, name="read_source")]),
    }
    monkeypatch.setattr(
        "rnn_pipelines.hooks.project.pipelines", pipelines | {"__default__": pipelines["forecast"]}
    )

    def run(
        parameters: dict[str, Any],
        names: list[str] | None = None,
        given: dict[str, Any] | None = None,
    ) -> None:
        catalog = DataCatalog({"parameters": MemoryDataset(parameters)})
        RunHooks().before_pipeline_run({"pipeline_names": names, "runtime_params": given}, catalog)

    return run


def test_parameters_of_the_default_pipeline_are_checked(run_hook: Callable[..., None]) -> None:
    with pytest.raises(ParameterError, match=r"Did you mean 'forecast\.window'"):
        run_hook({"forecast": {"windows": {}}, "compare": {"cell": {}}})


def test_parameters_of_the_named_pipeline_are_checked(run_hook: Callable[..., None]) -> None:
    with pytest.raises(ParameterError, match=r"Did you mean 'compare\.cells'"):
        run_hook({"forecast": {"windows": {}}, "compare": {"cell": {}}}, ["compare"])


def test_parameters_of_every_named_pipeline_are_checked(run_hook: Callable[..., None]) -> None:
    with pytest.raises(ParameterError, match=r"Did you mean 'compare\.cells'"):
        run_hook({"forecast": {"window": {}}, "compare": {"cell": {}}}, ["forecast", "compare"])


def test_parameters_of_the_command_are_checked(run_hook: Callable[..., None]) -> None:
    with pytest.raises(ParameterError, match="Did you mean 'forecast'"):
        run_hook({"forecast": {"window": {}}}, given={"forecasts": {}})


def test_cells_of_networks_are_checked(run_hook: Callable[..., None]) -> None:
    with pytest.raises(ParameterError, match=r"'forecast\.lstm\.cell'"):
        run_hook({"forecast": {"window": {}, "lstm": NetworkSpec(cell="gru")}})


def test_run_ends_by_saying_where_its_report_is(caplog: pytest.LogCaptureFixture) -> None:
    pipeline = Pipeline(
        [Node(lambda: ("", ""), None, ["forecast_report", "forecast_scores"], name="write_report")]
    )
    catalog = DataCatalog({"forecast_report": TextDataset(filepath="out/report.html")})
    with caplog.at_level(logging.INFO, "rnn_pipelines"):
        RunHooks().after_pipeline_run({"pipeline_names": None}, pipeline, catalog)
    assert [message.rpartition("/")[2] for message in caplog.messages] == ["report.html"]


def test_run_ends_by_printing_its_summary(capsys: pytest.CaptureFixture[str]) -> None:
    catalog = DataCatalog({"forecast_summary": MemoryDataset("All is level.")})
    pipeline = Pipeline([Node(lambda: "", None, "forecast_summary", name="summarize")])
    RunHooks().after_pipeline_run({"pipeline_names": None}, pipeline, catalog)
    assert capsys.readouterr().out == "\nAll is level.\n\n"


def test_run_ends_by_saying_which_part_failed(
    run_hook: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    """Once, and a run before has nothing to do with it."""
    pipeline = Pipeline([Node(lambda: "", None, "forecast_report", name="write_report")])
    guard(divmod, str)(1, 0)
    run_hook({"forecast": {"window": {}, "lstm": {}}}, ["predict"])
    guard(int, str)("x")
    caplog.clear()
    for _ in range(2):
        RunHooks().after_pipeline_run({"pipeline_names": None}, pipeline, DataCatalog({}))
    (warning,) = caplog.records
    assert warning.levelname == "WARNING"
    assert "int: ValueError" in warning.getMessage()


def test_run_ends_by_saying_where_its_predictions_are_though_nodes_read_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    nodes = [
        Node(lambda: "", None, "forecast_predictions", name="forecast"),
        Node(print, "forecast_predictions", None, name="show"),
    ]
    catalog = DataCatalog({"forecast_predictions": TextDataset(filepath="out/predictions.txt")})
    with caplog.at_level(logging.INFO, "rnn_pipelines"):
        RunHooks().after_pipeline_run({"pipeline_names": None}, Pipeline(nodes), catalog)
    assert [message.rpartition("/")[2] for message in caplog.messages] == ["predictions.txt"]


def test_predictions_that_stay_in_memory_have_no_place(caplog: pytest.LogCaptureFixture) -> None:
    pipeline = Pipeline([Node(lambda: "", None, "holdout_predictions", name="forecast")])
    with caplog.at_level(logging.INFO, "rnn_pipelines"):
        RunHooks().after_pipeline_run(
            {"pipeline_names": None},
            pipeline,
            DataCatalog({"holdout_predictions": MemoryDataset("")}),
        )
    assert caplog.messages == []


@pytest.mark.parametrize(("seconds", "lines"), [(1.0, []), (61.7, ["train: 62 s"])])
def test_node_that_takes_long_is_said(
    seconds: float,
    lines: list[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hooks = RunHooks()
    node = Node(lambda: "", None, "model", name="train")
    clock = iter([100.0, 100.0 + seconds])
    monkeypatch.setattr("rnn_pipelines.hooks.project.time.monotonic", lambda: next(clock))
    with caplog.at_level(logging.INFO, "rnn_pipelines"):
        hooks.before_node_run(node)
        hooks.after_node_run(node, DataCatalog())
    assert caplog.messages == lines


def test_run_ends_by_saying_which_table_its_forecasts_are_in(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pipeline = Pipeline([Node(lambda: "", None, "sales_forecasts", name="forecast")])
    catalog = DataCatalog({"sales_forecasts": PostgresRowsDataset(table="sales", key=["shop"])})
    with caplog.at_level(logging.INFO, "rnn_pipelines"):
        RunHooks().after_pipeline_run({"pipeline_names": None}, pipeline, catalog)
    assert caplog.messages == ["Forecasts: table sales"]


def test_blocks_that_another_pipeline_reads_are_checked_by_name(
    run_hook: Callable[..., None],
) -> None:
    """Of the blocks of `forecast`, its predictions read one."""
    assert run_hook({"forecast": {"window": {}, "lstm": {}}, "sales": {}}, ["predict"]) is None
    with pytest.raises(ParameterError, match=r"Did you mean 'forecast\.window'"):
        run_hook({"forecast": {"windows": {}}}, ["predict"])
    with pytest.raises(ParameterError, match=r"'forecast\.window' is read by no node of this run"):
        run_hook({"forecast": {"window": {}}}, ["predict"], given={"forecast": {"window": {}}})


@pytest.fixture
def retrained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The catalog of a run that retrains both tasks."""
    monkeypatch.setattr(
        "rnn_pipelines.hooks.project.pipelines",
        dict.fromkeys(RETRAIN["pipeline_names"], Pipeline([])),
    )
    champions = {
        f"champion_{task}": ChampionDataset(path=str(tmp_path / task), task=task)
        for task in ("forecast", "sentiment")
    }
    return DataCatalog({"parameters": MemoryDataset({}), **champions})


RETRAIN = {"pipeline_names": ["retrain_forecast", "retrain_sentiment"], "runtime_params": {}}


def fail_after(catalog: Any, promote: Callable[[ChampionStore], object]) -> dict[str, list[str]]:
    """The outcomes on record of a run that fails after a promotion, by task."""
    hooks = RunHooks()
    hooks.before_pipeline_run(RETRAIN, catalog)
    stores = {task: catalog[f"champion_{task}"].store for task in ("forecast", "sentiment")}
    promote(stores["forecast"])
    hooks.on_pipeline_error(SeriesError("no such file"), RETRAIN, catalog)
    return {
        task: [record["outcome"] for record in store.list_records()]
        for task, store in stores.items()
    }


def save_promoted(store: ChampionStore) -> None:
    record = {"kind": "retrain", "outcome": "promoted", "is_promoted": True, "reasons": ["why"]}
    save_outcome(store, {"model": b"model"}, record, "2026-01-31T02:00:00+00:00")


def test_retraining_that_was_decided_did_not_fail_with_another(retrained: Any) -> None:
    assert fail_after(retrained, save_promoted) == {
        "forecast": ["promoted"],
        "sentiment": ["failed"],
    }


def test_promotion_whose_record_found_no_room_did_not_fail(
    retrained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save_without_space(store: ChampionStore) -> None:
        with monkeypatch.context() as patch, contextlib.suppress(OSError):
            patch.setattr(
                "rnn_pipelines.champion.outcome.add_record",
                Mock(side_effect=OSError("No space left")),
            )
            save_promoted(store)

    assert fail_after(retrained, save_without_space) == {
        "forecast": ["promoted"],
        "sentiment": ["failed"],
    }
    assert len(list((retrained["champion_forecast"].store.folder).glob("history/*"))) == 0


def test_record_of_an_earlier_run_is_none_of_this_one(retrained: Any) -> None:
    save_promoted(retrained["champion_forecast"].store)
    assert fail_after(retrained, lambda _: None)["forecast"] == ["promoted", "failed"]


@pytest.mark.parametrize(("kind", "num_failures"), [(SeriesError, 1), (RunStopped, 0)])
def test_run_that_stops_after_the_fit_rings_no_alarm(
    retrained: Any, kind: type[Exception], num_failures: int
) -> None:
    store = retrained["champion_forecast"].store
    save_promoted(store)
    run = {"pipeline_names": ["predict_forecast"], "runtime_params": {}, "env": None}
    RunHooks().on_pipeline_error(kind("it ended"), run, retrained)
    assert len(list(store.folder.glob("failed_*"))) == num_failures


# A retraining with wrong settings of MLflow ends before its first node; one that ends is published.


RETRAIN_FORECAST = {"pipeline_names": ["retrain_forecast"], "runtime_params": None}
ELSE = {"pipeline_names": ["forecast", "predict_forecast"], "runtime_params": None}


@pytest.fixture(autouse=True)
def _no_pipelines(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("retrain_forecast", "forecast", "predict_forecast", "__default__")
    monkeypatch.setattr(project, "pipelines", {name: Pipeline([]) for name in names})


def make_hooks(settings: dict[str, Any]) -> RunHooks:
    hooks = RunHooks()
    hooks.after_context_created(
        SimpleNamespace(config_loader={"mlflow": settings}, project_path=Path("/project"))
    )
    return hooks


@pytest.fixture
def catalog(tmp_path: Path) -> DataCatalog:
    champion = ChampionDataset(path=str(tmp_path), task="forecast")
    return DataCatalog({"champion_forecast": champion, "parameters": MemoryDataset({})})


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, str, Any, int]]:
    """Folder, task, address and number of records of each publication."""
    calls = []

    def publish(store: ChampionStore, task: str, find_spec: Any, save_model: Any) -> None:
        calls.append((store.folder, task, find_spec().tracking_uri, len(store.list_records())))

    monkeypatch.setattr(project, "publish_if_possible", publish)
    return calls


def test_wrong_setting_ends_a_retraining_before_it_takes_a_lock(
    catalog: DataCatalog, tmp_path: Path
) -> None:
    with pytest.raises(ParameterError, match=r"^mlflow\.uri: "):
        make_hooks({"uri": "x"}).before_pipeline_run(RETRAIN_FORECAST, catalog)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "run_params", [ELSE, {**ELSE, "pipeline_names": None}], ids=["named", "the default"]
)
def test_other_runs_publish_nothing(
    run_params: dict[str, Any], catalog: DataCatalog, published: list[Any]
) -> None:
    """Nor do they read the settings, which would be refused."""
    hooks = make_hooks({"uri": "x"})
    hooks.before_pipeline_run(run_params, catalog)
    hooks.after_pipeline_run(run_params, Pipeline([]), catalog)
    assert published == []


def test_retraining_is_published_at_its_end(
    published: list[Any], catalog: DataCatalog, tmp_path: Path
) -> None:
    make_hooks({"is_on": True}).after_pipeline_run(RETRAIN_FORECAST, Pipeline([]), catalog)
    assert published == [(tmp_path, "forecast", "sqlite:////project/mlflow.db", 0)]


def test_failure_is_published_after_it_is_recorded(
    published: list[Any], catalog: DataCatalog, tmp_path: Path
) -> None:
    hooks = make_hooks({"is_on": True})
    hooks.before_pipeline_run(RETRAIN_FORECAST, catalog)
    hooks.on_pipeline_error(SeriesError("no such file"), RETRAIN_FORECAST, catalog)
    assert published == [(tmp_path, "forecast", "sqlite:////project/mlflow.db", 1)]


def test_run_ends_by_saying_which_part_failed_in_another_process(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pipeline = Pipeline([Node(lambda: "", None, "forecast_report", name="write_report")])
    with ParallelRunnerManager() as manager:
        catalog = SharedMemoryDataCatalog({})
        prepare_messages(catalog, pipeline)
        catalog.set_manager_datasets(manager)
        worker = RunHooks()
        worker.before_node_run(pipeline.nodes[0])
        guard(int, str)("x")
        worker.after_node_run(pipeline.nodes[0], catalog)
        caplog.clear()
        catalog["forecast_report"] = MemoryDataset("")
        RunHooks().after_pipeline_run({"pipeline_names": None}, pipeline, catalog)
    assert "a part of the report failed: int: ValueError" in caplog.messages[0]
