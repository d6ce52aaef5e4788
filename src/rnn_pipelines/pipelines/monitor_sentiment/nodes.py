"""Nodes of `monitor_sentiment`: each calls one function of the library with its typed parameters."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnn_pipelines.champion import verdict as monitoring
from rnn_pipelines.champion.verdict import KnownChampion
from rnn_pipelines.sentiment import monitoring as sentiment_monitoring
from rnn_pipelines.sentiment import reference as sentiment_reference
from rnn_pipelines.sentiment.evaluation import drift as score_drift
from rnn_pipelines.sentiment.monitoring import MonitorSentimentSpec
from rnn_pipelines.sentiment.text.encoding import EncodedTexts

# Kedro resolves these hints when it checks parameters, and must not load Plotly for it.
if TYPE_CHECKING:
    from plotly.graph_objects import Figure
else:
    Figure = Any


def select_newest(scores: pd.DataFrame | None) -> pd.DataFrame:
    """Takes the texts that were scored last, as far as one version scored them."""
    return sentiment_reference.select_newest(scores)


def describe_reference(
    scores: pd.DataFrame,
    folder: Path,
    predictions: pd.DataFrame | None,
    reviews: pd.DataFrame | None,
    encoded: EncodedTexts | None,
    calibrations: dict[str, Any] | None,
) -> pd.DataFrame:
    """Takes the held-out reviews as the version scored them that scored the texts."""
    return sentiment_reference.describe_reference(scores, folder, predictions, reviews, encoded, calibrations)


def compare_scores(scores: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Holds the scored texts against the held-out reviews, measure by measure."""
    return score_drift.compare_scores(scores, reference)


def read_champion(folder: Path) -> KnownChampion:
    """Reads what is on record of the champion, without its networks."""
    return monitoring.read_champion(folder)


def monitor_scores(
    measures: pd.DataFrame, champion: dict[str, Any], monitor_spec: MonitorSentimentSpec
) -> dict[str, Any]:
    """Says ok, retrain or alarm, with the reasons, all that was measured, and what can't be known."""
    return sentiment_monitoring.monitor_scores(measures, champion, monitor_spec)


def draw_distributions(scores: pd.DataFrame, reference: pd.DataFrame) -> Figure:
    """Draws how confidence, unknown words and lengths are spread, now and in the held-out reviews."""
    from rnn_pipelines.sentiment.report import monitoring as monitor_sentiment_report

    return monitor_sentiment_report.draw_distributions(scores, reference)


def render_report(verdict: dict[str, Any], monitor_spec: MonitorSentimentSpec, distributions: Figure) -> str:
    """Puts verdict, figure and tables into one HTML file that needs no network."""
    from rnn_pipelines.sentiment.report import monitoring as monitor_sentiment_report

    return monitor_sentiment_report.render_monitor_report(verdict, monitor_spec, distributions)
