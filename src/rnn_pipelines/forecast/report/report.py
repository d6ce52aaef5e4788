"""The report of `forecast` on one page: next values, comparison of the methods, errors, advice and settings."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from plotly.graph_objects import Figure

from rnn_pipelines.forecast.evaluation.interval_metrics import MetricsByLevel
from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.report import covariates, explanation, intervals
from rnn_pipelines.forecast.report.advice import advise, describe_expected_error
from rnn_pipelines.forecast.report.all_series import report_all_series
from rnn_pipelines.forecast.report.diagnostics import (
    choose_forecaster,
    find_worst_windows,
    measure_fifths,
    tabulate_fifths,
    tabulate_worst_windows,
)
from rnn_pipelines.forecast.report.figures import has_one_step
from rnn_pipelines.forecast.report.leaderboard import tabulate_metrics
from rnn_pipelines.forecast.report.next_values import describe_first_value, tabulate_next_values
from rnn_pipelines.forecast.report.run_before import report_run_before
from rnn_pipelines.forecast.report.settings import (
    list_chosen,
    tabulate_networks,
    tabulate_parts,
    tabulate_profile,
    tabulate_weights,
)
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.forecast.report.totals import format_bias
from rnn_pipelines.forecast.report.verdict import describe_untrained, write_verdict
from rnn_pipelines.forecast.series.tables import Cutoffs, Features, Profile
from rnn_pipelines.report.numbers import begin_sentence
from rnn_pipelines.report.page import Part, Section, render_page
from rnn_pipelines.report.texts import read_texts
from rnn_pipelines.report.trainings import tabulate_parameters
from rnn_pipelines.runs.comparison import EarlierRun

NOTES = read_texts("rnn_pipelines.forecast.report")["report"]


@dataclass(frozen=True)
class Results:
    """The results of a run that its report shows.

    Attributes:
        metrics: of all forecasters.
        profile: of the series.
        cutoffs: the ends of the parts.
        test, next_values: forecasts of the test part, and of the steps after the last value.
        by_level: metrics of the intervals.
        covariates: their roles and effects.
        records: the training record of each network.
        ensemble: its weights and losses, see `fit_ensemble`.
        all_series: of a divided panel, see `summarize_series`; empty for other panels.
        features: of the series; None if the table of parameters is to leave the calendar out.
        run_before: on the same data source; None if there is none.
    """

    metrics: ForecastMetrics
    profile: Profile
    cutoffs: Cutoffs
    test: Predictions
    next_values: Predictions
    by_level: MetricsByLevel
    covariates: pd.DataFrame
    records: Mapping[str, Mapping[str, Any]]
    ensemble: Mapping[str, Any]
    all_series: Mapping[str, Any] = field(default_factory=dict)
    features: Features | None = None
    run_before: EarlierRun | None = None


def describe_baselines(names: Container[str]) -> str:
    """Describe the simple methods among some forecasters in one sentence."""
    baselines = [METHODS[name] for name in METHODS if name in names]
    listed = ", ".join(f"{baseline.style.name} {baseline.does}" for baseline in baselines if baseline.does)
    return begin_sentence(f"{listed}.")


def render_report(results: Results, parameters: Mapping[str, Any], figures: Mapping[str, Figure]) -> str:
    """Return the results of a run as one HTML page that needs no network.

    Args:
        results: of the run.
        parameters: the run's blocks of parameters: models or plain values.
        figures: by name, see `draw_figures` and `draw_diagnostics`.
    """
    metrics, profile = results.metrics, results.profile
    has_test = bool(metrics.forecasters)
    chosen = list_chosen(profile, results.records, results.features.calendar if results.features else None)
    lead = [describe_first_value(results.next_values), describe_expected_error(metrics)]
    sections = [
        Section("Next values", [figures["next_values"], *tabulate_next_values(results.next_values)]),
        Section("Comparison of the methods", _compare_methods(results)),
        *report_all_series(results.all_series),
        *(_report_errors(results, figures) if has_test else []),
        Section("Contributions to the forecasts", [figures["explanation"], _explain_contributions(profile)]),
        Section("What to do next", advise(metrics, results.next_values.levels)),
        *report_run_before(metrics, results.run_before),
        Section(
            "Networks",
            _report_networks(results, figures["losses"]),
        ),
        *covariates.report_covariates(results.covariates, profile["num_series"]),
        Section("Data", [tabulate_parts(profile, results.cutoffs), tabulate_profile(profile)]),
        Section("Parameters", [tabulate_parameters("forecast", parameters, chosen)]),
        Section("Glossary", _explain_terms(results)),
    ]
    return render_page(f"Forecasts of {Path(profile['source']).name}", " ".join(filter(None, lead)), sections)


def _compare_methods(results: Results) -> list[Part]:
    """Return verdict, leaderboard and its first column's note; only the verdict without a test part."""
    verdict = write_verdict(results.metrics)
    if not results.metrics.forecasters:
        return [verdict]
    return [verdict, tabulate_metrics(results.metrics), NOTES["difference"]]


def _report_networks(results: Results, losses: Figure) -> list[Part]:
    """Return the trainings and the weights; only the weights if no network was trained."""
    weights = tabulate_weights(results.ensemble)
    if untrained := describe_untrained(results.metrics):
        return [untrained, weights]
    if not any(record["num_steps"] for record in results.records.values()):
        return [NOTES["alone"], weights]
    return [tabulate_networks(results.records), weights, NOTES["networks"], losses]


def _report_errors(results: Results, figures: Mapping[str, Figure]) -> list[Section]:
    """Return the sections on the test part: forecasts, intervals and errors."""
    metrics, is_panel = results.metrics, results.profile["num_series"] > 1
    drawn = [figures[name] for name in ("error_by_season", "autocorrelation") if figures[name].data]
    by_step = {name: [] if has_one_step(results.test) else [figures[name]] for name in ("newest_window", "coverage")}
    fifths = measure_fifths(results.test)
    average = metrics.get(choose_forecaster(results.test), "mae")
    errors: list[Part] = [
        *_describe_bias(metrics),
        tabulate_worst_windows(find_worst_windows(results.test), average),
        figures["error_by_step"],
        *([NOTES["panel_steps"]] if is_panel else []),
        *([] if fifths.empty else [tabulate_fifths(fifths), NOTES["fifths"]]),
        *drawn,
        *([NOTES["autocorrelation"]] if figures["autocorrelation"].data else []),
        figures["residuals"],
    ]
    return [
        Section("Forecasts of the test part", [figures["forecasts"], *by_step["newest_window"]]),
        *_report_intervals(metrics, results.by_level, by_step["coverage"]),
        Section("Errors", errors),
    ]


def _describe_bias(metrics: ForecastMetrics) -> list[str]:
    bias = metrics.forecasters.get(metrics.use, {}).get("bias")
    if bias is None:
        return []
    return [
        NOTES["bias"].format(
            name=STYLES[metrics.use].name, bias=format_bias(bias), direction="low" if bias < 0 else "high"
        )
    ]


def _explain_contributions(profile: Profile) -> str:
    season = explanation.NOTES["mid_season"] if profile["season_length"] > 1 else ""
    return explanation.NOTES["how_to_read"].format(season=season)


def _report_intervals(metrics: ForecastMetrics, by_level: MetricsByLevel, drawn: list[Figure]) -> list[Section]:
    if by_level.empty:
        return []
    brackets = intervals.NOTES["brackets"] if drawn else ""
    notes = [intervals.NOTES["how_to_read"].format(brackets=brackets), *intervals.format_empty_levels(by_level)]
    held = intervals.describe_coverage(metrics, by_level["level"].unique())
    table = intervals.tabulate_intervals(metrics, by_level)
    return [Section("Intervals", [*([held] if held else []), table, *drawn, *notes])]


def _explain_terms(results: Results) -> list[str]:
    """Return the notes on the tables above, of those that are shown."""
    metrics = results.metrics
    if not metrics.forecasters:
        return [NOTES["glossary"]]
    reference = STYLES[metrics.reference].name
    notes = [NOTES["how_to_read"].format(reference=reference)]
    notes += [describe_baselines(metrics.forecasters), NOTES["ensemble"]]
    notes += [NOTES["panel"].format(reference=reference)] if results.profile["num_series"] > 1 else []
    notes += [covariates.NOTES["read_by_all"]] if len(results.covariates) else []
    notes += [NOTES["noise_floor"]] if metrics.noise_floor_mse is not None else []
    return [*notes, NOTES["glossary"]]
