"""The graph of `monitor_forecast`: newest series, past forecasts, the champion's record → verdict and report."""

from kedro.pipeline import Pipeline

from rnn_pipelines.forecast.evaluation.coverage import check_coverage
from rnn_pipelines.forecast.evaluation.realised import join_uncorrected
from rnn_pipelines.forecast.operations import monitoring
from rnn_pipelines.forecast.partitions.dividing import draw_sample
from rnn_pipelines.forecast.preparation.mending import mend_series
from rnn_pipelines.forecast.preparation.schema import repair_series
from rnn_pipelines.forecast.report.monitoring import (
    draw_monitoring_figures,
    report_forecast_monitoring,
)
from rnn_pipelines.forecast.totals.log import measure_totals
from rnn_pipelines.pipelines.wiring import PANEL, node
from rnn_pipelines.report.failures import guard
from rnn_pipelines.report.notes import draw_notes, render_or_note, summarize_or_note

FIGURES = ("error_over_time", "error_by_step")
SPEC = "params:monitor_forecast"
CHAMPION = "monitor_forecast_champion"
PROFILE = "monitor_forecast_profile"
EVALUATED, COVERAGE = "monitor_forecast_evaluated", "monitor_forecast_coverage"
TOTALS = "monitor_forecast_realised_totals"
DRIFT, COVARIATE_DRIFT = "monitor_forecast_drift", "monitor_forecast_covariate_drift"


def create_pipeline() -> Pipeline:
    """Read, measure, conclude and report, without training or loading networks."""
    return create_measure_pipeline() + create_verdict_pipeline()


def create_measure_pipeline() -> Pipeline:
    """Read series, forecasts and the champion's record, and measure errors, coverage and drift."""
    folder, log = "monitor_forecast_champion_folder", "monitor_forecast_found_forecasts"
    coding, reference = "monitor_forecast_coding", "monitor_forecast_reference"
    sample, series = "monitor_forecast_sample", "monitor_forecast_series"
    table, covariate_table = "monitor_forecast_table", "monitor_forecast_covariate_table"
    source, gaps = "params:forecast.source", "params:forecast.gaps"
    actuals, repaired = "monitor_forecast_actuals", "monitor_forecast_repaired_profile"
    covariates = [series, PROFILE, CHAMPION, coding, covariate_table, SPEC]
    nodes = [
        node(monitoring.read_champion, [folder, "params:forecast"], [CHAMPION, coding, reference]),
        node(draw_sample, [*PANEL, coding], sample),
        node(
            monitoring.read_newest,
            [sample, CHAMPION, "params:forecast.covariates", SPEC],
            [table, covariate_table],
        ),
        node(repair_series, [table, source, gaps], [actuals, repaired]),
        node(join_uncorrected, [log, actuals, CHAMPION], EVALUATED),
        node(
            measure_totals,
            [
                "monitor_forecast_found_totals",
                actuals,
                CHAMPION,
                covariate_table,
                "params:forecast.totals",
            ],
            TOTALS,
        ),
        node(check_coverage, [log, actuals, repaired, CHAMPION], COVERAGE),
        # A champion has learnt the values without breaks.
        node(mend_series, [actuals, repaired, "params:forecast.breaks"], [series, PROFILE]),
        node(monitoring.measure_drift, [series, PROFILE, CHAMPION, reference, sample, SPEC], DRIFT),
        node(monitoring.measure_covariate_drift, covariates, COVARIATE_DRIFT),
    ]
    return Pipeline(nodes)


def create_verdict_pipeline() -> Pipeline:
    """Conclude a verdict, draw and report."""
    verdict = "monitor_forecast_verdict"
    figures = {figure: f"monitor_forecast_{figure}_figure" for figure in FIGURES}
    reported = {"verdict": verdict, "profile": PROFILE, "monitoring": SPEC, **figures}
    nodes = [
        node(
            monitoring.monitor_forecasts,
            [EVALUATED, COVERAGE, CHAMPION, DRIFT, COVARIATE_DRIFT, SPEC, TOTALS],
            verdict,
        ),
        node(
            guard(draw_monitoring_figures, draw_notes(FIGURES), "draw_figures"),
            [EVALUATED, verdict, SPEC],
            figures,
        ),
        node(render_or_note(report_forecast_monitoring), reported, "monitor_forecast_report"),
        node(summarize_or_note(report_forecast_monitoring), reported, "monitor_forecast_summary"),
    ]
    return Pipeline(nodes)
