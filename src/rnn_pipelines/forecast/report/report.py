"""The report of `forecast` on one page: next values, comparison of the methods, errors, advice and settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from plotly.graph_objects import Figure

from rnn_pipelines.forecast.evaluation.covariates import describe_covariates
from rnn_pipelines.forecast.evaluation.interval_metrics import MetricsByLevel
from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.fitting import Evaluated, Fitted
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.methods.pretrained import PRETRAINED
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.model.explanation import explain_ensemble
from rnn_pipelines.forecast.recipe import Recipe
from rnn_pipelines.forecast.report import (
    diagnostics,
    intervals,
    settings,
    summary,
    verdict,
)
from rnn_pipelines.forecast.report.advice import Program, advise, advise_on_results
from rnn_pipelines.forecast.report.all_series import report_all_series
from rnn_pipelines.forecast.report.answer import list_answer
from rnn_pipelines.forecast.report.figures import draw_figures, has_one_step
from rnn_pipelines.forecast.report.next_values import tabulate_next_values
from rnn_pipelines.forecast.report.run_before import report_run_before
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.forecast.report.totals import describe_totals, tabulate_levels
from rnn_pipelines.forecast.series.tables import Cutoffs, Features, Profile
from rnn_pipelines.forecast.totals.adding import Totals, TotalsTable
from rnn_pipelines.forecast.totals.levels import MetricsByTotal, MetricsByTotalTable
from rnn_pipelines.report.numbers import begin_sentence
from rnn_pipelines.report.page import Section
from rnn_pipelines.report.report import Report
from rnn_pipelines.report.texts import fill_template, list_sections
from rnn_pipelines.report.trainings import tabulate_parameters
from rnn_pipelines.runs.comparison import EarlierRun


@dataclass(frozen=True)
class ForecastResults:
    """The results of a run that its report shows.

    Attributes:
        test, next_values: forecasts of the test part, and of the steps after the last value.
        ensemble: its weights and losses, see `fit_ensemble`.
        all_series: of a divided panel, see `summarize_series`; empty for other panels.
        features: of the series; None if the table of parameters is to leave the calendar out.
        run_before: on the same data source; None if there is none.
        totals: of the next values; no rows for none. `by_total` are their errors on the test part.
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
    totals: Totals = field(default_factory=TotalsTable.make_empty)
    by_total: MetricsByTotal = field(default_factory=MetricsByTotalTable.make_empty)


def report_forecast(
    results: ForecastResults,
    parameters: Mapping[str, Any],
    figures: Mapping[str, Figure],
    program: Program = "kedro",
) -> Report:
    """Return the report on the results of a run; its advice is on the options of the program that ran."""
    metrics = results.metrics
    profile = results.profile
    has_test = bool(results.metrics.forecasters)
    chosen = settings.list_chosen(
        profile, results.records, results.features.calendar if results.features else None
    )
    untrained = verdict.describe_untrained(metrics)
    has_networks = not untrained and any(record["num_steps"] for record in results.records.values())
    baselines = [
        method for name, method in METHODS.items() if name in metrics.forecasters and method.does
    ]
    return fill_template(
        __package__,
        "report",
        source=Path(profile["source"]).name,
        figures=figures,
        is_panel=profile["num_series"] > 1,
        has_season=profile["season_length"] > 1,
        answer=[
            *list_answer(metrics, results.next_values, profile),
            *advise_on_results(metrics, results.next_values.levels, program, most=1),
        ],
        next_values=tabulate_next_values(results.next_values),
        totals=describe_totals(results.totals),
        by_total=tabulate_levels(results.by_total),
        verdict=verdict.write_verdict(metrics),
        leaderboard=summary.tabulate_metrics(metrics) if has_test else None,
        reference=STYLES[metrics.reference].name,
        baselines=begin_sentence(
            f"{', '.join(f'{method.style.name} {method.does}' for method in baselines)}."
        ),
        noise_floor=metrics.noise_floor_mse,
        all_series=report_all_series(results.all_series),
        errors=_report_errors(results, figures) if has_test else [],
        advice=advise(metrics, results.next_values.levels, program),
        run_before=report_run_before(metrics, results.run_before),
        untrained=untrained,
        networks=settings.tabulate_networks(results.records) if has_networks else None,
        weights=settings.tabulate_weights(results.ensemble),
        covariates=settings.tabulate_covariates(results.covariates),
        has_covariates=len(results.covariates) > 0,
        parts=settings.tabulate_parts(profile, results.cutoffs),
        profile=settings.tabulate_profile(profile),
        parameters=tabulate_parameters("forecast", parameters, chosen),
    )


def _report_errors(results: ForecastResults, figures: Mapping[str, Figure]) -> list[Section]:
    """Return the sections on the test part: forecasts, intervals and errors."""
    metrics = results.metrics
    by_level = results.by_level
    used = diagnostics.choose_forecaster(results.test)
    compared = [used, PRETRAINED, metrics.find_best_baseline()]
    return list_sections(
        __package__,
        "errors",
        figures=figures,
        is_panel=results.profile["num_series"] > 1,
        has_steps=not has_one_step(results.test),
        coverage=""
        if by_level.empty
        else intervals.describe_coverage(metrics, by_level["level"].unique()),
        intervals=None if by_level.empty else intervals.tabulate_intervals(metrics, by_level),
        empty_levels=intervals.list_empty_levels(by_level),
        used=STYLES[metrics.use].name,
        bias=metrics.forecasters.get(metrics.use, {}).get("bias"),
        worst_windows=diagnostics.tabulate_worst_windows(results.test, metrics.get(used, "mae")),
        seasons_ahead=diagnostics.tabulate_seasons_ahead(results.test, results.profile, compared),
        fifths=diagnostics.tabulate_fifths(results.test),
    )


def render_fitted(
    fitted: Fitted, evaluated: Evaluated, program: Program, totals: Totals | None = None
) -> str:
    """Return the report as one HTML page that needs no network; without totals, it has no section on them."""
    totals = TotalsTable.make_empty() if totals is None else totals
    panel = fitted.panel
    data = fitted.data
    spec = fitted.spec
    inputs = panel.windows, panel.features, panel.scaler
    explanation = explain_ensemble(*inputs, data.linear, fitted.methods, fitted.weights)
    histories = {name: network.history for name, network in fitted.networks.items()}
    measured = evaluated.test, panel.series, evaluated.future, evaluated.by_step, evaluated.by_level
    figures = draw_figures(*measured, explanation, panel.profile, totals, **histories)
    results = ForecastResults(
        metrics=evaluated.metrics,
        profile=panel.profile,
        cutoffs=panel.cutoffs,
        test=evaluated.test,
        next_values=evaluated.future,
        by_level=evaluated.by_level,
        covariates=describe_covariates(panel.windows, data.linear, panel.coding, panel.scaler),
        records={name: network.record for name, network in fitted.networks.items()},
        ensemble=fitted.weights,
        features=panel.features,
        totals=totals,
    )
    parameters = {
        **{name: getattr(spec, name) for name in Recipe.model_fields},
        **spec.networks,
        "training": spec.training,
        "level": spec.level,
        "use": spec.use,
    }
    figures.update(diagnostics.draw_diagnostics(evaluated.test, panel.profile))
    return report_forecast(results, parameters, figures, program).render()
