"""The theta method: a local method, fitted at each origin to all earlier values of its series.

    y = season × x, or season + x if a value is not positive; no season unless a test finds one
    level ← level + α (x − level), from the first value on
    x̂ₕ = level + b/2 (h − 1 + (1 − (1 − α)ⁿ) / α),   b the slope of a line through all n values of x

α minimises the squared error one step ahead. Nothing is stored: a champion fits the method again for each forecast.

Source: Assimakopoulos & Nikolopoulos (2000), doi:10.1016/S0169-2070(00)00066-2; as smoothing with drift, Hyndman &
    Billah (2003), doi:10.1016/S0169-2070(01)00143-1, equation 8.
"""

import numpy as np

from rnn_pipelines.forecast.series.windows import WindowedPanel, number_series

THETA = "theta"
# Largest number of past steps; older ones matter little for level and season.
MAX_PAST = 500
BATCH_SIZE = 512
ALPHAS = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99])[:, None]
# The autocorrelation at the season must exceed this number of standard deviations: a two-sided test at 90 %.
MIN_AUTOCORRELATION = 1.645
# Smaller seasonal factors are rejected, because values are divided by them.
MIN_FACTOR = 0.01


def forecast_theta(panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
    """Forecast from some origins. Each forecast only reads values of its own series before the origin.

    Args:
        panel: the windows' series.
        origins: int64[window].
    Returns:
        float64[window, horizon], scaled.
    """
    found = [np.zeros((0, panel.horizon))]
    for begin in range(0, len(origins), BATCH_SIZE):
        some = origins[begin : begin + BATCH_SIZE]
        zeros = panel.zeros[number_series(panel.series_starts, some)].astype(np.float64)[:, None]
        found.append(extend(gather_past(panel, some) - zeros, panel.season_length, panel.horizon) + zeros)
    return np.concatenate(found)


def gather_past(panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
    """Return the values since the last gap before each origin, newest last: float64[window, time], NaN before them."""
    starts = panel.series_starts[number_series(panel.series_starts, origins)]
    length = min(MAX_PAST, int((origins - starts).max()))
    rows = origins[:, None] + np.arange(-length, 0)
    past = np.where(rows >= starts[:, None], panel.values[np.maximum(rows, 0), 0], np.nan).astype(np.float64)
    is_newer = np.logical_and.accumulate(~np.isnan(past[:, ::-1]), axis=1)[:, ::-1]
    return np.where(is_newer, past, np.nan)


def extend(past: np.ndarray, season_length: int, horizon: int) -> np.ndarray:
    """Continue series by the theta method.

    Args:
        past: float64[window, time], NaN before the first value.
        season_length: steps in a season; 1 for no season.
        horizon: steps.
    Returns:
        float64[window, horizon].
    """
    factors, terms = _find_season(past, season_length)
    length = past.shape[1]
    # The first step ahead has phase 0.
    phases = np.arange(-length, horizon) % season_length
    factors, terms = factors[:, phases], terms[:, phases]
    smoothed = _smooth((past - terms[:, :length]) / factors[:, :length], horizon)
    extended: np.ndarray = smoothed * factors[:, length:] + terms[:, length:]
    return extended


def _smooth(past: np.ndarray, horizon: int) -> np.ndarray:
    """Smooth exponentially with half the slope as drift: float64[window, horizon], without a season."""
    length = past.shape[1]
    first = np.argmax(~np.isnan(past), axis=1)
    half_slope = _find_slopes(past) / 2
    level = np.take_along_axis(past, first[:, None], axis=1)[:, 0]
    # Padded with the first value, which adds no error because it is the initial level.
    past = np.where(np.isnan(past), level[:, None], past)
    growth = (1 - (1 - ALPHAS) ** np.arange(length + 1)) / ALPHAS
    levels, losses = np.tile(level, (len(ALPHAS), 1)), np.zeros((len(ALPHAS), len(past)))
    for step in range(length):
        change = past[:, step] - levels
        losses += (change - half_slope * growth[:, np.maximum(step - first, 0)]) ** 2
        levels += ALPHAS * change
    best, window = np.argmin(losses, axis=0), np.arange(len(past))
    drift = np.arange(horizon) + growth[best, length - first][:, None]
    smoothed: np.ndarray = levels[best, window][:, None] + half_slope[:, None] * drift
    return smoothed


def _find_slopes(past: np.ndarray) -> np.ndarray:
    """Return the slope of a line through all values of each window: float64[window]."""
    is_there = ~np.isnan(past)
    steps = np.arange(past.shape[1]) - (is_there * np.arange(past.shape[1])).sum(axis=1, keepdims=True) / is_there.sum(
        axis=1, keepdims=True
    )
    steps = steps * is_there
    squares = (steps**2).sum(axis=1)
    slopes: np.ndarray = (steps * np.where(is_there, past, 0)).sum(axis=1) / np.where(squares > 0, squares, 1)
    return slopes


def _find_season(past: np.ndarray, season_length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the factors and the terms of the steps of a season: float64[window, season] each.

    They come from classical decomposition: each value is compared with the mean of the season around it, and the
    results are averaged over seasons.
    """
    factors, terms = np.ones((len(past), season_length)), np.zeros((len(past), season_length))
    if season_length == 1 or past.shape[1] < 2 * season_length:
        return factors, terms
    weights = np.ones(season_length + (season_length % 2 == 0))
    weights[[0, -1]] = 1 if season_length % 2 else 0.5
    means = np.lib.stride_tricks.sliding_window_view(past, len(weights), axis=1) @ (weights / season_length)
    edge = len(weights) // 2
    inner = past[:, edge : past.shape[1] - edge]
    is_positive = ~(past <= 0).any(axis=1)
    ratios = _average_phases(inner / np.where(means > 0, means, np.nan), edge, season_length)
    differences = _average_phases(inner - means, edge, season_length)
    is_seasonal = _is_seasonal(past, season_length) & np.isfinite(differences).all(axis=1)
    with_factors = is_seasonal & is_positive & (np.nan_to_num(ratios).min(axis=1) > MIN_FACTOR)
    with_terms = is_seasonal & ~is_positive
    factors[with_factors] = ratios[with_factors] / ratios[with_factors].mean(axis=1, keepdims=True)
    terms[with_terms] = differences[with_terms] - differences[with_terms].mean(axis=1, keepdims=True)
    return factors, terms


def _average_phases(values: np.ndarray, edge: int, season_length: int) -> np.ndarray:
    """Return the mean of each step of the season. The newest value is `edge` steps before the end.

    Returns:
        float64[window, season], NaN for steps without a value.
    """
    missing = -(values.shape[1] + edge) % season_length
    padded = np.pad(values, ((0, 0), (missing, edge)), constant_values=np.nan)
    by_season = padded.reshape(len(values), -1, season_length)
    counts = (~np.isnan(by_season)).sum(axis=1)
    means: np.ndarray = np.nansum(by_season, axis=1) / np.where(counts > 0, counts, np.nan)
    return means


def _is_seasonal(past: np.ndarray, season_length: int) -> np.ndarray:
    """Return whether values one season apart are correlated beyond chance, and there are two seasons: bool[window].

    Source: Bartlett (1946), for the standard deviation of an autocorrelation; the test is that of the M4 competition.
    """
    is_there = ~np.isnan(past)
    counts = is_there.sum(axis=1)
    centred = np.where(is_there, past - np.nansum(past, axis=1, keepdims=True) / counts[:, None], 0.0)
    squares = (centred**2).sum(axis=1)
    correlations = np.stack([(centred[:, lag:] * centred[:, :-lag]).sum(axis=1) for lag in range(1, season_length + 1)])
    correlations /= np.where(squares > 0, squares, 1)
    deviations = np.sqrt((1 + 2 * (correlations[:-1] ** 2).sum(axis=0)) / counts)
    seasonal: np.ndarray = (counts >= 2 * season_length) & (correlations[-1] > MIN_AUTOCORRELATION * deviations)
    return seasonal
