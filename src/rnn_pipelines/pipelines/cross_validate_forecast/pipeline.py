"""The graph of `cross_validate_forecast`: newest series → rolling origins → errors → report."""

from kedro.pipeline import Pipeline

from rnn_pipelines.forecast.evaluation.windows import summarize_windows
from rnn_pipelines.forecast.experiments.cross_validation import cross_validate
from rnn_pipelines.forecast.report.cross_validation import (
    draw_error_by_cutoff,
    report_cross_validation,
)
from rnn_pipelines.pipelines.experiment_inputs import create_input_nodes
from rnn_pipelines.pipelines.wiring import node
from rnn_pipelines.report.failures import guard
from rnn_pipelines.report.notes import draw_note, render_or_note, summarize_or_note

SPEC = "params:cross_validate_forecast"


def create_pipeline() -> Pipeline:
    """Read, forecast from rolling origins, evaluate and report; the champion in use is not changed."""
    tables = ["cross_validate_forecast_table", "cross_validate_forecast_covariate_table"]
    network = "cross_validate_forecast_{network}_network"
    spec = "cross_validate_forecast_spec"
    predictions, figure = (
        "cross_validate_forecast_predictions",
        "cross_validate_forecast_errors_figure",
    )
    metrics, by_cutoff = (
        "cross_validate_forecast_metrics",
        "cross_validate_forecast_metrics_by_cutoff",
    )
    reported = [metrics, SPEC, figure]
    nodes = [
        *create_input_nodes(SPEC, tables, network, spec),
        node(cross_validate, [*tables, spec, SPEC, "params:parallel"], predictions),
        node(summarize_windows, predictions, [metrics, by_cutoff]),
        node(guard(draw_error_by_cutoff, draw_note), by_cutoff, figure),
        node(render_or_note(report_cross_validation), reported, "cross_validate_forecast_report"),
        node(
            summarize_or_note(report_cross_validation),
            reported,
            "cross_validate_forecast_summary",
        ),
    ]
    return Pipeline(nodes)
