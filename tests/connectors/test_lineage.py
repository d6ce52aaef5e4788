"""Events of runs are valid OpenLineage, only if it is on, and never end a run."""

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import jsonschema
import pandas as pd
import pytest
from kedro.framework.hooks.manager import _create_hook_manager
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline, node
from kedro.runner import SequentialRunner
from kedro_datasets.pandas import CSVDataset

from openlineage_schema import make_validators, read_events
from rnn_pipelines.connectors import lineage
from rnn_pipelines.connectors.lineage import LineageHooks
from rnn_pipelines.datasets import ChampionDataset
from rnn_pipelines.errors import MissingLibraryError, ParameterError

Run = Callable[..., list[dict[str, Any]]]
SALES = pd.DataFrame({"shop": ["a", "b", "b"], "sales": [1.5, 2.0, 2.5]})


def read_table(source: Any) -> pd.DataFrame:
    return SALES


def count_rows(table: pd.DataFrame, champion: Any) -> pd.DataFrame:
    return table.tail(2)


def fail(*_: Any) -> None:
    raise ValueError("row 3 is odd")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs two nodes with settings of OpenLineage; the second one can fail. Returns the events."""

    def run(
        settings: dict[str, Any] | None = None, function: Callable[..., Any] = count_rows
    ) -> list[dict[str, Any]]:
        events = tmp_path / "events.jsonl"
        transport = {"type": "file", "log_file_path": str(events), "append": True}
        settings = {"is_on": True, "transport": transport} if settings is None else settings
        champion = ChampionDataset(path=str(tmp_path / "champion"), task="forecast")
        champion.store.promote(
            champion.store.add_version({"model": b""}), ["first"], "2026-11-01T02:00:00+00:00"
        )
        monkeypatch.setattr(champion, "load", lambda: None)
        catalog = DataCatalog(
            {
                "params:source": MemoryDataset(SimpleNamespace(path="sales.csv")),
                "champion_forecast": champion,
                "counts": CSVDataset(filepath=str(tmp_path / "counts.csv")),
            }
        )
        nodes = [
            node(read_table, "params:source", "sales_table"),
            node(function, ["sales_table", "champion_forecast"], "counts"),
        ]
        hooks = LineageHooks()
        manager = _create_hook_manager()
        manager.register(hooks)
        hooks.after_context_created(
            SimpleNamespace(config_loader={"openlineage": settings}, project_path=tmp_path)
        )
        given = {
            "pipeline": Pipeline(nodes),
            "catalog": catalog,
            "run_params": {"pipeline_names": ["sales"]},
        }
        manager.hook.before_pipeline_run(**given)
        try:
            SequentialRunner().run(Pipeline(nodes), catalog, manager)
        except ValueError as error:
            manager.hook.on_pipeline_error(**given, error=error)
        else:
            manager.hook.after_pipeline_run(**given, run_result={})
        return read_events(events) if events.exists() else []

    return run


def test_run_starts_before_it_completes(run: Run) -> None:
    start, complete = run()
    assert (start["eventType"], complete["eventType"]) == ("START", "COMPLETE")
    assert start["run"]["runId"] == complete["run"]["runId"]


def test_job_is_named_after_the_pipeline(run: Run) -> None:
    start, _ = run()
    assert (start["job"]["namespace"], start["job"]["name"]) == ("rnn-pipelines", "sales")


def test_inputs_are_the_table_with_the_champion(run: Run, tmp_path: Path) -> None:
    _, complete = run()
    names = {dataset["name"] for dataset in complete["inputs"]}
    assert names == {str(tmp_path / "sales.csv"), str(tmp_path / "champion")}


def find_sales(event: dict[str, Any]) -> dict[str, Any]:
    (sales,) = (dataset for dataset in event["inputs"] if dataset["name"].endswith("sales.csv"))
    return sales


def test_rows_of_an_input_are_counted(run: Run) -> None:
    _, complete = run()
    assert find_sales(complete)["inputFacets"]["inputStatistics"]["rowCount"] == 3


def test_rows_of_an_output_are_counted(run: Run, tmp_path: Path) -> None:
    _, complete = run()
    (counts,) = complete["outputs"]
    assert counts["name"] == str(tmp_path / "counts.csv")
    assert counts["outputFacets"]["outputStatistics"]["rowCount"] == 2


def test_tables_have_their_columns(run: Run) -> None:
    _, complete = run()
    for dataset in (find_sales(complete), *complete["outputs"]):
        assert dataset["namespace"] == "file"
        fields = dataset["facets"]["schema"]["fields"]
        columns = {field["name"]: field["type"] for field in fields}
        assert columns == {name: str(kind) for name, kind in SALES.dtypes.items()}


def test_champion_has_its_version(run: Run, tmp_path: Path) -> None:
    start, _ = run()
    (champion,) = (dataset for dataset in start["inputs"] if dataset["name"].endswith("champion"))
    store = ChampionDataset(path=str(tmp_path / "champion"), task="forecast").store
    version = store.read_pointer().version
    assert champion["facets"]["version"]["datasetVersion"] == version


@pytest.mark.parametrize(
    ("covariates", "files"), [(None, ["sales.csv"]), ("prices.csv", ["prices.csv", "sales.csv"])]
)
def test_files_of_a_sample_are_inputs_once(
    tmp_path: Path, covariates: str | None, files: list[str]
) -> None:
    """The node that reads gets the sample, and only the node before it gets the parameters with the paths."""
    hooks = LineageHooks()
    events = tmp_path / "events.jsonl"
    settings = {
        "is_on": True,
        "transport": {"type": "file", "log_file_path": str(events), "append": True},
    }
    hooks.after_context_created(
        SimpleNamespace(config_loader={"openlineage": settings}, project_path=tmp_path)
    )
    list(hooks.before_pipeline_run({"pipeline_names": ["forecast"]}, Pipeline([]), DataCatalog()))
    names = {"params:forecast.source": "sales.csv", "params:forecast.covariates": covariates}
    after_node_run = partial(hooks.after_node_run, Mock(), DataCatalog())
    after_node_run(
        {name: SimpleNamespace(path=path) for name, path in names.items()}, {"forecast_sample": 1}
    )
    after_node_run(
        {"forecast_sample": 1}, {"forecast_table": SALES, "forecast_covariate_table": SALES}
    )
    list(hooks.after_pipeline_run(DataCatalog()))
    inputs = read_events(events)[-1]["inputs"]
    assert sorted(Path(found["name"]).name for found in inputs) == files
    assert all(found["inputFacets"]["inputStatistics"]["rowCount"] == 3 for found in inputs)


def test_failed_run_has_its_error(run: Run) -> None:
    start, failed = run(function=fail)
    assert (start["eventType"], failed["eventType"]) == ("START", "FAIL")
    assert "row 3 is odd" in failed["run"]["facets"]["errorMessage"]["message"]


def test_refused_run_has_no_event(tmp_path: Path) -> None:
    """The other hooks refuse parameters and take locks, and Kedro calls no hook after that."""
    hooks = LineageHooks()
    transport = {"type": "file", "log_file_path": str(tmp_path / "events.jsonl"), "append": True}
    settings = {"openlineage": {"is_on": True, "transport": transport}}
    hooks.after_context_created(SimpleNamespace(config_loader=settings, project_path=tmp_path))
    around = hooks.before_pipeline_run({"pipeline_names": ["sales"]}, Pipeline([]), DataCatalog())
    next(around)
    with pytest.raises(ParameterError):
        around.throw(ParameterError("no such parameter"))
    assert list(tmp_path.iterdir()) == []


def test_results_that_cannot_be_published_are_a_failure(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    states: list[str] = []
    hooks = LineageHooks()
    monkeypatch.setattr(hooks, "_send", lambda state, error=None: states.append(f"{state} {error}"))
    around = hooks.after_pipeline_run(DataCatalog())
    next(around)
    with pytest.raises(OSError, match="full"):
        around.throw(OSError("full"))
    assert states == ["FAIL full"]


@pytest.mark.parametrize(
    "transport",
    [{"type": "file", "log_file_path": "/nowhere/events", "append": True}, {"type": "x"}],
)
def test_failed_event_is_a_warning(
    run: Run, transport: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    warned: list[str] = []
    monkeypatch.setattr(lineage.logger, "warning", lambda text, *parts: warned.append(text % parts))
    assert run({"is_on": True, "transport": transport}) == []
    assert [message.split()[:6] for message in warned] == [
        ["OpenLineage", "did", "not", "receive", "the", state] for state in ("START", "COMPLETE")
    ]


def raise_error(*_: Any, **__: Any) -> None:
    raise RuntimeError("the library has changed")


@pytest.mark.parametrize(
    ("owner", "name", "lost"),
    [
        (LineageHooks, "_find_datasets", {"START"}),
        (LineageHooks, "_add_facts", {"tables"}),
        (lineage, "datetime", {"START", "COMPLETE"}),
    ],
)
def test_error_in_a_hook_is_a_warning(
    run: Run, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, lost: set[str]
) -> None:
    warned: list[tuple[Any, ...]] = []
    monkeypatch.setattr(lineage.logger, "warning", lambda _, *parts: warned.append(parts))
    monkeypatch.setattr(owner, name, raise_error)
    events = run()
    assert {parts[0] for parts in warned} == lost
    assert len(events) == (2 if lost == {"tables"} else 0)


def test_client_that_cannot_be_imported_is_a_warning(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As a folder of that name beside the program is found as a package, too."""
    warned: list[tuple[Any, ...]] = []
    monkeypatch.setattr(lineage.logger, "warning", lambda _, *parts: warned.append(parts))
    monkeypatch.setitem(sys.modules, "openlineage.client.event_v2", None)
    monkeypatch.delattr("openlineage.client.event_v2", raising=False)
    assert run() == []
    assert [parts[0] for parts in warned] == ["START"]
    assert (tmp_path / "counts.csv").exists()


@pytest.mark.parametrize("settings", [{}, {"is_on": False}])
def test_nothing_is_sent_by_default(run: Run, settings: dict[str, Any]) -> None:
    assert run(settings) == []


@pytest.mark.parametrize("settings", [{"is_onn": True}, {"namespace": ""}, {"is_on": "perhaps"}])
def test_wrong_setting_ends_a_run(run: Run, settings: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=r"^openlineage\."):
        run(settings)


def test_missing_client_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage, "find_spec", lambda name: None)
    with pytest.raises(MissingLibraryError, match=r"rnn-pipelines\[openlineage\]"):
        run()


def test_client_is_not_imported() -> None:
    code = "import sys, rnn_pipelines.settings; print(sorted(name for name in sys.modules if 'openlineage' in name))"
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert finished.stdout == "[]\n"


def test_events_without_a_run_are_refused() -> None:
    # So that an event that is valid says something.
    event = {
        "eventTime": "2026-11-29T02:00:00Z",
        "producer": "https://x.example",
        "schemaURL": "https://x.example",
    }
    with pytest.raises(jsonschema.ValidationError, match="'run' is a required property"):
        make_validators()["RunEvent"].validate({**event, "job": {"namespace": "a", "name": "b"}})
