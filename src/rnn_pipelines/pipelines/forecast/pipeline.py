"""The graph of `forecast`: source → series → windows → networks and baselines → metrics → report."""

from kedro.pipeline import Node, Pipeline

from rnn_pipelines.forecast.baselines import forecast_baselines
from rnn_pipelines.forecast.evaluation.metrics import evaluate_forecasts
from rnn_pipelines.forecast.recipe import PREPARATION
from rnn_pipelines.forecast.registry import NETWORKS
from rnn_pipelines.forecast.report.figures import draw_figures
from rnn_pipelines.forecast.series.source import read_source
from rnn_pipelines.pipelines.forecast import nodes
from rnn_pipelines.pipelines.steps import create_nodes, name_in
from rnn_pipelines.pipelines.wiring import node

FIGURES = {
    name: f"forecast_{name}_figure" for name in ("forecasts", "next_values", "losses", "error_by_step", "residuals")
}


def create_pipeline() -> Pipeline:
    """Every network of the registry from one template, between data and report that they share."""
    read = node(read_source, ["params:forecast.source", "forecast_external"], "forecast_table")
    prepare = create_nodes(PREPARATION, name_in("forecast"))
    networks = [found for name in NETWORKS for found in create_network_nodes(name)]
    return Pipeline([read, *prepare, *networks, *create_report_nodes()])


def create_network_nodes(name: str) -> list[Node]:
    """Trains one network and forecasts with it; its name is that of its block of parameters, and in its datasets."""
    model, history, record = (f"forecast_{name}_{output}" for output in ("model", "history", "record"))
    settings = [f"params:forecast.{name}", "params:forecast.training", "params:parallel"]
    windows, namespace = "forecast_windows", f"forecast_{name}"
    return [
        node(nodes.train_forecaster, [windows, *settings], [model, history, record], namespace=namespace),
        node(nodes.forecast_windows, [model, windows], f"forecast_{name}_forecasts", namespace=namespace),
    ]


def create_report_nodes() -> list[Node]:
    """Compares the networks with the baselines, draws and reports."""
    evaluation = ["forecast_windows", "forecast_profile", "params:forecast.evaluation"]
    tables = {
        "panel": "forecast_windows",
        "features": "forecast_features",
        "scaler": "forecast_scaler",
        "baselines": "forecast_baselines",
    }
    measured = {
        "predictions": "forecast_predictions",
        "series": "forecast_series",
        "cutoffs": "forecast_cutoffs",
        "profile": "forecast_profile",
        "evaluation": "params:forecast.evaluation",
    }
    drawn = {
        "predictions": "forecast_predictions",
        "series": "forecast_series",
        "next_values": "forecast_next_values",
        "by_step": "forecast_metrics_by_step",
    }
    reported = {"metrics": "forecast_metrics", "profile": "forecast_profile", "parameters": "params:forecast"}
    metrics = [f"forecast_metrics{by}" for by in ("", "_by_series", "_by_step")]
    return [
        node(forecast_baselines, evaluation, "forecast_baselines"),
        node(
            nodes.tabulate_forecasts,
            tables | name_each("forecasts"),
            ["forecast_predictions", "forecast_next_values"],
        ),
        node(evaluate_forecasts, measured | name_each("record"), metrics),
        node(draw_figures, drawn | name_each("history"), FIGURES),
        node(nodes.render_report, reported | name_each("record") | FIGURES, "forecast_report"),
    ]


def name_each(dataset: str) -> dict[str, str]:
    """One dataset's catalog name for each network, under the network's name."""
    return {name: f"forecast_{name}_{dataset}" for name in NETWORKS}
