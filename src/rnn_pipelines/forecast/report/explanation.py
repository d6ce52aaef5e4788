"""Figure of the contributions of past values, calendar and covariates to the forecasts."""

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pandas as pd
from plotly.graph_objects import Bar, Figure, Heatmap
from plotly.subplots import make_subplots

from rnn_pipelines.errors import count
from rnn_pipelines.forecast.model.explanation import BASELINE, CALENDAR, TARGET
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.forecast.times.holidays import HOLIDAYS
from rnn_pipelines.report.figures import add_menu, draw_bars, set_layout, write_label
from rnn_pipelines.report.notes import draw_note, find_failure
from rnn_pipelines.report.styles import NEUTRAL_COLOR, Style

# The most important lags; more rows would not be readable.
MAX_LAGS = 30
# Inputs that are not columns of the user's table. The name of a column includes its kind, so that all names are unique.
NAMES = {
    TARGET: "past values",
    CALENDAR: "calendar",
    **{name: name.replace("_", " ") for name in HOLIDAYS},
}


def draw_explanation(explanation: pd.DataFrame) -> Figure:
    """Draw the contributions of the inputs, averaged over windows of the test part, and for the next values."""
    if (reason := find_failure(explanation)) is not None:
        return draw_note(reason)
    contributions = explanation[explanation["input"] != BASELINE]
    figure = make_subplots(1, 2, column_widths=[0.3, 0.7], horizontal_spacing=0.14)
    of_test_part = contributions[contributions["part"] == "test"]
    of_future = contributions[contributions["part"] == "future"].groupby("unique_id", sort=False)
    tables = {"on average": of_test_part} if len(of_test_part) else {}
    tables |= {f"next values of {name}": table for name, table in of_future}
    for label, table in tables.items():
        is_average = label == "on average"
        figure.add_trace(_draw_inputs(table), 1, 1)
        figure.add_trace(_draw_lags(table, is_average), 1, 2)
    num_windows = len(of_test_part[["unique_id", "cutoff"]].drop_duplicates())
    averaged = f"average of {count(num_windows, 'window')} of the test part, or the next values"
    subtitle = f"{STYLES['ensemble'].name}; {averaged}"
    set_layout(figure, "Contributions to the forecasts", subtitle, hovermode="closest")
    add_menu(figure, list(tables))
    figure.update_xaxes(title="mean absolute<br>contribution", rangemode="tozero", col=1)
    figure.update_xaxes(title="steps ahead", type="category", col=2)
    return figure.update_yaxes(title="lag, steps", type="category", autorange="reversed", col=2)


def _draw_inputs(table: pd.DataFrame) -> Bar:
    steps = (
        table.groupby(["input", "unique_id", "cutoff", "horizon_step"], sort=False)["contribution"]
        .sum()
        .abs()
    )
    sizes = steps.groupby("input").mean().sort_values()
    sizes = sizes[sizes > 0]
    options = {
        "orientation": "h",
        "showlegend": False,
        "hovertemplate": "%{y}: %{x:,.4~r}<extra></extra>",
    }
    return draw_bars(
        Style("inputs", NEUTRAL_COLOR),
        sizes.to_numpy(),
        name_inputs(map(str, sizes.index)),
        **options,
    )


def name_inputs(names: Iterable[str]) -> list[str]:
    """Return a label for each input: `price, future` for `future:price`.

    Labels are cut and have no control characters, so that two names can look the same. The second one gets a number,
    because the figure would draw both in one row.
    """
    labels = []
    counts = Counter[str]()
    for name in names:
        kind, _, column = name.partition(":")
        label = (
            write_label(STYLES[name].name) if name in STYLES else f"{write_label(column)}, {kind}"
        )
        label = NAMES.get(name, label)
        counts[label] += 1
        labels.append(label if counts[label] == 1 else f"{label} ({counts[label]})")
    return labels


def _draw_lags(table: pd.DataFrame, is_average: bool) -> Heatmap:
    """Draw a row for each lag and a column for each step ahead: mean sizes of many windows, signed values of one."""
    lagged = table[table["input"] == TARGET]
    lagged = lagged.assign(contribution=lagged["contribution"].abs()) if is_average else lagged
    grid = lagged.pivot_table(
        index="lag", columns="horizon_step", values="contribution", aggfunc="mean"
    )
    sizes = grid.abs().mean(axis=1).nlargest(MAX_LAGS)
    grid = grid.loc[sizes.index.sort_values()]
    largest = float(np.nanmax(grid.abs().to_numpy(), initial=0.0))
    return Heatmap(
        name="lags",
        x=[str(step) for step in grid.columns],
        y=[str(lag) for lag in grid.index],
        z=grid.to_numpy(),
        colorscale="Blues" if is_average else "RdBu_r",
        zmin=0 if is_average else -largest,
        zmax=largest,
        colorbar={"thickness": 12},
        hovertemplate="lag %{y}, %{x} steps ahead: %{z:,.4~r}<extra></extra>",
    )
