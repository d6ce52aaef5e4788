"""The figures of `forecast`. With many series or steps, each draws a selection and describes it in its subtitle."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from plotly.graph_objects import Figure, Scatter
from plotly.subplots import make_subplots

from rnn_pipelines.forecast.evaluation.interval_metrics import MetricsByLevel
from rnn_pipelines.forecast.evaluation.metrics import METRICS, MetricsByStep, measure_by
from rnn_pipelines.forecast.evaluation.summary import NOISE_FLOOR
from rnn_pipelines.forecast.methods.predictions import Predictions, StepsTable
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.report import choice
from rnn_pipelines.forecast.report.explanation import draw_explanation
from rnn_pipelines.forecast.report.intervals import draw_coverage, draw_fan
from rnn_pipelines.forecast.report.styles import (
    ERROR_AXIS,
    STYLES,
    VALUE_AXIS,
    add_values,
    name_axis,
    name_values,
)
from rnn_pipelines.forecast.report.totals import draw_totals
from rnn_pipelines.forecast.series.tables import Profile, Series
from rnn_pipelines.forecast.totals.adding import Totals
from rnn_pipelines.reading.zones import show_local
from rnn_pipelines.report.figures import (
    add_menu,
    choose_visible,
    count_up_to,
    draw_bars,
    draw_line,
    draw_points,
    set_layout,
)
from rnn_pipelines.report.notes import draw_or_note
from rnn_pipelines.report.numbers import format_number
from rnn_pipelines.report.styles import NEUTRAL_COLOR, Style
from rnn_pipelines.report.trainings import draw_losses

ACTUAL = Style("actual", NEUTRAL_COLOR)
MIN_SLIDER_STEPS = 100
# The forecast in use is the strongest line.
USED_WIDTH, OTHER_WIDTH = 3.2, 1.2
# With more methods, a figure from Python hides those that are not in use until they are clicked in the legend.
MAX_VISIBLE = 4
# Titles of figures that contain nothing else.
NO_TEST_PART = "No part was held back", "the series are too short for a test part"
ONE_STEP = "Nothing to compare by step ahead", "the horizon is one step"


def draw_figures(  # noqa: PLR0913, PLR0917 - each is a dataset of a run
    predictions: Predictions,
    series: Series,
    next_values: Predictions,
    by_step: MetricsByStep,
    by_level: MetricsByLevel,
    explanation: pd.DataFrame,
    profile: Profile | None = None,
    totals: Totals | None = None,
    **histories: pd.DataFrame,
) -> dict[str, Figure]:
    """Draw all figures of the report, by name; the histories are the losses of each network by training step.

    The profile has the name of the values; None for no name. The totals are of the next values; None for none.
    """
    values = name_values(profile)
    series = _show_in_zone(series, predictions)
    # Hidden until they are clicked in the legend.
    hidden = set(METHODS) - ({find_strongest_baseline(by_step)} if len(by_step) else set())

    def draw(function: Callable[..., Figure], *inputs: Any) -> Figure:
        return draw_or_note(function, *inputs) if len(by_step) else draw_nothing(*NO_TEST_PART)

    def draw_steps(function: Callable[..., Figure], *inputs: Any) -> Figure:
        return draw_nothing(*ONE_STEP) if has_one_step(predictions) else draw(function, *inputs)

    return {
        "forecasts": draw(draw_forecasts, predictions, series, hidden, values),
        "newest_window": draw_steps(draw_newest_window, predictions, series, hidden, values),
        "error_by_step": draw(draw_error_by_step, by_step, predictions),
        "coverage": draw_steps(draw_coverage, by_level, hidden),
        "residuals": draw(draw_residuals, predictions),
        "next_values": draw_or_note(draw_next_values, series, next_values, hidden, values),
        "totals": draw_or_note(_draw_totals, totals, next_values.use, values),
        "losses": draw_or_note(_draw_trainings, histories),
        "explanation": draw_or_note(draw_explanation, explanation),
    }


def plot_next_values(series: Series, next_values: Predictions) -> Figure:
    """Draw the newest history and the next values from Python; of many methods, only the one in use is not hidden."""
    hidden = (
        set(next_values.forecasters) - {next_values.use}
        if len(next_values.forecasters) > MAX_VISIBLE
        else set()
    )
    return draw_next_values(series, next_values, hidden)


def _show_in_zone(series: Series, predictions: Predictions) -> Series:
    """Return the series with times in the zone of the forecasts, which are shown in local time."""
    if predictions.table["ds"].dtype == series["ds"].dtype:
        return series
    return series.assign(ds=show_local(series["ds"], str(predictions.table["ds"].dt.tz)))


def _draw_totals(totals: Totals | None, use: str, values: str) -> Figure:
    if totals is None or totals.empty:
        return draw_nothing("Totals", "none are asked for")
    return draw_totals(totals, use, values)


def _draw_trainings(histories: Mapping[str, pd.DataFrame]) -> Figure:
    trained = {
        name: history for name, history in histories.items() if history["val_loss"].notna().any()
    }
    if not trained:
        return draw_nothing(
            "Loss by step", "no network was trained, because there are too few values"
        )
    return draw_losses(
        trained, "error of the corrected forecast on normalised windows", STYLES, by="step"
    )


def has_one_step(predictions: Predictions) -> bool:
    """Return whether there are forecasts of one step ahead only."""
    return bool(predictions.table["horizon_step"].nunique() == 1)


def draw_nothing(title: str, reason: str) -> Figure:
    """Return a figure that contains only its title."""
    axis = {"visible": False}
    return set_layout(Figure(), title, reason, axis, axis)


def find_strongest_baseline(by_step: MetricsByStep) -> str:
    """Return the baseline with the lowest MSE over all steps ahead."""
    mse = by_step.groupby("forecaster")["mse"].mean()
    return str(mse.loc[mse.index.intersection(list(METHODS))].idxmin())


def draw_forecasts(
    predictions: Predictions, series: Series, hidden: set[str], values: str = VALUE_AXIS
) -> Figure:
    """Draw forecasts and actuals of the test part: the first step of each origin, or all steps of a single one."""
    rows = choice.choose_steps(predictions.table)
    num_before = 0 if (rows["horizon_step"] == 1).all() else 2 * int(rows["horizon_step"].max())
    chosen = choice.choose_series(rows).items()
    tables = {
        name: choice.join_steps(series[series["unique_id"] == name], rows, num_before)
        for name, rows in chosen
    }
    figure = _draw_lines(tables, predictions, hidden)
    title = add_values("Forecast against actual", values)
    return set_layout(figure, title, choice.describe_choice(rows, tables), y=values)


def draw_newest_window(
    predictions: Predictions, series: Series, hidden: set[str], values: str = VALUE_AXIS
) -> Figure:
    """Draw all steps of the newest forecast of each series in the test part."""
    cutoffs = predictions.table.groupby("unique_id")["cutoff"]
    newest = predictions.keep(predictions.table["cutoff"] == cutoffs.transform("max"))
    figure = draw_forecasts(newest, series, hidden, values)
    return figure.update_layout(
        title={"text": add_values("Newest forecast of the test part", values)}
    )


def draw_next_values(
    series: Series, next_values: Predictions, hidden: set[str], values: str = VALUE_AXIS
) -> Figure:
    """Draw the end of the observed series, and the forecasts of the steps after it."""
    rows = next_values.table
    tables = {}
    num_before = max(3 * int(rows["horizon_step"].max()), 30)
    for name, future in choice.choose_series(rows).items():
        past = choice.hide_filled(series[series["unique_id"] == name]).tail(num_before)
        tables[name] = pd.concat([past, future])
    figure = _draw_lines(tables, next_values, hidden)
    title = add_values("Next values", values)
    return set_layout(figure, title, choice.describe_choice(rows, tables), y=values)


def draw_error_by_step(by_step: MetricsByStep, predictions: Predictions) -> Figure:
    """Draw metrics in the unit of the data by step ahead, bars of one step; and the noise floor if it is known."""
    errors = pd.concat([by_step, _measure_noise(predictions)])
    figure = Figure()
    metrics = {name: metric for name, metric in METRICS.items() if metric.unit == "data"}
    for metric in metrics.values():
        for forecaster, table in errors.groupby("forecaster", sort=False):
            values = (
                np.sqrt(table[metric.statistic])
                if metric.aggregation == "root"
                else table[metric.statistic]
            )
            style = STYLES[str(forecaster)]
            if len(values) > 1:
                figure.add_trace(draw_line(style, table["horizon_step"], values))
                continue
            texts = [format_number(value) for value in values]
            options = {"text": texts, "textposition": "outside", "showlegend": False}
            figure.add_trace(draw_bars(style, [style.name], values, **options))
    titles = [{"yaxis.title.text": name_axis(name)} for name in metrics]
    add_menu(figure, [metric.heading for metric in metrics.values()], titles)
    num_series = predictions.table["unique_id"].nunique()
    horizon = int(errors["horizon_step"].max())
    title = "Error one step ahead" if horizon == 1 else "Error by step ahead"
    subtitle = f"mean over {num_series:,} series" if num_series > 1 else ""
    return set_layout(
        figure, title, subtitle, count_up_to("steps ahead", horizon) if horizon > 1 else None
    )


def draw_residuals(predictions: Predictions) -> Figure:
    """Draw actual minus forecast of the networks, over time and as a histogram, for the steps of `draw_forecasts`."""
    networks = [name for name in predictions.forecasters if name not in METHODS]
    rows = choice.choose_steps(predictions.table)
    tables = choice.choose_series(rows)
    all_errors = predictions.errors[networks]
    figure = make_subplots(
        1, 2, shared_yaxes=True, column_widths=[0.78, 0.22], horizontal_spacing=0.05
    )
    for table in choice.keep_last_steps(tables):
        errors = all_errors.loc[table.index]
        edges = np.histogram_bin_edges(errors.stack().dropna(), "sturges")
        for network in networks:
            style = STYLES[network]
            group = {"legendgroup": network}
            points = draw_points(
                style, choice.show_time(table["ds"]), errors[network], opacity=0.6, **group
            )
            figure.add_trace(points, 1, 1)
            figure.add_trace(
                _draw_histogram(style, errors[network].dropna(), edges).update(group), 1, 2
            )
    add_menu(figure, list(tables))
    set_layout(
        figure, "Actual − forecast", choice.describe_choice(rows, tables), hovermode="closest"
    )
    figure.update_yaxes(title=ERROR_AXIS, col=1)
    figure.update_xaxes(ticklabeloverflow="hide past domain", col=1)
    return figure.update_xaxes(title="count", col=2)


def _draw_lines(
    tables: Mapping[str, pd.DataFrame], predictions: Predictions, hidden: set[str]
) -> Figure:
    figure = Figure()
    for table in choice.keep_last_steps(
        {name: table.reset_index(drop=True) for name, table in tables.items()}
    ):
        times = choice.show_time(table["ds"])
        # Intervals of the forecast in use only, because several fans would hide each other.
        figure.add_traces(draw_fan(predictions.use, times, table, predictions.levels, visible=True))
        figure.add_trace(draw_line(ACTUAL, times, table["y"]))
        # The last one is drawn above the others.
        for name in sorted(predictions.forecasters, key=lambda name: name == predictions.use):
            visible = choose_visible(name not in hidden)
            width = USED_WIDTH if name == predictions.use else OTHER_WIDTH
            figure.add_trace(
                draw_line(STYLES[name], times, table[name], width=width, visible=visible)
            )
    add_menu(figure, list(tables))
    has_slider = len(tables) == 1 and any(
        len(table) >= MIN_SLIDER_STEPS for table in tables.values()
    )
    return figure.update_xaxes(rangeslider={"visible": has_slider, "thickness": 0.09})


def _draw_histogram(style: Style, errors: pd.Series, edges: np.ndarray) -> Scatter:
    """Draw an outline, because filled bars of two networks hide each other."""
    counts, _ = np.histogram(errors, edges)
    centers = (edges[:-1] + edges[1:]) / 2
    width = edges[1] - edges[0]
    y = [centers[0] - width, *centers, centers[-1] + width]
    return draw_line(
        style,
        [0, *counts, 0],
        y,
        mode="lines",
        line={"shape": "vhv", "dash": "solid"},
        showlegend=False,
    )


def _measure_noise(predictions: Predictions) -> MetricsByStep | None:
    """Return the errors of the noise-free signal by step ahead, in the form of a forecaster; None without a signal."""
    if "signal" not in predictions.table:
        return None
    table = predictions.table[[*StepsTable.columns, "y"]].assign(
        **{NOISE_FLOOR: predictions.table["signal"]}
    )
    return measure_by(Predictions(table, (NOISE_FLOOR,)), "horizon_step")
