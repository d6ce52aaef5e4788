"""What to do next: advice that follows from the results, and general one, in the words of the program that ran."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal

from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.methods.local.intermittent import SOME_ZEROS
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.report import intervals
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.report.numbers import begin_sentence
from rnn_pipelines.report.texts import read_prose

# The console `rnn-pipelines`, the project run by Kedro, and the Python interface.
Program = Literal["console", "kedro", "python"]

TEXTS = read_prose("rnn_pipelines.forecast.report")
NOTES = TEXTS["advice"]
NUM_SENTENCES = 3
# Fewer windows rarely show a difference of 10 %.
FEW_WINDOWS = 30
# A simple method with an error that is lower by the first part goes into use by an option; one that is lower by the
# second part tells that the values hold less than covariates might.
CLEAR_GAIN, SMALL_GAIN = 0.05, 0.01
# With fewer periods, the error must be lower by this part.
MIN_PERIODS, FAR_GAIN = 3, 0.9


def advise(metrics: ForecastMetrics, levels: Iterable[int], program: Program) -> list[str]:
    """Return what to do next, in `NUM_SENTENCES` sentences; those that follow from the results come first."""
    sentences = advise_on_results(metrics, levels, program)
    general = [TEXTS[program][key] for key in ("service", "monitor", "evaluate")]
    return [*sentences, *general][:NUM_SENTENCES]


def advise_on_results(
    metrics: ForecastMetrics, levels: Iterable[int], program: Program, most: int = NUM_SENTENCES
) -> list[str]:
    """Return at most so many sentences that follow from the results, the most important one first."""
    return list(islice(_list_advice(metrics, levels, program), most))


def find_better_method(metrics: ForecastMetrics, min_gain: float) -> str | None:
    """Return the simple method whose error at past origins is lower by this part, in most periods; None without one.

    With few periods, only a far lower error counts.
    """
    past = metrics.past
    if past is None:
        return None
    gain = FAR_GAIN if past["num_periods"] < MIN_PERIODS else min_gain
    errors = {
        name: error
        for name, rival in past["rivals"].items()
        if name in METHODS
        and (error := rival["relative_error"]) is not None
        and error <= 1 - gain
        and 2 * rival["num_lower"] < past["num_periods"]
    }
    return min(errors, key=errors.__getitem__, default=None)


def _list_advice(
    metrics: ForecastMetrics, levels: Iterable[int], program: Program
) -> Iterator[str]:
    if not metrics.forecasters:
        yield TEXTS[program]["not_evaluated"]
        return
    better = find_better_method(metrics, CLEAR_GAIN)
    if better is not None:
        option = TEXTS[program]["use"].format(name=better)
        yield begin_sentence(NOTES["better"].format(name=STYLES[better].name, option=option))
    elif find_better_method(metrics, SMALL_GAIN) is not None:
        yield NOTES["covariates"].format(option=TEXTS[program]["covariates"])
    numbers = metrics.forecasters.get(metrics.use, {})
    narrow = [
        level for level in levels if intervals.judge_level(numbers, level) == "were too narrow"
    ]
    if narrow:
        yield NOTES["narrow"].format(levels=" and ".join(f"{level} %" for level in narrow))
    if metrics.zero_fraction > SOME_ZEROS:
        yield NOTES["zeros"].format(share=f"{100 * metrics.zero_fraction:.0f} %")
    if metrics.num_windows < FEW_WINDOWS:
        yield NOTES["short"]
