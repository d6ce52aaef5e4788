"""The report of `forecast`: verdict, tables and figures on one page."""

import math
from collections.abc import Callable, Container, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from plotly.graph_objects import Figure

from rnn_pipelines.forecast.evaluation.interval_metrics import MetricsByLevel
from rnn_pipelines.forecast.evaluation.metrics import METRICS, TOTALS, UNITS
from rnn_pipelines.forecast.evaluation.summary import NOISE_FLOOR, ForecastMetrics
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.report import covariates, explanation, intervals
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.forecast.report.totals import format_totals, list_errors
from rnn_pipelines.forecast.report.verdict import write_verdict
from rnn_pipelines.forecast.series.source import describe_found
from rnn_pipelines.forecast.series.tables import Profile
from rnn_pipelines.networks.specs import format_units
from rnn_pipelines.report.numbers import NO_NUMBER, begin_sentence, format_number, format_skill
from rnn_pipelines.report.page import Section, Table, make_table, mark_best, render_page
from rnn_pipelines.report.texts import read_texts
from rnn_pipelines.report.trainings import tabulate_parameters

# In reading order: metrics in the unit of the data, in its square, without a unit.
COLUMNS = sorted(METRICS, key=lambda name: UNITS.index(METRICS[name].unit))
HEADINGS = {name: metric.heading for name, metric in METRICS.items()} | TOTALS | {"relative_mae": "relative MAE"}
NOTES = read_texts("rnn_pipelines.forecast.report")["report"]


def describe_baselines(names: Container[str]) -> str:
    """Describe the simple methods among some forecasters in one sentence."""
    baselines = [METHODS[name] for name in METHODS if name in names]
    listed = ", ".join(f"{baseline.style.name} {baseline.does}" for baseline in baselines if baseline.does)
    return begin_sentence(f"{listed}.")


def render_report(
    metrics: ForecastMetrics,
    profile: Profile,
    parameters: Mapping[str, Any],
    records: Mapping[str, Mapping[str, Any]],
    ensemble: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    **figures: Figure,
) -> str:
    """Return the results of a run as one HTML page that needs no network.

    Args:
        metrics: of all forecasters.
        profile: of the series.
        parameters: the run's blocks of parameters: models or plain values.
        records: the training record of each network.
        ensemble: its weights and losses, see `fit_ensemble`.
        tables: `by_level`, metrics of the intervals, and `covariates`, their roles and effects.
        figures: by name, see `draw_figures`.
    """
    is_panel = profile["num_series"] > 1
    sections = [
        *_report_accuracy(metrics, is_panel, len(tables["covariates"]) > 0, figures),
        Section("Next values", [figures["next_values"]]),
        Section("Contributions to the forecasts", [figures["explanation"], explanation.NOTES["how_to_read"]]),
        *_report_errors(metrics, is_panel, tables["by_level"], figures),
        Section("Loss curves", [figures["losses"]]),
        Section("Networks", [tabulate_networks(records), tabulate_weights(ensemble), NOTES["networks"]]),
        *covariates.report_covariates(tables["covariates"], profile["num_series"]),
        Section("Data", [tabulate_profile(profile)]),
        Section("Parameters", [tabulate_parameters("forecast", parameters)]),
        Section("Glossary", [NOTES["glossary"]]),
    ]
    return render_page(f"Forecasts of {Path(profile['source']).name}", write_verdict(metrics), sections)


def _report_accuracy(
    metrics: ForecastMetrics, is_panel: bool, has_covariates: bool, figures: Mapping[str, Figure]
) -> list[Section]:
    """Return the sections on the forecasts of the test part; none without a test part."""
    if not metrics.forecasters:
        return []
    reference = STYLES[metrics.reference].name
    notes = [NOTES["how_to_read"].format(reference=reference), describe_baselines(metrics.forecasters)]
    notes += [NOTES["ensemble"], *([NOTES["panel"]] if is_panel else [])]
    notes += [covariates.NOTES["read_by_all"]] if has_covariates else []
    notes += [NOTES["noise_floor"]] if metrics.noise_floor_mse is not None else []
    return [
        Section("Accuracy", [tabulate_metrics(metrics), *notes]),
        Section("Forecasts", [figures["forecasts"], figures["newest_window"]]),
    ]


def _report_errors(
    metrics: ForecastMetrics, is_panel: bool, by_level: MetricsByLevel, figures: Mapping[str, Figure]
) -> list[Section]:
    """Return the sections on the errors of the test part; none without a test part."""
    if not metrics.forecasters:
        return []
    return [
        *_report_intervals(metrics, by_level, figures["coverage"]),
        Section("Error by step", [figures["error_by_step"], *([NOTES["panel_steps"]] if is_panel else [])]),
        Section("Residuals", [figures["residuals"]]),
    ]


def _report_intervals(metrics: ForecastMetrics, by_level: MetricsByLevel, figure: Figure) -> list[Section]:
    if by_level.empty:
        return []
    notes = [intervals.NOTES["how_to_read"], *intervals.format_empty_levels(by_level)]
    held = intervals.describe_coverage(metrics, by_level["level"].unique())
    return [
        Section(
            "Intervals", [*([held] if held else []), intervals.tabulate_intervals(metrics, by_level), *notes, figure]
        )
    ]


def tabulate_metrics(metrics: ForecastMetrics) -> Table:
    """Return the metrics of all forecasters, from the best to the worst, and of the noise floor if there is one.

    The metric of the ranking, with the differences from the best baseline, comes first, then the measures of sums. The
    best value of each column is marked.
    """
    deciding, baseline, floor = metrics.deciding, metrics.find_best_baseline(), metrics.noise_floor_mse
    others = [*(name for name in COLUMNS if name != deciding), *(["relative_mae"] if metrics.is_panel else [])]
    measured = {name: metrics.forecasters[name] for name in metrics.rank()}
    rows = [
        [
            STYLES[name].name,
            NO_NUMBER if name == baseline else format_difference(numbers),
            format_number(numbers.get(deciding)),
            *format_totals(numbers),
            *(format_number(numbers.get(column)) for column in others),
            NO_NUMBER if name == metrics.reference else format_skill(numbers.get("skill")),
            *(_format_seconds(numbers.get(key)) for key in ("fit_seconds", "prediction_seconds")),
        ]
        for name, numbers in measured.items()
    ]
    columns = [deciding, *TOTALS, *others]
    if floor is not None:
        # Only single synthetic series have a noise floor, so that its root is the RMSE.
        floors = {"mse": floor, "rmse": math.sqrt(floor)}
        cells = [format_number(floors.get(column)) for column in columns]
        rows.append([STYLES[NOISE_FLOOR].name, NO_NUMBER, *cells, *[NO_NUMBER] * 3])
    headings = [HEADINGS[column] for column in columns]
    difference = f"{headings[0]} against {STYLES[baseline].name}, %"
    errors = list_errors(measured.values(), [None, *columns])
    header = ["forecaster", difference, *headings, "skill", "fit, s", "predict, s"]
    return Table(header, rows, best=mark_best(rows, errors))


def _format_seconds(seconds: float | None) -> str:
    return "< 0.01" if seconds is not None and 0 < seconds < 0.01 else format_number(seconds, 2)


def format_difference(numbers: Mapping[str, float | None]) -> str:
    """Return the difference in percent with its interval: −3.1 (−5.2 to −1.0)."""
    difference, low, high = (numbers.get(f"difference{end}") for end in ("", "_low", "_high"))
    if difference is None:
        return NO_NUMBER
    interval = "" if low is None or high is None else f" ({100 * low:+,.1f} to {100 * high:+,.1f})"
    return f"{100 * difference:+,.1f}{interval}".replace("-", "−")


def tabulate_networks(records: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return architecture, training and shrinkage of each network."""
    columns: dict[str, Callable[[tuple[str, Mapping[str, Any]]], str]] = {
        "network": lambda item: STYLES[item[0]].name,
        "members": lambda item: str(item[1]["hyperparameters"]["num_members"]),
        "units": lambda item: format_units(item[1]["hyperparameters"]["units"]),
        "steps per input": lambda item: str(item[1]["hyperparameters"]["segment"]),
        "parameters": lambda item: f"{item[1]['num_parameters']:,}",
        "steps": lambda item: f"{item[1]['num_steps']:,}",
        "best step": lambda item: f"{item[1]['best_step']:,}",
        "shrinkage": lambda item: f"{item[1]['shrinkage']:.2f}",
        "training, s": lambda item: f"{item[1]['training_seconds']:,.1f}",
    }
    return make_table(records.items(), columns)


def tabulate_weights(ensemble: Mapping[str, Any]) -> Table:
    """Return the weight of each method in the ensemble, with its error on held-out windows."""
    weights, losses = ensemble["weights"], ensemble["losses"]
    rows = [
        [STYLES[name].name, format_number(weights.get(name)) if name in weights else NO_NUMBER, format_number(loss)]
        for name, loss in losses.items()
    ]
    return Table(header=["part", "weight", "error on held-out windows, normalised"], rows=rows)


def tabulate_profile(profile: Profile) -> Table:
    """Return the facts of the data, and all repairs."""
    freq, season_length = profile["freq"], profile["season_length"]
    facts = [
        ["source", profile["source"]],
        ["target", profile["target"]],
        ["frequency", f"every {freq} steps" if isinstance(freq, int) and freq > 1 else str(freq)],
        ["season length of the frequency", f"{season_length} steps" if season_length > 1 else "none"],
        ["window", f"{profile['lookback']} steps back, {profile['horizon']} ahead"],
        ["span", f"{profile['first']} to {profile['last']}"],
        ["series", f"{profile['num_series']:,}"],
        ["steps", f"{profile['num_steps']:,}"],
    ]
    found = [["found in the file", describe_found(profile["found"])]] if profile["found"] else []
    zone = [["time zone", profile["tz"]]] if profile["tz"] else []
    repairs = [["repair", repair] for repair in profile["repairs"] or ["none needed"]]
    return Table(header=["fact", "value"], rows=facts + zone + found + repairs, num_text_columns=2)
