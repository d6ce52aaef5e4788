"""The report of `forecast`: verdict, tables and figures on one page."""

import math
from collections.abc import Iterator, Mapping, Sequence
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
from rnn_pipelines.forecast.report import explanation, intervals
from rnn_pipelines.forecast.report.covariates import READ_BY_ALL, report_covariates
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.forecast.series.source import describe_found
from rnn_pipelines.forecast.series.tables import Profile
from rnn_pipelines.report.numbers import NO_NUMBER, format_number, format_skill
from rnn_pipelines.report.page import Section, Table, render_page
from rnn_pipelines.report.trainings import tabulate_parameters

# In reading order: metrics in the unit of the data, in its square, without a unit.
COLUMNS = sorted(METRICS, key=lambda name: UNITS.index(METRICS[name].unit))
# Largest relative difference of a tie if there is no interval; the seed alone can cause smaller ones.
TIE_FRACTION = 0.01

HOW_TO_READ = (
    "Every number is a mean over all steps ahead and test windows of a series, then over series. RMSE and MAE are in "
    "the unit of the data, MSE in its square, and lower is better. MASE is the MAE divided by that of seasonal naive "
    "within the training part: below 1 is better than that. The next column says by how much the error differs from "
    "that of the best baseline, and in which interval the difference lies with 95 % certainty: if it holds 0, the test "
    "part can't tell the two apart. The order is that of this metric; the best of each column is marked. Skill is 1 − "
    "this metric over that of {reference}: 1 is perfect, below 0 is worse. Fit and predict are wall seconds. "
    "A fit counts all that it stands on: simple methods are fitted together, and each has the seconds of all; networks "
    "start from them; the ensemble needs all of them. Theta is fitted when it forecasts."
)
PANEL_IN_WORDS = (
    "Series with large values weigh most in all of these but MASE and relative MAE, in which each series weighs the "
    "same. Relative MAE is the geometric mean over series of the MAE over that of seasonal naive: 0.9 is 10 % better."
)
OTHER_WAY_ROUND = {
    "mse": "the MSE gives large errors more weight",
    "mase": "the MASE gives each series the same weight",
}
PANEL_STEPS_IN_WORDS = (
    "Here RMSE is the root of the mean MSE over series; in the table above, it is the mean of their roots."
)
NETWORKS_IN_WORDS = (
    "A network starts from what is linear in a window and learns what that leaves over. Its members are judged all the "
    "while by windows that they have not seen; the best step is the one at which this error was least, 0 if nothing "
    "that was learnt helps. Shrinkage is the factor of the mean of their corrections, from 0 (the forecast stays "
    "linear) to 1. All that was left open was chosen from the data, and stands here."
)
ENSEMBLE_IN_WORDS = (
    "The ensemble goes into use: a weighted mean of the ensemble of simple methods, Theta and the networks. Its "
    "weights come from the errors on held-out windows; the test part is not used for them."
)
NOISE_FLOOR_IN_WORDS = "The noise floor is the error of the series without its noise: only luck gets below it."
GLOSSARY = (
    "Error = actual − forecast: a positive error means that the forecast was too low. All values, RMSE and MAE are in "
    "the unit of the data; losses are in the frame of a window: scaled by the mean and deviation of the training part "
    "of a single series, by the window itself in a panel. "
    "One step ahead is the first step after the last value that a forecast sees."
)


def describe_baselines() -> str:
    """Describe all baselines in one sentence."""
    told = ", ".join(f"{baseline.style.name} {baseline.does}" for baseline in METHODS.values() if baseline.does)
    return f"{told[:1].upper()}{told[1:]}."


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
    how_to_read = HOW_TO_READ.format(reference=STYLES[metrics.reference].name)
    notes, notes_on_steps = [how_to_read, describe_baselines(), ENSEMBLE_IN_WORDS], []
    if profile["num_series"] > 1:
        notes.append(PANEL_IN_WORDS)
        notes_on_steps.append(PANEL_STEPS_IN_WORDS)
    if len(tables["covariates"]):
        notes.append(READ_BY_ALL)
    if metrics.noise_floor_mse is not None:
        notes.append(NOISE_FLOOR_IN_WORDS)
    sections = [
        Section("Accuracy", [tabulate_metrics(metrics), *notes]),
        Section("Forecasts", [figures["forecasts"], figures["newest_window"]]),
        Section("Next values", [figures["next_values"]]),
        Section("What moved the forecasts", [figures["explanation"], explanation.HOW_TO_READ]),
        *_report_intervals(metrics, tables["by_level"], figures["coverage"]),
        Section("Error by step", [figures["error_by_step"], *notes_on_steps]),
        Section("Residuals", [figures["residuals"]]),
        Section("Loss curves", [figures["losses"]]),
        Section("Networks", [tabulate_networks(records), tabulate_weights(ensemble), NETWORKS_IN_WORDS]),
        *report_covariates(tables["covariates"], profile["num_series"]),
        Section("Data", [tabulate_profile(profile)]),
        Section("Parameters", [tabulate_parameters("forecast", parameters)]),
        Section("Glossary", [GLOSSARY]),
    ]
    return render_page(f"Forecasts of {Path(profile['source']).name}", write_verdict(metrics), sections)


def _report_intervals(metrics: ForecastMetrics, by_level: MetricsByLevel, figure: Figure) -> list[Section]:
    if by_level.empty:
        return []
    told = [intervals.HOW_TO_READ, *intervals.format_empty_levels(by_level)]
    return [Section("Intervals", [intervals.tabulate_intervals(metrics, by_level), *told, figure])]


def write_verdict(metrics: ForecastMetrics) -> str:
    """Return whether the best network and the ensemble beat, tie or lose to the best baseline, and by how much."""
    if ENSEMBLE not in metrics.forecasters:
        return judge_network(metrics)
    heading, baseline = METRICS[metrics.deciding].heading, metrics.find_best_baseline()
    ours, theirs = (metrics.get(name, metrics.deciding) for name in (ENSEMBLE, baseline))
    return (
        f"{judge_network(metrics)} The ensemble, which goes into use, {_compare(metrics, ENSEMBLE, baseline)} that "
        f"baseline: its {heading} is {_relate(ours, theirs)} "
        f"({_format_interval(metrics.forecasters[ENSEMBLE])}{_format_roots(metrics, ENSEMBLE, baseline)})."
    )


def judge_network(metrics: ForecastMetrics) -> str:
    """Return the first sentence of the verdict: the best network against the best baseline."""
    values = {name: metrics.get(name, metrics.deciding) for name in metrics.forecasters}
    baseline = metrics.find_best_baseline()
    network = min((name for name in values if name not in METHODS and name != ENSEMBLE), key=lambda name: values[name])
    return (
        f"The best network, {STYLES[network].name}, {_compare(metrics, network, baseline)} the best baseline, "
        f"{STYLES[baseline].name}: its {METRICS[metrics.deciding].heading} is "
        f"{_relate(values[network], values[baseline])}"
        f" ({_format_interval(metrics.forecasters[network])}{_format_roots(metrics, network, baseline)})"
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
    low, high = (metrics.forecasters[name].get(f"difference_{end}") for end in ("low", "high"))
    is_close = abs(ours - theirs) <= TIE_FRACTION * theirs
    is_tie = is_close if low is None or high is None else low <= 0 <= high
    return "is level with" if is_tie else "beats" if ours < theirs else "loses to"


def _format_interval(numbers: Mapping[str, float | None]) -> str:
    low, high = numbers.get("difference_low"), numbers.get("difference_high")
    return (
        ""
        if low is None or high is None
        else f"95 % interval {100 * low:+.1f} % to {100 * high:+.1f} %; ".replace("-", "−")
    )


def _format_roots(metrics: ForecastMetrics, network: str, baseline: str) -> str:
    rmse = {name: metrics.get(name, "rmse") for name in (network, baseline)}
    said = f"RMSE {format_number(rmse[network])} against {format_number(rmse[baseline])}"
    is_lower = metrics.get(network, metrics.deciding) < metrics.get(baseline, metrics.deciding)
    if _compare(metrics, network, baseline) != "is level with" and is_lower != (rmse[network] < rmse[baseline]):
        said += f", the other way round, for {OTHER_WAY_ROUND[metrics.deciding]}"
    return said


def _relate(ours: float, theirs: float) -> str:
    if ours == theirs:
        return "the same"
    if theirs == 0:
        return f"{format_number(ours)} where the baseline is exact"
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
        return f" and lies {100 * -distance:.1f} % below the noise floor, which is luck"
    return f" and lies {100 * distance:.1f} % above the noise floor"


def tabulate_metrics(metrics: ForecastMetrics) -> Table:
    """Return the metrics of all forecasters, from the best to the worst, and of the noise floor if it is known.

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
        known = {"mse": floor, "rmse": math.sqrt(floor)}
        rows.append(
            [STYLES[NOISE_FLOOR].name, *(format_number(known.get(column)) for column in COLUMNS), *[NO_NUMBER] * 4]
        )
    headings = [METRICS[column].heading if column in METRICS else "relative MAE" for column in columns]
    difference = f"{METRICS[metrics.deciding].heading} against {STYLES[baseline].name}, %"
    best = frozenset(_find_best(list(measured.values()), columns))
    costs = ["fit, s", "predict, s"]
    return Table(header=["forecaster", *headings, difference, "skill", *costs], rows=rows, best=best)


def _format_seconds(seconds: float | None) -> str:
    return "< 0.01" if seconds is not None and 0 < seconds < 0.01 else format_number(seconds, 2)


def format_difference(numbers: Mapping[str, float | None]) -> str:
    """Return the difference in percent with its interval: −3.1 (−5.2 to −1.0)."""
    difference, low, high = (numbers.get(f"difference{end}") for end in ("", "_low", "_high"))
    if difference is None:
        return NO_NUMBER
    said = f"{100 * difference:+,.1f}"
    if low is not None and high is not None:
        said += f" ({100 * low:+,.1f} to {100 * high:+,.1f})"
    return said.replace("-", "−")


def _find_best(measured: Sequence[Mapping[str, float | None]], columns: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the cells with the lowest error of each column, and those that look the same."""
    for column, metric in enumerate(columns, start=1):
        errors = [numbers.get(metric) for numbers in measured]
        lowest = min((error for error in errors if error is not None), default=None)
        if lowest is not None:
            yield from ((row, column) for row, e in enumerate(errors) if format_number(e) == format_number(lowest))


def tabulate_networks(records: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return architecture, training and shrinkage of each network."""
    designs = [record["hyperparameters"] for record in records.values()]
    header = ["network", "members", "units", "steps read as one", "parameters", "steps", "best step", "shrinkage"]
    rows = [
        [
            STYLES[name].name,
            str(hyperparameters["num_members"]),
            str(hyperparameters["units"]),
            str(hyperparameters["segment"]),
            f"{record['num_parameters']:,}",
            f"{record['num_steps']:,}",
            f"{record['best_step']:,}",
            f"{record['shrinkage']:.2f}",
            f"{record['training_seconds']:,.1f}",
        ]
        for (name, record), hyperparameters in zip(records.items(), designs, strict=True)
    ]
    return Table(header=[*header, "training, s"], rows=rows)


def tabulate_weights(ensemble: Mapping[str, Any]) -> Table:
    """Return the weight of each method in the ensemble, with its error on held-out windows."""
    weights, losses = ensemble["weights"], ensemble["losses"]
    rows = [
        [STYLES[name].name, format_number(weights.get(name)) if name in weights else NO_NUMBER, format_number(loss)]
        for name, loss in losses.items()
    ]
    return Table(header=["part", "weight", "error on unseen windows, in the frame"], rows=rows)


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
    found = [["found from the file", describe_found(profile["found"])]] if profile["found"] else []
    zone = [["time zone", profile["tz"]]] if profile["tz"] else []
    repairs = [["repair", repair] for repair in profile["repairs"] or ["none needed"]]
    return Table(header=["fact", "value"], rows=facts + zone + found + repairs, num_text_columns=2)
