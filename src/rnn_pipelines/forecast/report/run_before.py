"""The comparison with the run before, for report and terminal: the main metric of each method, and what differs."""

from rnn_pipelines.champion.tables import format_value, shorten_version
from rnn_pipelines.forecast.evaluation.metrics import METRICS
from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.report.numbers import Column, format_bias, format_number
from rnn_pipelines.report.page import Section, Table, tabulate
from rnn_pipelines.report.texts import list_sections, read_prose
from rnn_pipelines.runs.comparison import EarlierRun

NOTES = read_prose("rnn_pipelines.forecast.report")["run_before"]
# Rows of the table of differences, and characters of their values.
MAX_DIFFERENCES = 20
MAX_LETTERS = 40


def report_run_before(metrics: ForecastMetrics, before: EarlierRun | None) -> list[Section]:
    """Return the section; none without a run before, or without a test part."""
    if before is None or not metrics.forecasters:
        return []
    heading = METRICS[metrics.deciding].heading
    is_same = _has_same_test_part(metrics, before)
    columns = {"then": Column(f"{heading} before"), "now": Column(f"{heading} now")}
    # Errors of other test parts have no change.
    if is_same:
        columns["change"] = Column("change, %", format_bias)
    rows: list[tuple[str, dict[str, float | None]]] = []
    for name in metrics.rank():
        then = before.results.get(f"{name}.{metrics.deciding}")
        now = metrics.forecasters[name][metrics.deciding]
        change = now / then - 1 if then and now is not None else None
        rows.append((STYLES[name].name, {"then": then, "now": now, "change": change}))
    differences = [
        [kind, name, *(format_value(value)[:MAX_LETTERS] for value in pair)]
        for kind, block in before.differences.items()
        for name, pair in block.items()
    ]
    shown = differences[:MAX_DIFFERENCES]
    if len(differences) > MAX_DIFFERENCES:
        shown.append(["…", f"{len(differences) - MAX_DIFFERENCES:,} more", "", ""])
    header = ["changed", "name", "before", "now"]
    return list_sections(
        __package__,
        "run_before",
        before=before,
        run=shorten_version(before.run),
        is_same=is_same,
        other=NOTES["other"],
        metrics=tabulate("forecaster", rows, columns),
        differences=Table(header, shown, num_text_columns=4, caption="What differs"),
    )


def describe_run_before(metrics: ForecastMetrics, before: EarlierRun | None) -> str:
    """Return one sentence on the ensemble; empty without a run before, or without a test part."""
    then = None if before is None else before.results.get(f"{metrics.use}.{metrics.deciding}")
    if before is None or then is None or metrics.use not in metrics.forecasters:
        return ""
    now = metrics.get(metrics.use, metrics.deciding)
    heading = METRICS[metrics.deciding].heading
    warning = "" if _has_same_test_part(metrics, before) else f" {NOTES['other']}"
    errors = f"{heading} of the {STYLES[metrics.use].name} {format_number(then)}, now {format_number(now)}"
    changed = f"{', '.join(before.differences) or 'nothing'} changed"
    return f"Run before ({shorten_version(before.run)}): {errors}; {changed}.{warning}"


def _has_same_test_part(metrics: ForecastMetrics, before: EarlierRun) -> bool:
    return metrics.test_fingerprint == before.results.get("test_fingerprint")
