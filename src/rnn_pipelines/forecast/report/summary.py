"""The summary of a run for a terminal: verdict, leaderboard and next values."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd

from rnn_pipelines.errors import count
from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.methods.predictions import Predictions, name_bounds
from rnn_pipelines.forecast.report.all_series import summarize_all_series
from rnn_pipelines.forecast.report.intervals import describe_coverage
from rnn_pipelines.forecast.report.leaderboard import rank
from rnn_pipelines.forecast.report.next_values import choose_form, write_times
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
    columns = [next_values.use, *(name for name in bounds if name in first)]
    header = ["next values" if _is_alone(table) else f"next values of {first['unique_id'].iloc[0]}"]
    header += [
        STYLES[name].name if name == next_values.use else name.removeprefix(f"{next_values.use}-").replace("-", " ")
        for name in columns
    ]
    times, values = write_times(first["ds"]), first[columns].to_numpy()[:MAX_VALUES]
    form = choose_form(values)
    rows = [[time, *map(form, numbers)] for time, numbers in zip(times, values, strict=False)]
    return "\n".join([align_columns([header, *rows]), *_count_rest(table, len(first))])


def _count_rest(table: pd.DataFrame, num_steps: int) -> Iterator[str]:
    hidden = [count(num_steps - MAX_VALUES, "more step")] if num_steps > MAX_VALUES else []
    num_series = table["unique_id"].nunique()
    hidden += [f"{num_series - 1:,} more series"] if num_series > 1 else []
    if hidden:
        yield f"… and {', '.join(hidden)}"


def _is_alone(table: pd.DataFrame) -> bool:
    return bool(table["unique_id"].nunique() == 1)
