"""Nodes of `cross_validate_forecast` that are not functions of the library."""

from typing import Any

from plotly.graph_objects import Figure

from rnn_pipelines.forecast.evaluation.windows import WindowResults
from rnn_pipelines.forecast.experiments.cross_validation import CrossValidationSpec
from rnn_pipelines.forecast.report import cross_validation as page


def render_report(results: dict[str, Any], validation: CrossValidationSpec, figure: Figure) -> str:
    """Render verdict, table and figure as one HTML file that loads nothing else."""
    return page.render_report(WindowResults(**results), validation, figure)
