"""Prediction intervals from out-of-fold errors.

Split-conformal: the bounds are ranks of past errors for each step ahead. Errors are normalised, so that all series of a
panel are pooled. If the noise is clearly uneven, errors are first divided by the expected spread of their window.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, RootModel

from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData
from rnn_pipelines.forecast.methods.normalization import NormalizationKind, measure_units
from rnn_pipelines.forecast.methods.predictions import Predictions, name_bounds
from rnn_pipelines.forecast.methods.weights import find_shrinkage
from rnn_pipelines.forecast.series.tables import Scaler
from rnn_pipelines.forecast.series.windows import Part, WindowedPanel, gather_history, number_series
from rnn_pipelines.parameter_models import validate_number_is_no_boolean

logger = logging.getLogger(__name__)

# Added to keep logarithms finite: to a normalised change, and to an error, as part of the median error of its step.
SMALLEST_CHANGE, SMALLEST_ERROR_PART = 0.02, 0.05
# Noise is uneven if the Winkler score of this level improves by this part and the folds agree (t = 2).
TESTED_LEVEL, MIN_GAIN, MIN_SHRINKAGE = 80, 0.005, 0.8


class LevelSpec(
    RootModel[
        Annotated[
            tuple[Annotated[int, Field(ge=1, le=99), BeforeValidator(validate_number_is_no_boolean)], ...],
            AfterValidator(lambda levels: tuple(sorted(set(levels)))),
        ]
    ],
    frozen=True,
):
    """Levels of intervals in whole percent, such as 80 and 95: the share of actuals inside; empty for no intervals."""


@dataclass(frozen=True)
class Intervals:
    """The bounds of some methods. Flat, so that one file of arrays holds them.

    Attributes:
        kind: of the normalisation, see `normalization`.
        levels: int64[level], in percent.
        names: str[forecaster].
        lows, highs: float64[forecaster, level, horizon], errors (actual minus forecast), normalised, over the expected
            spread; infinite if there are too few errors for the level.
        slopes: float64[forecaster, predictor], of the logarithm of the spread; 0 if the noise is even.
        smallest, largest: float64[forecaster, predictor], range to which predictors are clipped.
    """

    kind: NormalizationKind
    levels: np.ndarray
    names: np.ndarray
    lows: np.ndarray
    highs: np.ndarray
    slopes: np.ndarray
    smallest: np.ndarray
    largest: np.ndarray

    def pick(self, name: str, new_name: str) -> "Intervals":
        """Return the intervals of one method, under another name."""
        place = np.flatnonzero(self.names == name)
        own = {part: getattr(self, part)[place] for part in ("lows", "highs", "slopes", "smallest", "largest")}
        return replace(self, names=np.array([new_name]), **own)


def fit_intervals(data: FittingData, fitted: Mapping[str, FittedMethod], level: LevelSpec) -> Intervals:
    """Compute the intervals of each method from its errors on the validation windows.

    Args:
        data: the data of the fits.
        fitted: by name.
        level: of the intervals.
    """
    linear, windows = data.linear, data.windows
    levels, num_errors = np.array(level.root, np.int64), len(data.validation)
    forecasts = {name: windows.units.normalize(method.out_of_fold) for name, method in fitted.items()}
    errors = {name: data.normalized_targets - one for name, one in forecasts.items()}
    fold = linear.fold[:num_errors]
    found = [_fit_one(windows.history, forecasts[name], errors[name], fold, levels) for name in fitted]
    parts = {part: np.stack([one[part] for one in found]) for part in found[0]}
    for missing in find_missing(levels, num_errors):
        logger.warning(
            "no intervals of level %d: expected %d or more past errors of each step, received %d",
            *(missing, count_needed(missing), num_errors),
        )
    uneven = [name for name, slopes in zip(errors, parts["slopes"], strict=True) if slopes.any()]
    if uneven:
        logger.info("intervals follow the expected spread of a window: %s", ", ".join(uneven))
    return Intervals(linear.kind, levels, np.array(list(errors)), **parts)


def count_needed(level: int) -> int:
    """Return the smallest number of past errors for an interval of this level."""
    return -(-level // (100 - level))


def find_missing(levels: np.ndarray, num_errors: int) -> list[int]:
    """Return the levels for which there are too few errors."""
    return [int(level) for level in levels if num_errors < count_needed(int(level))]


def _fit_one(
    history: np.ndarray, forecasts: np.ndarray, errors: np.ndarray, fold: np.ndarray, levels: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the bounds of one method. Its noise is treated as even unless the folds show otherwise."""
    if not len(errors):
        lows, highs = find_ranks(errors, levels)
        return {"lows": lows, "highs": highs} | dict.fromkeys(("slopes", "smallest", "largest"), np.zeros(2))
    predictors = _describe(history, forecasts)
    slopes = _fit_slopes(predictors, errors) if _is_uneven(predictors, errors, fold) else np.zeros(2)
    smallest, largest = predictors.min(axis=(0, 1)), predictors.max(axis=(0, 1))
    lows, highs = find_ranks(errors / _expect_spread(predictors, slopes, smallest, largest), levels)
    return {"lows": lows, "highs": highs, "slopes": slopes, "smallest": smallest, "largest": largest}


def find_ranks(errors: np.ndarray, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and the upper bound of the next error, by step ahead.

    Each side is the rank ⌈(n + 1)(1 − α/2)⌉ of the n errors, so that skewed noise has a skewed interval. With fewer
    errors, both sides are the rank ⌈(n + 1)(1 − α)⌉ of the absolute errors. With too few for that, they are infinite.

    Args:
        errors: float64[window, horizon].
        levels: int64[level], 100 · (1 − α).
    Returns:
        float64[level, horizon] each.
    Source: Vovk, Gammerman & Shafer (2005); Lei et al. (2018), doi:10.1080/01621459.2017.1307116.
    """
    num, horizon = errors.shape
    ordered, sizes = np.sort(errors, axis=0), np.sort(np.abs(errors), axis=0)
    lows, highs = np.full((len(levels), horizon), -np.inf), np.full((len(levels), horizon), np.inf)
    for number, level in enumerate(levels.tolist()):
        # In integers, because floating-point (n + 1)(1 − α) can be just above a whole number.
        side, both = -(-(num + 1) * (100 + level) // 200), -(-(num + 1) * level // 100)
        if side <= num:
            lows[number], highs[number] = ordered[num - side], ordered[side - 1]
        elif both <= num:
            lows[number], highs[number] = -sizes[both - 1], sizes[both - 1]
    return lows, highs


def _describe(history: np.ndarray, forecasts: np.ndarray) -> np.ndarray:
    """Return the predictors of the spread of an error: float64[window, horizon, 2].

    They are the logarithm of the mean change of the window from step to step, and the forecast, both normalised.
    """
    change = np.abs(np.diff(history, axis=1)).sum(axis=1) / max(1, history.shape[1] - 1)
    return np.stack([np.broadcast_to(np.log(change + SMALLEST_CHANGE)[:, None], forecasts.shape), forecasts], axis=-1)


def _expect_spread(predictors: np.ndarray, slopes: np.ndarray, smallest: np.ndarray, largest: np.ndarray) -> np.ndarray:
    """Return the expected spread of each error, up to a factor of its step: float64[window, horizon]."""
    spread: np.ndarray = np.exp(np.clip(predictors, smallest, largest) @ slopes)
    return spread


def _fit_slopes(predictors: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Regress the logarithm of the errors' size on the predictors, each less its mean at the step."""
    sizes = np.abs(errors)
    logs = np.log(sizes + SMALLEST_ERROR_PART * np.median(sizes, axis=0) + np.finfo(np.float64).tiny)
    centred = (predictors - predictors.mean(axis=0)).reshape(-1, predictors.shape[-1])
    slopes: np.ndarray = np.linalg.lstsq(centred, (logs - logs.mean(axis=0)).ravel(), rcond=1e-6)[0]
    return slopes


def _is_uneven(predictors: np.ndarray, errors: np.ndarray, fold: np.ndarray) -> bool:
    """Return whether intervals that follow the spread have a better Winkler score on held-out folds."""
    gains, level = [], np.array([TESTED_LEVEL])
    for number in np.unique(fold):
        own = fold == number
        slopes = _fit_slopes(predictors[~own], errors[~own])
        limits = predictors[~own].min(axis=(0, 1)), predictors[~own].max(axis=(0, 1))
        # If all errors are rounding errors, spreads are 0 or infinite; such gains are rejected below.
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            spread = _expect_spread(predictors, slopes, *limits)
            even = _score(errors[own], *find_ranks(errors[~own], level))
            uneven = spread[own] * _score((errors / spread)[own], *find_ranks((errors / spread)[~own], level))
            gains.append(1 - float(uneven.mean() / even.mean()))
    return bool(
        np.isfinite(gains).all() and np.mean(gains) > MIN_GAIN and find_shrinkage(np.array(gains)) > MIN_SHRINKAGE
    )


def _score(errors: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the Winkler score of each error, float64[window, horizon]."""
    outside = np.maximum(low - errors, 0) + np.maximum(errors - high, 0)
    score: np.ndarray = high - low + 200 / (100 - TESTED_LEVEL) * outside
    return score


def bound_forecasts(
    intervals: Intervals, name: str, panel: WindowedPanel, origins: np.ndarray, forecasts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of a method's forecasts.

    Args:
        intervals: include the forecaster `name`.
        panel: the windows.
        origins: int64[window].
        forecasts: float[window, horizon], scaled.
    Returns:
        Lower and upper bounds, float64[level, window, horizon] each, scaled; NaN if there are too few errors.
    """
    place = int(np.flatnonzero(intervals.names == name)[0])
    history = gather_history(panel, origins)
    zeros = panel.zeros[number_series(panel.series_starts, origins)]
    units = measure_units(intervals.kind, history, zeros, panel.season_length)
    normalized = units.normalize(forecasts)
    limits = intervals.slopes[place], intervals.smallest[place], intervals.largest[place]
    spread = _expect_spread(_describe(units.normalize(history), normalized), *limits)
    lows, highs = (
        np.array(
            [
                units.denormalize(normalized + spread * np.where(np.isfinite(step), step, np.nan))
                for step in bounds[place]
            ]
        )
        for bounds in (intervals.lows, intervals.highs)
    )
    return lows, highs


def add_intervals(
    predictions: Predictions, intervals: Intervals, panel: WindowedPanel, scaler: Scaler, part: Part
) -> Predictions:
    """Add the bounds of each method with intervals.

    Args:
        predictions: of all windows of the part, in their order; see `tabulate_forecasts`.
        intervals: by the names of the forecasters.
        panel, scaler: of the series.
        part: of the panel.
    """
    table, index = predictions.table, panel.index(part)
    origins = index.origins(np.arange(len(index)))
    scale = scaler.set_index("unique_id").reindex(table["unique_id"])
    mean, deviation = scale["mean"].to_numpy(), scale["deviation"].to_numpy()
    columns = {}
    for name in (name for name in predictions.forecasters if name in intervals.names):
        scaled = ((table[name] - mean) / deviation).to_numpy().reshape(-1, panel.horizon)
        found = bound_forecasts(intervals, name, panel, origins, scaled)
        for number, level in enumerate(intervals.levels.tolist()):
            for column, bounds in zip(name_bounds(name, level), found, strict=True):
                columns[column] = bounds[number].ravel() * deviation + mean
    return Predictions(table.assign(**columns), predictions.forecasters, tuple(intervals.levels.tolist()))
