"""The graph of `forecast`: source → series → windows → networks and baselines → metrics → report."""

from functools import partial
from itertools import chain

import pandas as pd
from kedro.pipeline import Node, Pipeline

from rnn_pipelines.forecast.evaluation.covariates import CovariatesTable, describe_covariates
from rnn_pipelines.forecast.evaluation.series_methods import SeriesMethodsTable, describe_series_methods
from rnn_pipelines.forecast.evaluation.summary import evaluate_forecasts
from rnn_pipelines.forecast.methods.forecasts import forecast_methods, list_seconds
from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.model.explanation import COLUMNS, explain_ensemble
from rnn_pipelines.forecast.recipe import PREPARATION
from rnn_pipelines.forecast.report.diagnostics import DIAGNOSTICS, draw_diagnostics
from rnn_pipelines.forecast.report.figures import draw_figures
from rnn_pipelines.forecast.series.partitions import draw_sample
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
BY_METRICS = {by: f"forecast_metrics_{by}" for by in ("by_series", "by_step", "by_level")}
DIAGNOSTIC_FIGURES = {name: f"forecast_{name}_figure" for name in DIAGNOSTICS}


def create_pipeline() -> Pipeline:
    """Read and prepare the data, fit every method of the registry, evaluate and report: a namespace for each."""
    prepare = create_nodes(PREPARATION, name_in("forecast"), "preparation")
    networks = [node for name in NETWORKS for node in create_network_nodes(name)]
    others = create_method_nodes(), create_evaluation_nodes(), create_report_nodes()
    return Pipeline([*create_read_nodes(), *prepare, *networks, *chain(*others)])


def create_read_nodes() -> list[Node]:
    """Divide a panel that is too large for memory, and read the series for the fit."""
    create = partial(node, namespace="preparation")
    given = [f"params:forecast.{block}" for block in ("source", "covariates", "partitions")]
    given += ["forecast_partition_folder", "forecast_external"]
    read = ["forecast_sample", "params:forecast.window"]
    return [
        create(draw_sample, given, "forecast_sample"),
        create(
            nodes.read_source,
            read,
            ["forecast_table", "forecast_covariate_table"],
        ),
    ]


def create_network_nodes(name: str) -> list[Node]:
    """Save and export one network; its name is also that of its parameters, and part of its datasets' names."""
    outputs = [f"forecast_{name}_{output}" for output in ("model", "history", "record")]
    spec, namespace = f"params:forecast.{name}", f"methods.{name}"
    return [
        node(nodes.take_network, ["forecast_networks", spec], outputs, namespace),
        node(nodes.export_network, [outputs[0], spec, outputs[2]], f"forecast_{name}_keras", namespace),
    ]


def create_method_nodes() -> list[Node]:
    """Fit the linear models, the networks that correct them, all other methods and the ensemble, and forecast."""
    create = partial(node, namespace="methods")
    fitted = {"panel": "forecast_windows", "linear": "forecast_linear", "level": "params:forecast.level"}
    fitted |= {"use": "params:forecast.use", "pretrained": "params:forecast.pretrained"}
    methods = ["forecast_methods", "forecast_ensemble", "forecast_intervals"]
    trained = {"panel": "forecast_windows", "linear": "forecast_linear", "training": "params:forecast.training"}
    trained |= {"pretrained": "params:forecast.pretrained"}
    return [
        create(
            nodes.fit_linear_models,
            ["forecast_windows", "params:forecast.training", "forecast_scaler"],
            "forecast_linear",
        ),
        create(
            nodes.train_networks, trained | {name: f"params:forecast.{name}" for name in NETWORKS}, "forecast_networks"
        ),
        create(nodes.fit_all_methods, fitted | name_each("model"), methods),
        create(forecast_methods, [*FITTED_ON, "forecast_methods"], "forecast_forecasts"),
    ]


def create_evaluation_nodes() -> list[Node]:
    """Compare the networks with the baselines."""
    create = partial(node, namespace="evaluation")
    tables = name_all("features", "scaler", "profile", "forecasts", "intervals", "ensemble") | {
        "panel": "forecast_windows"
    }
    tabulated = name_all("predictions", "next_values", "next_values_csv", "all_methods")
    drawn_from = name_all("scaler", "intervals", "next_values") | {"panel": "forecast_windows"}
    measured = name_all("predictions", "series", "cutoffs", "profile", "seconds")
    panel = name_all("series", "profile", "cutoffs", "scaler", "coding", "features", "windows")
    divided = name_all("sample", "linear", "methods", "intervals", "ensemble") | panel
    divided |= {"parameters": "params:forecast", "parallel": "params:parallel"}
    of_all = [f"forecast_all_{name}" for name in ("next_values", "metrics_by_series", "series")]
    return [
        create(nodes.forecast_partitions, divided, of_all),
        create(nodes.tabulate_forecasts, tables, list(tabulated.values())),
        create(nodes.draw_paths, drawn_from | {"paths": "params:forecast.paths"}, "forecast_next_paths"),
        create(list_seconds, ["forecast_linear", "forecast_methods", "forecast_forecasts"], "forecast_seconds"),
        create(
            evaluate_forecasts,
            measured | name_each("record") | {"evaluation": "params:forecast.evaluation"},
            ["forecast_metrics", *BY_METRICS.values()],
        ),
    ]


def create_report_nodes() -> list[Node]:
    """Explain, draw and report."""
    create = partial(node, namespace="report")
    no_covariates, no_series = (empty_table(kind.make_empty()) for kind in (CovariatesTable, SeriesMethodsTable))
    no_explanation = empty_table(pd.DataFrame(columns=[*COLUMNS, "part"]))
    described = ["forecast_windows", "forecast_linear", "forecast_coding", "forecast_scaler"]
    explained = ["forecast_windows", "forecast_features", "forecast_scaler", "forecast_linear", "forecast_methods"]
    explained += ["forecast_ensemble"]
    listed = name_all("cutoffs", "profile", "linear", "methods", "ensemble")
    listed |= {"table": "forecast_source", "panel": "forecast_windows"}
    drawn = name_all("predictions", "next_values", "series", "explanation")
    drawn |= {by: BY_METRICS[by] for by in ("by_step", "by_level")}
    reported = name_all("metrics", "profile", "cutoffs", "ensemble", "covariates", "next_values")
    reported |= name_all("features", "run_before", "all_series")
    reported |= {"by_level": BY_METRICS["by_level"], "test": "forecast_predictions"}
    # The figure of the next values, beside their table.
    shown = {f"{name}_figure": dataset for name, dataset in (FIGURES | DIAGNOSTIC_FIGURES).items()}
    diagnosed = name_all("predictions", "profile")
    summarized = name_all("metrics", "next_values", "run_before", "all_series", "profile")
    return [
        create(guard(explain_ensemble, no_explanation), explained, "forecast_explanation"),
        create(guard(describe_covariates, no_covariates), described, "forecast_covariates"),
        create(guard(describe_series_methods, no_series), listed, "forecast_series_methods"),
        create(guard(draw_figures, draw_notes(FIGURES)), drawn | name_each("history"), FIGURES),
        create(guard(draw_diagnostics, draw_notes(DIAGNOSTICS)), diagnosed, DIAGNOSTIC_FIGURES),
        create(
            guard(nodes.render_report, render_note),
            reported | name_each("record") | shown | {"parameters": "params:forecast"},
            "forecast_report",
        ),
        create(guard(nodes.summarize_run, write_note), list(summarized.values()), "forecast_summary"),
    ]


def name_all(*datasets: str) -> dict[str, str]:
    """Return the catalog names of datasets, by the arguments that they are given to."""
    return {name: f"forecast_{name}" for name in datasets}


def name_each(dataset: str) -> dict[str, str]:
    """Return the catalog name of a dataset of each network, by the network's name."""
    return {name: f"forecast_{name}_{dataset}" for name in NETWORKS}
