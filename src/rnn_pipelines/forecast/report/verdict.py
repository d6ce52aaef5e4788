"""The verdict of `forecast` in words: the best network and the ensemble against the best baseline."""

from collections.abc import Mapping

from rnn_pipelines.forecast.evaluation.metrics import METRICS
from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.methods.baselines import BASELINE_ENSEMBLE
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.report.numbers import format_number
from rnn_pipelines.report.texts import read_texts

NOTES = read_texts("rnn_pipelines.forecast.report")["report"]
# Largest relative difference of a tie if there is no interval; the seed alone can cause smaller ones.
TIE_FRACTION = 0.01

# Reasons for a difference of the RMSE in the other direction than that of the deciding metric.
OTHER_DIRECTION = {
    "mse": "the MSE gives large errors more weight",
    "mase": "the MASE gives each series the same weight",
}


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
