"""The leaderboard of all methods on the test part, and the summary of a run for a terminal."""

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from rnn_pipelines.errors import count
from rnn_pipelines.forecast.evaluation.leaderboard import (
    COLUMNS,
    COVERAGE,
    choose_leaderboard_columns,
)
from rnn_pipelines.forecast.evaluation.metrics import METRICS
from rnn_pipelines.forecast.evaluation.summary import NOISE_FLOOR, ForecastMetrics
from rnn_pipelines.forecast.methods.local.intermittent import CONSTANTS
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.report import intervals, verdict
from rnn_pipelines.forecast.report.advice import Program, advise_on_results
from rnn_pipelines.forecast.report.all_series import summarize_all_series
from rnn_pipelines.forecast.report.answer import list_answer
from rnn_pipelines.forecast.report.next_values import tabulate_steps, tabulate_used
from rnn_pipelines.forecast.report.run_before import describe_run_before
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.forecast.report.totals import list_first_totals
from rnn_pipelines.forecast.series.tables import Profile
from rnn_pipelines.forecast.source.column_choice import describe_columns
from rnn_pipelines.forecast.source.table_form import FORECAST
from rnn_pipelines.forecast.totals.adding import Totals
from rnn_pipelines.report.numbers import NO_NUMBER, Column, format_points
from rnn_pipelines.report.page import Table, tabulate
from rnn_pipelines.report.terminal import WIDTH, align_columns, measure_width, wrap_lines
from rnn_pipelines.runs.comparison import EarlierRun

# A larger relative difference is not written in digits.
MAX_DIFFERENCE = 100
# Worse simple methods are not in the terminal.
MAX_RANKED = 9
# The longest name in a heading of the terminal.
MAX_NAME = 14
# Steps of the next values in the terminal.
MAX_VALUES = 7
QUESTION = "Do networks help here?"


def tabulate_metrics(metrics: ForecastMetrics) -> Table:
    """Return the metrics of the forecast in use, of the others from the best on, and of the noise floor if known.

    The metric of the ranking, with the differences from the best baseline, comes first, then the other columns in their
    order. The best value of each column is marked.
    """
    deciding = metrics.deciding
    floor = metrics.noise_floor_mse
    others = [
        key for key in COLUMNS if key != deciding and (key != "relative_mae" or metrics.is_panel)
    ]
    difference = (
        f"{METRICS[deciding].heading} against {STYLES[metrics.find_best_baseline()].name}, %"
    )
    columns = {"difference": Column(difference), **choose_leaderboard_columns([deciding, *others])}
    rows = _list_rows(metrics, _rank_after_use(metrics))
    if floor is not None:
        # Only single synthetic series have a noise floor, so that its root is the RMSE. As texts, they are not marked.
        floors = {"mse": floor, "rmse": math.sqrt(floor)}
        rows.append(
            (
                STYLES[NOISE_FLOOR].name,
                {key: columns[key].format(number) for key, number in floors.items()},
            )
        )
    return tabulate("forecaster", rows, columns)


def rank(metrics: ForecastMetrics) -> str:
    """Return the forecast in use, the best others, networks and constants, with the columns that have room."""
    deciding = metrics.deciding
    baseline = STYLES[metrics.find_best_baseline()].name
    ranked = _rank_after_use(metrics)
    chosen = [
        name for name in ranked if name in [*ranked[:MAX_RANKED], *CONSTANTS] or name not in METHODS
    ]
    shown = {
        key: column.left_out
        for key, column in COLUMNS.items()
        if column.left_out is not None and key != deciding
    }
    optional = sorted(shown, key=shown.__getitem__)
    difference = f"against {baseline if len(baseline) <= MAX_NAME else 'best baseline'}, %"
    coverages = sorted(
        {key for block in metrics.forecasters.values() for key in block if key.startswith(COVERAGE)}
    )
    columns = choose_leaderboard_columns(
        [deciding, *sorted(shown, key=lambda key: key not in METRICS)]
    )
    columns |= {"difference": Column(difference)} | choose_leaderboard_columns(coverages)
    table = tabulate("on the test part", _list_rows(metrics, chosen), columns)
    while optional and measure_width([table.header, *table.rows]) > WIDTH:
        columns.pop(optional.pop(0))
        table = tabulate("on the test part", _list_rows(metrics, chosen), columns)
    num_left_out = len(ranked) - len(chosen)
    return align_columns([table.header, *table.rows]) + (
        f"\nand {num_left_out} more" if num_left_out else ""
    )


def _rank_after_use(metrics: ForecastMetrics) -> list[str]:
    """Return the forecast in use and all others, from the best to the worst."""
    return sorted(metrics.rank(), key=lambda name: name != metrics.use)


def _list_rows(metrics: ForecastMetrics, names: Iterable[str]) -> list[tuple[str, dict[str, Any]]]:
    rows = []
    for name in names:
        numbers = {**metrics.forecasters[name], "difference": format_difference(metrics, name)}
        numbers |= {"skill": None} if name == metrics.reference else {}
        rows.append((verdict.name_forecaster(metrics, name), numbers))
    return rows


def format_difference(metrics: ForecastMetrics, name: str) -> str:
    """Return the difference from the best baseline in percent with its interval: −3.1 (−5.2 to −1.0)."""
    numbers = metrics.forecasters[name]
    baseline = metrics.find_best_baseline()
    difference, low, high = (numbers.get(f"difference{end}") for end in ("", "_low", "_high"))
    if name != baseline and metrics.is_exact(name) and metrics.is_exact(baseline):
        return "exact"
    if name == baseline or difference is None:
        return NO_NUMBER
    if difference > MAX_DIFFERENCE:
        return f"> {100 * MAX_DIFFERENCE:+,.0f}"
    interval = (
        ""
        if low is None or high is None
        else f" ({format_points(low, 1)} to {format_points(high, 1)})"
    )
    return f"{format_points(difference, 1)}{interval}"


def summarize_forecast(  # noqa: PLR0913, PLR0917 - each is a dataset of a run
    metrics: ForecastMetrics,
    next_values: Predictions,
    profile: Profile,
    run_before: EarlierRun | None = None,
    all_series: Mapping[str, Any] = MappingProxyType({}),
    program: Program = "kedro",
    totals: Totals | None = None,
) -> str:
    """Return the answer, the next values of the first series, all methods on the test part, and what networks add.

    Totals of the next values come after these. Without a test part, there is no ranking. Advice names options of the
    program that made the forecast. The console has printed the columns of the table before.
    """
    answer = list_answer(metrics, next_values, profile)
    blocks = [
        *map(wrap_lines, answer),
        *map(wrap_lines, advise_on_results(metrics, next_values.levels, program, most=1)),
    ]
    parts = [
        "\n".join(block for block in blocks if block),
        list_next_values(next_values),
        "" if totals is None else list_first_totals(totals),
        wrap_lines(describe_columns(profile)) if program != "console" else "",
        rank(metrics) if metrics.forecasters else "",
        wrap_lines(intervals.describe_coverage(metrics, next_values.levels)),
        wrap_lines(f"{QUESTION} {verdict.judge_networks(metrics)}"),
        wrap_lines(verdict.judge_zeros(metrics)),
        summarize_all_series(all_series),
        wrap_lines(describe_run_before(metrics, run_before)),
    ]
    return "\n\n".join(part for part in parts if part)


def list_next_values(next_values: Predictions) -> str:
    """Return the forecasts in use for the first series, with their intervals."""
    if next_values.use not in next_values.forecasters or next_values.table.empty:
        return ""
    ids = next_values.table["unique_id"]
    first = tabulate_used(next_values.keep(ids == ids.iloc[0]))
    headings = {name: name.replace("-", " ") for name in first.columns[2:]}
    headings[FORECAST] = STYLES[next_values.use].name
    num_more = ids.nunique() - 1
    num_steps = len(first) - MAX_VALUES
    heading = f"next values of {first['unique_id'].iloc[0]}" if num_more else "next values"
    steps = tabulate_steps(heading, first.head(MAX_VALUES), headings)
    hidden = [count(num_steps, "more step")] if num_steps > 0 else []
    hidden += [f"{num_more:,} more series"] if num_more else []
    lines = align_columns([steps.header, *steps.rows])
    return f"{lines}\n… and {', '.join(hidden)}" if hidden else lines
