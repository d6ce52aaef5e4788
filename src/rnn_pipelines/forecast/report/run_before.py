"""The comparison with the run before, for report and terminal: the main metric of each method, and what differs."""

from rnn_pipelines.champion.tables import format_value, shorten_version
from rnn_pipelines.forecast.evaluation.metrics import METRICS
from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.report.numbers import NO_NUMBER, format_number
from rnn_pipelines.report.page import Section, Table
from rnn_pipelines.report.texts import list_sections, read_texts
from rnn_pipelines.runs.comparison import EarlierRun

NOTES = read_texts("rnn_pipelines.forecast.report")["run_before"]
# Rows of the table of differences, and characters of their values.
MAX_DIFFERENCES = 20
MAX_LETTERS = 40


def report_run_before(metrics: ForecastMetrics, before: EarlierRun | None) -> list[Section]:
    """Return the section; none without a run before, or without a test part."""
    if before is None or not metrics.forecasters:
        return []
    heading = METRICS[metrics.deciding].heading
    is_same = _has_same_test_part(metrics, before)
    rows = []
    for name in metrics.rank():
        then = before.results.get(f"{name}.{metrics.deciding}")
        now = metrics.forecasters[name][metrics.deciding]
        change = (
            f"{100 * (now / then - 1):+.1f}".replace("-", "−")
            if then and now is not None
            else NO_NUMBER
        )
        # Errors of other test parts have no change.
        rows.append(
            [
                STYLES[name].name,
                format_number(then),
                format_number(now),
                *([change] if is_same else []),
            ]
        )
    header = [
        "forecaster",
        f"{heading} before",
        f"{heading} now",
        *(["change, %"] if is_same else []),
    ]
    values = [
        (kind, name, pair)
        for kind, block in before.differences.items()
        for name, pair in block.items()
    ]
    differences = [
        [kind, name, *(format_value(one)[:MAX_LETTERS] for one in pair)]
        for kind, name, pair in values
    ]
    rest = len(differences) - MAX_DIFFERENCES
    differences = differences[:MAX_DIFFERENCES] + (
        [["…", f"{rest:,} more", "", ""]] if rest > 0 else []
    )
    table = Table(
        ["changed", "name", "before", "now"],
        differences,
        num_text_columns=4,
        caption="What differs",
    )
    return list_sections(
        __package__,
        "run_before",
        before=before,
        run=shorten_version(before.run),
        is_same=is_same,
        other=NOTES["other"],
        metrics=Table(header, rows),
        differences=table if before.differences else None,
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
