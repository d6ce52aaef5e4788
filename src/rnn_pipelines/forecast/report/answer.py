"""The answer of a forecast in sentences: what comes, how large the error usually is, and better than what."""

import math

from rnn_pipelines.errors import count
from rnn_pipelines.forecast.evaluation.past_comparison import PastRival
from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.report.next_values import describe_first_value, tabulate_used
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.forecast.report.verdict import TIE_FRACTION
from rnn_pipelines.forecast.series.tables import Profile
from rnn_pipelines.forecast.source.table_form import FORECAST
from rnn_pipelines.forecast.times.frequency import name_steps
from rnn_pipelines.report.numbers import begin_sentence, format_number
from rnn_pipelines.report.texts import read_prose

NOTES = read_prose("rnn_pipelines.forecast.report")["answer"]
# From this ratio on, an error is so many times another one; a larger ratio than the other is not written in digits.
MIN_TIMES, MAX_TIMES = 2, 1_000
# The name of a column that says nothing about the values.
PLAIN_TARGET = "y"
# The value of one season before, by steps and season.
SEASONS_BEFORE = {
    ("hours", 24): "yesterday's value",
    ("days", 7): "last week's value",
    ("weeks", 52): "last year's value",
    ("months", 12): "last year's value",
    ("quarters", 4): "last year's value",
}


def list_answer(metrics: ForecastMetrics, next_values: Predictions, profile: Profile) -> list[str]:
    """Return the sentences on the next values, on the usual error and on the comparison with other methods."""
    return [
        describe_next_values(next_values, profile),
        describe_usual_error(metrics, profile),
        describe_comparison(metrics, profile),
    ]


def describe_next_values(next_values: Predictions, profile: Profile) -> str:
    """Return the first next value of the first series with its interval, and how many there are, in a sentence."""
    if next_values.use not in next_values.forecasters or next_values.table.empty:
        return NOTES["no_next_values"]
    values = tabulate_used(next_values)
    name = begin_sentence(FORECAST) if profile["target"] == PLAIN_TARGET else profile["target"]
    num_series = values["unique_id"].nunique()
    series = f" of {values['unique_id'].iloc[0]}" if num_series > 1 else ""
    num_steps = next_values.table["horizon_step"].nunique()
    scope = f", the first of {num_steps:,} {_name_steps(profile)}" if num_steps > 1 else ""
    scope += f" of {num_series:,} series" if num_series > 1 else ""
    return describe_first_value(f"{name}{series}", values, scope)


def describe_usual_error(metrics: ForecastMetrics, profile: Profile) -> str:
    """Return the mean absolute error of the forecast in use, and of how many forecasts it is the mean."""
    if metrics.use not in metrics.forecasters:
        return NOTES["no_error"]
    windows = count(metrics.num_windows, "forecast")
    origins = f" from {count(metrics.num_cutoffs, 'origin')}" if metrics.is_panel else ""
    steps = f"{profile['horizon']:,} {_name_steps(profile)}"
    tested = f"{windows} of {steps}{origins}" if metrics.num_windows else ""
    if metrics.is_exact(metrics.use):
        return f"Usual error: none, up to rounding{f', in {tested}' if tested else ''}."
    mae = format_number(metrics.get(metrics.use, "mae"), 3)
    return f"Usual error: ±{mae} (mean of {tested or 'the test part'})."


def describe_comparison(metrics: ForecastMetrics, profile: Profile) -> str:
    """Return the error of the method in use relative to a naive forecast and to the best other method.

    It is over all origins of the past if the methods have forecast there, else over the test part. Empty if nothing was
    measured.
    """
    past = metrics.past
    if past is None or not past["rivals"]:
        return ""
    if metrics.is_exact(metrics.use):
        return NOTES["exact"]
    rivals = past["rivals"]
    reference = metrics.reference if metrics.reference in rivals else None
    best = min(rivals, key=lambda name: _get_error(rivals[name]))
    others = count(len(rivals), "other method")
    named = f"the best of {others}, {STYLES[best].name}"
    clauses = [f"{_relate(rivals[best])} {named}"]
    if reference is not None and best != reference:
        clauses.insert(0, f"{_relate(rivals[reference])} {_name_reference(reference, profile)}")
    origins = count(past["num_origins"], "origin")
    where = f"{origins} of the past" if past["has_past"] else f"{origins} of the test part"
    num_periods = past["num_periods"]
    lower = f" (lower in {rivals[best]['num_lower']} of {num_periods} periods)"
    return f"Error at {where}: {', and '.join(clauses)}{lower if num_periods > 1 else ''}."


def _name_steps(profile: Profile) -> str:
    """Return `days`, or `steps` for those that are no single units."""
    name = name_steps(profile["freq"])
    return name if name.isalpha() else "steps"


def _get_error(rival: PastRival) -> float:
    error = rival["relative_error"]
    return math.inf if error is None else error


def _relate(rival: PastRival) -> str:
    """Return the relation of our error to that of another method: 12 % below, 3.1 times that of."""
    error = rival["relative_error"]
    if error is None:
        return "less than that of"
    if error * MAX_TIMES < 1:
        return f"more than {MAX_TIMES:,} times that of"
    ratio = 1 / error
    if ratio >= MIN_TIMES:
        return f"{format_number(ratio, 2)} times that of"
    if abs(ratio - 1) <= TIE_FRACTION:
        return "level with"
    percent = f"{100 * abs(ratio - 1):.0f} %"
    return f"{percent} {'below' if ratio < 1 else 'above'}"


def _name_reference(reference: str, profile: Profile) -> str:
    """Return what a naive forecast repeats."""
    if reference != "seasonal_naive":
        return "the last value"
    season = (name_steps(profile["freq"]), profile["season_length"])
    return SEASONS_BEFORE.get(season, "the value of one season before")
