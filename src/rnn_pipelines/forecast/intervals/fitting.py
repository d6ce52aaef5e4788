"""The intervals of all methods: the first way that applies, then the special cases; see decision 30.

An error is divided by its expected size, so that the errors of all windows and series form one pool for each step
ahead. A bound is the forecast plus a quantile of the pool times the expected size, see `bounding`.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from rnn_pipelines.forecast.intervals.few_values_errors import fit_few_values_sizes
from rnn_pipelines.forecast.intervals.levels import LevelSpec
from rnn_pipelines.forecast.intervals.network_widths import mix_in_network
from rnn_pipelines.forecast.intervals.panel_errors import PANEL_ERRORS
from rnn_pipelines.forecast.intervals.past_errors import NETWORK_ERRORS, PAST_ERRORS
from rnn_pipelines.forecast.intervals.quantiles import count_needed
from rnn_pipelines.forecast.intervals.single_errors import SINGLE_ERRORS
from rnn_pipelines.forecast.intervals.sparse_bounds import (
    MIN_ZERO_SHARE,
    NO_SPARSE_SERIES,
    SparseShape,
    find_min_share,
    fit_shape,
)
from rnn_pipelines.forecast.intervals.ways import FewValuesSizes, MethodErrors, SizeModel, Way
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData
from rnn_pipelines.forecast.methods.objective import NonNegative

logger = logging.getLogger(__name__)

# The first one that applies makes the widths of all methods.
WAYS: tuple[Way, ...] = (NETWORK_ERRORS, PAST_ERRORS, PANEL_ERRORS, SINGLE_ERRORS)
# The numbers of a `SizeModel` that each method has of its own.
SIZE_PARTS = ("slopes", "centres", "smallest", "largest")
SIZES = {way.sizes.rule: way.sizes for way in WAYS}


@dataclass(frozen=True)
class Intervals:
    """The intervals of some methods.

    Attributes:
        levels: int64[level], in percent.
        methods: the errors of each method, by name.
        sparse: of the series with many zeros.
        non_negative: whether bounds are cut at 0, see `ObjectiveSpec`.
        linear: the baseline ensemble in use, float64[predictor, horizon], normalised, whose past errors order sample
            paths; empty for forecasters of older versions.
    """

    levels: np.ndarray
    methods: Mapping[str, MethodErrors]
    non_negative: NonNegative
    sparse: SparseShape = NO_SPARSE_SERIES
    linear: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))

    @property
    def sizes(self) -> SizeModel:
        """The expected sizes of the errors of one method, whose rule and usual errors all methods share."""
        return next(iter(self.methods.values())).sizes

    def replace_usual(self, usual: np.ndarray) -> "Intervals":
        """Return the intervals with other expected errors of series, float64[series]."""
        methods = {
            name: replace(errors, sizes=replace(errors.sizes, usual=usual))
            for name, errors in self.methods.items()
        }
        return replace(self, methods=methods)

    def as_evaluated(self) -> "Intervals":
        """Return the intervals that count no error of the test part."""
        methods = {
            name: errors
            if errors.evaluated is None
            else replace(errors, lows=errors.evaluated[0], highs=errors.evaluated[1])
            for name, errors in self.methods.items()
        }
        return replace(self, methods=methods)

    def pick(self, name: str, new_name: str) -> "Intervals":
        """Return the intervals of one method, under another name."""
        return replace(self, methods={new_name: self.methods[name]})

    def keep(self, levels: Sequence[int]) -> "Intervals":
        """Return the intervals of some levels."""
        is_kept = np.isin(self.levels, levels)
        methods = {}
        for name, errors in self.methods.items():
            evaluated = None if errors.evaluated is None else errors.evaluated[:, is_kept]
            methods[name] = replace(
                errors, lows=errors.lows[is_kept], highs=errors.highs[is_kept], evaluated=evaluated
            )
        return replace(self, levels=self.levels[is_kept], methods=methods)

    def to_arrays(self) -> dict[str, np.ndarray | float | str]:
        """Return arrays and numbers by name, for `from_arrays`; those of methods have the method as first axis."""
        methods = self.methods.values()
        few_values = [method.sizes.few_values for method in methods]
        few_sizes = [sizes for sizes in few_values if sizes is not None]
        evaluated = [
            np.zeros(0) if method.evaluated is None else method.evaluated for method in methods
        ]
        return {
            "rule": self.sizes.rule,
            "levels": self.levels,
            "names": np.array(list(self.methods)),
            "lows": np.stack([method.lows for method in methods]),
            "highs": np.stack([method.highs for method in methods]),
            "samples": np.stack([method.samples for method in methods]),
            "growth": np.array([method.growth for method in methods]),
            "usual": self.sizes.usual,
            **{
                part: np.stack([getattr(method.sizes, part) for method in methods])
                for part in SIZE_PARTS
            },
            "shape": self.sparse.shape,
            "non_negative": self.non_negative,
            "min_share": self.sparse.min_share,
            "few_values_numbers": few_sizes[0].numbers if few_sizes else np.zeros(0, np.int64),
            "few_values_ratio": few_sizes[0].ratio if few_sizes else 0.0,
            "few_values_factors": np.stack([sizes.factors for sizes in few_sizes])
            if few_sizes
            else np.zeros((1, 0, 0)),
            "evaluated": np.stack(evaluated),
            "linear": self.linear,
            "own_share": np.array([method.network_share for method in methods]),
        }

    @classmethod
    def from_arrays(cls, values: Mapping[str, Any]) -> Self:
        """Return the intervals with these arrays and numbers. Those of older versions lack some of them."""
        names = values["names"].tolist()
        shares = values.get("own_share", np.zeros(0))
        evaluated = values.get("evaluated", np.zeros(0))
        numbers = values.get("few_values_numbers", np.zeros(0))
        methods = {}
        for place, name in enumerate(names):
            few_values = None
            if len(numbers):
                few_values = FewValuesSizes(
                    numbers, values["few_values_ratio"], values["few_values_factors"][place]
                )
            parts = {part: values[part][place] for part in SIZE_PARTS}
            sizes = SIZES[values["rule"]](values["usual"], **parts, few_values=few_values)
            methods[name] = MethodErrors(
                sizes,
                values["lows"][place],
                values["highs"][place],
                values["samples"][place],
                float(values["growth"][place]),
                evaluated[place] if evaluated.size else None,
                float(shares[place]) if shares.size else 0.0,
            )
        sparse = SparseShape(values["shape"], values.get("min_share", MIN_ZERO_SHARE))
        linear = values.get("linear", np.zeros((0, 0)))
        return cls(values["levels"], methods, values["non_negative"], sparse, linear)


def fit_intervals(
    data: FittingData,
    fitted: Mapping[str, FittedMethod],
    level: LevelSpec,
    requested: LevelSpec | None = None,
) -> Intervals:
    """Compute the intervals of each method.

    Of the levels `requested` (None for all), those with too few errors are a warning.
    """
    levels = np.array(level.root, np.int64)
    way = next(way for way in WAYS if way.applies(data))
    errors = way.measure(data, fitted, levels)
    _report_too_few(next(iter(errors.values())), levels, requested or level)
    if not way.sizes.is_of_series:
        errors = mix_in_network(data, fitted, errors)
    sparse = NO_SPARSE_SERIES
    if way is PANEL_ERRORS:
        samples = {name: method.samples for name, method in errors.items()}
        for name, few_values in fit_few_values_sizes(data, fitted, samples).items():
            sizes = replace(errors[name].sizes, few_values=few_values)
            errors[name] = replace(errors[name], sizes=sizes)
        if data.linear.non_negative:
            min_share = find_min_share(data.panel, data.linear.fitted)
            sparse = SparseShape(fit_shape(data.panel), min_share)
    linear = data.linear.refit().combine()
    return Intervals(levels, errors, data.linear.non_negative, sparse, linear)


def _report_too_few(errors: MethodErrors, levels: np.ndarray, requested: LevelSpec) -> None:
    """Warn of the levels that a user asked for, if there are too few errors for them."""
    for level, lows in zip(levels.tolist(), errors.lows, strict=True):
        if level in requested.root and not np.isfinite(lows).all():
            logger.warning(
                "no intervals of level %d: there are fewer than %d past errors of each step",
                level,
                count_needed(level),
            )
