"""The graph of `forecast`: source → series → windows → networks and baselines → metrics → report."""

import pandas as pd
from kedro.pipeline import Node, Pipeline

from rnn_pipelines.forecast.base import fit_base
from rnn_pipelines.forecast.baselines import forecast_baselines
from rnn_pipelines.forecast.best import BEST, weigh_best
from rnn_pipelines.forecast.evaluation.covariates import CovariatesTable, describe_covariates
from rnn_pipelines.forecast.evaluation.summary import evaluate_forecasts
from rnn_pipelines.forecast.explanation import COLUMNS, explain_best
from rnn_pipelines.forecast.forecaster import forecast_best
from rnn_pipelines.forecast.intervals import fit_intervals
from rnn_pipelines.forecast.networks import forecast_windows
from rnn_pipelines.forecast.recipe import PREPARATION
from rnn_pipelines.forecast.registry import NETWORKS
from rnn_pipelines.forecast.report.figures import draw_figures
from rnn_pipelines.pipelines.forecast import nodes
from rnn_pipelines.pipelines.steps import create_nodes, name_in
from rnn_pipelines.pipelines.wiring import node
from rnn_pipelines.report.failures import guard
from rnn_pipelines.report.notes import draw_notes, empty_table, render_note, write_note

FIGURES = {
    name: f"forecast_{name}_figure"
    for name in (
        *("forecasts", "newest_window", "next_values", "losses", "error_by_step", "coverage", "residuals"),
        "explanation",
    )
}


def create_pipeline() -> Pipeline:
    """Every network of the registry from one template, between data and report that they share."""
    given = [f"params:forecast.{block}" for block in ("source", "covariates", "window")]
    read = node(nodes.read_source, [*given, "forecast_external"], ["forecast_table", "forecast_covariate_table"])
    prepare = create_nodes(PREPARATION, name_in("forecast"))
    networks = [found for name in NETWORKS for found in create_network_nodes(name)]
    return Pipeline([read, *prepare, *create_base_nodes(), *networks, *create_best_nodes(), *create_report_nodes()])


def create_base_nodes() -> list[Node]:
    """Fits what is linear, which networks start from, and forecasts with it."""
    windows, base = "forecast_windows", "forecast_base"
    return [
        node(fit_base, windows, base),
        node(forecast_baselines, [windows, base], "forecast_baselines"),
    ]


def create_network_nodes(name: str) -> list[Node]:
    """Trains one network and forecasts with it; its name is that of its block of parameters, and in its datasets."""
    model, history, record = (f"forecast_{name}_{output}" for output in ("model", "history", "record"))
    settings = [f"params:forecast.{name}", "params:forecast.training"]
    windows, base, namespace = "forecast_windows", "forecast_base", f"forecast_{name}"
    return [
        node(nodes.train_network, [windows, base, *settings], [model, history, record], namespace=namespace),
        node(forecast_windows, [model, base, windows], f"forecast_{name}_forecasts", namespace=namespace),
    ]


def create_best_nodes() -> list[Node]:
    """Weighs simple methods and networks, combines what they forecast, and finds how far off they are and why."""
    series = {name: f"forecast_{name}" for name in ("features", "scaler")}
    weighed = {"panel": "forecast_windows", "base": "forecast_base"} | name_each("model")
    return [
        node(weigh_best, weighed, "forecast_best"),
        node(forecast_best, {**weighed, "best": "forecast_best"}, "forecast_best_forecasts"),
        node(
            fit_intervals, {**weighed, "best": "forecast_best", "level": "params:forecast.level"}, "forecast_intervals"
        ),
        node(
            guard(explain_best, empty_table(pd.DataFrame(columns=[*COLUMNS, "part"]))),
            {**weighed, "best": "forecast_best", **series},
            "forecast_explanation",
        ),
    ]


def create_report_nodes() -> list[Node]:
    """Compares the networks with the baselines, draws and reports."""
    tables = {
        "panel": "forecast_windows",
        "features": "forecast_features",
        "scaler": "forecast_scaler",
        "profile": "forecast_profile",
        "baselines": "forecast_baselines",
        "intervals": "forecast_intervals",
    }
    measured = {
        "predictions": "forecast_predictions",
        "series": "forecast_series",
        "cutoffs": "forecast_cutoffs",
        "profile": "forecast_profile",
        "evaluation": "params:forecast.evaluation",
        "seconds": "forecast_seconds",
    }
    taken = {
        "base": "forecast_base",
        "best": "forecast_best",
        "baselines": "forecast_baselines",
        "best_forecasts": "forecast_best_forecasts",
    } | {f"{name}_forecasts": dataset for name, dataset in name_each("forecasts").items()}
    drawn = {
        "predictions": "forecast_predictions",
        "series": "forecast_series",
        "next_values": "forecast_next_values",
        "by_step": "forecast_metrics_by_step",
        "by_level": "forecast_metrics_by_level",
        "explanation": "forecast_explanation",
    }
    reported = {
        "metrics": "forecast_metrics",
        "profile": "forecast_profile",
        "parameters": "params:forecast",
        "best": "forecast_best",
        "by_level": "forecast_metrics_by_level",
        "covariates": "forecast_covariates",
    }
    described = ["forecast_windows", "forecast_base", "forecast_coding", "forecast_scaler"]
    metrics = [f"forecast_metrics{by}" for by in ("", "_by_series", "_by_step", "_by_level")]
    return [
        node(
            nodes.tabulate_forecasts,
            tables | name_each("forecasts") | {BEST: "forecast_best_forecasts"},
            ["forecast_predictions", "forecast_next_values", "forecast_next_values_csv"],
        ),
        node(nodes.count_seconds, taken | name_each("record"), "forecast_seconds"),
        node(evaluate_forecasts, measured | name_each("record"), metrics),
        node(
            guard(describe_covariates, empty_table(CovariatesTable.make_empty())),
            described,
            "forecast_covariates",
        ),
        node(guard(draw_figures, draw_notes(FIGURES)), drawn | name_each("history"), FIGURES),
        node(guard(nodes.render_report, render_note), reported | name_each("record") | FIGURES, "forecast_report"),
        node(guard(nodes.summarize_run, write_note), ["forecast_metrics", "forecast_next_values"], "forecast_summary"),
    ]


def name_each(dataset: str) -> dict[str, str]:
    """One dataset's catalog name for each network, under the network's name."""
    return {name: f"forecast_{name}_{dataset}" for name in NETWORKS}
