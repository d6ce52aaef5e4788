"""The graph of `tune_forecast`: newest series → trials on validation windows → parameters, report."""

from kedro.pipeline import Pipeline

from rnn_pipelines.forecast.experiments.tuning import tune
from rnn_pipelines.forecast.report.tuning import report_tuning
from rnn_pipelines.pipelines.experiment_inputs import create_input_nodes
from rnn_pipelines.pipelines.wiring import node
from rnn_pipelines.report.notes import render_or_note

SPEC = "params:tune_forecast"


def create_pipeline() -> Pipeline:
    """Read, search and report; neither the champion nor the project's parameters are changed."""
    tables = ["tune_forecast_table", "tune_forecast_covariate_table"]
    trials = "tune_forecast_trials"
    parameters = "tune_forecast_parameters"
    summary = "tune_forecast_summary"
    network = "tune_forecast_{network}_network"
    spec = "tune_forecast_spec"
    given = [*tables, spec, SPEC, "params:parallel", "tune_forecast_folder"]
    nodes = [
        *create_input_nodes(SPEC, tables, network, spec),
        node(tune, given, [trials, parameters, summary]),
        node(
            render_or_note(report_tuning),
            [summary, trials, parameters, SPEC],
            "tune_forecast_report",
        ),
    ]
    return Pipeline(nodes)
