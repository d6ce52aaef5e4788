"""The page of a comparison has all results and figures."""

import json
from pathlib import Path
from typing import Any

import plotly.io
import pytest

from golden import fits_screen, is_golden
from rnn_pipelines.lab.compare.report.figures import draw_comparison_figures
from rnn_pipelines.lab.compare.report.report import report_comparison
from rnn_pipelines.report.page import read_plotly
from rnn_pipelines.report.report import Report


@pytest.fixture(scope="module")
def make_report(make_comparison):
    """Makes a report of handmade results."""

    def make(plan: dict[str, Any] | None = None, **options: Any) -> Report:
        made = make_comparison(**options)
        figures = draw_comparison_figures(made.runs, made.results, made.description)
        # As the catalog returns them.
        loaded = {name: plotly.io.from_json(figure.to_json()) for name, figure in figures.items()}
        plan_spec = made.plan.model_copy(update=plan or {})
        return report_comparison(made.results, made.description, plan_spec, **loaded)

    return make


@pytest.fixture(scope="module")
def write_report(make_report):
    """Renders a report of handmade results, without the code of Plotly."""
    return lambda *given, **options: (
        make_report(*given, **options).render().replace(read_plotly(), "")
    )


@pytest.fixture(scope="module")
def report(write_report) -> str:
    return write_report()


def test_page_is_the_golden_one(write_report) -> None:
    assert is_golden(
        write_report(left_out=("nottingham",)), Path(__file__).parent / "golden/report.txt"
    )


@pytest.mark.parametrize(
    "title", ["Paired differences", "Losses by seed", "Learning curves", "Time"]
)
def test_every_figure_is_in_its_section(report, title: str) -> None:
    (section,) = (part for part in report.split("<section>") if f">{title}</h2>" in part)
    assert section.count('class="plotly-graph-div"') == 1


def test_one_seed_has_no_interval(make_comparison) -> None:
    made = make_comparison(num_seeds=1)
    assert {network["test"]["low"] for network in made.results["summary"]} == {None}


def test_one_seed_has_no_better_cell(make_comparison) -> None:
    made = make_comparison(num_seeds=1)
    assert all(
        pair["better"] is None
        for network in made.results["summary"]
        for pair in network["differences"]
    )


def test_the_report_of_one_seed_has_no_intervals(write_report) -> None:
    assert "no interval" in write_report(num_seeds=1)


def test_one_seed_has_a_summary(make_report) -> None:
    assert make_report(num_seeds=1).summarize()


def test_results_of_one_seed_are_strict_json(make_comparison) -> None:
    made = make_comparison(num_seeds=1)
    assert "NaN" not in json.dumps(made.results)


def test_the_summary_fits_a_screen(make_report) -> None:
    text = make_report().summarize()
    assert fits_screen(text)


def test_the_summary_names_networks_with_tasks(make_report) -> None:
    text = make_report().summarize()
    assert all(name in text for name in ("LSTM", "GRU", "JSB Chorales", "adding"))


def test_published_losses_are_described(report) -> None:
    assert "published" in report


def test_a_task_without_published_losses_describes_none(write_report) -> None:
    assert "published" not in write_report(tasks="adding_100")


def test_a_folder_of_music_is_escaped(write_report, report) -> None:
    report = write_report({"music": "<img>"}, tasks="adding_100", left_out=("jsb_chorales",))
    assert "<img" not in report
    assert "&lt;img&gt;: JSB" in report


def test_the_default_folder_of_music_is_described(write_report) -> None:
    assert "RNN_DATA/music: JSB" in write_report(tasks="adding_100", left_out=("jsb_chorales",))


def test_threads_of_the_trainings_are_described(make_comparison) -> None:
    # Not those of the run that wrote the report: some were finished before.
    made = make_comparison("adding_100")
    runs = [{**run, "num_threads": 1 + run["seed"] % 2} for run in made.runs]
    figures = draw_comparison_figures(made.runs, made.results, made.description)
    results = {**made.results, "runs": runs}
    page = report_comparison(results, made.description, made.plan, **figures).render()
    assert "1 or 2 threads" in page


def test_equal_threads_are_described_once(report) -> None:
    assert "1 thread." in report
