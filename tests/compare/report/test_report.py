"""The report says which cell is better where, beside the baselines, and what it can't say."""

import re
from pathlib import Path
from typing import Any

import plotly.io
import pytest
from plotly.offline import get_plotlyjs

from rnn_pipelines.compare.report.figures import draw_figures
from rnn_pipelines.compare.report.report import (
    describe_budget,
    describe_data,
    describe_left_out,
    describe_threads,
    render_compare_report,
)
from rnn_pipelines.compare.report.tables import group_by_task
from rnn_pipelines.compare.report.verdicts import write_verdict
from rnn_pipelines.compare.specs import PlanSpec, TaskSpec

TRAINING = {"epochs": 1}
CONTENDERS = {"lstm": {"cell": "lstm", "units": 3}, "gru": {"cell": "gru", "units": 4}}


@pytest.fixture(scope="module")
def write_report(make_comparison):
    """Renders a report of handmade results, without the code of Plotly."""

    def write(plan: dict[str, Any] | None = None, **options: Any) -> str:
        made = make_comparison(**options)
        figures = draw_figures(made.runs, made.results["summary"], made.description)
        # As the catalog returns them.
        loaded = {name: plotly.io.from_json(figure.to_json()) for name, figure in figures.items()}
        plan_spec = made.plan.model_copy(update=plan or {})
        return render_compare_report(made.results, made.description, plan_spec, loaded).replace(get_plotlyjs(), "")

    return write


@pytest.fixture(scope="module")
def report(write_report) -> str:
    return write_report()


def list_sections(report: str) -> list[str]:
    return re.findall(r'<h2 id="section-\d+">(.*?)</h2>', report)


def test_page_is_the_golden_one(write_report) -> None:
    """But for the figures; where a change is meant, write the file anew from the page."""
    page = re.sub(r"<(script|style).*?</\1>", "", write_report(left_out=("nottingham",)), flags=re.DOTALL)
    assert page == (Path(__file__).parent / "golden/report.html").read_text(encoding="utf-8")


def make_task(data: dict[str, Any]) -> TaskSpec:
    return TaskSpec(data=data, contenders=CONTENDERS, training=TRAINING)


def test_verdict_comes_first(make_comparison, report) -> None:
    made = make_comparison()
    verdict = write_verdict(group_by_task(made.results["summary"]), made.description)
    assert report.index(f'<p class="verdict">{verdict}</p>') < report.index("<section>")


def test_every_task_has_a_section_in_its_order(report) -> None:
    assert list_sections(report) == [
        "Task: temperature",
        "Task: noisy sine",
        "Task: adding 100",
        "Task: copy 100",
        "Task: JSB Chorales",
        "Paired differences",
        "Losses by seed",
        "Learning curves",
        "Time",
        "How to read",
        "Parameters",
    ]


@pytest.mark.parametrize("title", ["Paired differences", "Losses by seed", "Learning curves", "Time"])
def test_every_figure_is_in_its_section(report, title: str) -> None:
    (section,) = (part for part in report.split("<section>") if f">{title}</h2>" in part)
    assert section.count("Plotly.newPlot") == 1


def test_cap_is_what_a_training_has_at_most(report) -> None:
    assert "(validation loss below 0.01 within 4,000 gradient steps)" in report


def test_report_says_that_intervals_are_not_corrected(report) -> None:
    assert "not corrected for their number" in report


def test_report_says_how_curves_of_unequal_length_are_drawn(report) -> None:
    assert "Where a training stops early, it goes on with its last loss" in report


def test_published_figures_are_named(report) -> None:
    assert "The figures of Chung et al. 2014 are theirs" in report


def test_nothing_is_said_of_papers_where_there_are_none(write_report) -> None:
    assert "The figures of" not in write_report(tasks="adding_100")


def test_tasks_that_were_left_out_have_a_section(write_report) -> None:
    report = write_report(tasks="adding_100", left_out=("jsb_chorales",))
    assert "Tasks left out" in list_sections(report)
    assert "Left out, for there is no file of the music: JSB Chorales." in report


def test_report_shows_the_parameters(report) -> None:
    assert re.search(r"<td>compare.plan.seeds</td>\s*<td>5</td>", report)
    assert re.search(r"<td>compare.tasks.jsb_chorales.data.file</td>\s*<td>JSB_Chorales.mat</td>", report)


def test_folder_of_music_is_escaped(write_report) -> None:
    report = write_report({"music": "<img>"}, tasks="adding_100", left_out=("jsb_chorales",))
    assert "<img" not in report
    assert "the folder &lt;img&gt;" in report


# Sentences


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            {"kind": "series", "source": {"name": "temperature"}},
            ["temperature", "30 steps", "draw of its noise", "squared"],
        ),
        ({"kind": "series", "source": {"path": "my.csv"}}, ["my.csv", "the same for all seeds"]),
        ({"kind": "adding", "num_steps": 200}, ["of 200 numbers", "each seed draws other sequences", "MSE"]),
        ({"kind": "copy", "delay": 80}, ["after 80 steps", "each seed draws other sequences", "nats a step"]),
        ({"kind": "music", "file": "Nottingham.mat"}, ["Nottingham.mat", "nats a step", "all 88 notes"]),
        ({"kind": "music", "file": "Nottingham.mat", "train_steps": 50}, ["all seeds, cut into stretches of 50 steps"]),
    ],
)
def test_data_metric_and_unit_are_told(data: dict[str, Any], words: list[str]) -> None:
    text = describe_data(make_task(data))
    assert [word for word in words if word not in text] == []


def test_budget_is_told_with_its_spread() -> None:
    entries = [{"num_recurrent_parameters": number} for number in (10_403, 10_600, 10_089)]
    assert describe_budget(entries) == (
        "The budget is 10,089 to 10,600 recurrent weights: the smallest network has 4.8 % fewer than the largest."
    )


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((1, 1), "Each training had 1 thread."),
        ((4, 4), "Each training had 4 threads."),
        ((2, 1), "The trainings had 1 or 2 threads: their times don't compare."),
    ],
)
def test_threads_are_those_that_the_trainings_had(numbers: tuple[int, int], words: str) -> None:
    """Not those of the run that wrote the report: some were finished before."""
    assert describe_threads([{"num_threads": number} for number in numbers]) == words


@pytest.mark.parametrize(
    ("music", "place"),
    [(None, "in the folder music below the one that RNN_DATA names: JSB"), ("tunes", "in the folder tunes: JSB")],
)
def test_report_says_where_music_was_looked_for(music: str | None, place: str) -> None:
    assert place in describe_left_out(["jsb_chorales"], PlanSpec(tasks="jsb_chorales", music=music))
