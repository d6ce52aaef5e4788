"""Data sets of a run write into its own folder, and are read where people look once it has ended."""

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner

from rnn_pipelines.datasets import (
    DescribedTableDataset,
    OptionalDataset,
    PageDataset,
    StrictJSONDataset,
)
from rnn_pipelines.errors import LockedError, ParameterError, RunError
from rnn_pipelines.hooks import results
from rnn_pipelines.hooks.results import ResultHooks
from rnn_pipelines.report.page import render_page
from rnn_pipelines.runs.comparison import EarlierRun
from rnn_pipelines.runs.run_store import FAILED, WAIT_SECONDS, RunStore, read_record


@dataclass(frozen=True)
class Described:
    """A table that says what its columns are."""

    table: pd.DataFrame
    forecasters: tuple[str, ...]


def read(number: int) -> pd.DataFrame:
    return pd.DataFrame({"y": [number]})


def forecast(table: pd.DataFrame) -> tuple[dict[str, Any], Described, str]:
    page = render_page("Forecasts", "All is well.", [])
    return {"gru": int(table["y"][0])}, Described(table, ("gru",)), page


def summarize(metrics: dict[str, Any]) -> dict[str, Any]:
    return {"metrics": metrics}


def fail(metrics: dict[str, Any]) -> None:
    raise ValueError(metrics)


NODES = ("read", "forecast", "summarize")


class Project:
    """A small pipeline in a data root of its own.

    Attributes:
        root: of the data.
        store: of its results.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "data"
        self.store = RunStore(self.root, "forecast")

    def run(
        self,
        number: int,
        nodes: tuple[str, ...] = NODES,
        is_failing: bool = False,
        meanwhile: Callable[[DataCatalog], None] = lambda _: None,
        source: dict[str, str] | None = None,
        before: Callable[[EarlierRun | None], None] = lambda _: None,
        *,
        only_missing: bool = False,
    ) -> DataCatalog:
        whole = Pipeline(
            [
                Node(read, "params:number", "forecast_table", name="read"),
                Node(
                    forecast,
                    "forecast_table",
                    ["forecast_metrics", "forecast_predictions", "forecast_report"],
                    name="forecast",
                ),
                Node(summarize, "forecast_metrics", "forecast_summary", name="summarize"),
                *([Node(fail, "forecast_metrics", None, name="fail")] if is_failing else []),
                *(
                    [Node(lambda source: source, "params:forecast.source", "found", name="find")]
                    if source
                    else []
                ),
            ]
        )
        pipeline = whole if nodes == NODES else whole.only_nodes(*nodes)
        vars(results)["pipelines"] = {"forecast": whole}
        catalog = self.make_catalog(number)
        catalog["params:forecast.source"] = MemoryDataset(source)
        hooks = ResultHooks()
        hooks.after_context_created(
            SimpleNamespace(
                config_loader={"globals": {"data_root": "data"}}, project_path=self.root.parent
            )
        )
        params = {
            "pipeline_names": ["forecast"],
            "only_missing_outputs": only_missing,
            "env": "test",
        }
        hooks.before_pipeline_run(params, pipeline, catalog)
        try:
            for node in pipeline.nodes:
                SequentialRunner().run(Pipeline([node]), catalog, only_missing_outputs=only_missing)
            hooks.after_node_run(whole.nodes[0], catalog, {"forecast_table": read(number)})
            given = hooks.before_node_run(whole.nodes[0], catalog, {"forecast_run_before": None})
            before(given.get("forecast_run_before"))
        except ValueError:
            hooks.on_pipeline_error(catalog)
            raise
        meanwhile(catalog)
        hooks.after_pipeline_run(catalog)
        return catalog

    def make_catalog(self, number: int) -> DataCatalog:
        folder = self.root / "08_reporting/forecast"
        return DataCatalog(
            {
                "parameters": MemoryDataset({"number": number, "runs": {"keep": 2}}),
                "params:number": MemoryDataset(number),
                "forecast_table": MemoryDataset(read(number)),
                "forecast_metrics": StrictJSONDataset(filepath=str(folder / "metrics.json")),
                "forecast_predictions": DescribedTableDataset(
                    filepath=str(self.root / "07_model_output/forecast/predictions.parquet"),
                    holds="not loaded here",
                ),
                "forecast_summary": StrictJSONDataset(
                    filepath=str(self.root / "07_model_output/forecast/summary.json")
                ),
                "forecast_report": PageDataset(filepath=str(folder / "report.html")),
            }
        )

    def read_metrics(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            (self.root / "08_reporting/forecast/metrics.json").read_text()
        )
        return found


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(results, "pipelines", {})
    return Project(tmp_path)


def test_results_appear_when_the_run_ends(project: Project) -> None:
    project.run(1)
    seen = []
    project.run(2, meanwhile=lambda _: seen.append(project.read_metrics()["gru"]))
    assert (seen, project.read_metrics()["gru"]) == ([1], 2)


def test_metrics_name_their_run(project: Project) -> None:
    project.run(1)
    run = project.store.find_current()
    assert project.read_metrics()["run"] == run


def test_predictions_name_their_run(project: Project) -> None:
    project.run(1)
    run = project.store.find_current()
    predictions = pd.read_parquet(project.root / "07_model_output/forecast/predictions.parquet")
    assert predictions.attrs["run"] == run


def test_report_names_its_run(project: Project) -> None:
    project.run(1)
    run = project.store.find_current()
    page = (project.root / "08_reporting/forecast/report.html").read_text()
    assert f"Run {run} · " in page


def test_report_names_the_command(project: Project) -> None:
    project.run(1)
    page = (project.root / "08_reporting/forecast/report.html").read_text()
    assert "kedro run --pipelines=forecast" in page


def test_loaded_metrics_have_no_run(project: Project) -> None:
    assert project.run(1).load("forecast_metrics") == {"gru": 1}


def test_datasets_keep_their_paths(project: Project) -> None:
    catalog = project.run(1)
    place = catalog["forecast_report"]._describe()["filepath"]
    assert place == str(project.root / "08_reporting/forecast/report.html")


def test_record_has_the_parameters(project: Project) -> None:
    project.run(7)
    record = project.store.read_record(str(project.store.find_current()))
    assert record["parameters"] == {"number": 7}


def test_record_counts_the_rows(project: Project) -> None:
    project.run(7)
    record = project.store.read_record(str(project.store.find_current()))
    assert record["data"]["forecast_table"]["num_rows"] == 1


def test_record_has_code_with_versions(project: Project) -> None:
    project.run(7)
    record = project.store.read_record(str(project.store.find_current()))
    assert {"code", "commit", "versions", "began", "ended"} <= record.keys()


def test_run_that_fails_or_writes_nothing_leaves_the_results_before(project: Project) -> None:
    project.run(1)
    before = project.store.find_current()
    with pytest.raises(ValueError, match="gru"):
        project.run(2, is_failing=True)
    assert (project.read_metrics()["gru"], project.store.list_runs()) == (1, [before])
    project.run(1, nodes=("forecast",))
    record = project.store.read_record(str(project.store.find_current()))
    assert (record["continues"], project.read_metrics()["gru"]) == (before, 1)
    project.run(1, nodes=("read",))
    assert (len(project.store.list_runs()), project.read_metrics()["gru"]) == (2, 1)


@pytest.mark.parametrize("nodes", [("summarize",), ("forecast", "summarize")])
def test_partial_run_after_a_change_of_parameters_is_refused(
    project: Project, nodes: tuple[str, ...]
) -> None:
    """It would put new parameters beside results of the old ones."""
    project.run(1)
    before = project.store.find_current()
    with pytest.raises(RunError, match="number was 1, and is 2"):
        project.run(2, nodes=nodes)
    assert (project.store.find_current(), project.store.versions.list_hidden(FAILED)) == (
        before,
        [],
    )


def test_partial_run_after_a_change_of_the_data_is_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.run(1)
    before = project.store.find_current()
    monkeypatch.setitem(globals(), "read", lambda number: pd.DataFrame({"y": [number, number]}))
    with pytest.raises(RunError, match=r"another forecast_table \(1 rows then, 2 now\)"):
        project.run(1, nodes=("summarize",))
    assert project.store.find_current() == before


def test_partial_run_has_all_parameters_on_record(project: Project) -> None:
    """So that a full run with them gives the recorded results."""
    project.run(1)
    whole = project.store.read_record(str(project.store.find_current()))
    project.run(1, nodes=("summarize",))
    record = project.store.read_record(str(project.store.find_current()))
    assert (record["parameters"], record["data"]) == (whole["parameters"], whole["data"])


def test_failed_run_has_its_parameters_on_record(project: Project) -> None:
    """A partial run that continues it is held against them."""
    with pytest.raises(ValueError, match="gru"):
        project.run(2, is_failing=True)
    (failed,) = project.store.versions.list_hidden(FAILED)
    assert read_record(failed)["parameters"] == {"number": 2}


def test_old_runs_are_removed(project: Project, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(2):
        project.run(number)
    oldest = project.store.list_runs()[0]
    with caplog.at_level(logging.INFO, "rnn_pipelines.hooks.results"):
        project.run(2)
    assert (len(project.store.list_runs()), oldest in project.store.list_runs()) == (2, False)


def test_runs_that_are_removed_are_logged(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(2):
        project.run(number)
    oldest = project.store.list_runs()[0]
    with caplog.at_level(logging.INFO, "rnn_pipelines.hooks.results"):
        project.run(2)
    assert f"removed, because runs.keep is 2: {oldest}" in caplog.messages


def test_damaged_record_of_an_old_run_is_a_warning(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(3):
        project.run(number)
    first = project.store.list_runs()[0]
    (project.store.folder / first / "run.json").write_text("{")
    with caplog.at_level(logging.WARNING):
        project.run(3)
    assert (project.read_metrics()["gru"], len(project.store.list_runs())) == (3, 3)
    assert f"{first} is kept" in caplog.text


def test_old_run_that_cannot_be_removed_is_a_warning(
    project: Project, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What this one found is shown by then."""

    def refuse(*_: object) -> None:
        raise PermissionError("not yours")

    monkeypatch.setattr(RunStore, "prune", refuse)
    with caplog.at_level(logging.WARNING):
        project.run(1)
    assert project.read_metrics()["gru"] == 1
    assert "not yours" in caplog.text


def test_note_among_results_is_never_removed(project: Project) -> None:
    """Whichever way later runs go, and however many."""
    project.run(0)
    note = project.root / "08_reporting/forecast/notes.md"
    note.write_text("mine")
    first = str(project.store.find_current())
    project.run(0, nodes=("summarize",))
    with pytest.raises(ValueError, match="gru"):
        project.run(2, is_failing=True)
    for number in range(3, 8):
        project.run(number)
    assert [str(path) for path in project.root.rglob("notes.md") if not path.is_symlink()] == [
        str(project.store.folder / first / "08_reporting/notes.md")
    ]
    assert (project.store.folder / first / "08_reporting/notes.md").read_text() == "mine"


def test_record_names_exactly_what_data_sets_wrote(project: Project) -> None:
    """Also of nodes that a run leaves out, whose files were copied."""
    names = {
        "07_model_output/predictions.parquet",
        "07_model_output/summary.json",
        "08_reporting/metrics.json",
        "08_reporting/report.html",
    }
    project.run(1)
    (project.root / "08_reporting/forecast/mine.json").write_text("{}")
    assert project.store.read_record(str(project.store.find_current()))["files"].keys() == names
    project.run(1, nodes=("summarize",))
    assert project.store.read_record(str(project.store.find_current()))["files"].keys() == names


def test_report_that_was_edited_keeps_its_run(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    project.run(0)
    first = str(project.store.find_current())
    report = project.store.folder / first / "08_reporting/report.html"
    report.write_text("edited")
    with caplog.at_level(logging.WARNING):
        for number in range(1, 4):
            project.run(number)
    assert report.read_text() == "edited"
    assert f"{first} is kept" in caplog.text
    assert "08_reporting/report.html" in caplog.text


def test_folders_of_users_where_results_are_shown_are_all_named_before_the_first_node(
    project: Project,
) -> None:
    """Also one in a layer where this run writes nothing itself."""
    notes = [
        project.root / layer / "forecast/notes.md" for layer in ("07_model_output", "08_reporting")
    ]
    for path in notes:
        path.parent.mkdir(parents=True)
        path.write_text("mine")
    with pytest.raises(RunError, match=r"\['07_model_output/forecast', '08_reporting/forecast'\]"):
        project.run(1, nodes=("forecast",))
    assert [path.read_text() for path in notes] == ["mine", "mine"]
    assert project.store.list_runs() == []


def test_results_of_another_pipeline_are_read_from_one_run(project: Project) -> None:
    """Though others are shown before this one has read them."""
    project.run(1)
    hooks = ResultHooks()
    entry = {
        "type": "json.JSONDataset",
        "filepath": str(project.root / "08_reporting/forecast/metrics.json"),
    }
    catalog = DataCatalog(
        {
            "parameters": MemoryDataset({}),
            "found": OptionalDataset(dataset=entry),
            "internals_summary": StrictJSONDataset(
                filepath=str(project.root / "08_reporting/internals/summary.json")
            ),
        }
    )
    pipeline = Pipeline([Node(lambda found: found, "found", "internals_summary", name="read")])
    hooks.after_context_created(
        SimpleNamespace(
            config_loader={"globals": {"data_root": "data"}}, project_path=project.root.parent
        )
    )
    vars(results)["pipelines"] = {"internals": pipeline}
    params = {"pipeline_names": ["internals"], "only_missing_outputs": False, "env": "test"}
    hooks.before_pipeline_run(params, pipeline, catalog)
    first = project.store.find_current()
    project.run(2)
    assert catalog.load("found")["gru"] == 1
    SequentialRunner().run(pipeline, catalog)
    hooks.after_pipeline_run(catalog)
    store = RunStore(project.root, "internals")
    assert store.read_record(str(store.find_current()))["reads"] == {"forecast": first}


@pytest.fixture
def held(project: Project) -> Iterator[None]:
    """Another process holds the lock of the run, which waits for a tenth of a second."""
    code = (
        "import sys, time; from pathlib import Path; from rnn_pipelines.storage.lock import hold_lock\n"
        "with hold_lock(Path(sys.argv[1]), 1):\n    print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(project.store.lock)]
    token = WAIT_SECONDS.set(0.1)
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        yield
        other.communicate()
    WAIT_SECONDS.reset(token)


@pytest.mark.usefixtures("held")
def test_run_gives_up_if_another_one_goes_on(project: Project) -> None:
    with pytest.raises(LockedError, match="another process"):
        project.run(1)


def test_run_that_could_not_begin_lets_go_of_the_lock(project: Project) -> None:
    project.run(1)
    link = project.root / "08_reporting/forecast"
    link.unlink()
    link.write_text("mine")
    with pytest.raises(RunError, match="Move them away"):
        project.run(2)
    code = (
        "import sys; from pathlib import Path; from rnn_pipelines.storage.lock import hold_lock\n"
        "with hold_lock(Path(sys.argv[1]), 0): pass"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code, str(project.store.lock)], check=False
        ).returncode
        == 0
    )


def test_settings_are_checked_before_the_first_node(project: Project) -> None:
    hooks = ResultHooks()
    hooks.after_context_created(
        SimpleNamespace(
            config_loader={"globals": {"data_root": "s3://bucket/data"}},
            project_path=project.root.parent,
        )
    )
    assert hooks._root is None
    hooks = ResultHooks()
    catalog = DataCatalog({"parameters": MemoryDataset({"runs": {"keep": 0}})})
    params = {"pipeline_names": ["forecast"], "only_missing_outputs": False, "env": "test"}
    with pytest.raises(ParameterError, match=r"runs\.keep: .*greater than or equal to 2"):
        hooks.before_pipeline_run(params, Pipeline([]), catalog)
    assert ResultHooks().before_node_run(Mock(), catalog, {"forecast_table": None}) == {}


@pytest.fixture
def earlier(project: Project) -> list[EarlierRun | None]:
    """What a second run and a third one of another source are given of the run before."""
    given: list[EarlierRun | None] = []
    project.run(1, source={"path": "a.csv"})
    project.run(2, source={"path": "a.csv"}, before=given.append)
    project.run(3, source={"path": "b.csv"}, before=given.append)
    return given


def test_node_that_reads_the_run_before_is_given_it(earlier: list[EarlierRun | None]) -> None:
    assert earlier[0] is not None
    assert earlier[0].results["gru"] == 1
    assert earlier[0].differences["parameters"]["number"] == (1, 2)


def test_run_before_is_named(project: Project) -> None:
    given: list[EarlierRun | None] = []
    project.run(1, source={"path": "a.csv"})
    first = project.store.find_current()
    project.run(2, source={"path": "a.csv"}, before=given.append)
    assert [run and run.run for run in given] == [first]


def test_run_of_another_source_is_not_given(earlier: list[EarlierRun | None]) -> None:
    assert earlier[1] is None


def test_damaged_run_before_is_a_warning(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    source = {"path": "a.csv"}
    project.run(1, source=source)
    (
        project.store.folder / str(project.store.find_current()) / "08_reporting/metrics.json"
    ).write_text("{")
    found: list[EarlierRun | None] = []
    with caplog.at_level(logging.WARNING, "rnn_pipelines.hooks.results"):
        project.run(2, source=source, before=found.append)
    assert found == [None]
    assert "metrics.json" in caplog.text


def test_run_of_missing_outputs_continues_the_run_before(project: Project) -> None:
    project.run(1)
    first = project.store.find_current()
    (project.root / "08_reporting/forecast/report.html").unlink()
    project.run(1, only_missing=True)
    record = project.store.read_record(project.store.find_current())
    assert record["continues"] == first
    assert "08_reporting/report.html" in record["files"]


def test_run_of_missing_outputs_with_other_parameters_is_refused(project: Project) -> None:
    project.run(1)
    with pytest.raises(RunError, match="number was 1, and is 2"):
        project.run(2, only_missing=True)
