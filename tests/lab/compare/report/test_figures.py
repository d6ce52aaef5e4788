"""The figures show every seed, and each task in its own unit."""

import copy
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from plotly.graph_objects import Figure, Scatter

from rnn_pipelines.lab.compare.report.figures import UNDECIDED, draw_comparison_figures
from rnn_pipelines.lab.compare.report.results import STYLES
from rnn_pipelines.pipelines.compare.pipeline import FIGURES
from rnn_pipelines.report.styles import SPARE_COLOR

ALL_TASKS = ["temperature", "noisy sine", "adding 100", "copy 100", "JSB Chorales"]


def draw(made: SimpleNamespace) -> dict[str, Figure]:
    return draw_comparison_figures(made.runs, made.results, made.description)


@pytest.fixture(scope="module")
def figures(make_comparison) -> dict[str, Figure]:
    return draw(make_comparison())


@pytest.fixture(scope="module")
def adding(make_comparison) -> SimpleNamespace:
    """The adding problem alone, which two of five seeds of the LSTM don't learn."""
    return make_comparison("adding_100")


def list_losses(made: SimpleNamespace, cell: str, key: str = "test") -> list[Any]:
    return [run[key] for run in made.runs if run["cell"] == cell]


def find_row(figure: Figure, row: int) -> tuple[Scatter, Scatter]:
    """Dots and mean of a row, from the top."""
    dots = [
        trace
        for trace in figure.data
        if trace.mode == "markers" and trace.error_x.array is None and trace.text
    ]
    means = [trace for trace in figure.data if trace.error_x.array is not None]
    return dots[row], means[row]


def list_curves(figure: Figure, name: str) -> list[Scatter]:
    """Median while all seeds train, and after that."""
    return [trace for trace in figure.data if trace.name == name and trace.fill is None]


def test_figures_are_those_of_the_pipeline(figures) -> None:
    assert tuple(figures) == FIGURES


def test_drawing_does_not_change_the_results(make_comparison) -> None:
    made = make_comparison()
    before = copy.deepcopy((made.runs, made.results, made.description))
    draw(made)
    assert (made.runs, made.results, made.description) == before


def test_styles_have_different_colours() -> None:
    colors = [style.color for style in STYLES.values() if style.color != SPARE_COLOR]
    assert len(set(colors)) == len(colors)


@pytest.mark.parametrize("name", FIGURES)
def test_menu_has_all_tasks(figures, name: str) -> None:
    assert [button.label for button in figures[name].layout.updatemenus[0].buttons] == ALL_TASKS


@pytest.mark.parametrize("name", FIGURES)
def test_each_task_shows_what_it_shows_alone(make_comparison, figures, name: str) -> None:
    for place, task in enumerate(make_comparison().description["tasks"]):
        alone = draw(make_comparison(task))[name]
        visible = figures[name].layout.updatemenus[0].buttons[place].args[0]["visible"]
        shown = [
            trace
            for trace, is_visible in zip(figures[name].data, visible, strict=True)
            if is_visible
        ]
        shown = [trace for trace in shown if trace.x[0] is not None]
        assert [trace.name for trace in shown] == [trace.name for trace in alone.data]
        for trace, expected in zip(shown, alone.data, strict=True):
            np.testing.assert_array_equal(trace.x, expected.x)


@pytest.mark.parametrize(
    ("name", "axis"), [("curves", "yaxis"), ("losses", "xaxis"), ("differences", "xaxis")]
)
def test_axis_has_the_unit_of_the_task(figures, name: str, axis: str) -> None:
    buttons = figures[name].layout.updatemenus[0].buttons
    titles = [button.args[1][f"{axis}.title.text"] for button in buttons]
    series = "MSE, squared unit of the series"
    assert titles == [
        series,
        series,
        "MSE",
        "cross-entropy, nats a step",
        "negative log-likelihood, nats a step",
    ]
    assert figures[name].layout[axis].title.text == series


@pytest.mark.parametrize(("task", "scale"), [("adding_100", "log"), ("temperature", "linear")])
def test_losses_that_differ_much_have_a_logarithmic_axis(
    make_comparison, task: str, scale: str
) -> None:
    figures = draw(make_comparison(task))
    assert (figures["curves"].layout.yaxis.type, figures["losses"].layout.xaxis.type) == (
        scale,
        scale,
    )


def test_curve_is_the_median_over_seeds(adding) -> None:
    curves = list_losses(adding, "gru", "curve")
    median = [np.median([curve[epoch] for curve in curves]) for epoch in range(28)]
    np.testing.assert_allclose(list_curves(draw(adding)["curves"], "GRU")[0].y, median)


def test_curve_is_thin_after_the_first_seed_ended(adding) -> None:
    thick, thin = list_curves(draw(adding)["curves"], "GRU")
    assert (thick.x[0], thick.x[-1]) == (100, 2800)
    assert (thin.x[0], thin.x[-1]) == (2800, 4000)
    assert thick.line.width > thin.line.width


def test_curve_ends_with_the_median_of_the_last_losses(adding) -> None:
    curves = list_losses(adding, "gru", "curve")
    ends = [curve[-1] for curve in curves]
    assert list_curves(draw(adding)["curves"], "GRU")[1].y[-1] == pytest.approx(np.median(ends))


def test_band_reaches_from_the_lowest_to_the_highest_loss(adding) -> None:
    band = next(
        trace
        for trace in draw(adding)["curves"].data
        if trace.name == "LSTM" and trace.fill == "toself"
    )
    last = [curve[27] for curve in list_losses(adding, "lstm", "curve")]
    ends = [y for x, y in zip(band.x, band.y, strict=True) if x == 2800]
    assert sorted(ends) == pytest.approx([min(last), max(last)])


def test_legend_of_curves_has_the_networks(adding) -> None:
    entries = [trace.name for trace in draw(adding)["curves"].data if trace.showlegend]
    assert entries == ["simple RNN", "LSTM", "GRU"]


def test_references_are_dashed_lines_of_the_curves(adding) -> None:
    lines = {
        trace.name: list(trace.y)
        for trace in draw(adding)["curves"].data
        if trace.line.dash not in (None, "solid")
    }
    assert lines == {"guessing 1 0.1667": [1 / 6, 1 / 6], "learnt below 0.01000": [0.01, 0.01]}


def test_a_training_of_one_epoch_is_a_dot(adding) -> None:
    runs = [run | {"curve": run["curve"][:1], "epochs": 1} for run in adding.runs]
    figure = draw_comparison_figures(runs, adding.results, adding.description)["curves"]
    assert "markers" in list_curves(figure, "GRU")[0].mode


def test_legend_of_curves_names_variants(make_comparison) -> None:
    entries = [
        trace.name
        for trace in draw(make_comparison("noisy_sine"))["curves"].data
        if trace.showlegend
    ]
    assert entries == ["simple RNN", "LSTM", "GRU", "LSTM (relu)"]


def test_mean_has_its_interval_in_the_row_of_its_network(make_comparison) -> None:
    made = make_comparison("temperature")
    _, mean = find_row(draw(made)["losses"], 2)
    test = next(entry["test"] for entry in made.results["summary"] if entry["cell"] == "gru")
    ends = (mean.x[0] - mean.error_x.arrayminus[0], mean.x[0] + mean.error_x.array[0])
    assert (mean.x[0], *ends) == pytest.approx((test["mean"], test["low"], test["high"]))


def test_published_losses_stand_in_the_rows_of_their_networks(make_comparison) -> None:
    figure = draw(make_comparison("jsb_chorales"))["losses"]
    published = next(trace for trace in figure.data if trace.name == "Chung et al. 2014")
    rows = {round(y - 0.12): x for x, y in zip(published.x, published.y, strict=True)}
    assert rows == {0: 9.10, -1: 8.67, -2: 8.54}


def test_references_are_dashed_lines_of_the_losses(make_comparison) -> None:
    names = [
        trace.name
        for trace in draw(make_comparison("temperature"))["losses"].data
        if trace.line.dash not in (None, "solid")
    ]
    assert names == ["ridge 4.650", "noise floor 4.000"]


def test_every_seed_has_a_dot(adding) -> None:
    dots, _ = find_row(draw(adding)["losses"], 1)
    assert list(dots.x) == list_losses(adding, "lstm")
    assert list(dots.text) == [f"seed {seed}" for seed in range(5)]
    assert len(set(dots.y)) == 5


def test_rows_are_named_after_networks(adding) -> None:
    figure = draw(adding)["losses"]
    names = dict(zip(figure.layout.yaxis.tickvals, figure.layout.yaxis.ticktext, strict=True))
    assert names == {0: "simple RNN", -1: "LSTM", -2: "GRU"}


def test_dots_stand_in_the_row_of_their_network(adding) -> None:
    figure = draw(adding)["losses"]
    assert [round(float(np.mean(find_row(figure, row)[0].y)), 2) for row in range(3)] == [
        0.12,
        -0.88,
        -1.88,
    ]


def test_intervals_of_a_logarithmic_axis_are_above_0(adding) -> None:
    _, mean = find_row(draw(adding)["losses"], 1)
    low = mean.x[0] - mean.error_x.arrayminus[0]
    high = mean.x[0] + mean.error_x.array[0]
    assert 0 < low == pytest.approx(mean.x[0] ** 2 / high)


def test_a_reference_is_a_vertical_line(adding) -> None:
    line = next(trace for trace in draw(adding)["losses"].data if trace.name == "guessing 1 0.1667")
    assert list(line.x) == [1 / 6, 1 / 6]


def test_dots_are_differences_of_a_seed(adding) -> None:
    dots, _ = find_row(draw(adding)["differences"], 2)
    np.testing.assert_allclose(
        dots.x, np.subtract(list_losses(adding, "lstm"), list_losses(adding, "gru"))
    )


def test_rows_of_differences_are_named_after_pairs(adding) -> None:
    names = draw(adding)["differences"].layout.yaxis.ticktext
    assert list(names) == ["simple RNN<br>− LSTM", "simple RNN<br>− GRU", "LSTM<br>− GRU"]


def test_a_difference_has_the_colour_of_the_better_cell(adding) -> None:
    colors = [find_row(draw(adding)["differences"], row)[1].marker.color for row in range(3)]
    assert colors == [UNDECIDED.color, STYLES["gru"].color, UNDECIDED.color]


def test_axes_of_seconds_begin_at_0(adding) -> None:
    layout = draw(adding)["time"].layout
    assert (layout.xaxis.rangemode, layout.xaxis2.rangemode) == ("tozero", "tozero")


def test_intervals_of_seconds_end_at_0(adding) -> None:
    estimate = {"mean": 1.0, "low": -3.0, "high": 5.0}
    summary = [entry | {"seconds_per_epoch": estimate} for entry in adding.results["summary"]]
    figure = draw_comparison_figures(adding.runs, {"summary": summary}, adding.description)["time"]
    mean = next(
        trace for trace in figure.data if trace.xaxis == "x" and trace.error_x.array is not None
    )
    assert (mean.error_x.arrayminus[0], mean.error_x.array[0]) == (1.0, 4.0)


@pytest.mark.parametrize(("key", "axis"), [("seconds_per_epoch", "x"), ("seconds_to_best", "x2")])
def test_seconds_are_those_of_each_seed(adding, key: str, axis: str) -> None:
    dots = [trace for trace in draw(adding)["time"].data if trace.xaxis == axis and trace.text]
    assert [list(trace.x) for trace in dots] == [
        list_losses(adding, cell, key) for cell in ("rnn", "lstm", "gru")
    ]
