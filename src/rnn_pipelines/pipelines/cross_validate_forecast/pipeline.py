"""The graph of `cross_validate_forecast`: newest series → rolling origins → errors → report."""

from kedro.pipeline import Pipeline

from rnn_pipelines.forecast.evaluation.windows import summarize_windows
from rnn_pipelines.forecast.experiments.cross_validation import cross_validate
from rnn_pipelines.forecast.report.cross_validation import draw_error_by_cutoff, render_report, summarize_run
from rnn_pipelines.pipelines.experiment_inputs import create_input_nodes
from rnn_pipelines.pipelines.wiring import node
from rnn_pipelines.report.failures import guard
from rnn_pipelines.report.notes import draw_note, render_note, write_note

SPEC = "params:cross_validate_forecast"
TABLE, COVARIATES, ASKED, PREDICTIONS, METRICS, BY_CUTOFF, FIGURE, REPORT = (
    f"cross_validate_forecast_{name}"
    for name in (
        "table",
        "covariate_table",
        "spec",
        "predictions",
        "metrics",
        "metrics_by_cutoff",
        "errors_figure",
        "report",
    )
)


def create_pipeline() -> Pipeline:
    """Read, forecast from rolling origins, evaluate and report; the champion in use is not changed."""
    return Pipeline(
        [
            *create_input_nodes("cross_validate_forecast"),
            node(cross_validate, [TABLE, COVARIATES, ASKED, SPEC, "params:parallel"], PREDICTIONS),
            node(summarize_windows, PREDICTIONS, [METRICS, BY_CUTOFF]),
            node(guard(draw_error_by_cutoff, draw_note), BY_CUTOFF, FIGURE),
            node(guard(render_report, render_note), [METRICS, SPEC, FIGURE], REPORT),
            node(guard(summarize_run, write_note), METRICS, "cross_validate_forecast_summary"),
        ]
    )
