"""Table and figures of prediction intervals: fans around forecasts, and their coverage."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
from plotly.graph_objects import Figure, Scatter

from rnn_pipelines.forecast.evaluation.interval_metrics import SCALED_CRPS, MetricsByLevel
from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.methods.predictions import name_bounds
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.report.figures import (
    add_menu,
    choose_visible,
    count_up_to,
    draw_band,
    draw_line,
    set_layout,
)
from rnn_pipelines.report.numbers import Column, format_number, format_share, list_some
from rnn_pipelines.report.page import Table, tabulate
from rnn_pipelines.report.styles import NEUTRAL_COLOR, Style

EXPECTED = Style("expected", NEUTRAL_COLOR, "dot")

# Points of coverage within which intervals hold.
TOLERANCE = 0.05
# The largest p-value at which a coverage differs from the level.
SIGNIFICANCE = 0.05
# Origins that are named.
MAX_MISSED = 3


def tabulate_intervals(metrics: ForecastMetrics, by_level: MetricsByLevel) -> Table:
    """Return coverage, width, relative width and Winkler score by forecaster and level, and its scaled CRPS.

    A panel has the coverage of the least and of the most covered origin too, and sparse series the share above the
    upper bound.
    """
    forecasters = [name for name in metrics.forecasters if name in set(by_level["forecaster"])]
    keys = {key for name in forecasters for key in metrics.forecasters[name]}
    columns: dict[str, Column] = {}
    measures = ["coverage", "by_origin", "above", "width", "relative_width", "winkler"]
    for measure, key in (("by_origin", "least_coverage"), ("above", "above")):
        if not any(name.startswith(f"{key}_") for name in keys):
            measures.remove(measure)
    for level in map(int, by_level["level"].unique()):
        for measure in measures:
            heading = measure.replace("_", " ").replace("winkler", "Winkler")
            form = format_share if measure in ("coverage", "above") else format_number
            columns[f"{measure}_{level}"] = Column(f"{heading} {level} %", form)
    columns[SCALED_CRPS] = Column("scaled CRPS")
    rows = [(STYLES[name].name, _list_cells(metrics, by_level, name)) for name in forecasters]
    return tabulate("forecaster", rows, columns)


def _list_cells(metrics: ForecastMetrics, by_level: MetricsByLevel, name: str) -> dict[str, Any]:
    """Return the numbers of a forecaster; its coverages as texts, with those of the steps ahead and the origins."""
    numbers = metrics.forecasters[name]
    cells: dict[str, Any] = dict(numbers)
    for level, of_level in by_level[by_level["forecaster"] == name].groupby("level"):
        steps = of_level["coverage"]
        coverage = numbers.get(f"coverage_{level}")
        ends = (
            f" ({format_share(steps.min())} to {format_share(steps.max())})"
            if len(steps) > 1
            else ""
        )
        cells[f"coverage_{level}"] = f"{format_share(coverage)}{'' if coverage is None else ends}"
        by_origin = [numbers.get(f"{end}_coverage_{level}") for end in ("least", "most")]
        if None not in by_origin:
            cells[f"by_origin_{level}"] = " to ".join(
                dict.fromkeys(format_share(share, 0) for share in by_origin)
            )
    return cells


def describe_coverage(
    metrics: ForecastMetrics, levels: Iterable[int], name: str | None = None
) -> str:
    """Return whether the intervals of a forecaster, or else of that in use, held on the test part; by level."""
    name = name or metrics.use
    numbers = metrics.forecasters.get(name, {})
    sentences = []
    if metrics.is_exact(name):
        exact = f"The forecasts of the {STYLES[name].name} are exact, up to rounding"
        return f"{exact}, so that its intervals are not tested."
    shown = STYLES[name].name if name in METHODS else f"the {STYLES[name].name}"
    for level in levels:
        coverage = numbers.get(f"coverage_{level}")
        relative = numbers.get(f"relative_width_{level}")
        if coverage is None:
            continue
        verdict = judge_level(numbers, level)
        sentence = f"The {level} % intervals of {shown} {verdict}: {100 * coverage:.1f} % inside"
        least, most = (numbers.get(f"{end}_coverage_{level}") for end in ("least", "most"))
        if least is not None and most is not None:
            low = f"{100 * least:.0f}"
            high = f"{100 * most:.0f}"
            sentence += (
                f" ({low} % at each origin)" if low == high else f" ({low} to {high} % by origin)"
            )
        if relative is not None and not metrics.is_exact(metrics.reference):
            sentence += (
                f", {100 * relative:.0f} % of the width of {STYLES[metrics.reference].name}'s"
            )
        sentences.append(f"{sentence}.")
        if (above := numbers.get(f"above_{level}")) is not None:
            share = f"{100 * above:.1f} % are above the upper bound ({format_number((100 - level) / 2)} % expected)"
            sentences.append(f"Of the actuals of series with many zeros, {share}.")
        if name == metrics.use and (missed := metrics.missed_origins.get(str(level))):
            listed = list_some(missed, MAX_MISSED)
            sentences.append(
                f"Fewer than half are inside from {len(missed)} of the origins: {listed}."
            )
    return " ".join(sentences)


def judge_level(numbers: Mapping[str, float | None], level: int) -> str:
    """Return the verdict on the intervals of a level; empty without intervals.

    Sparse series are never too wide, because zeros are covered by construction. A coverage that may differ by chance is
    no verdict, unless it is less than half the level.
    """
    coverage = numbers.get(f"coverage_{level}")
    above = numbers.get(f"above_{level}")
    if coverage is None:
        return ""
    distance = coverage - level / 100
    excess = 0.0 if above is None else above - (1 - level / 100) / 2
    p_value = numbers.get(f"chance_of_coverage_{level}")
    is_chance = p_value is not None and p_value > SIGNIFICANCE and coverage > level / 200
    if (distance < -TOLERANCE or (distance > TOLERANCE and above is None)) and is_chance:
        return "may hold, by few independent windows"
    if distance < -TOLERANCE or excess > TOLERANCE:
        return "were too narrow"
    return "were too wide" if distance > TOLERANCE and above is None else "held"


def list_empty_levels(by_level: MetricsByLevel) -> list[str]:
    """Return the levels without any interval, with their sign %."""
    is_empty = by_level.groupby("level")["coverage"].agg(lambda values: values.isna().all())
    return [f"{level} %" for level in is_empty.index[is_empty.astype(bool)]]


def draw_coverage(by_level: MetricsByLevel, hidden: set[str]) -> Figure:
    """Draw the coverage of each forecaster by step ahead, with the level as a reference line."""
    figure = Figure()
    levels = [int(level) for level in by_level["level"].unique()]
    steps = by_level["horizon_step"].drop_duplicates()
    for level in levels:
        for name, table in by_level[by_level["level"] == level].groupby("forecaster", sort=False):
            visible = choose_visible(name not in hidden)
            line = draw_line(
                STYLES[str(name)], table["horizon_step"], 100 * table["coverage"], visible=visible
            )
            figure.add_trace(line)
        figure.add_trace(draw_line(EXPECTED, steps, [level] * len(steps), width=1.5))
    axis = None
    if levels:
        add_menu(figure, [f"{level} %" for level in levels])
        axis = count_up_to("steps ahead", int(steps.max()))
    subtitle = "" if levels else "the parameter level is empty: there are no intervals"
    return set_layout(figure, "Coverage by step ahead", subtitle, axis, "actuals inside, %")


def draw_fan(
    name: str, x: pd.Series, table: pd.DataFrame, levels: tuple[int, ...], visible: bool | str
) -> list[Scatter]:
    """Draw one band for each level with bounds in the table around the forecasts of a forecaster, the widest first."""
    fan = []
    for level in sorted(levels, reverse=True):
        bounds = name_bounds(name, level)
        if bounds[0] in table:
            style = replace(STYLES[name], name=f"{STYLES[name].name}, {level} %")
            fan.append(draw_band(style, x, *(table[bound] for bound in bounds), visible=visible))
    return fan
