"""The graph of `backtest_forecast`: newest series → schedules replayed → error against cost → report."""

from kedro.pipeline import Node, Pipeline

from rnn_pipelines.forecast.evaluation.schedules import summarize_backtest
from rnn_pipelines.pipelines.backtest_forecast import nodes

DATA = ("source", "gaps", "split", "window", "calendar", "evaluation")


def create_pipeline() -> Pipeline:
    """Reads, replays, measures and reports; no champion that is in use is touched."""
    return create_replay_pipeline() + create_report_pipeline()


def create_replay_pipeline() -> Pipeline:
    """Gathers what a retraining is made of, and repeats it over the past."""
    return Pipeline(
        [
            Node(
                nodes.read_newest,
                ["forecast_external", "params:forecast.source", "params:backtest_forecast"],
                "backtest_forecast_table",
                name="read_newest",
            ),
            Node(
                nodes.gather_data_recipe,
                [f"params:forecast.{block}" for block in DATA],
                "backtest_forecast_data_recipe",
                name="gather_data_recipe",
            ),
            Node(
                nodes.gather_training_recipe,
                ["params:forecast.lstm", "params:forecast.gru", "params:forecast.training", "params:retrain_forecast"],
                "backtest_forecast_training_recipe",
                name="gather_training_recipe",
            ),
            Node(
                nodes.replay_schedules,
                [
                    "backtest_forecast_table",
                    "backtest_forecast_data_recipe",
                    "backtest_forecast_training_recipe",
                    "params:backtest_forecast",
                    "params:parallel",
                ],
                ["backtest_forecast_predictions", "backtest_forecast_retrainings"],
                name="replay_schedules",
            ),
        ]
    )


def create_report_pipeline() -> Pipeline:
    """Measures, draws and reports."""
    return Pipeline(
        [
            Node(
                summarize_backtest,
                ["backtest_forecast_predictions", "backtest_forecast_retrainings"],
                "backtest_forecast_results",
                name="summarize_backtest",
            ),
            Node(
                nodes.draw_error_against_cost,
                "backtest_forecast_results",
                "backtest_forecast_cost_figure",
                name="draw_error_against_cost",
            ),
            Node(
                nodes.render_report,
                [
                    "backtest_forecast_results",
                    "backtest_forecast_retrainings",
                    "params:backtest_forecast",
                    "backtest_forecast_cost_figure",
                ],
                "backtest_forecast_report",
                name="render_report",
            ),
        ]
    )
