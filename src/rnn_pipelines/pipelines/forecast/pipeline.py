"""The graph of `forecast`: source → series → windows → networks and baselines → metrics → report."""

import pandas as pd
from kedro.pipeline import Node, Pipeline

from rnn_pipelines.forecast.evaluation.covariates import CovariatesTable, describe_covariates
from rnn_pipelines.forecast.evaluation.series_methods import SeriesMethodsTable, describe_series_methods
from rnn_pipelines.forecast.evaluation.summary import evaluate_forecasts
from rnn_pipelines.forecast.methods.forecasts import forecast_methods, list_seconds
from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.model.explanation import COLUMNS, explain_ensemble
from rnn_pipelines.forecast.recipe import PREPARATION, read_source
from rnn_pipelines.forecast.report.diagnostics import DIAGNOSTICS, draw_diagnostics
from rnn_pipelines.forecast.report.figures import draw_figures
from rnn_pipelines.pipelines.forecast import nodes
from rnn_pipelines.pipelines.steps import create_nodes, name_in
from rnn_pipelines.pipelines.wiring import node
from rnn_pipelines.report.failures import guard
from rnn_pipelines.report.notes import draw_notes, empty_table, render_note, write_note

FITTED_ON = ["forecast_windows", "forecast_linear"]
FIGURES = {
    name: f"forecast_{name}_figure"
    for name in (
        *("forecasts", "newest_window", "next_values", "losses", "error_by_step", "coverage", "residuals"),
        "explanation",
    )
}
DIAGNOSTIC_FIGURES = {name: f"forecast_{name}_figure" for name in DIAGNOSTICS}


def create_pipeline() -> Pipeline:
    """Read and prepare the data, fit every method of the registry, and report."""
    given = [f"params:forecast.{block}" for block in ("source", "covariates", "window")]
    read = node(read_source, [*given, "forecast_external"], ["forecast_table", "forecast_covariate_table"])
    prepare = create_nodes(PREPARATION, name_in("forecast"))
    networks = [node for name in NETWORKS for node in create_network_nodes(name)]
    return Pipeline([read, *prepare, *networks, *create_method_nodes(), *create_report_nodes()])


def create_network_nodes(name: str) -> list[Node]:
    """Train and export one network; its name is also that of its parameters, and part of its datasets' names."""
    outputs = [f"forecast_{name}_{output}" for output in ("model", "history", "record")]
    spec, namespace = f"params:forecast.{name}", f"forecast_{name}"
    return [
        node(nodes.train_network, [*FITTED_ON, spec, "params:forecast.training"], outputs, namespace=namespace),
        node(nodes.export_network, [outputs[0], spec], f"forecast_{name}_keras", namespace=namespace),
    ]


def create_method_nodes() -> list[Node]:
    """Fit the linear models, which networks correct, all other methods and the ensemble; forecast and explain."""
    series = ["forecast_features", "forecast_scaler"]
    fitted = {"panel": "forecast_windows", "linear": "forecast_linear", "level": "params:forecast.level"}
    methods = ["forecast_methods", "forecast_ensemble", "forecast_intervals"]
    return [
        node(nodes.fit_linear_models, ["forecast_windows", "params:forecast.training"], "forecast_linear"),
        node(nodes.fit_all_methods, fitted | name_each("model"), methods),
        node(forecast_methods, [*FITTED_ON, "forecast_methods"], "forecast_forecasts"),
        node(
            guard(explain_ensemble, empty_table(pd.DataFrame(columns=[*COLUMNS, "part"]))),
            ["forecast_windows", *series, "forecast_linear", "forecast_methods"],
            "forecast_explanation",
        ),
    ]


def create_report_nodes() -> list[Node]:
    """Compare the networks with the baselines, draw and report."""
    predicted, files = ["predictions", "next_values"], ["next_values_csv", "all_methods"]
    tables = name_all("features", "scaler", "profile", "forecasts", "intervals") | {"panel": "forecast_windows"}
    drawn_from = name_all("scaler", "intervals", "next_values") | {"panel": "forecast_windows"}
    measured = name_all("predictions", "series", "cutoffs", "profile", "seconds")
    by_metrics = {by: f"forecast_metrics_{by}" for by in ("by_series", "by_step", "by_level")}
    drawn = name_all(*predicted, "series", "explanation") | {by: by_metrics[by] for by in ("by_step", "by_level")}
    reported = name_all("metrics", "profile", "cutoffs", "ensemble", "covariates", "run_before")
    reported |= {"by_level": by_metrics["by_level"], "test": "forecast_predictions"} | name_all("next_values")
    # The figure of the next values, beside their table.
    shown = {f"{name}_figure": dataset for name, dataset in (FIGURES | DIAGNOSTIC_FIGURES).items()}
    described = ["forecast_windows", "forecast_linear", "forecast_coding", "forecast_scaler"]
    no_covariates, no_series = (empty_table(kind.make_empty()) for kind in (CovariatesTable, SeriesMethodsTable))
    explained = name_all("cutoffs", "profile", "linear", "methods") | {"table": "forecast_source"}
    explained |= {"panel": "forecast_windows"}
    return [
        node(nodes.tabulate_forecasts, tables, list(name_all(*predicted, *files).values())),
        node(nodes.draw_paths, drawn_from | {"paths": "params:forecast.paths"}, "forecast_next_paths"),
        node(list_seconds, ["forecast_linear", "forecast_methods", "forecast_forecasts"], "forecast_seconds"),
        node(
            evaluate_forecasts,
            measured | name_each("record") | {"evaluation": "params:forecast.evaluation"},
            ["forecast_metrics", *by_metrics.values()],
        ),
        node(guard(describe_covariates, no_covariates), described, "forecast_covariates"),
        node(guard(describe_series_methods, no_series), explained, "forecast_series_methods"),
        node(guard(draw_figures, draw_notes(FIGURES)), drawn | name_each("history"), FIGURES),
        node(guard(draw_diagnostics, draw_notes(DIAGNOSTICS)), name_all("predictions", "profile"), DIAGNOSTIC_FIGURES),
        node(
            guard(nodes.render_report, render_note),
            reported | name_each("record") | shown | {"parameters": "params:forecast"},
            "forecast_report",
        ),
        node(
            guard(nodes.summarize_run, write_note),
            ["forecast_metrics", "forecast_next_values", "forecast_run_before"],
            "forecast_summary",
        ),
    ]


def name_all(*datasets: str) -> dict[str, str]:
    """Return the catalog names of datasets, by the arguments that they are given to."""
    return {name: f"forecast_{name}" for name in datasets}


def name_each(dataset: str) -> dict[str, str]:
    """Return the catalog name of a dataset of each network, by the network's name."""
    return {name: f"forecast_{name}_{dataset}" for name in NETWORKS}
