"""Table and figures of prediction intervals: fans around forecasts, and their coverage."""

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd
from plotly.graph_objects import Figure, Scatter

from rnn_pipelines.forecast.evaluation.interval_metrics import SCALED_CRPS, MetricsByLevel
from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.methods.predictions import name_bounds
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.report.figures import add_menu, choose_visible, count_up_to, draw_band, draw_line, set_layout
from rnn_pipelines.report.numbers import NO_NUMBER, format_number
from rnn_pipelines.report.page import Table
from rnn_pipelines.report.styles import NEUTRAL_COLOR, Style

EXPECTED = Style("expected", NEUTRAL_COLOR, "dot")

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
    steps = by_level["horizon_step"].drop_duplicates()
    for level in levels:
        for name, table in by_level[by_level["level"] == level].groupby("forecaster", sort=False):
            visible = choose_visible(name not in hidden)
            line = draw_line(STYLES[str(name)], table["horizon_step"], 100 * table["coverage"], visible=visible)
            figure.add_trace(line)
        figure.add_trace(draw_line(EXPECTED, steps, [level] * len(steps), width=1.5))
    axis = None
    if levels:
        add_menu(figure, [f"{level} %" for level in levels])
        axis = count_up_to("steps ahead", int(steps.max()))
    subtitle = "" if levels else "no intervals were asked for"
    return set_layout(figure, "Coverage by step ahead", subtitle, axis, "actuals inside, %")


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
    fan = []
    for level in sorted(levels, reverse=True):
        bounds = name_bounds(name, level)
        if bounds[0] in table:
            style = replace(STYLES[name], name=f"{STYLES[name].name}, {level} %")
            fan.append(draw_band(style, x, *(table[bound] for bound in bounds), visible=visible))
    return fan
