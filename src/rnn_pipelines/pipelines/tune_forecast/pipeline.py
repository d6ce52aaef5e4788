"""The graph of `tune_forecast`: newest series → trials on validation windows → parameters, report."""

from kedro.pipeline import Pipeline

from rnn_pipelines.forecast.report.tuning import render_report
from rnn_pipelines.pipelines.experiment_inputs import create_input_nodes
from rnn_pipelines.pipelines.tune_forecast import nodes
from rnn_pipelines.pipelines.wiring import node
from rnn_pipelines.report.failures import guard
from rnn_pipelines.report.notes import render_note

SPEC = "params:tune_forecast"
TABLE, COVARIATES, ASKED, FOLDER, TRIALS, PARAMETERS, SUMMARY, REPORT = (
    f"tune_forecast_{name}"
    for name in ("table", "covariate_table", "spec", "folder", "trials", "parameters", "summary", "report")
)


def create_pipeline() -> Pipeline:
    """Read, search and report; neither the champion nor the project's parameters are changed."""
    return Pipeline(
        [
            *create_input_nodes("tune_forecast"),
            node(
                nodes.tune, [TABLE, COVARIATES, ASKED, SPEC, "params:parallel", FOLDER], [TRIALS, PARAMETERS, SUMMARY]
            ),
            node(guard(render_report, render_note), [SUMMARY, TRIALS, PARAMETERS, SPEC], REPORT),
        ]
    )
