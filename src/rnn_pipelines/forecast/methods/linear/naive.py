"""Naive methods: matrices from the predictors of a window to its forecast, which need no fitting."""

import numpy as np

from rnn_pipelines.forecast.methods.linear.layout import Layout

# Methods without a fit.
NAIVE_METHODS = (
    "last_value",
    "drift",
    "seasonal_naive",
    "seasonal_drift",
    "seasonal_mean",
    "long_seasonal_naive",
)


def list_naive_matrices(layout: Layout) -> dict[str, np.ndarray]:
    """Return the matrix of each naive method by its name: float64[predictor, horizon]."""
    lookback = layout.lookback
    steps = np.arange(1, layout.horizon + 1)
    last = layout.average(lookback - 1, lookback)
    methods = {"last_value": last}
    if lookback > 1:
        change = (last - layout.average(0, 1)) / (lookback - 1)
        methods["drift"] = last + change * steps
    season = layout.normalizer.season
    if season:
        methods["seasonal_naive"] = layout.pick_season(0)
    if season and lookback >= 2 * season:
        newest = layout.average(lookback - season, lookback)
        change = newest - layout.average(lookback - 2 * season, lookback - season)
        methods["seasonal_drift"] = layout.pick_season(0) + change * np.ceil(steps / season)
        # The mean seasonal shape: each step less the mean of its season, averaged over seasons.
        num_seasons = lookback // season
        shape = np.zeros_like(last)
        for begin in range(lookback - season, lookback - num_seasons * season - 1, -season):
            shape[begin + (steps - 1) % season, steps - 1] += 1
            shape -= layout.average(begin, begin + season)
        methods["seasonal_mean"] = newest + shape / num_seasons
    if layout.normalizer.long_season:
        methods["long_seasonal_naive"] = layout.pick_season(layout.num_seasons - 1)
    return methods
