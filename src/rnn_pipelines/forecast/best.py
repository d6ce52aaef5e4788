"""The forecast that goes into use: a combination of the simple methods and the networks, by errors nobody had seen."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from rnn_pipelines.forecast.base import Base, forecast_folds
from rnn_pipelines.forecast.baselines import MIX
from rnn_pipelines.forecast.blending import find_weights
from rnn_pipelines.forecast.networks import Network
from rnn_pipelines.forecast.predictors import frame_targets, frame_windows
from rnn_pipelines.forecast.series.windows import WindowedPanel
from rnn_pipelines.forecast.theta import THETA, forecast_theta
from rnn_pipelines.looks import Look

BEST = "best"
BEST_LOOK = Look("best combination", "#cc79a7")
# Where too little is there to judge anyone by: half of it is a method that needs few values.
WEIGHTS_OF_FEW = {MIX: 0.5, THETA: 0.5}


def weigh_best(panel: WindowedPanel, base: Base, **networks: Network) -> dict[str, Any]:
    """How much the mix of simple methods, the theta method and each network count, none negative and 1 in sum.

    Args:
        panel, base: what they were fitted on.
        networks: by name.
    Returns:
        `weights` by name; `losses` of each and of `best`, in the frame, on windows that nobody had seen, None where
        there are none; `seconds`, wall time of the weighing.
    """
    started = time.perf_counter()
    names = [MIX, THETA, *networks]
    if not base.is_enough:
        weights_of_few = dict.fromkeys(names, 0.0) | WEIGHTS_OF_FEW
        return {"weights": weights_of_few, "losses": dict.fromkeys([*names, BEST]), "seconds": 0.0}
    errors = find_unseen_errors(panel, base, networks)
    stacked = np.stack([errors[name].ravel() for name in names])
    weights = find_weights(stacked, base.folds.num_independent, base.is_absolute)
    judged = np.vstack([stacked, weights @ stacked])
    losses = np.mean(np.abs(judged) if base.is_absolute else judged**2, axis=1)
    return {
        "weights": dict(zip(names, weights.tolist(), strict=True)),
        "losses": dict(zip([*names, BEST], losses.tolist(), strict=True)),
        "seconds": time.perf_counter() - started,
    }


def find_unseen_errors(panel: WindowedPanel, base: Base, networks: Mapping[str, Network]) -> dict[str, np.ndarray]:
    """Actual minus forecast of the judged windows by what has not seen them: float64[judged, horizon], framed.

    Returns:
        By the name of each network, `mix` and `theta`.
    """
    framed = frame_windows(panel, base, base.judged)
    actual = frame_targets(panel, framed, base.judged)
    mix = actual - forecast_folds(base, framed.predictors)
    theta = actual - framed.units.frame(forecast_theta(panel, base.judged))
    return {MIX: mix, THETA: theta} | {name: mix - network.gain * network.unseen for name, network in networks.items()}
