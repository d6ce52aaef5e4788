"""The table of all methods with their errors on the test part, from the best to the worst."""

import math

from rnn_pipelines.forecast.evaluation.metrics import METRICS, TOTALS, UNITS
from rnn_pipelines.forecast.evaluation.summary import NOISE_FLOOR, ForecastMetrics
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.forecast.report.totals import format_totals, list_errors
from rnn_pipelines.forecast.report.verdict import name_forecaster
from rnn_pipelines.report.numbers import NO_NUMBER, format_number, format_skill
from rnn_pipelines.report.page import Table, mark_best

# In reading order: metrics in the unit of the data, in its square, without a unit.
COLUMNS = sorted(METRICS, key=lambda name: UNITS.index(METRICS[name].unit))
HEADINGS = {name: metric.heading for name, metric in METRICS.items()} | TOTALS | {"relative_mae": "relative MAE"}
# A larger relative difference is not written in digits.
MAX_DIFFERENCE = 100


def tabulate_metrics(metrics: ForecastMetrics) -> Table:
    """Return the metrics of all forecasters, from the best to the worst, and of the noise floor if there is one.

    The metric of the ranking, with the differences from the best baseline, comes first, then the measures of sums. The
    best value of each column is marked.
    """
    deciding, baseline, floor = metrics.deciding, metrics.find_best_baseline(), metrics.noise_floor_mse
    others = [*(name for name in COLUMNS if name != deciding), *(["relative_mae"] if metrics.is_panel else [])]
    measured = {name: metrics.forecasters[name] for name in metrics.rank()}
    rows = [
        [
            name_forecaster(metrics, name),
            format_difference(metrics, name),
            format_number(numbers.get(deciding)),
            *format_totals(numbers),
            *(format_number(numbers.get(column)) for column in others),
            NO_NUMBER if name == metrics.reference else format_skill(numbers.get("skill")),
            *(_format_seconds(numbers.get(key)) for key in ("fit_seconds", "prediction_seconds")),
        ]
        for name, numbers in measured.items()
    ]
    columns = [deciding, *TOTALS, *others]
    if floor is not None:
        # Only single synthetic series have a noise floor, so that its root is the RMSE.
        floors = {"mse": floor, "rmse": math.sqrt(floor)}
        cells = [format_number(floors.get(column)) for column in columns]
        rows.append([STYLES[NOISE_FLOOR].name, NO_NUMBER, *cells, *[NO_NUMBER] * 3])
    headings = [HEADINGS[column] for column in columns]
    difference = f"{headings[0]} against {STYLES[baseline].name}, %"
    errors = list_errors(measured.values(), [None, *columns])
    header = ["forecaster", difference, *headings, "skill", "fit, s", "predict, s"]
    return Table(header, rows, best=mark_best(rows, errors))


def _format_seconds(seconds: float | None) -> str:
    return "< 0.01" if seconds is not None and 0 < seconds < 0.01 else format_number(seconds, 2)


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
    interval = "" if low is None or high is None else f" ({100 * low:+,.1f} to {100 * high:+,.1f})"
    return f"{100 * difference:+,.1f}{interval}".replace("-", "−")
