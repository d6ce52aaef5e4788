"""The section on all series of a panel that was divided, because it is too large for memory."""

from collections.abc import Mapping
from typing import Any

from rnn_pipelines.forecast.evaluation.metrics import METRICS, TOTALS
from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.forecast.report.totals import format_totals
from rnn_pipelines.report.numbers import format_number, format_percent, list_some
from rnn_pipelines.report.page import Part, Section, Table
from rnn_pipelines.report.terminal import align_columns, wrap_lines
from rnn_pipelines.report.texts import read_texts

NOTES = read_texts("rnn_pipelines.forecast.report")["all_series"]
NAMES_IN_TEXT, NUM_IN_TERMINAL = 5, 4
SHOWN = ("mase", "mae", "rmse")
# Columns of the table before the measure of totals.
NUM_SHOWN = 2 + len(SHOWN)
# Headings of the quantiles of the error over the series.
QUANTILES = {
    "0": "smallest",
    "0.1": "10 %",
    "0.25": "25 %",
    "0.5": "median",
    "0.75": "75 %",
    "0.9": "90 %",
    "1": "largest",
}


def report_all_series(found: Mapping[str, Any]) -> list[Section]:
    """Return the section; none if the panel was not divided.

    Args:
        found: see `summarize_series`.
    """
    if "num_series" not in found:
        return []
    parts: list[Part] = [NOTES["fitted"].format(sentence=describe_all_series(found)), tabulate_forecasters(found)]
    if found["mase"]:
        names = [name for name in QUANTILES if name in found["mase"]]
        row = ["MASE of the ensemble", *(format_number(found["mase"][name]) for name in names)]
        parts.append(Table(["over all series", *(QUANTILES[name] for name in names)], [row]))
        ends = zip(found["best"].items(), found["worst"].items(), strict=True)
        rows = [[best, worst, format_number(low), format_number(high)] for (best, low), (worst, high) in ends]
        header = ["best series", "worst series", "MASE of the best", "MASE of the worst"]
        parts.append(Table(header, rows, num_text_columns=2))
    parts.append(NOTES["files"])
    return [Section("All series", parts)]


def describe_all_series(found: Mapping[str, Any]) -> str:
    """Return the number of series, and those that were left out, in a sentence."""
    left_out = found["left_out"]
    sentence = f"{found['num_series']:,} series have next values, and {found['num_evaluated']:,} of them a test part."
    if left_out:
        sentence += f" {len(left_out):,} were left out ({list_some(left_out, NAMES_IN_TEXT)})."
    return sentence


def summarize_all_series(found: Mapping[str, Any]) -> str:
    """Return sentence and best forecasters for a terminal; empty if the panel was not divided."""
    if "num_series" not in found:
        return ""
    table = tabulate_forecasters(found)
    shown = [
        row
        for number, (name, row) in enumerate(zip(found["forecasters"], table.rows, strict=True))
        if number < NUM_IN_TERMINAL or name in (found["use"], *NETWORKS)
    ]
    # A line of all columns would be longer than the terminal.
    lines = [[*row[:NUM_SHOWN], *row[NUM_SHOWN + 1 :]] for row in (table.header, *shown)]
    return f"{wrap_lines(describe_all_series(found))}\n{align_columns(lines)}"


def tabulate_forecasters(found: Mapping[str, Any]) -> Table:
    """Return the mean metrics of each forecaster over all series, the lowest MASE first."""
    levels = [name for name in found["forecasters"].get(found["use"], {}) if name.startswith("coverage_")]
    header = ["all series", *(METRICS[name].heading for name in SHOWN), *TOTALS.values()]
    header += [f"inside {name.removeprefix('coverage_')} %" for name in levels]
    rows = [
        [
            STYLES[name].name,
            *(format_number(numbers.get(metric)) for metric in SHOWN),
            *format_totals(numbers),
            *(format_percent(numbers[level], 1) if level in numbers else "" for level in levels),
        ]
        for name, numbers in found["forecasters"].items()
    ]
    return Table(header, rows)
