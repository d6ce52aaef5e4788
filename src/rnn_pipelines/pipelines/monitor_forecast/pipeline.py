"""The graph of `monitor_forecast`: newest series, past forecasts, the champion's record → verdict and report."""

from kedro.pipeline import Pipeline

from rnn_pipelines.forecast.evaluation.coverage import check_coverage
from rnn_pipelines.forecast.evaluation.realised import join_actuals
from rnn_pipelines.forecast.operations.monitoring import (
    measure_covariate_drift,
    measure_drift,
    monitor_forecasts,
    read_champion,
    read_coding,
    read_reference,
)
from rnn_pipelines.forecast.report.monitoring import render_report, summarize_run
from rnn_pipelines.forecast.report.monitoring_figures import draw_figures
from rnn_pipelines.forecast.series.schema import repair_series
from rnn_pipelines.pipelines.monitor_forecast import nodes
from rnn_pipelines.pipelines.wiring import node
from rnn_pipelines.report.failures import guard
from rnn_pipelines.report.notes import draw_notes, render_note, write_note

FIGURES = ("error_over_time", "error_by_step")
SPEC = "params:monitor_forecast"


def create_pipeline() -> Pipeline:
    """Read, measure, conclude and report, without training or loading networks."""
    return create_measure_pipeline() + create_report_pipeline()


def create_measure_pipeline() -> Pipeline:
    """Read series, forecasts and the champion's record, and measure errors, coverage and drift."""
    log, series, profile, champion = (
        f"monitor_forecast_{name}" for name in ("found_forecasts", "series", "profile", "champion")
    )
    coding, covariate_table = "monitor_forecast_coding", "monitor_forecast_covariate_table"
    given = [f"params:forecast.{block}" for block in ("source", "covariates", "partitions")]
    given += ["forecast_partition_folder", "forecast_external"]
    source, gaps, table = "params:forecast.source", "params:forecast.gaps", "monitor_forecast_table"
    return Pipeline(
        [
            node(read_champion, "monitor_forecast_champion_folder", champion),
            node(read_coding, "monitor_forecast_champion_folder", coding),
            node(read_reference, "monitor_forecast_champion_folder", "monitor_forecast_reference"),
            node(nodes.draw_sample, [coding, *given], "monitor_forecast_sample"),
            node(nodes.read_as_of, ["monitor_forecast_sample", SPEC], [table, covariate_table]),
            node(repair_series, [table, source, gaps], [series, profile]),
            node(join_actuals, [log, series, champion], "monitor_forecast_evaluated"),
            node(check_coverage, [log, series, profile, champion], "monitor_forecast_coverage"),
            node(
                measure_drift,
                [series, profile, champion, "monitor_forecast_reference", "monitor_forecast_sample", SPEC],
                "monitor_forecast_drift",
            ),
            node(
                measure_covariate_drift,
                [series, profile, champion, coding, covariate_table, SPEC],
                "monitor_forecast_covariate_drift",
            ),
        ]
    )


def create_report_pipeline() -> Pipeline:
    """Conclude a verdict, draw and report."""
    evaluated, coverage, champion, drift, covariate_drift, verdict = (
        f"monitor_forecast_{name}"
        for name in ("evaluated", "coverage", "champion", "drift", "covariate_drift", "verdict")
    )
    figures = {name: f"monitor_forecast_{name}_figure" for name in FIGURES}
    page = {"verdict": verdict, "profile": "monitor_forecast_profile", "monitoring": SPEC, **figures}
    return Pipeline(
        [
            node(monitor_forecasts, [evaluated, coverage, champion, drift, covariate_drift, SPEC], verdict),
            node(guard(draw_figures, draw_notes(FIGURES)), [evaluated, verdict, SPEC], figures),
            node(guard(render_report, render_note), page, "monitor_forecast_report"),
            node(guard(summarize_run, write_note), verdict, "monitor_forecast_summary"),
        ]
    )
