"""The report of `forecast`: verdict, tables and figures on one page."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from plotly.graph_objects import Figure

from rnn_pipelines.forecast.baselines import BASELINES
from rnn_pipelines.forecast.evaluation.metrics import METRICS, NOISE_FLOOR, UNITS, ForecastMetrics
from rnn_pipelines.forecast.report.looks import LOOKS
from rnn_pipelines.forecast.series.tables import Profile
from rnn_pipelines.report.numbers import NO_NUMBER, format_number, format_skill
from rnn_pipelines.report.page import Section, Table, render_page
from rnn_pipelines.report.trainings import count_members, tabulate_layers, tabulate_parameters, tabulate_trainings

# In the order in which they are read: in the unit of the data, in its square, without one.
COLUMNS = sorted(METRICS, key=lambda name: UNITS.index(METRICS[name].unit))
# A smaller difference of MSE can come from the seed alone.
TIE_FRACTION = 0.01

HOW_TO_READ = (
    "Every number is a mean over all steps ahead and test windows of a series, then over series. RMSE and MAE are in "
    "the unit of the data, MSE in its square, and lower is better. MASE is the MAE divided by that of seasonal naive "
    "within the training part: below 1 is better than that. Skill is 1 − MSE / MSE of the baseline: 1 is perfect, 0 as "
    "good as the baseline, below 0 worse. The best of each column is marked."
)
PANEL_IN_WORDS = "Series with large values weigh most in all of these but MASE, in which each series weighs the same."
PANEL_STEPS_IN_WORDS = (
    "Here RMSE is the root of the mean MSE over series; in the table above, it is the mean of their roots."
)
MEMBERS_IN_WORDS = (
    "A network with several members averages their forecasts. Parameters, epochs and seconds are sums over them; loss "
    "curves and best epoch are means."
)
NOISE_FLOOR_IN_WORDS = "The noise floor is the error of the series without its noise: only luck gets below it."
GLOSSARY = (
    "Error = actual − forecast: a positive error means that the forecast was too low. All values, RMSE and MAE are in "
    "the unit of the data; losses are of scaled values (minus the training mean, divided by the training deviation). "
    "One step ahead is the first step after the last value that a forecast sees."
)


def describe_baselines() -> str:
    """What each of the baselines does, in one sentence."""
    told = ", ".join(f"{baseline.look.name} {baseline.does}" for baseline in BASELINES.values() if baseline.does)
    return f"{told[:1].upper()}{told[1:]}."


def render_report(
    metrics: ForecastMetrics,
    profile: Profile,
    parameters: Mapping[str, Any],
    records: Mapping[str, Mapping[str, Any]],
    **figures: Figure,
) -> str:
    """Puts a run's results on one HTML page that needs no network.

    Args:
        metrics: of all forecasters.
        profile: of the series.
        parameters: the run's blocks of parameters: models or plain values.
        records: of each network's training.
        figures: by name, see `draw_figures`.
    """
    notes, notes_on_steps, notes_on_networks = [HOW_TO_READ, describe_baselines()], [], []
    if profile["num_series"] > 1:
        notes.append(PANEL_IN_WORDS)
        notes_on_steps.append(PANEL_STEPS_IN_WORDS)
    if metrics.noise_floor_mse is not None:
        notes.append(NOISE_FLOOR_IN_WORDS)
    if any(count_members(record) > 1 for record in records.values()):
        notes_on_networks.append(MEMBERS_IN_WORDS)
    sections = [
        Section("Accuracy", [tabulate_metrics(metrics), *notes]),
        Section("Forecasts", [figures["forecasts"]]),
        Section("Next values", [figures["next_values"]]),
        Section("Error by step", [figures["error_by_step"], *notes_on_steps]),
        Section("Residuals", [figures["residuals"]]),
        Section("Loss curves", [figures["losses"]]),
        Section("Networks", [tabulate_trainings(records, LOOKS), *notes_on_networks, *tabulate_layers(records, LOOKS)]),
        Section("Data", [tabulate_profile(profile)]),
        Section("Parameters", [tabulate_parameters("forecast", parameters)]),
        Section("Glossary", [GLOSSARY]),
    ]
    return render_page(f"Forecasts of {Path(profile['source']).name}", write_verdict(metrics), sections)


def write_verdict(metrics: ForecastMetrics) -> str:
    """Whether the best network beats, ties or loses to the best baseline, and by how much, in one sentence.

    Args:
        metrics: of all forecasters. The MSE decides, as in the skill.
    """
    mse, rmse = ({name: metrics.get(name, metric) for name in metrics.forecasters} for metric in ("mse", "rmse"))
    network, baseline = (
        min((name for name in mse if (name in BASELINES) is is_baseline), key=lambda name: mse[name])
        for is_baseline in (False, True)
    )
    ours, theirs = mse[network], mse[baseline]
    is_lower, is_tie = ours < theirs, abs(ours - theirs) <= TIE_FRACTION * theirs
    verb = "is level with" if is_tie else "beats" if is_lower else "loses to"
    roots = f"RMSE {format_number(rmse[network])} against {format_number(rmse[baseline])}"
    if not is_tie and is_lower != (rmse[network] < rmse[baseline]):
        roots += ", the other way round, for the MSE gives large errors more weight"
    return (
        f"The best network, {LOOKS[network].name}, {verb} the best baseline, {LOOKS[baseline].name}: its MSE is "
        f"{_relate(ours, theirs)} ({roots}){_relate_to_floor(ours, metrics.noise_floor_mse)}."
    )


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
    return f"{abs(ratio - 1):.1%} {'lower' if ratio < 1 else 'higher'}"


def _relate_to_floor(ours: float, floor: float | None) -> str:
    if floor is None:
        return ""
    if floor == 0:
        return "; the series has no noise, so its noise floor is 0"
    distance = ours / floor - 1
    if distance < 0:
        return f" and lies {-distance:.1%} below the noise floor, which is luck"
    return f" and lies {distance:.1%} above the noise floor"


def tabulate_metrics(metrics: ForecastMetrics) -> Table:
    """Metrics and skills of networks, baselines and, where it is known, the noise floor; the best ones are marked.

    Args:
        metrics: of all forecasters.
    """
    measured, floor = metrics.forecasters, metrics.noise_floor_mse
    baselines = [name for name in measured if name in BASELINES]
    rows = [
        [
            LOOKS[name].name,
            *(format_number(numbers[column]) for column in COLUMNS),
            *(format_skill(numbers.get(f"skill_vs_{baseline}")) for baseline in baselines),
        ]
        for name, numbers in measured.items()
    ]
    if floor is not None:
        # Only synthetic series have one, and they come one at a time, so that its root is the RMSE.
        known = {"mse": floor, "rmse": math.sqrt(floor)}
        numbers = [format_number(known.get(column)) for column in COLUMNS]
        rows.append([LOOKS[NOISE_FLOOR].name, *numbers, *[NO_NUMBER] * len(baselines)])
    headings = [METRICS[column].heading for column in COLUMNS]
    skills = [f"skill vs {LOOKS[baseline].name}" for baseline in baselines]
    return Table(
        header=["forecaster", *headings, *skills], rows=rows, best=frozenset(_find_best(list(measured.values())))
    )


def _find_best(measured: Sequence[Mapping[str, float | None]]) -> Iterator[tuple[int, int]]:
    """Cells of the lowest error in each column, and of those that look the same."""
    for column, metric in enumerate(COLUMNS, start=1):
        errors = [numbers[metric] for numbers in measured]
        lowest = min((error for error in errors if error is not None), default=None)
        if lowest is not None:
            yield from ((row, column) for row, e in enumerate(errors) if format_number(e) == format_number(lowest))


def tabulate_profile(profile: Profile) -> Table:
    """What the data are, and every repair that they needed."""
    freq, season_length = profile["freq"], profile["season_length"]
    facts = [
        ["source", profile["source"]],
        ["target", profile["target"]],
        ["frequency", f"every {freq} steps" if isinstance(freq, int) and freq > 1 else str(freq)],
        ["season length of the frequency", f"{season_length} steps" if season_length > 1 else "none"],
        ["span", f"{profile['first']} to {profile['last']}"],
        ["series", f"{profile['num_series']:,}"],
        ["steps", f"{profile['num_steps']:,}"],
    ]
    repairs = [["repair", repair] for repair in profile["repairs"] or ["none needed"]]
    return Table(header=["fact", "value"], rows=facts + repairs, num_text_columns=2)
