"""The leaderboard of all methods on the test part, on the page and in the terminal, from the best to the worst."""

import math
from collections.abc import Iterable
from typing import Any

from rnn_pipelines.forecast.evaluation.leaderboard import COLUMNS, COVERAGE, choose_columns
from rnn_pipelines.forecast.evaluation.metrics import METRICS
from rnn_pipelines.forecast.evaluation.summary import NOISE_FLOOR, ForecastMetrics
from rnn_pipelines.forecast.methods.local.intermittent import CONSTANTS
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.forecast.report.verdict import name_forecaster
from rnn_pipelines.report.numbers import NO_NUMBER, Column, format_points
from rnn_pipelines.report.page import Table, tabulate
from rnn_pipelines.report.terminal import WIDTH, align_columns, measure_width

# A larger relative difference is not written in digits.
MAX_DIFFERENCE = 100
# Worse simple methods are not in the terminal.
MAX_RANKED = 9
# The longest name in a heading of the terminal.
MAX_NAME = 14


def tabulate_metrics(metrics: ForecastMetrics) -> Table:
    """Return the metrics of all forecasters, from the best to the worst, and of the noise floor if there is one.

    The metric of the ranking, with the differences from the best baseline, comes first, then the other columns in their
    order. The best value of each column is marked.
    """
    deciding, floor = metrics.deciding, metrics.noise_floor_mse
    others = [key for key in COLUMNS if key != deciding and (key != "relative_mae" or metrics.is_panel)]
    difference = f"{METRICS[deciding].heading} against {STYLES[metrics.find_best_baseline()].name}, %"
    columns = {"difference": Column(difference), **choose_columns([deciding, *others])}
    rows = _list_rows(metrics, metrics.rank())
    if floor is not None:
        # Only single synthetic series have a noise floor, so that its root is the RMSE. As texts, they are not marked.
        floors = {"mse": floor, "rmse": math.sqrt(floor)}
        rows.append((STYLES[NOISE_FLOOR].name, {key: columns[key].format(number) for key, number in floors.items()}))
    return tabulate("forecaster", rows, columns)


def rank(metrics: ForecastMetrics) -> str:
    """Return the best forecasters on the test part, networks, ensemble and constants, for a terminal.

    Columns are left out if a line would be longer than the terminal.
    """
    deciding, baseline, ranked = metrics.deciding, STYLES[metrics.find_best_baseline()].name, metrics.rank()
    chosen = [name for name in ranked if name in [*ranked[:MAX_RANKED], *CONSTANTS] or name not in METHODS]
    shown = {key: column.left_out for key, column in COLUMNS.items() if column.left_out is not None and key != deciding}
    optional = sorted(shown, key=shown.__getitem__)
    difference = f"against {baseline if len(baseline) <= MAX_NAME else 'best baseline'}, %"
    coverages = sorted({key for block in metrics.forecasters.values() for key in block if key.startswith(COVERAGE)})
    columns = choose_columns([deciding, *sorted(shown, key=lambda key: key not in METRICS)])
    columns |= {"difference": Column(difference)} | choose_columns(coverages)
    table = tabulate("on the test part", _list_rows(metrics, chosen), columns)
    while optional and measure_width([table.header, *table.rows]) > WIDTH:
        columns.pop(optional.pop(0))
        table = tabulate("on the test part", _list_rows(metrics, chosen), columns)
    num_left_out = len(ranked) - len(chosen)
    return "\n".join(
        [align_columns([table.header, *table.rows]), *([f"and {num_left_out} more"] if num_left_out else [])]
    )


def _list_rows(metrics: ForecastMetrics, names: Iterable[str]) -> list[tuple[str, dict[str, Any]]]:
    reference = {metrics.reference: {"skill": None}}
    return [
        (
            name_forecaster(metrics, name),
            {**metrics.forecasters[name], **reference.get(name, {}), "difference": format_difference(metrics, name)},
        )
        for name in names
    ]


def format_difference(metrics: ForecastMetrics, name: str) -> str:
    """Return the difference from the best baseline in percent with its interval: −3.1 (−5.2 to −1.0)."""
    numbers, baseline = metrics.forecasters[name], metrics.find_best_baseline()
    difference, low, high = (numbers.get(f"difference{end}") for end in ("", "_low", "_high"))
    if name != baseline and metrics.is_exact(name) and metrics.is_exact(baseline):
        return "exact"
    if name == baseline or difference is None:
        return NO_NUMBER
    if difference > MAX_DIFFERENCE:
        return f"> {100 * MAX_DIFFERENCE:+,.0f}"
    interval = "" if low is None or high is None else f" ({format_points(low, 1)} to {format_points(high, 1)})"
    return f"{format_points(difference, 1)}{interval}"
