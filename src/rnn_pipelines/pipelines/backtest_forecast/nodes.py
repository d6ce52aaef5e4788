"""Nodes of `backtest_forecast` that are not functions of the library."""

from typing import Any

from plotly.graph_objects import Figure

from rnn_pipelines.forecast.experiments.schedule import BacktestSpec, Retrainings
from rnn_pipelines.forecast.experiments.schedule_metrics import BacktestResults
from rnn_pipelines.forecast.report import backtest as page


def draw_error_against_cost(results: dict[str, Any]) -> Figure:
    """Draw the error of each schedule against its cost."""
    return page.draw_error_against_cost(BacktestResults(**results))


def render_report(results: dict[str, Any], retrainings: Retrainings, backtest: BacktestSpec, figure: Figure) -> str:
    """Render verdict, table and figure as one HTML file that loads nothing else."""
    return page.render_report(BacktestResults(**results), retrainings, backtest, figure)
