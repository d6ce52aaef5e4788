"""The nodes of `monitor_sentiment` that load Plotly, which they do no sooner than they run."""

from typing import TYPE_CHECKING, Any

from rnn_pipelines.sentiment.monitoring import MonitorSentimentSpec, SentimentVerdict
from rnn_pipelines.sentiment.tables import Reference, ScoredTexts

# Kedro resolves these hints when it checks parameters.
if TYPE_CHECKING:
    from plotly.graph_objects import Figure
else:
    Figure = Any


def draw_distributions(scores: ScoredTexts, reference: Reference) -> Figure:
    """Draws how confidence, unknown words and lengths are spread, now and in the held-out reviews."""
    from rnn_pipelines.sentiment.report.monitoring import draw_distributions

    return draw_distributions(scores, reference)


def render_report(verdict: SentimentVerdict, monitor_spec: MonitorSentimentSpec, distributions: Figure) -> str:
    """Puts verdict, figure and tables into one HTML file that needs no network."""
    from rnn_pipelines.sentiment.report.monitoring import render_monitor_report

    return render_monitor_report(verdict, monitor_spec, distributions)
