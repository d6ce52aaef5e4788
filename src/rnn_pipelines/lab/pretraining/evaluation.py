"""The errors of pretrained networks on series that they have not seen, beside simple methods."""

from collections.abc import Mapping

import numpy as np

from rnn_pipelines.forecast.methods.local.exponential_smoothing import extend_by_damped_trend
from rnn_pipelines.forecast.methods.local.method import MAX_PAST, LocalForecast
from rnn_pipelines.forecast.methods.local.theta import THETA, extend_by_theta
from rnn_pipelines.forecast.pretrained.kinds import KINDS, OTHER_SEASONS
from rnn_pipelines.forecast.pretrained.network import LEVELS, MIDDLE, PretrainedNetwork
from rnn_pipelines.forecast.pretrained.reading import read_past
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.lab.pretraining.generator import SeriesKind, generate

# Generated series of each kind, of a seed that no training has; and origins of the packaged series.
NUM_SERIES = 256
SEED = 2_000_000_000
NUM_ORIGINS = 60
HORIZON, SEASON = 14, 7
# The bounds of an interval of 80 %.
LOW = LEVELS.index(0.1)
HIGH = LEVELS.index(0.9)
SIMPLE: dict[str, LocalForecast] = {THETA: extend_by_theta, "damped_trend": extend_by_damped_trend}
Metrics = dict[str, dict[str, dict[str, float]]]


def evaluate_pretrained(**networks: PretrainedNetwork) -> Metrics:
    """Measure networks and simple methods on generated series and on the packaged temperatures of Seattle.

    Returns:
        For `generated` and `seattle`, by the name of the method: `mae_ratio`, the median absolute error over that of
        the seasonal naive forecast, as the geometric mean over the kinds of series; and for networks `coverage_80`, the
        part of the values inside the interval of 80 %.
    """
    rng = np.random.default_rng(SEED)
    # A short, a middle and a long kind of each season.
    kinds = [
        SeriesKind(season or OTHER_SEASONS[3], round(least**part * most ** (1 - part)), horizon)
        for season, (_, least, most, horizon) in KINDS.items()
        for part in (0.5, 0.25, 0.0)
    ]
    generated = [
        (kind, generate(rng, NUM_SERIES, kind.season_length, kind.num_known + kind.horizon))
        for kind in kinds
    ]
    values = read_source(SourceSpec(name="seattle"))["y"].to_numpy(np.float64)
    starts = np.linspace(0, len(values) - MAX_PAST - HORIZON, NUM_ORIGINS).astype(int)
    stretches = np.stack([values[start : start + MAX_PAST + HORIZON] for start in starts])
    real = [(SeriesKind(SEASON, MAX_PAST, HORIZON), stretches)]
    return {"generated": _measure(networks, generated), "seattle": _measure(networks, real)}


def _measure(
    networks: Mapping[str, PretrainedNetwork], groups: list[tuple[SeriesKind, np.ndarray]]
) -> dict[str, dict[str, float]]:
    ratios: dict[str, list[float]] = {name: [] for name in (*networks, *SIMPLE)}
    covered: dict[str, list[float]] = {name: [] for name in networks}
    for kind, values in groups:
        past = values[:, : kind.num_known]
        actual = values[:, kind.num_known :]
        read = read_past(past, kind.season_length, kind.horizon)
        forecasts = {
            name: extend(past, kind.season_length, kind.horizon) for name, extend in SIMPLE.items()
        }
        for name, network in networks.items():
            quantiles = network.forecast(past, kind.season_length, kind.horizon)
            forecasts[name] = quantiles[:, :, MIDDLE]
            covered[name].append(
                float(np.mean((quantiles[:, :, LOW] <= actual) & (actual <= quantiles[:, :, HIGH])))
            )
        naive = read.base * read.unit[:, None] + read.zero[:, None]
        of_naive = np.median(np.abs(actual - naive) / read.unit[:, None])
        for name, forecast in forecasts.items():
            ratios[name].append(
                float(np.median(np.abs(actual - forecast) / read.unit[:, None]) / of_naive)
            )
    measured = {
        name: {"mae_ratio": float(np.exp(np.mean(np.log(parts))))} for name, parts in ratios.items()
    }
    for name, parts in covered.items():
        measured[name]["coverage_80"] = float(np.mean(parts))
    return measured
