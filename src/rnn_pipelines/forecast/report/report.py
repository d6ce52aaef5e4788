"""The report of `forecast`: verdict, tables and figures on one page."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from plotly.graph_objects import Figure

from rnn_pipelines.forecast.evaluation.interval_metrics import MetricsByLevel
from rnn_pipelines.forecast.evaluation.metrics import METRICS, UNITS
from rnn_pipelines.forecast.evaluation.summary import NOISE_FLOOR, ForecastMetrics
from rnn_pipelines.forecast.methods.baselines import BASELINE_ENSEMBLE
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.report import covariates, explanation, intervals
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.forecast.series.source import describe_found
from rnn_pipelines.forecast.series.tables import Profile
from rnn_pipelines.report.numbers import NO_NUMBER, begin_sentence, format_number, format_skill
from rnn_pipelines.report.page import Section, Table, make_table, mark_best, render_page
from rnn_pipelines.report.texts import read_texts
from rnn_pipelines.report.trainings import tabulate_parameters

# In reading order: metrics in the unit of the data, in its square, without a unit.
COLUMNS = sorted(METRICS, key=lambda name: UNITS.index(METRICS[name].unit))
# Largest relative difference of a tie if there is no interval; the seed alone can cause smaller ones.
TIE_FRACTION = 0.01

# Reasons for a difference of the RMSE in the other direction than that of the deciding metric.
OTHER_DIRECTION = {
    "mse": "the MSE gives large errors more weight",
    "mase": "the MASE gives each series the same weight",
}
NOTES = read_texts("rnn_pipelines.forecast.report")["report"]


def describe_baselines() -> str:
    """Describe all baselines in one sentence."""
    listed = ", ".join(f"{baseline.style.name} {baseline.does}" for baseline in METHODS.values() if baseline.does)
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
    notes = [NOTES["how_to_read"].format(reference=STYLES[metrics.reference].name), describe_baselines()]
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


def write_verdict(metrics: ForecastMetrics) -> str:
    """Return whether the best network and the ensemble beat, tie or lose to the best baseline, and by how much.

    "beats" and "loses to" are significant differences, "is ahead of" and "is behind" are others.
    """
    if ENSEMBLE not in metrics.forecasters:
        return judge_network(metrics)
    heading, baseline = METRICS[metrics.deciding].heading, metrics.find_best_baseline()
    ours, theirs = (metrics.get(name, metrics.deciding) for name in (ENSEMBLE, baseline))
    return (
        f"{judge_network(metrics)} The ensemble, which goes into use, {_compare(metrics, ENSEMBLE, baseline)} that "
        f"baseline: its {heading} is {_relate(ours, theirs)} "
        f"({_format_interval(metrics, ENSEMBLE, baseline)}{_format_roots(metrics, ENSEMBLE, baseline)})."
    )


def judge_network(metrics: ForecastMetrics) -> str:
    """Return the first sentence of the verdict: the best network against the best baseline."""
    if not metrics.forecasters:
        return NOTES["not_evaluated"]
    values = {name: metrics.get(name, metrics.deciding) for name in metrics.forecasters}
    baseline = metrics.find_best_baseline()
    network = min((name for name in values if name not in METHODS and name != ENSEMBLE), key=lambda name: values[name])
    return (
        f"The best network, {STYLES[network].name}, {_compare(metrics, network, baseline)} the best baseline, "
        f"{STYLES[baseline].name}: its {METRICS[metrics.deciding].heading} is "
        f"{_relate(values[network], values[baseline])}"
        f" ({_format_interval(metrics, network, baseline)}{_format_roots(metrics, network, baseline)})"
        f"{_relate_to_floor(values[network], metrics.noise_floor_mse)}.{_format_nothing_learnt(values)}"
    )


def _format_nothing_learnt(values: Mapping[str, float]) -> str:
    networks = [name for name in values if name not in METHODS and name != ENSEMBLE]
    if BASELINE_ENSEMBLE not in values or any(values[name] != values[BASELINE_ENSEMBLE] for name in networks):
        return ""
    names = " and ".join(STYLES[name].name for name in networks)
    start = STYLES[BASELINE_ENSEMBLE].name
    return f" No correction helps on held-out windows: the forecasts of {names} are those of the {start}."


def _compare(metrics: ForecastMetrics, name: str, baseline: str) -> str:
    ours, theirs = metrics.get(name, metrics.deciding), metrics.get(baseline, metrics.deciding)
    if _is_significant(metrics.forecasters[name]):
        return "beats" if ours < theirs else "loses to"
    # An interval that holds 0 is no proof of equality: a small test part leaves large differences open.
    if abs(ours - theirs) <= TIE_FRACTION * theirs:
        return "is level with"
    return "is ahead of" if ours < theirs else "is behind"


def _is_significant(numbers: Mapping[str, float | None]) -> bool:
    low, high = numbers.get("difference_low"), numbers.get("difference_high")
    return low is not None and high is not None and not low <= 0 <= high


def _format_interval(metrics: ForecastMetrics, name: str, baseline: str) -> str:
    numbers = metrics.forecasters[name]
    low, high = numbers.get("difference_low"), numbers.get("difference_high")
    if low is None or high is None:
        return ""
    is_open = _compare(metrics, name, baseline) in ("is ahead of", "is behind")
    interval = f"95 % interval {100 * low:+.1f} % to {100 * high:+.1f} %; ".replace("-", "−")
    return f"not significant, {interval}" if is_open else interval


def _format_roots(metrics: ForecastMetrics, network: str, baseline: str) -> str:
    rmse = {name: metrics.get(name, "rmse") for name in (network, baseline)}
    roots = f"RMSE {format_number(rmse[network])} against {format_number(rmse[baseline])}"
    is_lower = metrics.get(network, metrics.deciding) < metrics.get(baseline, metrics.deciding)
    if _compare(metrics, network, baseline) != "is level with" and is_lower != (rmse[network] < rmse[baseline]):
        roots += f", in the other direction, because {OTHER_DIRECTION[metrics.deciding]}"
    return roots


def _relate(ours: float, theirs: float) -> str:
    if ours == theirs:
        return "the same"
    if theirs == 0:
        return f"{format_number(ours)}, and that of the baseline is 0"
    ratio = ours / theirs
    if ratio >= 1000:
        return "more than 1,000 times as high"
    if ratio >= 2:
        return f"{format_number(ratio, 2)} times as high"
    return f"{100 * abs(ratio - 1):.1f} % {'lower' if ratio < 1 else 'higher'}"


def _relate_to_floor(ours: float, floor: float | None) -> str:
    if floor is None:
        return ""
    if floor == 0:
        return "; the series has no noise, so its noise floor is 0"
    distance = ours / floor - 1
    if distance < 0:
        return f" and lies {100 * -distance:.1f} % below the noise floor, by chance"
    return f" and lies {100 * distance:.1f} % above the noise floor"


def tabulate_metrics(metrics: ForecastMetrics) -> Table:
    """Return the metrics of all forecasters, from the best to the worst, and of the noise floor if there is one.

    The table includes the differences from the best baseline. The best value of each column is marked.
    """
    measured, floor = {name: metrics.forecasters[name] for name in metrics.rank()}, metrics.noise_floor_mse
    baseline = metrics.find_best_baseline()
    columns = [*COLUMNS, *(["relative_mae"] if metrics.deciding == "mase" else [])]
    rows = [
        [
            STYLES[name].name,
            *(format_number(numbers.get(column)) for column in columns),
            NO_NUMBER if name == baseline else format_difference(numbers),
            NO_NUMBER if name == metrics.reference else format_skill(numbers.get("skill")),
            *(_format_seconds(numbers.get(key)) for key in ("fit_seconds", "prediction_seconds")),
        ]
        for name, numbers in measured.items()
    ]
    if floor is not None:
        # Only single synthetic series have a noise floor, so that its root is the RMSE.
        floors = {"mse": floor, "rmse": math.sqrt(floor)}
        rows.append(
            [STYLES[NOISE_FLOOR].name, *(format_number(floors.get(column)) for column in COLUMNS), *[NO_NUMBER] * 4]
        )
    headings = [METRICS[column].heading if column in METRICS else "relative MAE" for column in columns]
    difference = f"{METRICS[metrics.deciding].heading} against {STYLES[baseline].name}, %"
    errors = {place: [row.get(key) for row in measured.values()] for place, key in enumerate(columns, start=1)}
    costs = ["fit, s", "predict, s"]
    return Table(header=["forecaster", *headings, difference, "skill", *costs], rows=rows, best=mark_best(rows, errors))


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
        "units": lambda item: str(item[1]["hyperparameters"]["units"]),
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
