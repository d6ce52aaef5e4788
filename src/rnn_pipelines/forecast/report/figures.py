"""The figures of `forecast`. Of many series or steps, each draws a readable choice and says so in its subtitle."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from plotly.graph_objects import Bar, Figure, Scatter
from plotly.subplots import make_subplots

from rnn_pipelines.forecast.evaluation.metrics import BASELINES, list_forecasters, measure_by_step
from rnn_pipelines.forecast.report.choice import (
    choose_series,
    choose_steps,
    describe_choice,
    hide_filled,
    join_steps,
    keep_last_steps,
)
from rnn_pipelines.forecast.report.looks import LOOKS
from rnn_pipelines.report.numbers import format_number
from rnn_pipelines.report.style import NEUTRAL_COLOR, add_menu, choose_mode, count_up_to, set_title
from rnn_pipelines.report.trainings import draw_losses

MIN_SLIDER_STEPS = 100


def draw_figures(
    predictions: pd.DataFrame,
    series: pd.DataFrame,
    next_values: pd.DataFrame,
    by_step: pd.DataFrame,
    histories: Mapping[str, pd.DataFrame],
) -> dict[str, Figure]:
    """Draws all figures of the report.

    Args:
        predictions: what `tabulate_forecasts` returns for the test part.
        series: what `repair_series` returns.
        next_values: what `tabulate_forecasts` returns for the future.
        by_step: what `measure_by_step` returns.
        histories: the history of `fit` for each network.
    Returns:
        `forecasts`, `next_values`, `losses`, `error_by_step` and `residuals`.
    """
    hidden = set(BASELINES) - {find_strongest_baseline(by_step)}
    return {
        "forecasts": draw_forecasts(predictions, series, hidden),
        "next_values": draw_next_values(series, next_values, hidden),
        "losses": draw_losses(histories, "on scaled values", LOOKS),
        "error_by_step": draw_error_by_step(by_step, predictions),
        "residuals": draw_residuals(predictions),
    }


def find_strongest_baseline(by_step: pd.DataFrame) -> str:
    """The baseline with the smallest MSE over all steps ahead."""
    mse = by_step.groupby("forecaster")["mse"].mean()
    return str(mse.loc[mse.index.intersection(BASELINES)].idxmin())


def draw_forecasts(predictions: pd.DataFrame, series: pd.DataFrame, hidden: set[str]) -> Figure:
    """Forecast against actual over the test part: the first step of every origin, or all steps of a single one.

    Args:
        predictions, series: see `draw_figures`.
        hidden: forecasters that show up once they are clicked in the legend.
    """
    rows = choose_steps(predictions)
    num_before = 0 if (rows["horizon_step"] == 1).all() else 2 * int(rows["horizon_step"].max())
    tables = {
        name: join_steps(series[series["unique_id"] == name], forecasts, num_before)
        for name, forecasts in choose_series(rows).items()
    }
    figure = _draw_lines(tables, list_forecasters(predictions), hidden)
    set_title(figure, "Forecast against actual", describe_choice(rows, tables))
    return figure


def draw_next_values(series: pd.DataFrame, next_values: pd.DataFrame, hidden: set[str]) -> Figure:
    """The end of the observed series, and the forecasts of the steps after it.

    Args:
        series, next_values: see `draw_figures`.
        hidden: see `draw_forecasts`.
    """
    num_before = max(3 * int(next_values["horizon_step"].max()), 30)
    tables = {}
    for name, future in choose_series(next_values).items():
        past = hide_filled(series[series["unique_id"] == name]).tail(num_before)
        tables[name] = pd.concat([past, future])
    figure = _draw_lines(tables, list_forecasters(next_values), hidden)
    set_title(figure, "Next values", describe_choice(next_values, tables))
    return figure


def draw_error_by_step(by_step: pd.DataFrame, predictions: pd.DataFrame) -> Figure:
    """RMSE and MAE of every forecaster at every step ahead; bars where there is one step.

    Args:
        by_step: see `draw_figures`.
        predictions: see `draw_figures`; their noise-free signal, where it is known, shows the noise floor.
    """
    errors = pd.concat([by_step, _measure_noise(predictions)]).assign(rmse=lambda table: np.sqrt(table["mse"]))
    figure = Figure()
    for metric in ("rmse", "mae"):
        for forecaster, table in errors.groupby("forecaster", sort=False):
            figure.add_trace(_draw_steps(str(forecaster), table["horizon_step"], table[metric]))
    add_menu(figure, ["RMSE", "MAE"])
    num_series, horizon = predictions["unique_id"].nunique(), int(errors["horizon_step"].max())
    title = "Error one step ahead" if horizon == 1 else "Error by step ahead"
    set_title(figure, title, f"mean over {num_series:,} series" if num_series > 1 else "")
    if horizon > 1:
        figure.update_xaxes(**count_up_to("steps ahead", horizon))
    figure.update_yaxes(title="error")
    return figure


def draw_residuals(predictions: pd.DataFrame) -> Figure:
    """Actual minus forecast of the networks, over time and as a histogram; the same steps as in `draw_forecasts`.

    Args:
        predictions: see `draw_figures`.
    """
    networks = [name for name in list_forecasters(predictions) if name not in BASELINES]
    rows = choose_steps(predictions)
    tables = choose_series(rows)
    figure = make_subplots(1, 2, shared_yaxes=True, column_widths=[0.78, 0.22], horizontal_spacing=0.05)
    for table in keep_last_steps(tables):
        errors = table[networks].rsub(table["y"], axis=0)
        edges = np.histogram_bin_edges(errors.stack().dropna(), "sturges")
        for network in networks:
            style = {"name": LOOKS[network].name, "legendgroup": network, "marker": {"color": LOOKS[network].color}}
            figure.add_trace(
                Scatter(x=_show_time(table["ds"]), y=errors[network], mode="markers", opacity=0.6, **style), 1, 1
            )
            figure.add_trace(_draw_histogram(errors[network].dropna(), edges, style), 1, 2)
    add_menu(figure, list(tables))
    set_title(figure, "Actual − forecast", describe_choice(rows, tables))
    figure.update_xaxes(ticklabeloverflow="hide past domain", col=1)
    figure.update_xaxes(title="count", col=2)
    figure.update_layout(hovermode="closest")
    return figure


def _draw_lines(tables: Mapping[str, pd.DataFrame], forecasters: Sequence[str], hidden: set[str]) -> Figure:
    figure = Figure()
    for table in keep_last_steps(tables):
        figure.add_scatter(
            x=_show_time(table["ds"]),
            y=table["y"],
            name="actual",
            mode=choose_mode(table["y"]),
            line={"color": NEUTRAL_COLOR, "width": 2},
        )
        for forecaster in forecasters:
            figure.add_scatter(
                x=_show_time(table["ds"]),
                y=table[forecaster],
                name=LOOKS[forecaster].name,
                mode=choose_mode(table[forecaster]),
                line={"color": LOOKS[forecaster].color, "dash": LOOKS[forecaster].dash, "width": 1.8},
                visible="legendonly" if forecaster in hidden else True,
            )
    add_menu(figure, list(tables))
    has_slider = len(tables) == 1 and any(len(table) >= MIN_SLIDER_STEPS for table in tables.values())
    figure.update_xaxes(rangeslider={"visible": has_slider, "thickness": 0.09})
    return figure


def _draw_steps(forecaster: str, steps: pd.Series, errors: pd.Series) -> Scatter | Bar:
    name, color = LOOKS[forecaster].name, LOOKS[forecaster].color
    if len(steps) == 1:
        texts = [format_number(error) for error in errors]
        return Bar(
            x=[name], y=errors, name=name, marker={"color": color}, text=texts, textposition="outside", showlegend=False
        )
    line = {"color": color, "dash": LOOKS[forecaster].dash, "width": 2}
    return Scatter(x=steps, y=errors, name=name, mode=choose_mode(steps), line=line)


def _draw_histogram(errors: pd.Series, edges: np.ndarray, style: dict[str, Any]) -> Scatter:
    """An outline, for filled bars of two networks hide each other."""
    counts, _ = np.histogram(errors, edges)
    centers = (edges[:-1] + edges[1:]) / 2
    width = edges[1] - edges[0]
    return Scatter(
        x=[0, *counts, 0],
        y=[centers[0] - width, *centers, centers[-1] + width],
        mode="lines",
        line={"shape": "vhv", "width": 2},
        showlegend=False,
        **style,
    )


def _measure_noise(predictions: pd.DataFrame) -> pd.DataFrame | None:
    """Errors of the noise-free signal by step ahead, as if it were a forecaster."""
    if "signal" not in predictions:
        return None
    keys = ["unique_id", "cutoff", "ds", "horizon_step", "y"]
    return measure_by_step(predictions[keys].assign(noise_floor=predictions["signal"]))


def _show_time(ds: pd.Series) -> pd.Series:
    """Times as texts, without the midnight that each would carry; steps as they are."""
    return ds.astype(str) if pd.api.types.is_datetime64_any_dtype(ds) else ds
