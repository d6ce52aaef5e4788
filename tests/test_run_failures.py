"""Whole runs in which parts of the report fail: the results are kept, and the report says what failed."""

import functools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from kedro.framework.project import configure_project, pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.pipeline import Node, Pipeline

from rnn_pipelines.report.failures import Guarded
from rnn_pipelines.report.notes import NOTE_TITLE
from whole_runs import PROJECT, copy_configuration, run_here

# Parameters beside those of `--env=test`.
RUNS: dict[str, dict[str, Any]] = {
    "sentiment": {"sentiment": {"source": {"path": "reviews.csv"}}},
    "internals": {"internals": {"reviews": {"path": "reviews.csv"}}},
    "forecast": {},
    "compare": {
        "compare": {"plan": {"tasks": "noisy_sine", "seeds": 2}},
        "parallel": {"workers": 1},
    },
    "backtest_forecast": {"parallel": {"workers": 1}},
    "cross_validate_forecast": {"parallel": {"workers": 1}},
    "tune_forecast": {"tune_forecast": {"num_samples": 1}, "parallel": {"workers": 1}},
    "monitor_forecast": {},
    "monitor_sentiment": {},
}

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def is_guarded(node: Node) -> bool:
    return isinstance(node.func, Guarded)


def is_page(node: Node) -> bool:
    return node.short_name == "render_report"


def make_failing(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def fail(*_: Any, **__: Any) -> Any:
        raise KeyError("<b>a fault</b>")

    return fail


def break_guarded(node: Node) -> None:
    """Makes the function that a node guards fail."""
    guarded: Any = node.func
    function, *rest = guarded._parts
    guarded._parts = (make_failing(function), *rest)


@pytest.fixture
def break_parts() -> Iterator[Callable[[str, Callable[[Node], bool]], list[str]]]:
    """Makes the guarded nodes of a pipeline fail, those that are chosen, and returns their names."""
    bootstrap_project(PROJECT)
    with pytest.MonkeyPatch.context() as patch:

        def break_chosen(pipeline: str, is_chosen: Callable[[Node], bool]) -> list[str]:
            module = import_module(f"rnn_pipelines.pipelines.{pipeline}")
            create_pipeline = module.create_pipeline
            broken = [
                node.short_name
                for node in create_pipeline().nodes
                if is_guarded(node) and is_chosen(node)
            ]

            def create_broken() -> Pipeline:
                created = create_pipeline()
                for node in created.nodes:
                    if is_guarded(node) and is_chosen(node):
                        break_guarded(node)
                return created

            patch.setattr(module, "create_pipeline", create_broken)
            # Kedro makes its graphs anew.
            configure_project("rnn_pipelines")
            return broken

        yield break_chosen
    configure_project("rnn_pipelines")


@pytest.fixture(scope="module")
def clone(
    tmp_path_factory: pytest.TempPathFactory, make_reviews: Callable[..., pd.DataFrame]
) -> Path:
    """A configuration whose data lie in `data`, and reviews."""
    folder = tmp_path_factory.mktemp("clone")
    copy_configuration(folder)
    reviews = make_reviews(num_reviews=600)
    reviews["text"] += [f" no{number}" for number in range(len(reviews))]
    reviews[["text", "label"]].to_csv(folder / "reviews.csv", index=False)
    return folder


def run_whole(pipeline: str, clone: Path) -> dict[str, Path]:
    """Runs a pipeline, and returns the files of its outputs, by the names of their datasets."""
    parameters = json.loads(
        json.dumps(RUNS[pipeline]).replace("reviews.csv", str(clone / "reviews.csv"))
    )
    run_here(pipeline, parameters, clone / "conf")
    with KedroSession.create(
        project_path=PROJECT, env="test", conf_source=str(clone / "conf"), runtime_params=parameters
    ) as session:
        catalog = session.load_context().catalog
        found = {name: catalog.get(name) for name in pipelines[pipeline].all_outputs()}
    files = {
        name: getattr(getattr(dataset, "_dataset", dataset), "_filepath", None)
        for name, dataset in found.items()
    }
    return {
        name: Path(file)
        for name, file in files.items()
        if file is not None and not is_optional(name)
    }


def is_optional(name: str) -> bool:
    """Whether an entry is saved for some runs alone: Keras models on request, tables of divided panels."""
    return name.endswith("_keras") or name in {
        "forecast_all_next_values",
        "forecast_all_metrics_by_series",
    }


@pytest.mark.parametrize("pipeline", RUNS)
def test_results_stay_without_figures_and_tables(
    clone: Path,
    break_parts: Callable[..., list[str]],
    caplog: pytest.LogCaptureFixture,
    pipeline: str,
) -> None:
    broken = break_parts(pipeline, lambda node: not is_page(node))
    files = run_whole(pipeline, clone)
    assert [name for name, file in files.items() if not file.exists()] == []
    page = files[f"{pipeline}_report"].read_text()
    assert page.endswith("</html>")
    figures = [name for name in files if name.endswith("_figure")]
    assert [name for name in figures if NOTE_TITLE not in files[name].read_text()] == []
    # A monitor with nothing to judge shows no figure.
    assert (NOTE_TITLE in page) == bool(broken and not pipeline.startswith("monitor"))
    assert "<b>a fault" not in page
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert [name for name in broken if not any(f" {name}: KeyError" in line for line in told)] == []


@pytest.mark.parametrize("pipeline", RUNS)
def test_results_stay_without_the_page(
    clone: Path, break_parts: Callable[..., list[str]], pipeline: str
) -> None:
    assert break_parts(pipeline, is_page) == ["render_report"]
    files = run_whole(pipeline, clone)
    assert [name for name, file in files.items() if not file.exists()] == []
    page = files[f"{pipeline}_report"].read_text()
    assert NOTE_TITLE in page
    assert "&lt;b&gt;a fault" in page


def test_metrics_that_fail_end_the_run(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are results, and not parts of the report."""
    bootstrap_project(PROJECT)
    module = import_module("rnn_pipelines.pipelines.forecast.pipeline")
    monkeypatch.setattr(module, "evaluate_forecasts", make_failing(module.evaluate_forecasts))
    configure_project("rnn_pipelines")
    with pytest.raises(KeyError, match="a fault"):
        run_whole("forecast", clone)
    monkeypatch.undo()
    configure_project("rnn_pipelines")


BREAKING = """
import sys
from rnn_pipelines.forecast.report import figures

def draw_explanation(explanation):
    raise StopIteration("<img src=x>")

figures.draw_explanation = draw_explanation
sys.argv = ["kedro", *sys.argv[1:]]
from kedro.framework.cli import main
main()
"""


def test_kedro_run_with_a_failing_figure_ends_well_with_a_warning_and_a_note(clone: Path) -> None:
    command = ["run", "--pipelines=forecast", "--env=test", f"--conf-source={clone / 'conf'}"]
    finished = subprocess.run(
        [sys.executable, "-c", BREAKING, *command],
        check=False,
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stderr
    assert "Traceback" not in finished.stderr
    last = finished.stderr.splitlines()[-1]
    assert "WARNING" in last
    assert "draw_explanation: StopIteration" in last
    reporting = clone / "data/08_reporting/forecast"
    assert json.loads((reporting / "metrics.json").read_text())["gru"]["mse"] > 0
    assert "ensemble" in finished.stdout
    # The other figures are as they always are.
    noted = [
        path.name for path in sorted(reporting.glob("*.json")) if NOTE_TITLE in path.read_text()
    ]
    assert noted == ["explanation.json"]
    page = (reporting / "report.html").read_text()
    assert page.count(NOTE_TITLE) == 1
    assert "<img src=x>" not in page
