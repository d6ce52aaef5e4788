"""Sample paths of the next values: forecasts plus whole vectors of past errors, for sums and extremes over steps."""

import numpy as np
import pandas as pd

from rnn_pipelines.errors import ParameterError, show
from rnn_pipelines.forecast.methods.intervals import Intervals, Windows, describe_windows
from rnn_pipelines.forecast.model.artefact import FORECAST, Forecaster
from rnn_pipelines.forecast.series.tables import Features
from rnn_pipelines.forecast.series.windows import WindowedPanel

# Of each series in one call, to bound the memory.
MAX_PATHS = 10_000


def draw_paths(
    intervals: Intervals, name: str, windows: Windows, forecasts: np.ndarray, num_paths: int, seed: int
) -> np.ndarray:
    """Return paths that keep the dependence between steps: float64[window, path, horizon], in the unit of the series.

    Args:
        intervals: include the forecaster `name`.
        windows: of the forecasts.
        forecasts: float[window, horizon], scaled.
        num_paths: of each window.
        seed: of the choice among past errors.
    """
    samples = intervals.samples[intervals.find(name)]
    rows = np.random.default_rng(seed).integers(0, len(samples), (len(forecasts), num_paths))
    size = intervals.get_sizes(name).expect(windows.facts, forecasts)
    scaled = forecasts[:, None] + size[:, None] * samples[rows]
    paths = scaled * windows.deviation[:, :, None] + windows.mean[:, :, None]
    return np.maximum(paths, 0.0) if intervals.is_non_negative else paths


def tabulate_paths(
    forecaster: Forecaster, panel: WindowedPanel, features: Features, num_steps: int, num_paths: int, seed: int
) -> pd.DataFrame:
    """Return sample paths of the steps after each series' end: `unique_id, ds, path, y`, paths numbered from 0.

    Args:
        forecaster: with intervals.
        panel, features: of `lay_out_recursive`.
        num_steps: after each series' end, at most the horizon.
        num_paths: of each series.
        seed: see `draw_paths`.
    Raises:
        ParameterError: there are no intervals, or too many steps or paths.
    """
    intervals, horizon = _check(forecaster, num_steps, num_paths), panel.horizon
    index = panel.index("future")
    origins = index.origins(np.arange(len(index)))
    names = features.table["unique_id"].to_numpy()[origins - 1]
    windows = describe_windows(intervals, panel, origins, names, forecaster.scaler)
    forecasts = forecaster.model.forecast(panel, origins)
    paths = draw_paths(intervals, FORECAST, windows, forecasts, num_paths, seed)[:, :, :num_steps]
    times = features.table["ds"].to_numpy()[origins[:, None] + np.arange(horizon)][:, None, :num_steps]
    return pd.DataFrame(
        {
            "unique_id": np.repeat(names, num_paths * num_steps),
            "ds": np.broadcast_to(times, paths.shape).ravel(),
            "path": np.broadcast_to(np.arange(num_paths)[:, None], paths.shape).ravel(),
            "y": paths.ravel(),
        }
    )


def _check(forecaster: Forecaster, num_steps: int, num_paths: int) -> Intervals:
    if not isinstance(num_paths, int | np.integer) or isinstance(num_paths, bool) or not 1 <= num_paths <= MAX_PATHS:
        raise ParameterError(f"paths: expected a whole number from 1 to {MAX_PATHS:,}, received {show(num_paths)}.")
    if forecaster.intervals is None:
        raise ParameterError("paths: the forecaster has no intervals, whose errors paths are drawn from. Set level.")
    horizon = forecaster.settings.horizon
    if num_steps > horizon:
        raise ParameterError(
            f"paths: expected h of at most the trained horizon, {horizon}, received {num_steps}. Train with a longer "
            "horizon."
        )
    return forecaster.intervals
