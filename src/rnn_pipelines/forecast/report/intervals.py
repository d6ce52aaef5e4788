"""Table and figures of prediction intervals: fans around forecasts, and their coverage."""

from collections.abc import Iterator

import pandas as pd
from plotly.graph_objects import Figure, Scatter

from rnn_pipelines.forecast.evaluation.interval_metrics import SCALED_CRPS, MetricsByLevel
from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.methods.predictions import name_bounds
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.report.figures import NEUTRAL_COLOR, add_menu, count_up_to, draw_line, set_title
from rnn_pipelines.report.numbers import NO_NUMBER, format_number
from rnn_pipelines.report.page import Table
from rnn_pipelines.report.styles import Style

FAN_OPACITY = 0.18

HOW_TO_READ = (
    "Of all actuals of the test part, coverage is the part that lies inside of the interval; behind it, in brackets, "
    "least and most of a step ahead. The width and the Winkler score, which adds to it 2 / (1 − level) times the "
    "distance of an actual that lies outside, are in the unit of the data; scaled CRPS is twice the mean pinball loss "
    "of forecast and bounds over the mean size of the actuals. Lower is better in these three. The bounds are ranks of "
    "errors on past windows that a forecaster had not seen, by step ahead; the test part took no part in them. They "
    "promise that so many actuals lie inside on average, as long as errors stay what they were."
)
EMPTY_LEVELS = (
    "No interval of level {levels}: there were too few past errors to promise it, so that its cells are empty."
)


def tabulate_intervals(metrics: ForecastMetrics, by_level: MetricsByLevel) -> Table:
    """Return coverage, width and Winkler score of each forecaster's intervals by level, and its scaled CRPS.

    Args:
        metrics: of all forecasters.
        by_level: by level and step ahead.
    """
    levels = [int(level) for level in by_level["level"].unique()]
    names = [name for name in metrics.forecasters if name in set(by_level["forecaster"])]
    header = ["forecaster", *(f"{what} {level} %" for level in levels for what in ("coverage", "width", "Winkler"))]
    return Table(
        header=[*header, "scaled CRPS"],
        rows=[
            [
                STYLES[name].name,
                *(cell for level in levels for cell in _format_level(metrics, by_level, name, level)),
                format_number(metrics.forecasters[name].get(SCALED_CRPS)),
            ]
            for name in names
        ],
    )


def _format_level(metrics: ForecastMetrics, by_level: MetricsByLevel, name: str, level: int) -> Iterator[str]:
    numbers = metrics.forecasters[name]
    coverage = numbers.get(f"coverage_{level}")
    steps = by_level.loc[(by_level["forecaster"] == name) & (by_level["level"] == level), "coverage"]
    yield (
        NO_NUMBER
        if coverage is None
        else f"{100 * coverage:.1f} ({100 * steps.min():.1f} to {100 * steps.max():.1f})"
        if len(steps) > 1
        else f"{100 * coverage:.1f}"
    )
    yield from (format_number(numbers.get(f"{what}_{level}")) for what in ("width", "winkler"))


def format_empty_levels(by_level: MetricsByLevel) -> list[str]:
    """Return a note on the levels without any interval; empty if there are none."""
    is_empty = by_level.groupby("level")["coverage"].agg(lambda values: values.isna().all())
    levels = [f"{level} %" for level in is_empty.index[is_empty.astype(bool)]]
    return [EMPTY_LEVELS.format(levels=", ".join(levels))] if levels else []


def draw_coverage(by_level: MetricsByLevel, hidden: set[str]) -> Figure:
    """Draw the coverage of each forecaster by step ahead, with the level as a reference line.

    Args:
        by_level: by level and step ahead.
        hidden: forecasters that are hidden until they are clicked in the legend.
    """
    figure = Figure()
    levels = [int(level) for level in by_level["level"].unique()]
    for level in levels:
        for name, table in by_level[by_level["level"] == level].groupby("forecaster", sort=False):
            visible = "legendonly" if name in hidden else True
            style, covered = STYLES[str(name)], 100 * table["coverage"]
            figure.add_trace(draw_line(style, table["horizon_step"], covered, visible=visible))
        steps = by_level["horizon_step"].drop_duplicates()
        expected = Style("expected", NEUTRAL_COLOR, "dot")
        figure.add_trace(draw_line(expected, steps, pd.Series(level, index=steps.index), width=1.5))
    set_title(figure, "Coverage by step ahead", "" if levels else "no intervals were asked for")
    if levels:
        add_menu(figure, [f"{level} %" for level in levels])
        figure.update_xaxes(**count_up_to("steps ahead", int(by_level["horizon_step"].max())))
    figure.update_yaxes(title="actuals inside, %")
    return figure


def draw_fan(
    name: str, x: pd.Series, table: pd.DataFrame, levels: tuple[int, ...], visible: bool | str
) -> list[Scatter]:
    """Draw one band for each level around the forecasts of a forecaster, the widest first.

    Args:
        name: of the forecaster.
        x: positions of the rows of the table.
        table: with the columns of bounds; nothing is drawn for missing ones.
        levels: of the intervals.
        visible: see Plotly's `Scatter`.
    """
    return [
        _draw_band(name, x, table, level, visible)
        for level in sorted(levels, reverse=True)
        if name_bounds(name, level)[0] in table
    ]


def _draw_band(name: str, x: pd.Series, table: pd.DataFrame, level: int, visible: bool | str) -> Scatter:
    low, high = (table[bound] for bound in name_bounds(name, level))
    is_known = low.notna() & high.notna()
    xs: list[object] = []
    ys: list[float | None] = []
    # One outline for each run of rows, so that bands have gaps.
    for _, rows in table[is_known].groupby((~is_known).cumsum()[is_known]):
        xs += [*x[rows.index], *x[rows.index][::-1], None]
        ys += [*high[rows.index], *low[rows.index][::-1], None]
    red, green, blue = (int(STYLES[name].color[place : place + 2], 16) for place in (1, 3, 5))
    return Scatter(
        x=xs,
        y=ys,
        name=f"{STYLES[name].name}, {level} %",
        visible=visible,
        mode="lines",
        line={"width": 0, "color": STYLES[name].color},
        fill="toself",
        fillcolor=f"rgba({red},{green},{blue},{FAN_OPACITY})",
        hoverinfo="skip",
    )
