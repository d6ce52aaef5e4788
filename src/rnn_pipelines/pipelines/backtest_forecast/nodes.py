"""Nodes of `backtest_forecast` that are not functions of the library."""

from typing import Any

from plotly.graph_objects import Figure

from rnn_pipelines.forecast.experiments.schedule import BacktestSpec, Retrainings
from rnn_pipelines.forecast.experiments.schedule_metrics import BacktestResults
from rnn_pipelines.forecast.report import backtest as page


def draw_error_against_cost(results: dict[str, Any]) -> Figure:
    """Draws what each schedule costs, and what it brings."""
    return page.draw_error_against_cost(BacktestResults(**results))


def render_report(results: dict[str, Any], retrainings: Retrainings, backtest: BacktestSpec, figure: Figure) -> str:
    """Puts verdict, table and picture into one HTML file that needs no network."""
    return page.render_report(BacktestResults(**results), retrainings, backtest, figure)
