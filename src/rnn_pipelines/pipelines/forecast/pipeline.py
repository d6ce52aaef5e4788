"""The graph of `forecast`: source → series → windows → networks and baselines → metrics → report."""

from dataclasses import fields
from functools import partial

import pandas as pd
from kedro.pipeline import Node, Pipeline

from rnn_pipelines.forecast.evaluation.covariates import CovariatesTable, describe_covariates
from rnn_pipelines.forecast.evaluation.past_comparison import compare_past
from rnn_pipelines.forecast.evaluation.series_methods import (
    SeriesMethodsTable,
    describe_series_methods,
)
from rnn_pipelines.forecast.evaluation.summary import evaluate_forecasts
from rnn_pipelines.forecast.methods.forecasts import forecast_methods, list_seconds
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.model.explanation import COLUMNS, explain_ensemble
from rnn_pipelines.forecast.model.paths import draw_used_paths
from rnn_pipelines.forecast.partitions.dividing import draw_sample
from rnn_pipelines.forecast.recipe import Panel
from rnn_pipelines.forecast.report.diagnostics import DIAGNOSTICS, draw_diagnostics
from rnn_pipelines.forecast.report.figures import draw_figures
from rnn_pipelines.forecast.report.next_values import round_totals
from rnn_pipelines.forecast.totals.next_totals import add_used
from rnn_pipelines.pipelines.forecast import nodes
from rnn_pipelines.pipelines.wiring import PANEL, create_preparation_nodes, node
from rnn_pipelines.report.failures import guard
from rnn_pipelines.report.notes import draw_notes, empty_table, render_note, write_note

# The datasets of the preparation by the names of their values.
PREPARED = {
    "table": "forecast_table",
    "covariate_table": "forecast_covariate_table",
    "source_table": "forecast_source",
    "series": "forecast_series",
    "profile": "forecast_profile",
    "cutoffs": "forecast_cutoffs",
    "scaler": "forecast_scaler",
    "coding": "forecast_coding",
    "features": "forecast_features",
    "windows": "forecast_windows",
}
BY_STEP, BY_LEVEL = "forecast_metrics_by_step", "forecast_metrics_by_level"
FIGURES = {
    figure: f"forecast_{figure}_figure"
    for figure in (
        "forecasts",
        "newest_window",
        "next_values",
        "totals",
        "losses",
        "error_by_step",
        "coverage",
        "residuals",
        "explanation",
    )
}
DIAGNOSTIC_FIGURES = {figure: f"forecast_{figure}_figure" for figure in DIAGNOSTICS}


def create_pipeline() -> Pipeline:
    """Read and prepare the data, fit every method of the registry, evaluate and report: a namespace for each."""
    nodes = [
        *create_read_nodes(),
        *create_preparation_nodes(PREPARED, "preparation"),
        *create_method_nodes(),
        *create_evaluation_nodes(),
        *create_report_nodes(),
    ]
    for cell in NETWORKS:
        nodes.extend(create_network_nodes(cell))
    return Pipeline(nodes)


def create_read_nodes() -> list[Node]:
    """Divide a panel that is too large for memory, and read the series for the fit."""
    create = partial(node, namespace="preparation")
    read = ["forecast_sample", "params:forecast.window", "params:forecast.reconcile"]
    tables = ["forecast_table", "forecast_covariate_table"]
    return [create(draw_sample, PANEL, "forecast_sample"), create(nodes.read_source, read, tables)]


def create_network_nodes(cell: str) -> list[Node]:
    """Save and export one network; its cell is also the name of its parameters."""
    model = f"forecast_{cell}_model"
    spec = f"params:forecast.{cell}"
    namespace = f"methods.{cell}"
    history = f"forecast_{cell}_history"
    record = f"forecast_{cell}_record"
    return [
        node(nodes.take_network, ["forecast_networks", spec], [model, history, record], namespace),
        node(nodes.export_network, [model, spec, record], f"forecast_{cell}_keras", namespace),
    ]


def create_method_nodes() -> list[Node]:
    """Fit the linear models, the networks that correct them, all other methods and the ensemble, and forecast."""
    create = partial(node, namespace="methods")
    training, pretrained = "params:forecast.training", "params:forecast.pretrained"
    trained_from = {
        "panel": "forecast_windows",
        "linear": "forecast_linear",
        "training": training,
        "pretrained": pretrained,
        **{cell: f"params:forecast.{cell}" for cell in NETWORKS},
    }
    fitted_from = {
        "panel": "forecast_windows",
        "linear": "forecast_linear",
        "level": "params:forecast.level",
        "use": "params:forecast.use",
        "pretrained": pretrained,
        **{cell: f"forecast_{cell}_model" for cell in NETWORKS},
    }
    methods = ["forecast_methods", "forecast_ensemble", "forecast_intervals"]
    return [
        create(
            fit_linear_models, ["forecast_windows", training, "forecast_scaler"], "forecast_linear"
        ),
        create(nodes.train_networks, trained_from, "forecast_networks"),
        create(nodes.fit_all_methods, fitted_from, methods),
        create(
            forecast_methods,
            ["forecast_windows", "forecast_linear", "forecast_methods"],
            "forecast_forecasts",
        ),
    ]


def create_evaluation_nodes() -> list[Node]:
    """Compare the networks with the baselines."""
    create = partial(node, namespace="evaluation")
    tabulated_from = [
        "forecast_windows",
        "forecast_features",
        "forecast_scaler",
        "forecast_profile",
        "forecast_reconciled_forecasts",
        "forecast_intervals",
        "forecast_ensemble",
        "params:forecast.pretrained",
    ]
    tables = [
        "forecast_predictions",
        "forecast_next_values",
        "forecast_next_values_csv",
        "forecast_all_methods",
    ]
    drawn_from = [
        "forecast_windows",
        "forecast_scaler",
        "forecast_intervals",
        "forecast_next_values",
        "params:forecast.paths",
        "params:forecast.pretrained",
        "forecast_linear",
        "forecast_methods",
    ]
    added_from = [
        *drawn_from,
        "params:forecast.totals",
        "forecast_covariate_table",
        "forecast_profile",
        "forecast_all_totals",
    ]
    compared_from = [
        "forecast_windows",
        "forecast_linear",
        "forecast_methods",
        "forecast_forecasts",
        "forecast_ensemble",
    ]
    measured = {
        "predictions": "forecast_predictions",
        "series": "forecast_series",
        "cutoffs": "forecast_cutoffs",
        "profile": "forecast_profile",
        "evaluation": "params:forecast.evaluation",
        "seconds": "forecast_seconds",
        "past": "forecast_past",
        **{cell: f"forecast_{cell}_record" for cell in NETWORKS},
    }
    divided = {
        "sample": "forecast_sample",
        "linear": "forecast_linear",
        "methods": "forecast_methods",
        "intervals": "forecast_intervals",
        "ensemble": "forecast_ensemble",
        "parameters": "params:forecast",
        "parallel": "params:parallel",
        "totals": "params:forecast.totals",
        "paths": "params:forecast.paths",
        **{field.name: PREPARED[field.name] for field in fields(Panel)},
    }
    reconciled_from = {
        "forecasts": "forecast_forecasts",
        "intervals": "forecast_intervals",
        "linear": "forecast_linear",
        "methods": "forecast_methods",
        "ensemble": "forecast_ensemble",
        "covariate_table": "forecast_covariate_table",
        "totals": "params:forecast.totals",
        "reconcile": "params:forecast.reconcile",
        **{field.name: PREPARED[field.name] for field in fields(Panel)},
    }
    reconciled = ["forecast_reconciled_forecasts", "forecast_metrics_by_total"]
    of_all = [
        "forecast_all_next_values",
        "forecast_all_metrics_by_series",
        "forecast_all_series",
        "forecast_all_totals",
    ]
    return [
        create(nodes.forecast_partitions, divided, of_all),
        create(nodes.reconcile_totals, reconciled_from, reconciled),
        create(nodes.tabulate_forecasts, tabulated_from, tables),
        create(draw_used_paths, drawn_from, "forecast_next_paths"),
        create(add_used, added_from, "forecast_next_totals"),
        create(round_totals, "forecast_next_totals", "forecast_next_totals_csv"),
        create(
            list_seconds,
            ["forecast_linear", "forecast_methods", "forecast_forecasts"],
            "forecast_seconds",
        ),
        create(compare_past, compared_from, "forecast_past"),
        create(
            evaluate_forecasts,
            measured,
            ["forecast_metrics", "forecast_metrics_by_series", BY_STEP, BY_LEVEL],
        ),
    ]


def create_report_nodes() -> list[Node]:
    create = partial(node, namespace="report")
    no_covariates = empty_table(CovariatesTable.make_empty())
    no_series = empty_table(SeriesMethodsTable.make_empty())
    no_explanation = empty_table(pd.DataFrame(columns=[*COLUMNS, "part"]))
    explained = [
        "forecast_windows",
        "forecast_features",
        "forecast_scaler",
        "forecast_linear",
        "forecast_methods",
        "forecast_ensemble",
    ]
    described = ["forecast_windows", "forecast_linear", "forecast_coding", "forecast_scaler"]
    listed = [
        "forecast_source",
        "forecast_cutoffs",
        "forecast_profile",
        "forecast_windows",
        "forecast_linear",
        "forecast_methods",
        "forecast_ensemble",
    ]
    drawn = {
        "predictions": "forecast_predictions",
        "series": "forecast_series",
        "profile": "forecast_profile",
        "next_values": "forecast_next_values",
        "explanation": "forecast_explanation",
        "by_step": BY_STEP,
        "by_level": BY_LEVEL,
        "totals": "forecast_next_totals",
        **{cell: f"forecast_{cell}_history" for cell in NETWORKS},
    }
    figures = {**FIGURES, **DIAGNOSTIC_FIGURES}
    reported = {
        "metrics": "forecast_metrics",
        "profile": "forecast_profile",
        "cutoffs": "forecast_cutoffs",
        "ensemble": "forecast_ensemble",
        "covariates": "forecast_covariates",
        "parameters": "params:forecast",
        "next_values": "forecast_next_values",
        "features": "forecast_features",
        "test": "forecast_predictions",
        "run_before": "forecast_run_before",
        "all_series": "forecast_all_series",
        "by_level": BY_LEVEL,
        "totals": "forecast_next_totals",
        "by_total": "forecast_metrics_by_total",
        **{cell: f"forecast_{cell}_record" for cell in NETWORKS},
        # The table of the next values has their name without the ending.
        **{f"{figure}_figure": dataset for figure, dataset in figures.items()},
    }
    summarized = [
        "forecast_metrics",
        "forecast_next_values",
        "forecast_run_before",
        "forecast_all_series",
        "forecast_profile",
        "forecast_next_totals",
    ]
    return [
        create(guard(explain_ensemble, no_explanation), explained, "forecast_explanation"),
        create(guard(describe_covariates, no_covariates), described, "forecast_covariates"),
        create(guard(describe_series_methods, no_series), listed, "forecast_series_methods"),
        create(guard(draw_figures, draw_notes(FIGURES)), drawn, FIGURES),
        create(
            guard(draw_diagnostics, draw_notes(DIAGNOSTICS)),
            ["forecast_predictions", "forecast_profile"],
            DIAGNOSTIC_FIGURES,
        ),
        create(guard(nodes.render_report, render_note), reported, "forecast_report"),
        create(guard(nodes.summarize_run, write_note), summarized, "forecast_summary"),
    ]
