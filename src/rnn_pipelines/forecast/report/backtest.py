"""Figure and report of `backtest_forecast`: cost and error of retraining schedules."""

from typing import Any

from plotly.graph_objects import Figure

from rnn_pipelines.forecast.evaluation.leaderboard import choose_leaderboard_columns
from rnn_pipelines.forecast.evaluation.metrics import MEANS, RATIOS
from rnn_pipelines.forecast.experiments.schedule import (
    BacktestResults,
    BacktestSpec,
    Entry,
    Retrainings,
)
from rnn_pipelines.forecast.report.figures import draw_nothing
from rnn_pipelines.forecast.report.styles import STYLES, name_axis
from rnn_pipelines.reading.times import format_time
from rnn_pipelines.report.figures import (
    choose_visible,
    draw_line,
    draw_points,
    set_layout,
    write_label,
)
from rnn_pipelines.report.numbers import (
    Column,
    format_count,
    format_number,
    format_p_cell,
    format_p_value,
    format_tenths,
)
from rnn_pipelines.report.page import Table, tabulate
from rnn_pipelines.report.report import Report
from rnn_pipelines.report.styles import BLUE, Style
from rnn_pipelines.report.texts import fill_template
from rnn_pipelines.report.trainings import tabulate_parameters

# Largest p-value at which a difference counts as significant.
SIGNIFICANCE = 0.05
# A simple method with more than this multiple of the schedules' largest error is hidden at first.
MAX_SHOWN = 1.2


def draw_error_against_cost(metrics: dict[str, Any]) -> Figure:
    """Draw the error of each schedule over its training time, and simple methods as lines; nothing if it is 0."""
    results = BacktestResults.model_validate(metrics)
    seconds = [entry.training_seconds or 0.0 for entry in results.schedules]
    if not any(seconds):
        return draw_nothing(
            "Error against cost", "no network was trained, so that all costs are 0 s"
        )
    errors = [entry.mse for entry in results.schedules]
    points = draw_points(
        Style("schedules", BLUE),
        seconds,
        errors,
        text=[write_label(STYLES[entry.name].name) for entry in results.schedules],
        customdata=[(entry.num_trainings, entry.num_promotions) for entry in results.schedules],
        mode="markers+text",
        # Alternating, because labels of schedules with similar costs would overlap.
        textposition=["top center", "bottom center"] * len(seconds),
        marker={"size": 12},
        hovertemplate="%{text}: MSE %{y:.4~r}, %{x:.3~r} s, %{customdata[0]} trainings, %{customdata[1]} promoted"
        "<extra></extra>",
        showlegend=False,
    )
    figure = Figure(points)
    # Space for the labels at both ends.
    ends = [-0.08 * max(seconds), 1.1 * max(seconds)]
    for entry in results.baselines:
        visible = choose_visible(entry.mse < MAX_SHOWN * max(errors))
        figure.add_trace(
            draw_line(STYLES[entry.name], ends, [entry.mse] * 2, mode="lines", visible=visible)
        )
    subtitle = "of each schedule of retraining"
    axes = {"title": "seconds of training in total", "range": ends}, name_axis("mse")
    return set_layout(figure, "Error against cost", subtitle, *axes, hovermode="closest")


def report_backtest(
    metrics: dict[str, Any], retrainings: Retrainings, backtest: BacktestSpec, figure: Figure
) -> Report:
    """Return the report on the result of `summarize_backtest`, with its figure."""
    results = BacktestResults.model_validate(metrics)
    schedules = tabulate_schedules(results)
    return fill_template(
        __package__,
        "backtest",
        [schedules],
        verdict=_describe_verdict(results),
        results=results,
        schedules=schedules,
        significance=SIGNIFICANCE,
        figure=figure,
        retrainings=tabulate_retrainings(retrainings),
        parameters=tabulate_parameters("backtest_forecast", backtest),
    )


def _describe_verdict(results: BacktestResults) -> str:
    """Return whether a schedule is better than the reference, and how the best one compares with simple methods."""
    reference = next(entry for entry in results.schedules if entry.name == results.reference)
    significant = [
        entry
        for entry in results.schedules
        if entry.p_value is not None and entry.p_value <= SIGNIFICANCE
    ]
    verdict = f"No schedule is shown to be better than {STYLES[reference.name].name}"
    better = min(significant, key=_get_mse, default=reference)
    if better.mse < reference.mse:
        verdict = (
            f"The schedule {STYLES[better.name].name} has an MSE {100 * (1 - better.mse / reference.mse):.1f} % below "
            f"that of {STYLES[reference.name].name} ({format_p_value(better.p_value or 0.0)}), for "
            f"{better.training_seconds:,.0f} seconds of training instead of {reference.training_seconds:,.0f}"
        )
    worse = [STYLES[entry.name].name for entry in significant if entry.mse > reference.mse]
    if worse:
        verdict += f"; shown to be worse: {', '.join(worse)}"
    best = min(results.schedules, key=_get_mse)
    simple = min(results.baselines, key=_get_mse)
    order = "below" if best.mse < simple.mse else "not below"
    return (
        f"{verdict}. The lowest MSE of a schedule, {format_number(best.mse)} ({STYLES[best.name].name}), is {order} "
        f"that of {STYLES[simple.name].name}, {format_number(simple.mse)}."
    )


def _get_mse(entry: Entry) -> float:
    return entry.mse


def tabulate_schedules(results: BacktestResults) -> Table:
    """Return one row for each schedule and simple method; the lowest errors are marked."""
    columns = {
        **choose_leaderboard_columns([*MEANS, *RATIOS]),
        "p_value": Column("p", format_p_cell),
        "num_trainings": Column("trainings", format_count),
        "num_promotions": Column("promoted", format_count),
        "training_seconds": Column("training, s", format_tenths),
    }
    for level in results.levels:
        columns.update(choose_leaderboard_columns([f"coverage_{level}"]))
        columns[f"width_{level}"] = Column(f"width {level} %")
    return tabulate(
        "",
        ((STYLES[entry.name].name, entry.model_dump()) for entry in results.forecasters),
        columns,
    )


def tabulate_retrainings(retrainings: Retrainings) -> Table:
    """Return the retrainings whose challenger was promoted, including the first of each schedule."""
    is_first = ~retrainings["schedule"].duplicated()
    rows = [
        [STYLES[row.schedule].name, format_time(row.as_of), "the first" if first else row.reason]
        for row, first in zip(retrainings.itertuples(), is_first, strict=True)
        if first or row.is_promoted
    ]
    return Table(("schedule", "as of", "reason for the promotion"), rows, num_text_columns=3)
