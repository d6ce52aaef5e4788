"""The mean of the last week: a local method, as somebody would add it."""

import numpy as np

from rnn_pipelines.forecast.methods.local import LocalMethod
from rnn_pipelines.forecast.methods.theta import gather_past
from rnn_pipelines.forecast.series.windows import WindowedPanel
from rnn_pipelines.report.styles import Style


def forecast_week_mean(panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
    """Repeat the mean of the last seven values of each series: float64[window, horizon], scaled."""
    means = np.nanmean(gather_past(panel, origins)[:, -7:], axis=1, keepdims=True)
    return np.repeat(means, panel.horizon, axis=1)


WEEK_MEAN = LocalMethod(
    "week_mean", forecast_week_mean, Style("mean of the last week", "#654321"), "repeats the mean of the last week"
)
