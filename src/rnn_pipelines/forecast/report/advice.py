"""The expected error of the next values, and what to do next, in sentences that follow from the results."""

from collections.abc import Iterable, Iterator

from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE_STYLES
from rnn_pipelines.forecast.methods.local.intermittent import SOME_ZEROS
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.report.intervals import judge_level
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.forecast.report.verdict import is_clearly_behind
from rnn_pipelines.report.numbers import format_number
from rnn_pipelines.report.texts import read_texts

NOTES = read_texts("rnn_pipelines.forecast.report")["advice"]
NUM_SENTENCES = 3
# Fewer windows rarely show a difference of 10 %.
FEW_WINDOWS = 30


def describe_expected_error(metrics: ForecastMetrics) -> str:
    """Return the expected error of the forecast in use, also relative to the reference; empty without a test part."""
    if metrics.use not in metrics.forecasters:
        return ""
    ours, theirs = (metrics.get(name, "mae") for name in (metrics.use, metrics.reference))
    if metrics.is_exact(metrics.use):
        return "Expect the forecast to be exact, up to rounding."
    relation = f", {100 * ours / theirs:.0f} % of the error of {STYLES[metrics.reference].name}" if theirs > 0 else ""
    return f"Expect to be off by ±{format_number(ours, 3)} on average (MAE){relation}."


def advise(metrics: ForecastMetrics, levels: Iterable[int]) -> list[str]:
    """Return what to do next, in `NUM_SENTENCES` sentences; those that follow from the results come first."""
    return [*_advise_on_results(metrics, levels), *(NOTES[key] for key in ("service", "monitor", "evaluate"))][
        :NUM_SENTENCES
    ]


def _advise_on_results(metrics: ForecastMetrics, levels: Iterable[int]) -> Iterator[str]:
    if not metrics.forecasters:
        yield NOTES["not_evaluated"]
        return
    best = metrics.rank()[0]
    if is_clearly_behind(metrics):
        name = metrics.find_best_baseline()
        yield NOTES["used_loses"].format(used=STYLES[metrics.use].name, baseline=STYLES[name].name, name=name)
    elif best in METHODS and best not in ENSEMBLE_STYLES:
        yield NOTES["baseline_wins"].format(baseline=STYLES[best].name)
    numbers = metrics.forecasters.get(metrics.use, {})
    narrow = [level for level in levels if judge_level(numbers, level) == "were too narrow"]
    if narrow:
        yield NOTES["narrow"].format(levels=" and ".join(f"{level} %" for level in narrow))
    if metrics.zero_fraction > SOME_ZEROS:
        yield NOTES["zeros"].format(share=f"{100 * metrics.zero_fraction:.0f} %")
    if metrics.num_windows < FEW_WINDOWS:
        yield NOTES["short"].format(num_windows=metrics.num_windows)
