"""The bounds of forecasts: quantiles of past errors times the expected size of each window, then the special cases."""

import logging
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.intervals.finishing import KnownValues, finish_bounds, measure_known
from rnn_pipelines.forecast.intervals.fitting import Intervals
from rnn_pipelines.forecast.intervals.network_widths import measure_distances
from rnn_pipelines.forecast.intervals.panel_errors import PanelSizes
from rnn_pipelines.forecast.intervals.sparse_bounds import bound_sparse, find_whole, round_bounds
from rnn_pipelines.forecast.intervals.ways import MAX_MEASURED, TESTED_LEVEL, MethodErrors
from rnn_pipelines.forecast.intervals.window_facts import WindowFacts, measure_windows
from rnn_pipelines.forecast.methods.past import find_cut
from rnn_pipelines.forecast.methods.predictions import Predictions, name_bounds
from rnn_pipelines.forecast.pretrained.network import PretrainedNetwork
from rnn_pipelines.forecast.series.tables import Features, Scaler
from rnn_pipelines.forecast.windows.panel import Part, WindowedPanel
from rnn_pipelines.report.numbers import list_some

logger = logging.getLogger(__name__)

NAMES_IN_MESSAGE = 5
# Why a series has no bounds.
CONSTANT = "all known values of each are equal"
TOO_FAR = "the forecasts are further from all known values than 5 times the range of these"


@dataclass(frozen=True)
class Windows:
    """Windows to be bounded.

    Attributes:
        panel, origins: the windows, int64[window].
        facts: their history, on which the expected sizes of errors depend.
        known: the known values, which limit the bounds.
        sparse: float64[side, level, window], see `bound_sparse`.
        is_whole: bool[window], whether all values of the series are whole numbers.
        is_cut: bool[window], whether bounds are cut at 0. All others are no bounds of sparse series.
        mean, deviation: float64[window, 1], of the scaler.
        network: float64[side, level, window, horizon], distances of the pretrained network's bounds from its median,
            see `measure_distances`; None if no bounds read them.
    """

    panel: WindowedPanel
    origins: np.ndarray
    facts: WindowFacts
    known: KnownValues
    sparse: np.ndarray
    is_whole: np.ndarray
    is_cut: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    network: np.ndarray | None = None


def describe_windows(
    intervals: Intervals,
    panel: WindowedPanel,
    origins: np.ndarray,
    names: np.ndarray,
    scaler: Scaler,
    network: PretrainedNetwork | None = None,
) -> Windows:
    """Measure the history of windows once, for the intervals of all methods.

    The scaler is that of the training, whose series may be more than those of the panel. `network` is the pretrained
    one that the methods have, None for none.
    """
    in_training = scaler.set_index("unique_id").index.get_indexer(names)
    mean = scaler["mean"].to_numpy()[in_training]
    deviation = scaler["deviation"].to_numpy()[in_training]
    is_cut = find_cut(intervals.non_negative, panel, origins)
    sparse = bound_sparse(intervals.sparse, panel, origins, intervals.levels)
    sparse = np.where(is_cut, sparse, np.nan)
    is_whole = np.zeros(len(origins), bool)
    if not np.isnan(sparse).all():
        series, first, places = np.unique(
            panel.find_series(origins), return_index=True, return_inverse=True
        )
        whole = [
            find_whole(panel, number, mean[row], deviation[row])
            for number, row in zip(series, first, strict=True)
        ]
        is_whole = np.array(whole)[places]
    distances = None
    if network is not None and any(errors.network_share for errors in intervals.methods.values()):
        distances = measure_distances(network, panel, origins, intervals.levels)
    return Windows(
        panel,
        origins,
        measure_windows(panel, origins, in_training),
        measure_known(panel, origins),
        sparse,
        is_whole,
        is_cut,
        mean[:, None],
        deviation[:, None],
        distances,
    )


def describe_ends(
    intervals: Intervals,
    panel: WindowedPanel,
    features: Features,
    scaler: Scaler,
    network: PretrainedNetwork | None = None,
) -> Windows:
    """Measure the history of the windows at the ends of the series, see `describe_windows`."""
    origins = panel.list_origins("future")
    names = features.table["unique_id"].to_numpy()[origins - 1]
    return describe_windows(intervals, panel, origins, names, scaler, network)


def bound_forecasts(
    intervals: Intervals, name: str, windows: Windows, forecasts: np.ndarray, first_step: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Return lower and upper bounds of a method's forecasts: float64[level, window, step], in the unit of the series.

    They enclose the forecasts, see `finish_bounds`. They are NaN if there are too few errors, or no limit. Beyond the
    horizon, those of its last step grow with the step. The forecasts are float64[window, step], in the unit of the
    series, and begin `first_step` steps ahead.
    """
    errors = intervals.methods[name]
    horizon = errors.lows.shape[1]
    scaled = (forecasts - windows.mean) / windows.deviation
    distances = _measure_error_distances(errors, windows, scaled, first_step)
    distances = _mix_widths(errors, windows, distances, first_step)
    of_sparse = windows.sparse[..., None]
    bounds = np.where(np.isnan(of_sparse), scaled + distances, of_sparse)
    reach = windows.known.measure_reach(scaled, first_step, horizon)
    finished = finish_bounds(scaled, bounds[0], bounds[1], intervals.levels, windows.known, reach)
    lows, highs = (side * windows.deviation + windows.mean for side in finished)
    lows = np.where(windows.is_cut[:, None], np.maximum(lows, 0.0), lows)
    is_rounded = windows.is_whole[:, None] & ~np.isnan(of_sparse[0])
    lows, highs = round_bounds(lows, highs, is_rounded)
    highs = np.where(is_rounded & (highs <= lows), lows + 1, highs)
    # Rounding must not move a bound over the forecast.
    return np.minimum(lows, forecasts), np.maximum(highs, forecasts)


def _measure_error_distances(
    errors: MethodErrors, windows: Windows, scaled: np.ndarray, first_step: int = 1
) -> np.ndarray:
    """Return the bounds by past errors less the forecasts: float64[side, level, window, step], scaled."""
    columns, growth = _extend_steps(errors, scaled.shape[1], first_step)
    quantiles = np.stack([errors.lows, errors.highs])
    quantiles = np.where(np.isfinite(quantiles), quantiles, np.nan)
    size = errors.sizes.expect(windows.facts, scaled, first_step)
    distances: np.ndarray = size * (quantiles[:, :, columns] * growth)[:, :, None]
    return distances


def _mix_widths(
    errors: MethodErrors, windows: Windows, distances: np.ndarray, first_step: int = 1
) -> np.ndarray:
    """Return distances by past errors, mixed with those of the pretrained network; see `network_widths`."""
    share = errors.network_share
    if share == 0:
        return distances
    assert windows.network is not None, "bounds need the pretrained network"
    columns, growth = _extend_steps(errors, distances.shape[-1], first_step)
    below, above = windows.network[..., columns] * growth
    mixed = (1 - share) * distances + share * np.stack([-below, above])
    if not isinstance(errors.sizes, PanelSizes):
        return mixed
    # Windows with few values have sizes that are measured for them.
    is_few = ~np.isnan(windows.facts.variance)[:, None]
    return np.where(is_few, distances, mixed)


def _extend_steps(
    errors: MethodErrors, num_steps: int, first_step: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the place of each step within the horizon, int64[step], and the growth of errors beyond it."""
    horizon = errors.lows.shape[1]
    steps = first_step + np.arange(num_steps)
    growth = np.maximum(steps / horizon, 1.0) ** errors.growth
    return np.minimum(steps, horizon) - 1, growth


def find_width_factors(
    intervals: Intervals, name: str, windows: Windows, scaled: np.ndarray
) -> np.ndarray:
    """Return by how much bounds are wider than those of past errors, below and above: float64[side, window, step].

    Those of the level next to `TESTED_LEVEL` count, for errors of all sizes.
    """
    errors = intervals.methods[name]
    if errors.network_share == 0:
        return np.ones((2, *scaled.shape))
    level = int(np.abs(intervals.levels - TESTED_LEVEL).argmin())
    distances = _measure_error_distances(errors, windows, scaled)
    plain = distances[:, level]
    mixed = _mix_widths(errors, windows, distances)[:, level]
    factors = np.where(np.abs(plain) > 0, mixed / np.where(plain == 0, 1, plain), 1)
    return np.where(np.isfinite(factors), np.maximum(factors, 0), 1)


def add_intervals(
    predictions: Predictions,
    intervals: Intervals,
    panel: WindowedPanel,
    scaler: Scaler,
    part: Part,
    network: PretrainedNetwork | None = None,
) -> Predictions:
    """Add the bounds of each method to all windows of a part, on the test part those of the evaluated models."""
    table = predictions.table
    origins = panel.list_origins(part)
    intervals = intervals.as_evaluated() if part == "test" else intervals
    names = table["unique_id"].to_numpy()[:: panel.horizon]
    windows = describe_windows(intervals, panel, origins, names, scaler, network)
    levels = intervals.levels.tolist()
    bounded = [name for name in predictions.forecasters if name in intervals.methods]
    # One array for all bounds, because its memory is free again as soon as the table is saved.
    bounds = np.empty((len(bounded), len(levels), 2, len(table)))
    for name, of_method in zip(bounded, bounds, strict=True):
        forecasts = table[name].to_numpy().reshape(-1, panel.horizon)
        lows, highs = bound_forecasts(intervals, name, windows, forecasts)
        of_method[:, 0] = lows.reshape(len(levels), len(table))
        of_method[:, 1] = highs.reshape(len(levels), len(table))
    if part == "future" and bounds.size:
        used = predictions.use if predictions.use in bounded else bounded[0]
        forecasts = table[used].to_numpy().reshape(-1, panel.horizon)
        _report_unmeasured(names, (forecasts - windows.mean) / windows.deviation)
        # If a level is empty for all series, `fit_intervals` has told the reason.
        if np.isfinite(intervals.methods[used].lows[0]).all():
            lows = bounds[bounded.index(used), 0, 0].reshape(forecasts.shape)
            is_empty = np.isnan(lows).any(axis=1)
            _report_unbounded(names, is_empty, windows.known.is_constant[:, 0])
    columns = [
        column for name in bounded for level in levels for column in name_bounds(name, level)
    ]
    flat = bounds.reshape(len(columns), len(table)).T
    added = pd.DataFrame(flat, table.index, pd.Index(columns, dtype="str"), copy=False)
    return replace(predictions, table=pd.concat([table, added], axis=1), levels=tuple(levels))


def _report_unmeasured(names: np.ndarray, forecasts: np.ndarray) -> None:
    """Warn of series, str[window], whose scaled forecasts lie outside the values at which errors were measured."""
    outside = np.unique(names[(np.abs(forecasts) > MAX_MEASURED).any(axis=1)])
    if len(outside):
        some = f"{len(outside)} series ({list_some(outside, NAMES_IN_MESSAGE)})"
        logger.warning("intervals follow the level, because it left all earlier values: %s", some)


def _report_unbounded(names: np.ndarray, is_empty: np.ndarray, is_constant: np.ndarray) -> None:
    """Warn of series, str[window], without bounds, with the reason: bool[window] each."""
    for rows, reason in ((is_empty & is_constant, CONSTANT), (is_empty & ~is_constant, TOO_FAR)):
        unbounded = np.unique(names[rows])
        if len(unbounded):
            some = list_some(unbounded, NAMES_IN_MESSAGE)
            logger.warning(
                "no intervals of %d series (%s), because %s", len(unbounded), some, reason
            )
