"""Errors of forecasts from few values, on windows of longer series that are cut to these; see decision 41.

The factors by the number of values, matched at one quantile, are ours.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rnn_pipelines.forecast.intervals.ways import FewValuesSizes
from rnn_pipelines.forecast.intervals.window_facts import measure_windows
from rnn_pipelines.forecast.methods.folds import list_past
from rnn_pipelines.forecast.methods.forecasts import forecast_models
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData
from rnn_pipelines.forecast.methods.past import count_few
from rnn_pipelines.forecast.windows.panel import WindowedPanel, gather_targets
from rnn_pipelines.networks.threads import use_one_thread

# Of values, beside whole seasons and one value less; and of windows for each of them.
NUMBERS = (1, 2, 3, 5, 10, 20, 40, 80)
NUM_WINDOWS = 200
MIN_WINDOWS = 40
# The quantile of absolute errors that is the same for windows with few values and all others.
MATCHED = 0.8


def fit_few_values_sizes(
    data: FittingData, fitted: Mapping[str, FittedMethod], samples: Mapping[str, np.ndarray]
) -> dict[str, FewValuesSizes]:
    """Return expected sizes of errors of windows with few values, by method; none if no series is longer.

    Samples, float[sample, horizon] by name, are errors of other windows over their expected size.
    """
    panel = data.panel
    tiny = np.finfo(np.float32).tiny
    ratio = float(np.median(1 / np.maximum(np.abs(panel.zeros.astype(np.float64)), tiny)))
    past = list_past(panel)
    num_known = past - panel.find_starts(past)
    models = {name: method.in_use for name, method in fitted.items()}
    usual = {name: np.quantile(np.abs(errors), MATCHED, axis=0) for name, errors in samples.items()}
    numbers = []
    factors: dict[str, list[np.ndarray]] = {name: [] for name in fitted}
    for number in _list_numbers(panel):
        origins = past[num_known >= number]
        if len(origins) < MIN_WINDOWS:
            break
        rows = np.linspace(0, len(origins) - 1, min(NUM_WINDOWS, len(origins))).astype(int)
        cut, actual = cut_windows(panel, origins[rows], number, ratio)
        windows = cut.future[:, 0]
        sizes = FewValuesSizes(np.array([number]), ratio, np.ones((1, 1)))
        spread = sizes.measure_spread(measure_windows(cut, windows))
        with use_one_thread():
            forecasts = forecast_models(
                cut, data.linear.normalizer, models, windows, dict.fromkeys(models, 0.0)
            )
        # Windows with only zeros have no spread.
        is_known = (spread > 0) & ~np.isnan(actual).any(axis=1)
        if not is_known.any():
            continue
        numbers.append(number)
        for name, forecast in forecasts.items():
            over_spread = (actual - forecast)[is_known] / spread[is_known, None]
            matched = np.quantile(np.abs(over_spread), MATCHED, axis=0)
            factors[name].append(matched / np.maximum(usual[name], tiny))
    if not numbers:
        return {}
    return {
        name: FewValuesSizes(np.array(numbers), ratio, np.stack(by_number))
        for name, by_number in factors.items()
    }


def _list_numbers(panel: WindowedPanel) -> list[int]:
    """Return the numbers of values to which windows are cut, ascending."""
    season = panel.season_length
    num_few = count_few(season, panel.horizon)
    # Errors fall as soon as a season is complete.
    seasons = (season - 1, season, 2 * season - 1, 2 * season)
    return sorted(number for number in {*NUMBERS, *seasons} if 0 < number < num_few)


def cut_windows(
    panel: WindowedPanel, origins: np.ndarray, number: int, ratio: float
) -> tuple[WindowedPanel, np.ndarray]:
    """Return a panel with a series of few values for each window, on the scale of these, and the actual values.

    Origins, int64[window], have as many values before them. A single value has the deviation of the ratio, see
    `FewValuesSizes`. The panel has a window for the future of each series; the values are float64[window, horizon],
    scaled so.
    """
    rows = origins[:, None] + np.arange(-number, panel.horizon)
    past = panel.values[rows[:, :number], 0].astype(np.float64)
    zeros = panel.find_zeros(origins).astype(np.float64)
    mean = past.mean(axis=1)
    deviation = past.std(axis=1)
    deviation = np.where(deviation > 0, deviation, ratio * np.abs(mean - zeros))
    deviation = np.where(deviation > 0, deviation, 1.0)
    values = panel.values[rows].reshape(-1, panel.values.shape[1])
    length = rows.shape[1]
    values[:, 0] = (values[:, 0] - np.repeat(mean, length)) / np.repeat(deviation, length)
    starts = np.arange(len(origins)) * length
    no_windows = np.zeros((0, 2), np.int64)
    cut = replace(
        panel,
        values=values,
        train=no_windows,
        validation=no_windows,
        test=no_windows,
        refit=no_windows,
        future=np.stack([starts + number, starts + number + 1], axis=1),
        series_starts=starts,
        zeros=((zeros - mean) / deviation).astype(np.float32),
        negative_series=np.zeros(0, np.int64),
    )
    actual = (gather_targets(panel, origins) - mean[:, None]) / deviation[:, None]
    # As after the end of a series.
    values[(starts[:, None] + number + np.arange(panel.horizon)).ravel(), 0] = np.nan
    return cut, actual
