"""Widths that the pretrained network expects of its own, beside those of past errors; see decision 53.

The network has learnt quantiles on many series, and past errors are those of one series or panel. Bounds of methods in
which the network has a weight lie between both, unless the held-out errors show that one of both is better.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rnn_pipelines.forecast.intervals.quantiles import (
    find_normal,
    find_ranks,
    interpolate_levels,
    score_interval,
)
from rnn_pipelines.forecast.intervals.ways import TESTED_LEVEL, MethodErrors
from rnn_pipelines.forecast.intervals.window_facts import measure_windows
from rnn_pipelines.forecast.methods.ensemble import EnsembleModel
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData, PanelModel, find_errors
from rnn_pipelines.forecast.methods.pretrained import (
    PRETRAINED,
    find_network,
    forecast_network_quantiles,
)
from rnn_pipelines.forecast.methods.weights import find_shrinkage
from rnn_pipelines.forecast.pretrained.network import LEVELS, MIDDLE, PretrainedNetwork
from rnn_pipelines.forecast.windows.panel import WindowedPanel

# The share of the network's widths without evidence is its weight, at most a half.
MAX_SHARE = 0.5
# One of both kinds stands alone if its score is better than that of both by this part, and the folds agree.
MIN_GAIN, MIN_SHRINKAGE = 0.05, 0.9


def find_network_of(model: object) -> PretrainedNetwork | None:
    """Return the pretrained network of a model with its normalisation, that it is, or that its ensemble has."""
    inner = model.model if isinstance(model, PanelModel) else model
    return find_network(inner.models if isinstance(inner, EnsembleModel) else {PRETRAINED: inner})


def measure_distances(
    network: PretrainedNetwork, panel: WindowedPanel, origins: np.ndarray, levels: np.ndarray
) -> np.ndarray:
    """Return the distances of the network's bounds from its median: float64[side, level, window, horizon], scaled.

    Between the levels that it has learnt, and beyond them, they are those of a normal distribution.
    """
    quantiles = forecast_network_quantiles(network, panel, origins)
    median = quantiles[:, :, MIDDLE, None]
    sides = [median - quantiles[:, :, MIDDLE::-1], quantiles[:, :, MIDDLE:] - median]
    learnt = [200 * quantile - 100 for quantile in LEVELS[MIDDLE:]]
    distances = interpolate_levels(np.stack(sides), learnt, levels)
    beyond = np.maximum(find_normal(levels) / find_normal(learnt[-1:]), 1.0)
    return np.moveaxis(distances * beyond, -1, 1)


def mix_in_network(
    data: FittingData, fitted: Mapping[str, FittedMethod], errors: Mapping[str, MethodErrors]
) -> dict[str, MethodErrors]:
    """Return the errors of each method with the share of the network's widths in its bounds, 0 without a weight."""
    networks = {name: find_network_of(method.model) for name, method in fitted.items()}
    network = next((network for network in networks.values() if network is not None), None)
    if network is None:
        return dict(errors)
    level = np.array([TESTED_LEVEL])
    of_network = measure_distances(network, data.panel, data.validation, level)[:, 0]
    windows = measure_windows(data.panel, data.validation)
    fold = data.linear.fold[: len(data.validation)]
    mixed = dict(errors)
    for name, held_out in find_errors(data, fitted).items():
        if networks[name] is not None:
            size = errors[name].sizes.expect(windows, fitted[name].out_of_fold)
            usual = min(MAX_SHARE, find_weight(fitted[name].model))
            share = choose_network_share(held_out, size, of_network, fold, usual)
            mixed[name] = replace(errors[name], network_share=share)
    return mixed


def find_weight(model: object) -> float:
    """Return the weight of the pretrained network in a model: 1 for itself."""
    return model.weights[PRETRAINED] if isinstance(model, EnsembleModel) else 1.0


def choose_network_share(
    errors: np.ndarray, size: np.ndarray, distances: np.ndarray, fold: np.ndarray, usual: float
) -> float:
    """Return the share by the scores of widths of past errors, of the network, and of both, on each held-out fold.

    `usual` is the share in both. The distances are those of the network's bounds: float64[side, window, step].
    """
    gains = []
    for number in np.unique(fold):
        held_out = fold == number
        lows, highs = find_ranks((errors / size)[~held_out], np.array([TESTED_LEVEL]))
        if not (np.isfinite(lows).all() and np.isfinite(highs).all()):
            return usual
        of_errors = np.stack([-lows * size[held_out], highs * size[held_out]])
        of_network = distances[:, held_out]
        of_both = (1 - usual) * of_errors + usual * of_network
        score = _score_widths(errors[held_out], of_both)
        gains.append(
            [
                1 - _score_widths(errors[held_out], of_errors) / score,
                1 - _score_widths(errors[held_out], of_network) / score,
            ]
        )
    for share, gain in zip((0.0, 1.0), np.reshape(gains, (-1, 2)).T, strict=True):
        if len(gain) and gain.mean() > MIN_GAIN and find_shrinkage(gain) > MIN_SHRINKAGE:
            return share
    return usual


def _score_widths(errors: np.ndarray, distances: np.ndarray) -> float:
    """Return the mean Winkler score of bounds so far below and above the forecasts: float64[side, window, step]."""
    return float(score_interval(errors, -distances[0], distances[1], TESTED_LEVEL).mean())
