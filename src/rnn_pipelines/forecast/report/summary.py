"""The summary of a run for a terminal: verdict, leaderboard and next values."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from rnn_pipelines.errors import count
from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.methods.predictions import Predictions, name_bounds
from rnn_pipelines.forecast.report.all_series import summarize_all_series
from rnn_pipelines.forecast.report.intervals import describe_coverage
from rnn_pipelines.forecast.report.leaderboard import rank
from rnn_pipelines.forecast.report.next_values import tabulate_steps
from rnn_pipelines.forecast.report.run_before import describe_run_before
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.forecast.report.verdict import list_verdict
from rnn_pipelines.forecast.series.tables import Profile
from rnn_pipelines.forecast.source.column_choice import describe_columns
from rnn_pipelines.report.terminal import align_columns, wrap_lines
from rnn_pipelines.runs.comparison import EarlierRun

MAX_VALUES = 7


def summarize_run(
    metrics: ForecastMetrics,
    next_values: Predictions,
    run_before: EarlierRun | None = None,
    all_series: Mapping[str, Any] = MappingProxyType({}),
    profile: Profile | None = None,
) -> str:
    """Return the columns, the verdict, the forecasters from the best to the worst, the coverage, and the next values.

    Without a test part, there is no ranking.

    Args:
        next_values: of all forecasters; those in use for the first series are shown.
        all_series: of a divided panel, see `summarize_series`.
        profile: of the series; None if the columns were printed before.
    """
    held = describe_coverage(metrics, next_values.levels) if metrics.forecasters else ""
    ranked = rank(metrics) if metrics.forecasters else ""
    blocks = [
        "" if profile is None else wrap_lines(describe_columns(profile)),
        *map(wrap_lines, list_verdict(metrics)),
        ranked,
        wrap_lines(held),
        summarize_all_series(all_series),
        wrap_lines(describe_run_before(metrics, run_before)),
        list_next_values(next_values),
    ]
    return "\n\n".join(block for block in blocks if block)


def list_next_values(next_values: Predictions) -> str:
    """Return the forecasts in use for the first series, with their intervals."""
    table = next_values.table
    first = table[table["unique_id"] == table["unique_id"].iloc[0]] if len(table) else table
    if first.empty:
        return "No next values: no series has the values that a window needs."
    bounds = [name for level in sorted(next_values.levels) for name in name_bounds(next_values.use, level)]
    headings = {next_values.use: STYLES[next_values.use].name}
    headings |= {name: name.removeprefix(f"{next_values.use}-").replace("-", " ") for name in bounds if name in first}
    num_more, num_steps = table["unique_id"].nunique() - 1, len(first) - MAX_VALUES
    heading = f"next values of {first['unique_id'].iloc[0]}" if num_more else "next values"
    steps = tabulate_steps(heading, first.head(MAX_VALUES), headings)
    hidden = [count(num_steps, "more step")] if num_steps > 0 else []
    hidden += [f"{num_more:,} more series"] if num_more else []
    lines = align_columns([steps.header, *steps.rows])
    return f"{lines}\n… and {', '.join(hidden)}" if hidden else lines
