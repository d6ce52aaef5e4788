"""The verdict of `forecast` in words: the best network and the forecast in use against the best baseline."""

from collections.abc import Mapping

from rnn_pipelines.errors import count
from rnn_pipelines.forecast.evaluation.metrics import METRICS
from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics, warn_of_zeros
from rnn_pipelines.forecast.methods.baselines import BASELINE_ENSEMBLE
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE, ENSEMBLE_STYLES
from rnn_pipelines.forecast.methods.registry import METHODS, NETWORKS, TRAINED_BEFORE
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.report.numbers import format_bias, format_number, format_points
from rnn_pipelines.report.texts import read_prose

NOTES = read_prose("rnn_pipelines.forecast.report")["report"]
# Largest relative difference of a tie if there is no interval; the seed alone can cause smaller ones.
TIE_FRACTION = 0.01

# Reasons for a difference of the RMSE in the other direction than that of the deciding metric.
OTHER_DIRECTION = {
    "mse": "the MSE gives large errors more weight",
    "mae": "the MAE gives large errors less weight",
    "mase": "the MASE gives each series the same weight, and large errors less",
    "rmsse": "the RMSSE gives each series the same weight",
}


def write_verdict(metrics: ForecastMetrics) -> str:
    """Return how the networks and the forecast in use compare with the best baseline on the test part.

    "beats" and "loses to" are significant differences, "is ahead of" and "is behind" are others.
    """
    sentences = [judge_networks(metrics)]
    if metrics.use in metrics.forecasters:
        name = (
            "that baseline" if NETWORKS.keys() & metrics.forecasters.keys() else "the best baseline"
        )
        sentences.append(_judge_used(metrics, name))
        baseline = metrics.find_best_baseline()
        bias = metrics.forecasters[metrics.use].get("bias")
        their_bias = metrics.forecasters[baseline].get("bias")
        if bias is not None and their_bias is not None and metrics.use != baseline:
            sentences.append(
                f"Its bias is {format_bias(bias)} %, that of the baseline {format_bias(their_bias)} %."
            )
    return " ".join([*sentences, judge_zeros(metrics)]).strip()


def judge_networks(metrics: ForecastMetrics) -> str:
    """Return how the best network that was trained here and the pretrained one compare with the best baseline."""
    return f"{judge_network(metrics)} {judge_pretrained(metrics)}".strip()


def _judge_used(metrics: ForecastMetrics, name: str) -> str:
    baseline = metrics.find_best_baseline()
    used = STYLES[metrics.use].name
    if metrics.use == baseline:
        return f"The forecast in use is the best baseline, {used}."
    if name == "the best baseline":
        name = f"{name}, {STYLES[baseline].name}"
    subject = (
        "The ensemble, which goes into use,"
        if metrics.use == ENSEMBLE
        else f"The forecast in use, {used},"
    )
    difference = _format_difference(metrics, metrics.use, baseline)
    return f"{subject} {_compare(metrics, metrics.use, baseline)} {name}: {difference}."


def judge_zeros(metrics: ForecastMetrics) -> str:
    """Return the warning of many zeros, and of an ensemble that is not better than a constant forecast."""
    constant = metrics.find_best_constant()
    metric = metrics.deciding
    warning = warn_of_zeros(metrics.zero_fraction, metric if metrics.forecasters else None)
    if constant is None or metrics.use not in metrics.forecasters or metrics.use == constant:
        return warning
    ours, theirs = _get_errors(metrics, metrics.use, constant)
    if ours < theirs:
        return warning
    verdict = f"The {STYLES[metrics.use].name} is not better than a constant forecast ({STYLES[constant].name})"
    return f"{warning} {verdict}: its {METRICS[metric].heading} is {_relate(ours, theirs)}.".strip()


def judge_network(metrics: ForecastMetrics) -> str:
    """Return how the best network that was trained here compares with the best baseline, or that none was trained."""
    if not metrics.forecasters:
        return f"{describe_untrained(metrics)} {NOTES['not_evaluated']}".strip()
    networks = metrics.forecasters.keys() - {*METHODS, *TRAINED_BEFORE, *ENSEMBLE_STYLES}
    if not networks:
        return describe_untrained(metrics)
    network = next(name for name in metrics.rank() if name in networks)
    error = metrics.get(network, metrics.deciding)
    verdict = _compare_in_words(metrics, network)
    floor = _relate_to_floor(error, metrics.noise_floor_mse)
    return f"The best network, {STYLES[network].name}, {verdict}{floor}.{_format_nothing_learnt(metrics)}"


def _compare_in_words(metrics: ForecastMetrics, name: str) -> str:
    baseline = metrics.find_best_baseline()
    relation = f"{_compare(metrics, name, baseline)} the best baseline, {STYLES[baseline].name}"
    return f"{relation}: {_format_difference(metrics, name, baseline)}"


def judge_pretrained(metrics: ForecastMetrics) -> str:
    """Return how the network that was trained before compares with the best baseline; empty if it was not evaluated."""
    return " ".join(
        f"The {STYLES[name].name}, which learnt on generated series before, {_compare_in_words(metrics, name)}."
        for name in TRAINED_BEFORE
        if name in metrics.forecasters
    )


def describe_untrained(metrics: ForecastMetrics) -> str:
    """Return that no network was trained, and how many values a training takes; empty if they were trained."""
    if not metrics.values_needed:
        return ""
    names = " and ".join(network.style.name for network in NETWORKS.values())
    return NOTES["untrained"].format(networks=names, needed=f"{metrics.values_needed:,}")


def adds_nothing(metrics: ForecastMetrics, name: str) -> bool:
    """Return whether a network has a shrinkage of 0, so that it equals the ensemble of simple methods."""
    if name in METHODS or name in ENSEMBLE_STYLES or BASELINE_ENSEMBLE not in metrics.forecasters:
        return False
    ours, theirs = _get_errors(metrics, name, BASELINE_ENSEMBLE)
    return ours == theirs


def name_forecaster(metrics: ForecastMetrics, name: str) -> str:
    """Return the displayed name of a forecaster, with a remark on a network that adds nothing."""
    return (
        f"{STYLES[name].name} (adds nothing)" if adds_nothing(metrics, name) else STYLES[name].name
    )


def _format_nothing_learnt(metrics: ForecastMetrics) -> str:
    networks = [STYLES[name].name for name in metrics.forecasters if adds_nothing(metrics, name)]
    if not networks:
        return ""
    result = (
        "network adds nothing, and its forecast equals"
        if len(networks) == 1
        else "networks add nothing, and their forecasts equal"
    )
    return (
        f" No correction of {' and '.join(networks)} helps on held-out windows: the {result} that of the "
        f"{STYLES[BASELINE_ENSEMBLE].name}."
    )


def _get_errors(metrics: ForecastMetrics, name: str, other: str) -> tuple[float, float]:
    """Return the errors of two forecasters by the deciding metric."""
    return metrics.get(name, metrics.deciding), metrics.get(other, metrics.deciding)


def _compare(metrics: ForecastMetrics, name: str, baseline: str) -> str:
    ours, theirs = _get_errors(metrics, name, baseline)
    if metrics.is_exact(name) and metrics.is_exact(baseline):
        return "is level with"
    if _is_significant(metrics.forecasters[name]):
        return "beats" if ours < theirs else "loses to"
    # An interval that holds 0 is no proof of equality: a small test part leaves large differences open.
    if abs(ours - theirs) <= TIE_FRACTION * theirs:
        return "is level with"
    return "is ahead of" if ours < theirs else "is behind"


def _format_difference(metrics: ForecastMetrics, name: str, baseline: str) -> str:
    """Return the size of a difference, whether chance can explain it, its interval, and both RMSEs."""
    if metrics.is_exact(name) and metrics.is_exact(baseline):
        return "both are exact, up to rounding"
    ours, theirs = _get_errors(metrics, name, baseline)
    low = metrics.forecasters[name].get("difference_low")
    high = metrics.forecasters[name].get("difference_high")
    interval = ""
    if low is not None and high is not None:
        interval = f"95 % interval {format_points(low, 1)} % to {format_points(high, 1)} %; "
    rmse = metrics.get(name, "rmse")
    their_rmse = metrics.get(baseline, "rmse")
    roots = f"RMSE {format_number(rmse)} against {format_number(their_rmse)}"
    if _compare(metrics, name, baseline) != "is level with" and (ours < theirs) != (
        rmse < their_rmse
    ):
        roots += f", in the other direction, because {OTHER_DIRECTION[metrics.deciding]}"
    relation = f"{_relate(ours, theirs)}{_format_chance(metrics, name, baseline)}"
    return f"its {METRICS[metrics.deciding].heading} is {relation} ({interval}{roots})"


def _is_significant(numbers: Mapping[str, float | None]) -> bool:
    low = numbers.get("difference_low")
    high = numbers.get("difference_high")
    return low is not None and high is not None and not low <= 0 <= high


def _format_chance(metrics: ForecastMetrics, name: str, baseline: str) -> str:
    """Return over how many windows a difference was measured, and if it is within chance; empty for a clear one."""
    if _compare(metrics, name, baseline) not in ("is ahead of", "is behind"):
        return ""
    numbers = metrics.forecasters[name]
    windows = count(metrics.num_windows, "window")
    if metrics.is_panel:
        windows += f" at {count(metrics.num_cutoffs, 'cut-off')}"
    if numbers.get("difference_low") is not None:
        return f", but within chance over {windows}"
    return f" over {windows}" if numbers.get("difference") is not None else ""


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
