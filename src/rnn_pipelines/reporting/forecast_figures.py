"""The figures of `forecast`. Of many series or steps, each draws a readable choice and says so in its subtitle."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from plotly.graph_objects import Bar, Figure, Scatter
from plotly.subplots import make_subplots

from rnn_pipelines.evaluation.metrics import BASELINES, list_forecasters, measure_by_step
from rnn_pipelines.reporting.style import DASHES, format_number, get_color, get_name, set_title

MAX_SERIES = 12
# Over all series of a figure, so that its file stays well below a megabyte.
MAX_STEPS = 3000
MAX_MARKED_POINTS = 40
MIN_SLIDER_POINTS = 100
MAX_LABEL_LENGTH = 24
NUM_BINS = 30


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
        "losses": draw_losses(histories),
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
    rows, ahead = _choose_steps(predictions)
    num_before = 0 if (rows["horizon_step"] == 1).all() else 2 * int(rows["horizon_step"].max())
    tables = {
        name: _join_steps(series[series["unique_id"] == name], forecasts, num_before)
        for name, forecasts in _choose_series(rows).items()
    }
    figure = _draw_lines(tables, list_forecasters(predictions), hidden)
    set_title(figure, f"Forecast against actual, {ahead}", _describe_choice(tables, predictions))
    return figure


def draw_next_values(series: pd.DataFrame, next_values: pd.DataFrame, hidden: set[str]) -> Figure:
    """The end of the observed series, and the forecasts of the steps after it.

    Args:
        series, next_values: see `draw_figures`.
        hidden: see `draw_forecasts`.
    """
    horizon = int(next_values["horizon_step"].max())
    tables = {}
    for name, future in _choose_series(next_values).items():
        past = _hide_filled(series[series["unique_id"] == name]).tail(max(3 * horizon, 30))
        tables[name] = pd.concat([past, future])
    figure = _draw_lines(tables, list_forecasters(next_values), hidden)
    title = "The next value" if horizon == 1 else f"The next {horizon} values"
    set_title(figure, title, _describe_choice(tables, next_values))
    return figure


def draw_losses(histories: Mapping[str, pd.DataFrame]) -> Figure:
    """Training and validation loss by epoch; a star marks the epoch whose weights were kept.

    Args:
        histories: see `draw_figures`. Where there is no column `is_best`, the lowest validation loss is the best.
    """
    figure = Figure()
    for network, history in histories.items():
        color, name = get_color(network), get_name(network)
        for column, part, dash in (("loss", "training", "dot"), ("val_loss", "validation", "solid")):
            figure.add_scatter(
                x=history["epoch"],
                y=history[column],
                name=f"{name}, {part}",
                mode=_choose_mode(history[column]),
                line={"color": color, "dash": dash, "width": 2},
            )
        best = history[history["is_best"]] if "is_best" in history else history.loc[[history["val_loss"].idxmin()]]
        figure.add_scatter(
            x=best["epoch"],
            y=best["val_loss"],
            name=f"{name}, best epoch",
            showlegend=False,
            mode="markers",
            marker={"color": color, "symbol": "star", "size": 14, "line": {"color": "white", "width": 1}},
        )
    set_title(figure, "Loss by epoch", "on scaled values, lower is better; ★ best epoch")
    figure.update_xaxes(title="epoch")
    figure.update_yaxes(title="loss", type="log", dtick="D2")
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
    _add_menu(figure, ["RMSE", "MAE"])
    num_series, has_one_step = predictions["unique_id"].nunique(), (errors["horizon_step"] == 1).all()
    title = "Error one step ahead" if has_one_step else "Error by step ahead"
    set_title(figure, title, f"over all {num_series} series" if num_series > 1 else "")
    if not has_one_step:
        figure.update_xaxes(title="steps ahead")
    figure.update_yaxes(title="error")
    return figure


def draw_residuals(predictions: pd.DataFrame) -> Figure:
    """Actual minus forecast of the networks, over time and as a histogram; the same steps as in `draw_forecasts`.

    Args:
        predictions: see `draw_figures`.
    """
    networks = [name for name in list_forecasters(predictions) if name not in BASELINES]
    rows, ahead = _choose_steps(predictions)
    tables = _choose_series(rows)
    figure = make_subplots(1, 2, shared_yaxes=True, column_widths=[0.78, 0.22], horizontal_spacing=0.05)
    for table in _keep_last_steps(tables):
        errors = table[networks].rsub(table["y"], axis=0)
        edges = np.histogram_bin_edges(errors.stack().dropna(), NUM_BINS)
        for network in networks:
            style = {"name": get_name(network), "legendgroup": network, "marker": {"color": get_color(network)}}
            figure.add_trace(
                Scatter(x=_show_time(table["ds"]), y=errors[network], mode="markers", opacity=0.6, **style), 1, 1
            )
            figure.add_trace(_draw_histogram(errors[network].dropna(), edges, style), 1, 2)
    _add_menu(figure, list(tables))
    set_title(figure, f"Error (actual − forecast), {ahead}", _describe_choice(tables, predictions))
    figure.update_xaxes(title="count", col=2)
    figure.update_layout(hovermode="closest")
    return figure


def _choose_steps(predictions: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Rows whose times don't repeat, and how far ahead they are."""
    horizon = int(predictions["horizon_step"].max())
    has_many_origins = predictions.groupby("unique_id")["cutoff"].nunique().max() > 1
    if has_many_origins or horizon == 1:
        return predictions[predictions["horizon_step"] == 1], "one step ahead"
    return predictions, f"{horizon} steps ahead"


def _choose_series(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows of at most `MAX_SERIES` series, spread evenly over all."""
    names = table["unique_id"].unique()
    places = np.linspace(0, len(names) - 1, min(len(names), MAX_SERIES)).round().astype(int)
    return {str(name): table[table["unique_id"] == name] for name in names[places]}


def _keep_last_steps(tables: Mapping[str, pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """The end of each table, so that all of them have no more than `MAX_STEPS` rows."""
    return (table.tail(MAX_STEPS // len(tables)) for table in tables.values())


def _describe_choice(tables: Mapping[str, pd.DataFrame], source: pd.DataFrame) -> str:
    """Which part of the series and their steps is drawn; nothing if it is all."""
    num_series, num_steps = source["unique_id"].nunique(), max(len(table) for table in tables.values())
    limit = MAX_STEPS // len(tables)
    return ", ".join(
        [f"{len(tables)} of {num_series:,} series"] * (len(tables) < num_series)
        + [f"the last {limit:,} of {num_steps:,} steps"] * (limit < num_steps)
    )


def _join_steps(steps: pd.DataFrame, forecasts: pd.DataFrame, num_before: int) -> pd.DataFrame:
    """Forecasts of one series beside all of its steps, so that no line is drawn across a gap."""
    start = max(int(steps["ds"].searchsorted(forecasts["ds"].min())) - num_before, 0)
    steps = _hide_filled(steps)[start:]
    steps = steps[steps["ds"] <= forecasts["ds"].max()]
    return steps.merge(forecasts.drop(columns=["unique_id", "y"]), how="left", on="ds")


def _hide_filled(steps: pd.DataFrame) -> pd.DataFrame:
    """`ds` and `y`, NaN where nothing was observed."""
    return steps[["ds"]].assign(y=steps["y"].where(steps["observed"]))


def _draw_lines(tables: Mapping[str, pd.DataFrame], forecasters: Sequence[str], hidden: set[str]) -> Figure:
    figure = Figure()
    for table in _keep_last_steps(tables):
        figure.add_scatter(
            x=_show_time(table["ds"]),
            y=table["y"],
            name="actual",
            mode=_choose_mode(table["y"]),
            line={"color": get_color("actual"), "width": 2},
        )
        for forecaster in forecasters:
            figure.add_scatter(
                x=_show_time(table["ds"]),
                y=table[forecaster],
                name=get_name(forecaster),
                mode=_choose_mode(table[forecaster]),
                line={"color": get_color(forecaster), "dash": DASHES.get(forecaster), "width": 1.8},
                visible="legendonly" if forecaster in hidden else True,
            )
    _add_menu(figure, list(tables))
    has_slider = len(tables) == 1 and len(table) >= MIN_SLIDER_POINTS
    figure.update_xaxes(rangeslider={"visible": has_slider, "thickness": 0.09})
    return figure


def _draw_steps(forecaster: str, steps: pd.Series, errors: pd.Series) -> Scatter | Bar:
    name, color = get_name(forecaster), get_color(forecaster)
    if len(steps) == 1:
        texts = [format_number(error) for error in errors]
        return Bar(x=[name], y=errors, name=name, marker={"color": color}, text=texts, showlegend=False)
    line = {"color": color, "dash": DASHES.get(forecaster), "width": 2}
    return Scatter(x=steps, y=errors, name=name, mode=_choose_mode(steps), line=line)


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


def _add_menu(figure: Figure, labels: Sequence[str]) -> None:
    """A menu of runs of traces, equally many for each label; it shows one run at a time."""
    if len(labels) == 1:
        return
    num_traces = len(figure.data) // len(labels)
    shown = [trace.visible if trace.visible is not None else True for trace in figure.data[:num_traces]]
    for trace in figure.data[num_traces:]:
        trace.visible = False
    buttons = []
    for place, label in enumerate(labels):
        before, after = [False] * num_traces * place, [False] * num_traces * (len(labels) - place - 1)
        buttons.append(
            {
                "label": _shorten(label),
                "method": "update",
                "args": [
                    {"visible": [*before, *shown, *after]},
                    {"xaxis.autorange": True, "yaxis.autorange": True},
                ],
            }
        )
    figure.update_layout(
        updatemenus=[{"buttons": buttons, "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom", "pad": {"b": 8}}]
    )


def _shorten(label: str) -> str:
    """A label from the data, short enough for a menu, and with nothing that Plotly would read as markup."""
    return escape(label if len(label) <= MAX_LABEL_LENGTH else f"{label[: MAX_LABEL_LENGTH - 1]}…", quote=False)


def _choose_mode(values: pd.Series) -> str:
    """Points are marked where they are few: a line alone doesn't show a single one."""
    return "lines+markers" if values.count() <= MAX_MARKED_POINTS else "lines"


def _show_time(ds: pd.Series) -> pd.Series:
    """Times as texts, without the midnight that each would carry; steps as they are."""
    return ds.astype(str) if pd.api.types.is_datetime64_any_dtype(ds) else ds
