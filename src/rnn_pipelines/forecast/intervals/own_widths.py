"""Widths that the pretrained network expects of its own, beside those of past errors.

The network has learnt quantiles on many series, and past errors are those of one series or panel. Bounds of methods in
which the network has a weight lie between both, unless the held-out errors show that one of both is better.
"""

from collections.abc import Mapping

import numpy as np

from rnn_pipelines.forecast.intervals.pool import TESTED_LEVEL, find_score
from rnn_pipelines.forecast.intervals.quantiles import find_normal, find_ranks
from rnn_pipelines.forecast.intervals.sizes import SizeModel
from rnn_pipelines.forecast.intervals.window_facts import measure_windows
from rnn_pipelines.forecast.methods.ensemble import EnsembleModel
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData, PanelModel, find_errors
from rnn_pipelines.forecast.methods.pretrained import PRETRAINED, find_network, forecast_quantiles
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
    quantiles = forecast_quantiles(network, panel, origins)
    median = quantiles[:, :, MIDDLE, None]
    below = median - quantiles[:, :, MIDDLE::-1]
    above = quantiles[:, :, MIDDLE:] - median
    learnt = find_normal(200 * level - 100 for level in LEVELS[MIDDLE:])
    wanted = find_normal(levels)
    # The place of each level among the learnt ones; beyond the last one, distances grow with the normal quantile.
    within = np.minimum(wanted, learnt[-1])
    last = np.clip(np.searchsorted(learnt, within), 1, len(learnt) - 1)
    part = (within - learnt[last - 1]) / (learnt[last] - learnt[last - 1])
    sides = [side[:, :, last - 1] * (1 - part) + side[:, :, last] * part for side in (below, above)]
    return np.moveaxis(np.stack(sides) * (wanted / within), -1, 1)


def choose_shares(
    data: FittingData, fitted: Mapping[str, FittedMethod], sizes: Mapping[str, SizeModel]
) -> np.ndarray:
    """Return the share of the network's widths in the bounds of each method, 0 without a weight: float64[method]."""
    networks = {name: find_network_of(method.model) for name, method in fitted.items()}
    network = next((one for one in networks.values() if one is not None), None)
    shares = np.zeros(len(fitted))
    if network is None:
        return shares
    own = measure_distances(network, data.panel, data.validation, np.array([TESTED_LEVEL]))[:, 0]
    facts = measure_windows(data.panel, data.validation)
    fold = data.linear.fold[: len(data.validation)]
    for number, (name, errors) in enumerate(find_errors(data, fitted).items()):
        if networks[name] is not None:
            size = sizes[name].expect(facts, fitted[name].out_of_fold)
            usual = min(MAX_SHARE, find_weight(fitted[name].model))
            shares[number] = choose_share(errors, size, own, fold, usual)
    return shares


def find_weight(model: object) -> float:
    """Return the weight of the pretrained network in a model: 1 for itself."""
    return model.weights[PRETRAINED] if isinstance(model, EnsembleModel) else 1.0


def choose_share(
    errors: np.ndarray, size: np.ndarray, own: np.ndarray, fold: np.ndarray, usual: float
) -> float:
    """Return the share by the scores of widths of past errors, of the network, and of both, on each held-out fold.

    `usual` is the share in both.
    """
    gains = []
    for number in np.unique(fold):
        held_out = fold == number
        ranks = find_ranks((errors / size)[~held_out], np.array([TESTED_LEVEL]))
        if not np.isfinite(ranks).all():
            return usual
        past = np.stack([-ranks[0] * size[held_out], ranks[1] * size[held_out]])
        both = (1 - usual) * past + usual * own[:, held_out]
        scores = [score_bounds(errors[held_out], *both)]
        scores += [score_bounds(errors[held_out], *side) for side in (past, own[:, held_out])]
        gains.append([1 - one / scores[0] for one in scores[1:]])
    for share, gain in zip((0.0, 1.0), np.reshape(gains, (-1, 2)).T, strict=True):
        if len(gain) and gain.mean() > MIN_GAIN and find_shrinkage(gain) > MIN_SHRINKAGE:
            return share
    return usual


def score_bounds(errors: np.ndarray, below: np.ndarray, above: np.ndarray) -> float:
    """Return the mean Winkler score of bounds so far below and above the forecasts; see `pool`."""
    return float(find_score(errors, -below, above).mean())
