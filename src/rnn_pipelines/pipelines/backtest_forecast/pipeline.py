"""The graph of `backtest_forecast`: newest series → schedules replayed → error against cost → report."""

from kedro.pipeline import Node, Pipeline

from rnn_pipelines.forecast.experiments.backtest import replay_schedules
from rnn_pipelines.forecast.experiments.schedule import summarize_backtest
from rnn_pipelines.forecast.report.backtest import (
    draw_error_against_cost,
    report_backtest,
)
from rnn_pipelines.pipelines.experiment_inputs import create_input_nodes
from rnn_pipelines.pipelines.wiring import node
from rnn_pipelines.report.failures import guard
from rnn_pipelines.report.notes import draw_note, render_or_note, summarize_or_note

SPEC = "params:backtest_forecast"
PREDICTIONS, RETRAININGS = "backtest_forecast_predictions", "backtest_forecast_retrainings"


def create_pipeline() -> Pipeline:
    """Read, replay, evaluate and report; the champion in use is not changed."""
    tables = ["backtest_forecast_table", "backtest_forecast_covariate_table"]
    network = "backtest_forecast_{network}_network"
    spec = "backtest_forecast_spec"
    given = [*tables, spec, "params:retrain_forecast", SPEC, "params:parallel"]
    nodes = [
        *create_input_nodes(SPEC, tables, network, spec),
        node(replay_schedules, given, [PREDICTIONS, RETRAININGS]),
        *create_backtest_report_nodes(),
    ]
    return Pipeline(nodes)


def create_backtest_report_nodes() -> list[Node]:
    results, figure = "backtest_forecast_results", "backtest_forecast_cost_figure"
    reported = [results, RETRAININGS, SPEC, figure]
    return [
        node(summarize_backtest, [PREDICTIONS, RETRAININGS], results),
        node(guard(draw_error_against_cost, draw_note), results, figure),
        node(render_or_note(report_backtest), reported, "backtest_forecast_report"),
        node(summarize_or_note(report_backtest), reported, "backtest_forecast_summary"),
    ]
