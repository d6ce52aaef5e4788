"""The graph of `predict_forecast`: newest series and champion → forecasts, appended to earlier ones."""

from kedro.pipeline import Pipeline

from rnn_pipelines.forecast.evaluation.log_stamp import stamp_log
from rnn_pipelines.forecast.model.nights import pack_night
from rnn_pipelines.forecast.operations.fixed_parameters import warn_of_other_parameters
from rnn_pipelines.forecast.partitions.champion import (
    choose_next_values,
    draw_sample_as_trained,
    forecast_all_newest,
    forecast_newest,
    read_as_trained,
    record_suspects,
)
from rnn_pipelines.forecast.report.change import explain_newest, note_failure, report_change
from rnn_pipelines.forecast.report.newest import summarize_forecasts
from rnn_pipelines.forecast.report.next_values import round_totals
from rnn_pipelines.pipelines.wiring import PANEL, node
from rnn_pipelines.report.failures import guard
from rnn_pipelines.report.notes import render_or_note, write_note


def keep_no_night(_reason: str) -> dict[str, bytes]:
    """Return no files for a night that cannot be packed."""
    return {}


def create_pipeline() -> Pipeline:
    """Read and forecast, without training. A panel that is too large for memory is forecast in parts."""
    champion, spec = "champion_forecast", "params:predict_forecast"
    sample, table = "predict_forecast_sample", "predict_forecast_table"
    covariate_table = "predict_forecast_covariate_table"
    log, all_series = "predict_forecast_forecasts", "predict_forecast_all_series"
    made, newest = "predict_forecast_made", "predict_forecast_newest"
    explanation, suspects = "predict_forecast_explanation", "predict_forecast_suspects"
    night, nights = "predict_forecast_night", "predict_forecast_nights"
    forecast_from = [
        champion,
        table,
        "params:forecast.source",
        "params:forecast.paths",
        covariate_table,
    ]
    forecast_from += [
        "predict_forecast_found_forecasts",
        "params:forecast.gaps",
        "params:forecast.totals",
        "predict_forecast_all_totals",
        "params:forecast.reconcile",
    ]
    totals = "predict_forecast_next_totals"
    forecast = [log, "predict_forecast_next_paths", totals, "predict_forecast_totals", made, night]
    all_from = [champion, sample, spec, "params:parallel", "predict_forecast_folder"]
    all_from += ["params:forecast.totals", "params:forecast.paths", "params:forecast.reconcile"]
    all_forecast = "predict_forecast_all_next_values"
    summarized = [newest, made, log, all_series, explanation, suspects, totals]
    nodes = [
        node(
            warn_of_other_parameters, [champion, "params:forecast"], "predict_forecast_not_acting"
        ),
        node(draw_sample_as_trained, [champion, *PANEL], sample),
        node(
            read_as_trained,
            [champion, sample, spec, "params:forecast.covariates"],
            [table, covariate_table],
        ),
        node(forecast_newest, forecast_from, forecast),
        node(round_totals, totals, "predict_forecast_next_totals_csv"),
        node(stamp_log, [log, "predict_forecast_champion_folder"], "predict_forecast_stamp"),
        node(choose_next_values, [made, log, spec], newest),
        # Without files, nothing is saved.
        node(guard(pack_night, keep_no_night), night, nights),
        node(
            forecast_all_newest,
            all_from,
            [all_forecast, all_series, "predict_forecast_all_totals"],
        ),
        node(record_suspects, [night, log, all_series], suspects),
        node(guard(explain_newest, note_failure), [nights, log, all_series, made], explanation),
        node(
            render_or_note(report_change, "render_change"),
            [explanation, suspects, newest, night, "params:forecast.source", totals],
            "predict_forecast_report",
        ),
        node(guard(summarize_forecasts, write_note), summarized, "predict_forecast_summary"),
    ]
    return Pipeline(nodes)
