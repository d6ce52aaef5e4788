"""The figures show the forecasts as they are, and stay small."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from plotly.graph_objects import Figure, Scatter

from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.report.figures import draw_next_values, find_strongest_baseline
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.report.styles import SPARE_COLOR

NAMES = (
    "forecasts",
    "newest_window",
    "next_values",
    "totals",
    "losses",
    "error_by_step",
    "coverage",
    "residuals",
    "explanation",
)


def find_trace(figure: Figure, name: str) -> Scatter:
    """The first trace with this name."""
    return next(trace for trace in figure.data if trace.name == name)


@pytest.fixture(scope="module")
def results(make_results) -> SimpleNamespace:
    return make_results()


@pytest.fixture(scope="module")
def figures(results, draw) -> dict[str, Figure]:
    return draw(results)


def test_figures_have_their_names(figures) -> None:
    assert set(figures) == set(NAMES)


def test_menu_of_errors_has_each_metric(figures) -> None:
    buttons = figures["error_by_step"].layout.updatemenus[0].buttons
    assert [button.args[1]["yaxis.title.text"].split(",")[0] for button in buttons] == [
        "RMSE",
        "MAE",
    ]


def test_strongest_baseline_has_the_least_mse(results) -> None:
    errors = results.predictions.errors[["last_value", "seasonal_naive", "ridge"]]
    assert find_strongest_baseline(results.by_step) == (errors**2).mean().idxmin() == "ridge"


def test_baselines_but_the_strongest_wait_in_the_legend(figures) -> None:
    for name in ("forecasts", "next_values"):
        waiting = [trace.name for trace in figures[name].data if trace.visible == "legendonly"]
        assert waiting == ["last value", "seasonal naive"]


def test_times_are_in_order(figures) -> None:
    for name in ("forecasts", "next_values", "residuals"):
        assert pd.to_datetime(pd.Series(figures[name].data[0].x)).is_monotonic_increasing


def test_forecaster_has_one_color_in_all_figures(figures) -> None:
    traces = [
        trace
        for figure in figures.values()
        for trace in figure.data
        if trace.name.startswith("LSTM")
    ]
    assert {trace.line.color or trace.marker.color for trace in traces} == {STYLES["lstm"].color}


def test_colors_of_forecasters_differ() -> None:
    assert len({style.color for style in STYLES.values()} | {SPARE_COLOR}) == len(STYLES) + 1


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_is_json_with_a_title_of_its_axis(figures, name: str) -> None:
    titles = [axis.title.text for axis in figures[name].select_yaxes()]
    assert any(titles)
    assert json.loads(figures[name].to_json())["data"]


def test_drawing_changes_no_table(make_results, draw) -> None:
    results = make_results(num_series=2, has_signal=True)
    before = make_results(num_series=2, has_signal=True)
    draw(results)
    for name in ("predictions", "next_values"):
        pd.testing.assert_frame_equal(getattr(results, name).table, getattr(before, name).table)
    for name in ("series", "by_step"):
        pd.testing.assert_frame_equal(getattr(results, name), getattr(before, name))
    pd.testing.assert_frame_equal(results.histories["lstm"], before.histories["lstm"])


def test_forecasts_are_drawn_one_step_ahead(make_results, draw) -> None:
    results = make_results(freq="h")
    drawn = pd.to_datetime(pd.Series(find_trace(draw(results)["forecasts"], "LSTM").x))
    assert drawn.tolist() == results.predictions.table.query("horizon_step == 1")["ds"].tolist()


def test_steps_without_dates_are_drawn_as_numbers(make_results, draw) -> None:
    figures = draw(make_results(freq=None))
    assert find_trace(figures["forecasts"], "LSTM").x.tolist() == list(range(40, 60))


def test_forecasts_from_one_origin_are_drawn_after_three_horizons(make_results, draw) -> None:
    results = make_results(num_origins=1, horizon=5)
    figure = draw(results)["forecasts"]
    np.testing.assert_array_equal(find_trace(figure, "actual").y, results.series["y"].tail(3 * 5))
    np.testing.assert_array_equal(
        find_trace(figure, "GRU").y[-5:], results.predictions.table["gru"]
    )


def test_errors_of_one_step_are_bars(make_results, draw) -> None:
    figure = draw(make_results(horizon=1))["error_by_step"]
    bars = [(trace.type, trace.name) for trace in figure.data if trace.visible is not False]
    assert bars == [
        ("bar", name) for name in ("LSTM", "GRU", "last value", "seasonal naive", "ridge")
    ]


def test_noise_floor_is_drawn_if_it_is_known(make_results, draw) -> None:
    figure = draw(make_results(has_signal=True))["error_by_step"]
    np.testing.assert_allclose(find_trace(figure, "noise floor").y, [0.5, 0.5, 0.5])


def test_figures_of_many_series_are_small(make_results, draw) -> None:
    figures = draw(make_results(num_series=366, num_origins=30, horizon=2))
    assert max(len(figure.to_json()) for figure in figures.values()) < 1_000_000


def test_figures_of_many_steps_are_small(make_results, draw) -> None:
    figures = draw(make_results(num_origins=100_000, horizon=1))
    assert max(len(figure.to_json()) for figure in figures.values()) < 1_000_000


def test_subtitle_names_what_is_drawn(make_results, draw) -> None:
    figures = draw(make_results(num_series=30, num_origins=400, horizon=2))
    for name in ("forecasts", "residuals"):
        assert (
            figures[name].layout.title.subtitle.text
            == "one step ahead; 12 of 30 series; last 250 of 400 steps"
        )


def test_gaps_stay_open(make_results, draw) -> None:
    results = make_results(horizon=1)
    results.series.loc[50, "observed"] = False
    results.predictions.table.loc[10, ["y"]] = np.nan
    results.predictions = results.predictions.keep(results.predictions.table.index != 11)
    figure = draw(results)["forecasts"]
    assert np.flatnonzero(np.isnan(find_trace(figure, "actual").y)).tolist() == [10]
    assert np.flatnonzero(np.isnan(find_trace(figure, "GRU").y)).tolist() == [11]


def test_forecasts_of_the_test_part_are_drawn_as_they_are(results, figures) -> None:
    rows = results.predictions.table.query("horizon_step == 1")
    for name, column in (("actual", "y"), ("LSTM", "lstm"), ("last value", "last_value")):
        np.testing.assert_array_equal(find_trace(figures["forecasts"], name).y, rows[column])


def test_next_values_are_drawn_after_the_series(results, figures) -> None:
    trace = find_trace(figures["next_values"], "GRU")
    forecast = pd.Series(trace.y, pd.to_datetime(pd.Series(trace.x))).dropna()
    assert forecast.index.min() == results.series["ds"].max() + pd.Timedelta(days=1)
    assert forecast.tolist() == results.next_values.table["gru"].tolist()


def test_residuals_are_drawn_as_they_are(results, figures) -> None:
    errors = results.predictions.errors[results.predictions.table["horizon_step"] == 1]
    np.testing.assert_array_equal(find_trace(figures["residuals"], "LSTM").y, errors["lstm"])


def test_histograms_count_all_residuals(figures) -> None:
    histograms = [trace for trace in figures["residuals"].data if trace.xaxis == "x2"]
    assert [sum(trace.x) for trace in histograms] == [20, 20]


def test_errors_by_step_are_roots_of_the_mse(results, figures) -> None:
    mse = results.by_step.query("forecaster == 'gru'")["mse"]
    np.testing.assert_allclose(find_trace(figures["error_by_step"], "GRU").y, np.sqrt(mse))


def test_unknown_noise_floor_is_not_drawn(figures) -> None:
    assert "noise floor" not in {trace.name for trace in figures["error_by_step"].data}


def test_panel_has_a_menu_that_leads_to_its_series(make_results, draw) -> None:
    figure = draw(make_results(names=["north", "south"]))["forecasts"]
    assert [button.label for button in figure.layout.updatemenus[0].buttons] == ["north", "south"]
    results = make_results(names=["north", "south"])
    figure = draw(results)["forecasts"]
    shown = figure.layout.updatemenus[0].buttons[1].args[0]["visible"]
    first = next(trace for trace, visible in zip(figure.data, shown, strict=True) if visible)
    south = results.predictions.table.query("unique_id == 'south' and horizon_step == 1")
    np.testing.assert_array_equal(first.y, south["y"])
    figure = draw(make_results(names=["<a href='x'>", "<b>b</b>"]))["residuals"]
    labels = [button.label for button in figure.layout.updatemenus[0].buttons]
    assert labels == ["&lt;a href='x'&gt;", "&lt;b&gt;b&lt;/b&gt;"]


def test_bounds_of_intervals_are_not_drawn(make_results, draw) -> None:
    """Not yet; and nothing breaks because of them."""
    results = make_results()
    plain = draw(make_results())
    for name in ("predictions", "next_values"):
        table = getattr(results, name).table
        bounds = {
            f"gru-{side}-{level}": table["gru"] for side in ("lo", "hi") for level in (80, 95)
        }
        setattr(
            results,
            name,
            Predictions(table.assign(**bounds), results.predictions.forecasters, (80, 95)),
        )
    assert {name: figure.to_json() for name, figure in draw(results).items()} == {
        name: figure.to_json() for name, figure in plain.items()
    }


def test_the_forecast_in_use_is_the_strongest_line(results) -> None:
    next_values = replace(results.next_values, use="gru")
    traces = draw_next_values(results.series, next_values, set()).data
    lines = [trace for trace in traces if trace.fill != "toself"]
    assert lines[-1].name == STYLES["gru"].name
    assert lines[-1].line.width == max(trace.line.width for trace in lines)


def test_title_and_axis_have_the_name_of_the_values(results, draw) -> None:
    profile = {"target": "sales", "columns": {"series": []}}
    figure = draw(results, profile=profile)["next_values"]
    assert figure.layout.title.text == "Next values: sales"
    assert figure.layout.yaxis.title.text == "sales"
