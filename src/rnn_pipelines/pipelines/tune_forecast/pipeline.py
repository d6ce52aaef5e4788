"""The graph of `tune_forecast`: newest series → trials on validation windows → parameters, report."""

from pathlib import Path
from typing import Any

import pandas as pd
from kedro.pipeline import Pipeline

from rnn_pipelines.forecast.experiments.search_space import TuningSpec
from rnn_pipelines.forecast.parameters import ForecastSpec
from rnn_pipelines.forecast.report.tuning import report_tuning
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.networks.fan_out import ParallelSpec
from rnn_pipelines.pipelines.experiment_inputs import create_input_nodes
from rnn_pipelines.pipelines.wiring import node
from rnn_pipelines.report.notes import render_or_note

SPEC = "params:tune_forecast"


def create_pipeline() -> Pipeline:
    """Read, search and report; neither the champion nor the project's parameters are changed."""
    tables = ["tune_forecast_table", "tune_forecast_covariate_table"]
    recipe = "tune_forecast_recipe"
    network = "tune_forecast_{network}_network"
    spec = "tune_forecast_spec"
    trials = "tune_forecast_trials"
    parameters = "tune_forecast_parameters"
    summary = "tune_forecast_summary"
    given = [*tables, spec, SPEC, "params:parallel", "tune_forecast_folder"]
    nodes = [
        *create_input_nodes(SPEC, tables, recipe, network, spec),
        node(tune, given, [trials, parameters, summary]),
        node(
            render_or_note(report_tuning),
            [summary, trials, parameters, SPEC],
            "tune_forecast_report",
        ),
    ]
    return Pipeline(nodes)


def tune(
    table: Source,
    covariate_table: pd.DataFrame,
    spec: ForecastSpec,
    tuning: TuningSpec,
    parallel: ParallelSpec,
    folder: Path,
) -> tuple[pd.DataFrame, dict[str, Any], dict[str, Any]]:
    """Search the parameter space, continuing an earlier search on the same data."""
    # Imports Optuna only when it runs.
    from rnn_pipelines.forecast.experiments import tuning as search

    return search.tune(table, covariate_table, spec, tuning, parallel, folder)
