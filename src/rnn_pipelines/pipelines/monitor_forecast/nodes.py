"""Nodes of `monitor_forecast` that load Plotly, and only then."""

from typing import TYPE_CHECKING, Any

from rnn_pipelines.forecast.evaluation.realised import JudgedForecasts
from rnn_pipelines.forecast.monitoring import ForecastVerdict
from rnn_pipelines.forecast.series.tables import Profile
from rnn_pipelines.forecast.verdict import MonitorForecastSpec

# Kedro resolves these hints when it checks parameters, and must not load Plotly for it.
if TYPE_CHECKING:
    from plotly.graph_objects import Figure
else:
    Figure = Any


def draw_figures(
    judged: JudgedForecasts, verdict: ForecastVerdict, monitoring: MonitorForecastSpec
) -> dict[str, Figure]:
    """Draws the realised error over time, with the model versions, and by step ahead."""
    from rnn_pipelines.forecast.report import monitoring_figures

    return monitoring_figures.draw_figures(judged, verdict, monitoring)


def render_report(
    verdict: ForecastVerdict, profile: Profile, monitoring: MonitorForecastSpec, **figures: Figure
) -> str:
    """Puts verdict, figures and tables into one HTML file that needs no network."""
    from rnn_pipelines.forecast.report.monitoring import render_monitor_report

    return render_monitor_report(verdict, profile, monitoring, figures)
