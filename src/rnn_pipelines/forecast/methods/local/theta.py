"""The theta method: a local method, fitted at each origin to all earlier values of its series.

    y = season × x, or season + x if a value is not positive; see `season`
    level ← level + α (x − level), from the first value on
    x̂ₕ = level + b/2 (h − 1 + (1 − (1 − α)ⁿ) / α),   b the slope of a line through all n values of x

α minimises the squared error one step ahead.

Source: Assimakopoulos & Nikolopoulos (2000), doi:10.1016/S0169-2070(00)00066-2; as smoothing with drift, Hyndman &
    Billah (2003), doi:10.1016/S0169-2070(01)00143-1, equation 8.
"""

import numpy as np

from rnn_pipelines.forecast.methods.local.season import find_season

THETA = "theta"
ALPHAS = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99])[:, None]


def extend_by_theta(past: np.ndarray, season_length: int, horizon: int) -> np.ndarray:
    """Continue series by the theta method; see `LocalForecast`."""
    season = find_season(past, season_length)
    return season.add(_smooth(season.remove(past), horizon))


def _smooth(past: np.ndarray, horizon: int) -> np.ndarray:
    """Smooth exponentially with half the slope as drift: float64[window, horizon], without a season."""
    length = past.shape[1]
    first = np.argmax(~np.isnan(past), axis=1)
    # Half the slope of a line through all values of each window.
    is_there = ~np.isnan(past)
    steps = np.arange(length)
    centre = (is_there * steps).sum(axis=1, keepdims=True) / is_there.sum(axis=1, keepdims=True)
    distances = (steps - centre) * is_there
    squares = (distances**2).sum(axis=1)
    half_slope = (
        (distances * np.where(is_there, past, 0)).sum(axis=1)
        / np.where(squares > 0, squares, 1)
        / 2
    )
    level = np.take_along_axis(past, first[:, None], axis=1)[:, 0]
    # Padded with the first value, which adds no error because it is the initial level.
    past = np.where(np.isnan(past), level[:, None], past)
    growth = (1 - (1 - ALPHAS) ** np.arange(length + 1)) / ALPHAS
    levels = np.tile(level, (len(ALPHAS), 1))
    losses = np.zeros((len(ALPHAS), len(past)))
    for step in range(length):
        change = past[:, step] - levels
        losses += (change - half_slope * growth[:, np.maximum(step - first, 0)]) ** 2
        levels += ALPHAS * change
    best = np.argmin(losses, axis=0)
    window = np.arange(len(past))
    drift = np.arange(horizon) + growth[best, length - first][:, None]
    smoothed: np.ndarray = levels[best, window][:, None] + half_slope[:, None] * drift
    return smoothed
