"""Intervals around forecasts, as wide as errors on windows that nobody had seen ask for.

Split-conformal: the bounds are ranks of past errors, by step ahead, in the frame of each window, so that those of a
panel are pooled. Where the noise is visibly uneven, errors are first divided by the spread that a window lets expect.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, RootModel

from rnn_pipelines.blocks import refuse_truth
from rnn_pipelines.forecast.base import Base, choose_ridge, forecast_folds
from rnn_pipelines.forecast.baselines import BASELINES, MIX, RIDGE
from rnn_pipelines.forecast.best import BEST, find_unseen_errors
from rnn_pipelines.forecast.blending import trust
from rnn_pipelines.forecast.folds import find_series
from rnn_pipelines.forecast.frames import FrameKind, measure_units
from rnn_pipelines.forecast.networks import Network
from rnn_pipelines.forecast.predictions import Predictions, name_bounds
from rnn_pipelines.forecast.predictors import frame_targets, frame_windows
from rnn_pipelines.forecast.series.tables import Scaler
from rnn_pipelines.forecast.series.windows import Part, WindowedPanel, gather_history
from rnn_pipelines.forecast.theta import THETA

logger = logging.getLogger(__name__)

# Keeps logarithms finite: of a change in the frame, and of an error, as part of the median one of its step.
SMALLEST_CHANGE, SMALLEST_ERROR_PART = 0.02, 0.05
# By whose Winkler score uneven noise is told, how much better it must be, and how far the folds must agree (t = 2).
JUDGED_LEVEL, MIN_GAIN, MIN_TRUST = 80, 0.005, 0.8


class LevelSpec(
    RootModel[
        Annotated[
            tuple[Annotated[int, Field(ge=1, le=99), BeforeValidator(refuse_truth)], ...],
            AfterValidator(lambda levels: tuple(sorted(set(levels)))),
        ]
    ],
    frozen=True,
):
    """Levels of intervals in whole percent, such as 80 and 95: how many actuals are to lie inside; empty for none."""


@dataclass(frozen=True)
class Intervals:
    """The bounds of some forecasters. Flat, so that one file of arrays holds them.

    Attributes:
        frame: see `frames`.
        levels: int64[level], in percent.
        names: str[forecaster].
        lows, highs: float64[forecaster, level, horizon], errors (actual minus forecast) in the frame over the expected
            spread; infinite where too few were seen for the level.
        slopes: float64[forecaster, predictor], of the logarithm of the spread; 0 where the noise counts as even.
        smallest, largest: float64[forecaster, predictor], what was seen of the predictors; beyond it nothing is known.
    """

    frame: FrameKind
    levels: np.ndarray
    names: np.ndarray
    lows: np.ndarray
    highs: np.ndarray
    slopes: np.ndarray
    smallest: np.ndarray
    largest: np.ndarray

    def pick(self, name: str, new_name: str) -> "Intervals":
        """Those of one forecaster, under another name."""
        place = np.flatnonzero(self.names == name)
        own = {part: getattr(self, part)[place] for part in ("lows", "highs", "slopes", "smallest", "largest")}
        return replace(self, names=np.array([new_name]), **own)


def fit_intervals(
    panel: WindowedPanel, base: Base, best: Mapping[str, Any], level: LevelSpec, **networks: Network
) -> Intervals:
    """Finds the intervals of every simple method, every network and the combination.

    Args:
        panel, base: what they were fitted on.
        best: see `weigh_best`.
        level: of the intervals.
        networks: by name.
    """
    errors, forecasts = _judge(panel, base, best["weights"], networks)
    history = frame_windows(panel, base, base.judged).history
    levels = np.array(level.root, np.int64)
    fitted = [_fit_one(history, forecasts[name], errors[name], base.fold, levels) for name in errors]
    parts = {part: np.stack([one[part] for one in fitted]) for part in fitted[0]}
    num_errors = len(next(iter(errors.values())))
    for missing in find_missing(levels, num_errors):
        logger.warning(
            "no intervals of level %d: they need %d past errors of a step, and there are %d",
            *(missing, count_needed(missing), num_errors),
        )
    uneven = [name for name, slopes in zip(errors, parts["slopes"], strict=True) if slopes.any()]
    if uneven:
        logger.info("intervals follow the expected spread of a window: %s", ", ".join(uneven))
    return Intervals(base.frame, levels, np.array(list(errors)), **parts)


def count_needed(level: int) -> int:
    """The least number of past errors with which an interval of this level can be promised."""
    return -(-level // (100 - level))


def find_missing(levels: np.ndarray, num_errors: int) -> list[int]:
    """The levels that so few errors can't promise."""
    return [int(level) for level in levels if num_errors < count_needed(int(level))]


def _judge(
    panel: WindowedPanel, base: Base, weights: Mapping[str, float], networks: Mapping[str, Network]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Errors and forecasts of each forecaster on windows that it has not seen: float64[judged, horizon], framed."""
    framed = frame_windows(panel, base, base.judged)
    methods = {name: name for name in BASELINES if name in base.names}
    methods[RIDGE] = choose_ridge([str(name) for name in base.names], base.losses)
    if not base.is_enough:
        nothing = np.zeros((0, panel.horizon))
        errors = dict.fromkeys(
            [*networks, BEST, *(name for name in BASELINES if name in {*methods, MIX, THETA})], nothing
        )
        return errors, errors
    actual = frame_targets(panel, framed, base.judged)
    errors = find_unseen_errors(panel, base, networks)
    errors[BEST] = np.sum([weight * errors[name] for name, weight in weights.items()], axis=0)
    errors |= {name: actual - forecast_folds(base, framed.predictors, method) for name, method in methods.items()}
    return errors, {name: actual - error for name, error in errors.items()}


def _fit_one(
    history: np.ndarray, forecasts: np.ndarray, errors: np.ndarray, fold: np.ndarray, levels: np.ndarray
) -> dict[str, np.ndarray]:
    """The bounds of one forecaster; its noise counts as even unless the folds say otherwise."""
    if not len(errors):
        lows, highs = find_ranks(errors, levels)
        return {"lows": lows, "highs": highs} | dict.fromkeys(("slopes", "smallest", "largest"), np.zeros(2))
    predictors = _describe(history, forecasts)
    slopes = _fit_slopes(predictors, errors) if _is_uneven(predictors, errors, fold) else np.zeros(2)
    smallest, largest = predictors.min(axis=(0, 1)), predictors.max(axis=(0, 1))
    lows, highs = find_ranks(errors / _expect_spread(predictors, slopes, smallest, largest), levels)
    return {"lows": lows, "highs": highs, "slopes": slopes, "smallest": smallest, "largest": largest}


def find_ranks(errors: np.ndarray, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lower and the upper bound of the next error, by step ahead.

    Each side by the rank ⌈(n + 1)(1 − α/2)⌉ of the n errors, so that skew noise has a skew interval; where there are
    too few for that, both by the rank ⌈(n + 1)(1 − α)⌉ of their sizes; and where there are too few for that, infinite:
    nothing narrower could be promised.

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
        # In whole numbers, because (n + 1)(1 − α) would be rounded up where it is one.
        side, both = -(-(num + 1) * (100 + level) // 200), -(-(num + 1) * level // 100)
        if side <= num:
            lows[number], highs[number] = ordered[num - side], ordered[side - 1]
        elif both <= num:
            lows[number], highs[number] = -sizes[both - 1], sizes[both - 1]
    return lows, highs


def _describe(history: np.ndarray, forecasts: np.ndarray) -> np.ndarray:
    """What the spread of an error may hang on: float64[window, horizon, 2].

    How much the window moves from step to step, as a logarithm, and the forecast; both in the frame.
    """
    change = np.abs(np.diff(history, axis=1)).sum(axis=1) / max(1, history.shape[1] - 1)
    return np.stack([np.broadcast_to(np.log(change + SMALLEST_CHANGE)[:, None], forecasts.shape), forecasts], axis=-1)


def _expect_spread(predictors: np.ndarray, slopes: np.ndarray, smallest: np.ndarray, largest: np.ndarray) -> np.ndarray:
    """The spread that is expected of each error, up to a factor of its step: float64[window, horizon]."""
    spread: np.ndarray = np.exp(np.clip(predictors, smallest, largest) @ slopes)
    return spread


def _fit_slopes(predictors: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Least squares of the logarithm of the errors' size on the predictors, each less its mean at the step."""
    sizes = np.abs(errors)
    logs = np.log(sizes + SMALLEST_ERROR_PART * np.median(sizes, axis=0) + np.finfo(np.float64).tiny)
    centred = (predictors - predictors.mean(axis=0)).reshape(-1, predictors.shape[-1])
    slopes: np.ndarray = np.linalg.lstsq(centred, (logs - logs.mean(axis=0)).ravel(), rcond=1e-6)[0]
    return slopes


def _is_uneven(predictors: np.ndarray, errors: np.ndarray, fold: np.ndarray) -> bool:
    """Whether intervals that follow the expected spread have a better Winkler score on hidden folds."""
    gains, level = [], np.array([JUDGED_LEVEL])
    for number in np.unique(fold):
        own = fold == number
        slopes = _fit_slopes(predictors[~own], errors[~own])
        limits = predictors[~own].min(axis=(0, 1)), predictors[~own].max(axis=(0, 1))
        # Where errors are nothing but rounding, spreads are 0 or infinite; such a gain is refused below.
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            spread = _expect_spread(predictors, slopes, *limits)
            even = _score(errors[own], *find_ranks(errors[~own], level))
            uneven = spread[own] * _score((errors / spread)[own], *find_ranks((errors / spread)[~own], level))
            gains.append(1 - float(uneven.mean() / even.mean()))
    return bool(np.isfinite(gains).all() and np.mean(gains) > MIN_GAIN and trust(np.array(gains)) > MIN_TRUST)


def _score(errors: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The Winkler score of each error, float64[window, horizon]."""
    outside = np.maximum(low - errors, 0) + np.maximum(errors - high, 0)
    score: np.ndarray = high - low + 200 / (100 - JUDGED_LEVEL) * outside
    return score


def bound_forecasts(
    intervals: Intervals, name: str, panel: WindowedPanel, origins: np.ndarray, forecasts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The bounds of a forecaster's forecasts.

    Args:
        intervals: of the forecaster `name`.
        panel: the windows.
        origins: int64[window].
        forecasts: float[window, horizon], scaled.
    Returns:
        Lower and upper bounds, float64[level, window, horizon] each, scaled; NaN where the level can't be promised.
    """
    place = int(np.flatnonzero(intervals.names == name)[0])
    history = gather_history(panel, origins)
    zeros = panel.zeros[find_series(panel, origins)]
    units = measure_units(intervals.frame, history, zeros, panel.season_length)
    framed = units.frame(forecasts)
    limits = intervals.slopes[place], intervals.smallest[place], intervals.largest[place]
    spread = _expect_spread(_describe(units.frame(history), framed), *limits)
    lows, highs = (
        np.array([units.unframe(framed + spread * np.where(np.isfinite(step), step, np.nan)) for step in bounds[place]])
        for bounds in (intervals.lows, intervals.highs)
    )
    return lows, highs


def add_intervals(
    predictions: Predictions, intervals: Intervals, panel: WindowedPanel, scaler: Scaler, part: Part
) -> Predictions:
    """With the bounds of every forecaster that has intervals.

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
