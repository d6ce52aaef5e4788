"""Prediction intervals from past errors; see decision 30.

An error is divided by its expected size, so that the errors of all windows and series form one pool for each step
ahead. A bound is the forecast plus a quantile of the pool times the expected size.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import AfterValidator, BeforeValidator, Field, RootModel

from rnn_pipelines.forecast.intervals import sparse_bounds
from rnn_pipelines.forecast.intervals.few_values_errors import fit_few_values_sizes
from rnn_pipelines.forecast.intervals.finishing import KnownValues, finish_bounds, measure_known
from rnn_pipelines.forecast.intervals.own_widths import choose_shares, measure_distances
from rnn_pipelines.forecast.intervals.past_errors import pool_past
from rnn_pipelines.forecast.intervals.pool import (
    MIN_ERRORS,
    TESTED_LEVEL,
    list_changing,
    pool_panel,
    pool_single,
)
from rnn_pipelines.forecast.intervals.quantiles import count_needed
from rnn_pipelines.forecast.intervals.sizes import (
    OF_SERIES,
    FewValuesSizes,
    Pool,
    Rule,
    SizeModel,
    report_unbounded,
    report_unmeasured,
)
from rnn_pipelines.forecast.intervals.window_facts import WindowFacts, measure_windows
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData
from rnn_pipelines.forecast.methods.objective import NonNegative
from rnn_pipelines.forecast.methods.past import find_cut
from rnn_pipelines.forecast.methods.predictions import Predictions, name_bounds
from rnn_pipelines.forecast.pretrained.files import load_used_network
from rnn_pipelines.forecast.pretrained.network import PretrainedNetwork
from rnn_pipelines.forecast.series.tables import Features, Scaler
from rnn_pipelines.forecast.windows.panel import Part, WindowedPanel
from rnn_pipelines.parameter_models import validate_number_is_no_boolean

logger = logging.getLogger(__name__)

SIZE_PARTS = ("slopes", "centres", "smallest", "largest")


def _check_percent(level: Any) -> Any:
    if isinstance(level, float) and 0 < level < 1:
        raise ValueError(
            f"expected whole percent, such as {100 * level:.0f} for {level:g}, received {level:g}"
        )
    return level


NoBoolean = BeforeValidator(validate_number_is_no_boolean)
Percent = BeforeValidator(_check_percent)
Level = Annotated[int, Field(ge=1, le=99), Percent, NoBoolean]
Listed = BeforeValidator(
    lambda levels: (levels,) if isinstance(levels, int | float | np.number) else levels
)
Sorted = AfterValidator(lambda levels: tuple(sorted(set(levels))))


class LevelSpec(RootModel[Annotated[tuple[Level, ...], Sorted, Listed]], frozen=True):
    """Levels of intervals in whole percent, such as 80 and 95: the share of actuals inside; empty for no intervals.

    A single level needs no list.
    """


Quantile = Annotated[float, Field(gt=0, lt=1, multiple_of=0.005), NoBoolean]


class QuantileSpec(
    RootModel[Annotated[tuple[Quantile, ...], Sorted, Listed, Field(min_length=1)]], frozen=True
):
    """Quantiles between 0 and 1 in steps of .005, such as .1 and .9. A single one needs no list."""

    def list_levels(self) -> dict[float, int]:
        """Return the level in percent of the interval that each quantile bounds, 0 for the median."""
        return {quantile: round(abs(200 * quantile - 100)) for quantile in self.root}


@dataclass(frozen=True)
class Intervals:
    """The intervals of some methods. Flat, so that one file of arrays holds them.

    Attributes:
        rule: of the expected size, see `error_sizes`.
        levels: int64[level], in percent.
        names: str[forecaster].
        lows, highs: float64[forecaster, level, horizon], errors (actual minus forecast) over their expected size;
            infinite if there are too few errors for the level, NaN if there are none.
        samples: float32[forecaster, sample, horizon], past errors over their expected size, for paths.
        growth: float64[forecaster], exponent of the step with which errors grow, for steps beyond the horizon.
        usual, slopes, centres, smallest, largest: see `SizeModel`; by forecaster, except for `usual`.
        shape: float64[value], see `fit_shape`; empty if no series is sparse.
        non_negative: whether bounds are cut at 0, see `ObjectiveSpec`.
        min_share: share of zeros from which a window is sparse.
        few_values_numbers, few_values_ratio, few_values_factors: see `FewValuesSizes`, factors by forecaster.
        evaluated: float64[forecaster, 2, level, horizon], lows and highs for the test part if they differ; else empty.
        own_share: float64[forecaster], of the widths that the pretrained network expects; see `own_widths`.
    """

    rule: Rule
    levels: np.ndarray
    names: np.ndarray
    lows: np.ndarray
    highs: np.ndarray
    samples: np.ndarray
    growth: np.ndarray
    usual: np.ndarray
    slopes: np.ndarray
    centres: np.ndarray
    smallest: np.ndarray
    largest: np.ndarray
    shape: np.ndarray
    non_negative: NonNegative
    min_share: float = sparse_bounds.MIN_ZERO_SHARE
    few_values_numbers: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    few_values_ratio: float = 0.0
    few_values_factors: np.ndarray = field(default_factory=lambda: np.zeros((1, 0, 0)))
    evaluated: np.ndarray = field(default_factory=lambda: np.zeros((1, 0)))
    # Empty in intervals of before there were such widths.
    own_share: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def as_evaluated(self) -> "Intervals":
        """Return the intervals that count no error of the test part."""
        return (
            replace(self, lows=self.evaluated[:, 0], highs=self.evaluated[:, 1])
            if self.evaluated.size
            else self
        )

    def pick(self, name: str, new_name: str) -> "Intervals":
        """Return the intervals of one method, under another name."""
        place = np.flatnonzero(self.names == name)
        optional = [
            part
            for part in ("evaluated", "few_values_factors", "own_share")
            if getattr(self, part).size
        ]
        parts = ("lows", "highs", "samples", "growth", *SIZE_PARTS, *optional)
        return replace(
            self, names=np.array([new_name]), **{part: getattr(self, part)[place] for part in parts}
        )

    def find(self, name: str) -> int:
        """Return the place of a forecaster."""
        return int(np.flatnonzero(self.names == name)[0])

    def get_own_share(self, name: str) -> float:
        """Return the share of the pretrained network's widths in the bounds of a forecaster."""
        return float(self.own_share[self.find(name)]) if self.own_share.size else 0.0

    def get_sizes(self, name: str) -> SizeModel:
        """Return the expected sizes of a forecaster's errors."""
        place = self.find(name)
        sizes = SizeModel(
            self.rule, self.usual, *(getattr(self, part)[place] for part in SIZE_PARTS)
        )
        if not len(self.few_values_numbers):
            return sizes
        few = FewValuesSizes(
            self.few_values_numbers, self.few_values_ratio, self.few_values_factors[place]
        )
        return replace(sizes, few_values=few)


def fit_intervals(
    data: FittingData,
    fitted: Mapping[str, FittedMethod],
    level: LevelSpec,
    asked: LevelSpec | None = None,
) -> Intervals:
    """Compute the intervals of each method.

    A single series with enough held-out errors takes ranks of these. A panel adds fitted errors, and takes these alone
    if no errors are held out. With too few of them, the pretrained network expects the errors, or those of the rule for
    short series count; these also if nearly all windows are constant, such as those before a launch. Of the levels
    `asked` (None for all), those with too few errors are a warning.
    """
    levels = np.array(level.root, np.int64)
    is_panel = len(data.panel.series_starts) > 1
    origins = data.linear.fitted if is_panel else data.validation
    own_share = np.zeros(len(fitted))
    if len(origins) < MIN_ERRORS:
        pools = dict.fromkeys(
            fitted, pool_past(data.panel, levels, load_used_network(data.pretrained))
        )
    elif len(list_changing(data.panel, origins)) < MIN_ERRORS:
        pools = dict.fromkeys(fitted, pool_past(data.panel, levels))
    elif is_panel:
        pools = pool_panel(data, fitted, levels)
    else:
        pools = pool_single(data, fitted, levels)
    if next(iter(pools.values())).sizes.rule not in OF_SERIES:
        own_share = choose_shares(data, fitted, {name: pool.sizes for name, pool in pools.items()})
    first = next(iter(pools.values()))
    for missing in sorted(
        set(levels[~np.isfinite(first.lows).all(axis=1)].tolist()) & set((asked or level).root)
    ):
        needed = count_needed(missing)
        logger.warning(
            "no intervals of level %d: there are fewer than %d past errors of each step",
            missing,
            needed,
        )
    facts = [{**vars(pool.sizes), **vars(pool)} for pool in pools.values()]
    names = [*SIZE_PARTS, *(part.name for part in fields(Pool) if part.name != "sizes")]
    by_method: dict[str, Any] = {name: np.stack([pool[name] for pool in facts]) for name in names}
    if first.sizes.rule == "panel":
        by_method |= fit_few_values_sizes(
            data, fitted, {name: pool.samples for name, pool in pools.items()}
        )
    can_be_sparse = data.linear.non_negative and first.sizes.rule == "panel"
    min_share = sparse_bounds.MIN_ZERO_SHARE
    if len(data.linear.fitted):
        min_share = sparse_bounds.find_min_share(data.panel, data.linear.fitted)
    return Intervals(
        rule=first.sizes.rule,
        levels=levels,
        names=np.array(list(fitted)),
        usual=first.sizes.usual,
        shape=sparse_bounds.fit_shape(data.panel) if can_be_sparse else np.zeros(0),
        non_negative=data.linear.non_negative,
        min_share=min_share,
        own_share=own_share,
        **by_method,
    )


@dataclass(frozen=True)
class Windows:
    """Windows to be bounded.

    Attributes:
        panel, origins: the windows, int64[window].
        known: the known values, which limit the bounds.
        sparse: float64[2, level, window], see `bound_sparse`.
        is_whole: bool[window], whether all values of the series are whole numbers.
        is_cut: bool[window], whether bounds are cut at 0. All others are no bounds of sparse series.
        own: float64[side, level, window, horizon], see `measure_distances`; None if no bounds read them.
        mean, deviation: float64[window, 1], of the scaler.
    """

    panel: WindowedPanel
    origins: np.ndarray
    facts: WindowFacts
    known: KnownValues
    sparse: tuple[np.ndarray, np.ndarray]
    is_whole: np.ndarray
    is_cut: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    own: np.ndarray | None = None

    def get_own(self, side: int) -> np.ndarray:
        """Return the bounds of the pretrained network less its median, on one side: float64[level, window, horizon]."""
        assert self.own is not None, "bounds need the pretrained network"
        return self.own[side] * (-1 if side == 0 else 1)


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
    series = scaler.set_index("unique_id").index.get_indexer(names)
    mean, deviation = (
        scaler[column].to_numpy()[series][:, None] for column in ("mean", "deviation")
    )
    is_cut = find_cut(intervals.non_negative, panel, origins)
    sparse = sparse_bounds.bound_sparse(
        intervals.shape, panel, origins, intervals.levels, intervals.min_share
    )
    sparse = np.where(is_cut, sparse[0], np.nan), np.where(is_cut, sparse[1], np.nan)
    is_whole = np.zeros(len(origins), bool)
    if not np.isnan(sparse[0]).all():
        of_series = dict(
            zip(panel.find_series(origins), zip(mean, deviation, strict=True), strict=True)
        )
        whole = {
            number: sparse_bounds.find_whole(panel, number, *scale)
            for number, scale in of_series.items()
        }
        is_whole = np.array([whole[number] for number in panel.find_series(origins)])
    facts = measure_windows(panel, origins, series)
    known = measure_known(panel, origins)
    own = None
    if network is not None and intervals.own_share.any():
        own = measure_distances(network, panel, origins, intervals.levels)
    return Windows(panel, origins, facts, known, sparse, is_whole, is_cut, mean, deviation, own)


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
    scaled = (forecasts - windows.mean) / windows.deviation
    horizon = intervals.lows.shape[2]
    distances = _find_error_distances(intervals, name, windows, scaled, first_step)
    distances = _mix_widths(intervals, name, windows, distances, first_step)
    sides = [
        np.where(np.isnan(sparse)[:, :, None], scaled + distance, sparse[:, :, None])
        for distance, sparse in zip(distances, windows.sparse, strict=True)
    ]
    reach = windows.known.measure_reach(scaled, first_step, horizon)
    finished = finish_bounds(scaled, sides[0], sides[1], intervals.levels, windows.known, reach)
    lows, highs = (side * windows.deviation + windows.mean for side in finished)
    lows = np.where(windows.is_cut[:, None], np.maximum(lows, 0.0), lows)
    is_rounded = windows.is_whole[:, None] & ~np.isnan(windows.sparse[0])[:, :, None]
    lows, highs = sparse_bounds.round_bounds(lows, highs, is_rounded)
    highs = np.where(is_rounded & (highs <= lows), lows + 1, highs)
    # Rounding must not move a bound over the forecast.
    return np.minimum(lows, forecasts), np.maximum(highs, forecasts)


def _find_error_distances(
    intervals: Intervals, name: str, windows: Windows, scaled: np.ndarray, first_step: int = 1
) -> np.ndarray:
    """Return the bounds by past errors less the forecasts: float64[side, level, window, step], scaled."""
    place = intervals.find(name)
    columns, growth = _extend_steps(intervals, place, scaled, first_step)
    quantiles = np.stack([intervals.lows[place], intervals.highs[place]])
    quantiles = np.where(np.isfinite(quantiles), quantiles, np.nan)
    size = intervals.get_sizes(name).expect(windows.facts, scaled, first_step)
    distances: np.ndarray = size * (quantiles[:, :, columns] * growth)[:, :, None]
    return distances


def _mix_widths(
    intervals: Intervals,
    name: str,
    windows: Windows,
    distances: np.ndarray,
    first_step: int = 1,
) -> np.ndarray:
    """Return distances by past errors, mixed with those of the pretrained network; see `own_widths`."""
    share = intervals.get_own_share(name)
    if share == 0:
        return distances
    columns, growth = _extend_steps(intervals, intervals.find(name), distances, first_step)
    own = np.stack([windows.get_own(side)[:, :, columns] * growth for side in range(2)])
    # Windows with few values have sizes that are measured for them.
    is_few = ~np.isnan(windows.facts.variance)[:, None] & (intervals.rule == "panel")
    return np.where(is_few, distances, (1 - share) * distances + share * own)


def _extend_steps(
    intervals: Intervals, place: int, values: np.ndarray, first_step: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the place of each step within the horizon, int64[step], and the growth of errors beyond it."""
    horizon = intervals.lows.shape[2]
    steps = first_step + np.arange(values.shape[-1])
    return np.minimum(steps, horizon) - 1, np.maximum(steps / horizon, 1.0) ** intervals.growth[
        place
    ]


def find_width_factors(
    intervals: Intervals, name: str, windows: Windows, scaled: np.ndarray
) -> np.ndarray:
    """Return by how much bounds are wider than those of past errors, below and above: float64[side, window, step].

    Those of the level next to `TESTED_LEVEL` count, for errors of all sizes.
    """
    if intervals.get_own_share(name) == 0:
        return np.ones((2, *scaled.shape))
    level = int(np.abs(intervals.levels - TESTED_LEVEL).argmin())
    distances = _find_error_distances(intervals, name, windows, scaled)
    plain = distances[:, level]
    mixed = _mix_widths(intervals, name, windows, distances)[:, level]
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
    bounded = [name for name in predictions.forecasters if name in intervals.names]
    # One array for all bounds, because its memory is free again as soon as the table is saved.
    bounds = np.empty((len(bounded), len(levels), 2, len(table)))
    for name, of_method in zip(bounded, bounds, strict=True):
        forecasts = table[name].to_numpy().reshape(-1, panel.horizon)
        for side, of_side in enumerate(bound_forecasts(intervals, name, windows, forecasts)):
            of_method[:, side] = of_side.reshape(len(levels), len(table))
    if part == "future" and bounds.size:
        used = predictions.use if predictions.use in bounded else bounded[0]
        forecasts = table[used].to_numpy().reshape(-1, panel.horizon)
        report_unmeasured(names, (forecasts - windows.mean) / windows.deviation)
        # If a level is empty for all series, `fit_intervals` has told the reason.
        if np.isfinite(intervals.lows[intervals.find(used), 0]).all():
            is_empty = (
                np.isnan(bounds[bounded.index(used), 0, 0]).reshape(forecasts.shape).any(axis=1)
            )
            report_unbounded(names, is_empty, windows.known.is_constant[:, 0])
    columns = [
        column for name in bounded for level in levels for column in name_bounds(name, level)
    ]
    flat = bounds.reshape(len(columns), len(table)).T
    added = pd.DataFrame(flat, table.index, pd.Index(columns, dtype="str"), copy=False)
    return replace(predictions, table=pd.concat([table, added], axis=1), levels=tuple(levels))
