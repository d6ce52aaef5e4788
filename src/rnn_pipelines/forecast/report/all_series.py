"""The section on all series of a panel that was divided, because it is too large for memory."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from rnn_pipelines.forecast.evaluation.leaderboard import COVERAGE, choose_leaderboard_columns
from rnn_pipelines.forecast.evaluation.metrics import RATIOS
from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.report.numbers import Column, format_number, format_percent, list_some
from rnn_pipelines.report.page import Section, Table, tabulate
from rnn_pipelines.report.terminal import align_columns, wrap_lines
from rnn_pipelines.report.texts import list_sections

NAMES_IN_TEXT, NUM_IN_TERMINAL = 5, 4
SHOWN = ("mase", "mae", "rmse")
# Columns of the table before the measure of totals.
NUM_SHOWN = 2 + len(SHOWN)
# Headings of the quantiles of the error over the series.
QUANTILE_NAMES = ("smallest", "10 %", "25 %", "median", "75 %", "90 %", "largest")
QUANTILES = dict(zip(("0", "0.1", "0.25", "0.5", "0.75", "0.9", "1"), QUANTILE_NAMES, strict=True))


def report_all_series(found: Mapping[str, Any]) -> list[Section]:
    """Return the section on the result of `summarize_series`; none if the panel was not divided."""
    if "num_series" not in found:
        return []
    tables = [tabulate_forecasters(found)]
    if found["mase"]:
        columns = {key: Column(name) for key, name in QUANTILES.items() if key in found["mase"]}
        row = ("MASE of the ensemble", found["mase"])
        tables.append(tabulate("over all series", [row], columns))
        ends = zip(found["best"].items(), found["worst"].items(), strict=True)
        rows = [
            [best, worst, format_number(low), format_number(high)]
            for (best, low), (worst, high) in ends
        ]
        header = ["best series", "worst series", "MASE of the best", "MASE of the worst"]
        tables.append(Table(header, rows, num_text_columns=2))
    return list_sections(__package__, "all_series", sentence=_describe_series(found), tables=tables)


def _describe_series(found: Mapping[str, Any]) -> str:
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
    named = enumerate(zip(found["forecasters"], table.rows, strict=True))
    used = (found["use"], *NETWORKS)
    shown = [row for number, (name, row) in named if number < NUM_IN_TERMINAL or name in used]
    # A line of all columns would be longer than the terminal.
    lines = [
        [*row[:NUM_SHOWN], *row[NUM_SHOWN + len(RATIOS) - 1 :]] for row in (table.header, *shown)
    ]
    return f"{wrap_lines(_describe_series(found))}\n{align_columns(lines)}"


def tabulate_forecasters(found: Mapping[str, Any]) -> Table:
    """Return the mean metrics of each forecaster over all series, the lowest MASE first."""
    levels = [
        name for name in found["forecasters"].get(found["use"], {}) if name.startswith(COVERAGE)
    ]
    rows = [
        (STYLES[name].name, dict.fromkeys(levels, "") | numbers)
        for name, numbers in found["forecasters"].items()
    ]
    columns = choose_leaderboard_columns(
        [*SHOWN, *RATIOS, *levels], partial(format_percent, num_decimals=1)
    )
    # All methods are in the order of their MASE, so that nothing is marked.
    return replace(tabulate("all series", rows, columns), best=frozenset())
