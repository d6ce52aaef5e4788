"""The newest scores and the last monitoring of `sentiment`, for the overview of all champions."""

from rnn_pipelines.report.numbers import NO_NUMBER, format_minute, format_percent
from rnn_pipelines.report.page import Part, Table
from rnn_pipelines.sentiment.methods.tables import ScoredTexts
from rnn_pipelines.sentiment.operations.monitoring import SentimentVerdict
from rnn_pipelines.sentiment.report.monitoring import tabulate_measures, write_verdict


def report_scores(scores: ScoredTexts, ended: str | None) -> list[Part]:
    """Return the shares of the labels, with the time and the version of the scores.

    Args:
        ended: end of the run that scored the texts; None if unknown.
    """
    if scores.empty:
        return []
    at = f" at {format_minute(ended)}" if ended else ""
    text = f"{len(scores):,} texts were scored{at} by version {scores['model_version'].iloc[0]}."
    return [text, tabulate_labels(scores)]


def tabulate_labels(scores: ScoredTexts) -> Table:
    """Return number, share and mean confidence of the texts with each label, the most frequent first."""
    confidences = scores.groupby("label")["confidence"].mean()
    rows = [
        [
            str(label),
            f"{number:,}",
            format_percent(number / len(scores), 1),
            NO_NUMBER if confidences.isna()[label] else format_percent(confidences[label], 1),
        ]
        for label, number in scores["label"].value_counts().items()
    ]
    return Table(["label", "texts", "share", "mean confidence"], rows)


def report_monitor(verdict: SentimentVerdict) -> list[Part]:
    """Return the last verdict with its time, and all measures."""
    text = f"The monitor ran at {format_minute(verdict['at'])}. {write_verdict(verdict)}"
    return [text, tabulate_measures(verdict), verdict["cannot_know"]]
