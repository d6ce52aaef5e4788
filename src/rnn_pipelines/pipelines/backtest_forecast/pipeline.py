"""The graph of `backtest_forecast`: newest series → schedules replayed → error against cost → report."""

from kedro.pipeline import Node, Pipeline

from rnn_pipelines.forecast.backtest import replay_schedules
from rnn_pipelines.forecast.evaluation.schedules import summarize_backtest
from rnn_pipelines.forecast.recipe import Recipe
from rnn_pipelines.forecast.registry import NETWORKS
from rnn_pipelines.forecast.series.newest import read_newest, read_newest_covariates
from rnn_pipelines.pipelines.backtest_forecast import nodes
from rnn_pipelines.pipelines.wiring import node

SPEC = "params:backtest_forecast"


def create_pipeline() -> Pipeline:
    """Reads, replays, measures and reports; no champion that is in use is touched."""
    return Pipeline([*create_replay_nodes(), *create_report_nodes()])


def create_replay_nodes() -> list[Node]:
    """Gathers what a retraining is made of, and repeats it over the past."""
    table, recipe, retraining = (f"backtest_forecast_{name}" for name in ("table", "recipe", "retraining"))
    read = ["forecast_external", "params:forecast.source", SPEC]
    covariate_table = "backtest_forecast_covariate_table"
    networks = {name: f"backtest_forecast_{name}_network" for name in NETWORKS}
    gathered = {"training": "params:forecast.training", "spec": "params:retrain_forecast", **networks}
    return [
        node(read_newest, read, table),
        node(read_newest_covariates, [*read, "params:forecast.covariates"], covariate_table),
        node(nodes.gather_recipe, [f"params:forecast.{block}" for block in Recipe.model_fields], recipe),
        *(
            node(nodes.take_network, f"params:forecast.{name}", dataset, namespace=f"backtest_forecast_{name}")
            for name, dataset in networks.items()
        ),
        node(nodes.gather_retraining, gathered, retraining),
        node(
            replay_schedules,
            [table, covariate_table, recipe, retraining, SPEC, "params:parallel"],
            ["backtest_forecast_predictions", "backtest_forecast_retrainings"],
        ),
    ]


def create_report_nodes() -> list[Node]:
    """Measures, draws and reports."""
    predictions, retrainings, results, figure = (
        f"backtest_forecast_{name}" for name in ("predictions", "retrainings", "results", "cost_figure")
    )
    return [
        node(summarize_backtest, [predictions, retrainings], results),
        node(nodes.draw_error_against_cost, results, figure),
        node(nodes.render_report, [results, retrainings, SPEC, figure], "backtest_forecast_report"),
    ]
