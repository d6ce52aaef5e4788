"""The mean of the last week: a local method, as somebody would add it."""

import numpy as np

from rnn_pipelines.forecast.methods.local.method import LocalMethod
from rnn_pipelines.report.styles import Style


def extend_by_week_mean(past: np.ndarray, season_length: int, horizon: int) -> np.ndarray:
    """Repeat the mean of the last seven values of each series."""
    return np.repeat(np.nanmean(past[:, -7:], axis=1, keepdims=True), horizon, axis=1)


WEEK_MEAN = LocalMethod(
    "week_mean",
    extend_by_week_mean,
    Style("mean of the last week", "#654321"),
    "repeats the mean of the last week",
)
