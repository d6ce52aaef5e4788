"""The report of a fit outside of a run: the same as that of the pipeline."""

from typing import Any

from rnn_pipelines.report.report import Report
from rnn_pipelines.sentiment.fitting import FittedClassifier
from rnn_pipelines.sentiment.model.examples import find_examples
from rnn_pipelines.sentiment.report.figures import draw_sentiment_figures
from rnn_pipelines.sentiment.report.report import report_sentiment


def report_fitted(fitted: FittedClassifier, parameters: dict[str, Any]) -> Report:
    """Return the report of `sentiment` on a fit; the parameters are models or plain values, by name."""
    parts = fitted.parts
    figures = draw_sentiment_figures(
        fitted.metrics,
        parts.calibrations,
        fitted.by_group,
        fitted.by_confidence,
        **parts.histories,
    )
    networks = {name: record for name, record in parts.records.items() if name in parts.histories}
    return report_sentiment(
        fitted.metrics,
        parts.calibrations,
        fitted.profile,
        find_examples(parts.predictions, fitted.reviews, parts.calibrations, fitted.classifier),
        parts.class_facts,
        parameters,
        **{f"{name}_record": record for name, record in networks.items()},
        **{f"{name}_figure": figure for name, figure in figures.items()},
    )
