"""Boosted trees: one model for all series and steps, on lags, rolling means, the calendar and covariates.

The step ahead is an input. The target is the difference from the newest value of the same season, normalised, so that
the trees follow a level outside the values of the training.
Source: gradient boosting, Friedman (2001), doi:10.1214/aos/1013203451; its histograms, Ke et al. (2017), LightGBM.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from rnn_pipelines.forecast.methods.contributions import Contributions
from rnn_pipelines.forecast.methods.folds import list_past
from rnn_pipelines.forecast.methods.local.method import contribute_as_whole
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData, fit_by_fold
from rnn_pipelines.forecast.methods.predictors import (
    MAX_NORMALIZED,
    NormalizedWindows,
    normalize_targets,
    normalize_windows,
)
from rnn_pipelines.forecast.windows.panel import WindowedPanel
from rnn_pipelines.report.styles import Style

TREES = "trees"
# The smallest number of windows, and the largest number of pairs of a window and a step in a fit.
MIN_WINDOWS, MAX_ROWS = 500, 10_000
# The newest values that are inputs: at least, at most, and the same seasons before a step.
MIN_LAGS = 8
MAX_LAGS = 28
NUM_SEASONS = 4
NUM_TREES = 80
DEPTH = 5
RATE = 0.1
PENALTY = 1.0


@dataclass(frozen=True)
class TreesModel:
    """The fitted trees as arrays; see `Model`.

    Each tree is complete: the children of node i are 2 i + 1 and 2 i + 2. A leaf above the last level has an infinite
    threshold, so that all rows go on to its left.
    """

    inputs: np.ndarray  # int64[tree, split], the input that a node compares
    thresholds: np.ndarray  # float64[tree, split]; larger values go to the right
    # float64[tree, leaf], the values of the last level, which are added to the offset
    leaves: np.ndarray
    offset: float  # the forecast without trees

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Return the sum of all trees, float64[row], of float64[row, input] without NaN."""
        found = np.full(len(rows), float(self.offset))
        flat = rows.ravel()
        first = np.arange(len(rows)) * rows.shape[1]
        num_splits = self.inputs.shape[1]
        for inputs, thresholds, leaves in zip(
            self.inputs, self.thresholds, self.leaves, strict=True
        ):
            node = np.zeros(len(rows), np.int64)
            for _ in range(num_splits.bit_length()):
                node = 2 * node + 1 + (flat[first + inputs[node]] > thresholds[node])
            found += leaves[node - num_splits]
        return found

    def forecast(
        self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray
    ) -> np.ndarray:
        numbers, steps = np.divmod(np.arange(len(origins) * panel.horizon), panel.horizon)
        inputs, naive = gather_tree_inputs(panel, windows, origins, numbers, steps)
        return windows.units.denormalize((self.predict(inputs) + naive).reshape(-1, panel.horizon))

    def contribute(
        self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray
    ) -> Contributions:
        return contribute_as_whole(TREES, self.forecast(panel, windows, origins)[0], panel, windows)

    def pack(self) -> dict[str, np.ndarray | float]:
        return {
            "inputs": self.inputs,
            "thresholds": self.thresholds,
            "leaves": self.leaves,
            "offset": self.offset,
        }


def gather_tree_inputs(
    panel: WindowedPanel,
    windows: NormalizedWindows,
    origins: np.ndarray,
    numbers: np.ndarray,
    steps: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the inputs of the trees, without NaN, and the newest value of the same season.

    They are float64[row, input], and float64[row], normalised. Each row is that of a window, by its number, and a step
    ahead, from 0. The windows are normalised, at the origins.
    """
    normalizer = windows.normalizer
    season = panel.season_length
    # The newest values, means and the deviation, less the mean of the newest season.
    centre = windows.history[:, -season:].mean(axis=1, keepdims=True)
    values = windows.history - centre
    num_lags = min(MAX_LAGS, max(MIN_LAGS, 2 * season))
    means = [values[:, -number * season :].mean(axis=1) for number in (2, 4)]
    others = np.stack([*means, values.mean(axis=1), values.std(axis=1)], axis=1)
    recent = np.concatenate([values[:, -num_lags:], others], axis=1)
    units = windows.units.select(numbers)
    centre = centre[numbers]
    origin = origins[numbers]
    seasonal = _find_seasons(panel, origin, steps, season, NUM_SEASONS)
    lags = units.normalize(panel.values[seasonal, 0]) - centre
    long = _find_seasons(
        panel, origin, steps, normalizer.long_season, 1 if normalizer.long_season else 0
    )
    ahead = panel.values[origin + steps]
    last = panel.values[origin - 1]
    future = panel.columns.future
    varying = panel.columns.varying
    inputs = [
        steps[:, None],
        recent[numbers],
        lags,
        lags.mean(axis=1, keepdims=True),
        units.normalize(panel.values[long, 0]) - centre,
        ahead[:, panel.columns.calendar][:, normalizer.calendar],
        ahead[:, future],
        *(panel.values[rows][:, future] for rows in seasonal.T),
        last[:, panel.columns.static],
        last[:, future.stop : varying.stop],
    ]
    return np.concatenate(inputs, axis=1, dtype=np.float64), lags[:, 0] + centre[:, 0]


def _find_seasons(
    panel: WindowedPanel, origins: np.ndarray, steps: np.ndarray, season: int, number: int
) -> np.ndarray:
    """Return the rows of the newest values of the same season before the origin: int64[row, number].

    The row before the origin stands for those before the series and in gaps.
    """
    last = origins[:, None] - 1
    first = steps % max(season, 1) - max(season, 1) * np.arange(1, number + 1)[:, None]
    rows = origins[:, None] + first.T
    starts = panel.find_starts(origins)[:, None]
    is_there = (rows >= starts) & ~np.isnan(panel.values[np.maximum(rows, 0), 0])
    return np.where(is_there, rows, last)


@dataclass(frozen=True)
class TreesMethod:
    """Boosted trees; see `Method`."""

    style: Style
    does: str
    is_candidate: bool = True

    def fit(self, data: FittingData) -> FittedMethod | None:
        """Fit the trees by fold; None with too few windows, or if the pretrained network stands for all training."""
        has_enough = len(data.validation) and len(list_past(data.panel)) >= MIN_WINDOWS
        if data.pretrained.is_alone or not has_enough:
            return None
        return fit_by_fold(data, partial(fit_trees, data))

    def unpack(self, values: Mapping[str, Any]) -> TreesModel:
        return TreesModel(**values)


def fit_trees(data: FittingData, origins: np.ndarray) -> TreesModel:
    """Fit the trees on windows at some origins: int64[window], by the loss of the linear models."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    panel = data.panel
    num_pairs = len(origins) * data.panel.horizon
    pairs = np.random.default_rng(0).choice(num_pairs, min(MAX_ROWS, num_pairs), replace=False)
    numbers, steps = np.divmod(np.sort(pairs), panel.horizon)
    kept, numbers = np.unique(numbers, return_inverse=True)
    windows = normalize_windows(panel, data.linear.normalizer, origins[kept], has_predictors=False)
    targets = normalize_targets(panel, windows, origins[kept])[numbers, steps]
    inputs, naive = gather_tree_inputs(panel, windows, origins[kept], numbers, steps)
    learner = HistGradientBoostingRegressor(
        loss="absolute_error" if data.linear.is_absolute else "squared_error",
        learning_rate=RATE,
        max_iter=NUM_TREES,
        max_leaf_nodes=None,
        max_depth=DEPTH,
        l2_regularization=PENALTY,
        early_stopping=False,
        random_state=0,
    )
    with threadpool_limits(limits=1):
        learner.fit(inputs, np.clip(targets, -MAX_NORMALIZED, MAX_NORMALIZED) - naive)
    return lay_out_trees(learner, DEPTH)


def lay_out_trees(learner: Any, depth: int) -> TreesModel:
    """Return the trees of a fitted `HistGradientBoostingRegressor` of this depth, or less, as arrays."""
    trees = [predictors[0].nodes for predictors in learner._predictors]
    num_splits = 2**depth - 1
    inputs = np.zeros((len(trees), num_splits), np.int64)
    thresholds = np.full(inputs.shape, np.inf)
    leaves = np.zeros((len(trees), num_splits + 1))

    def fill(tree: int, node: np.void, place: int) -> None:
        if place >= num_splits:
            leaves[tree, place - num_splits] = node["value"]
            return
        children = (node, node)
        if not node["is_leaf"]:
            inputs[tree, place] = node["feature_idx"]
            thresholds[tree, place] = node["num_threshold"]
            children = trees[tree][node["left"]], trees[tree][node["right"]]
        for number, child in enumerate(children, start=1):
            fill(tree, child, 2 * place + number)

    for tree, nodes in enumerate(trees):
        fill(tree, nodes[0], 0)
    return TreesModel(inputs, thresholds, leaves, float(learner._baseline_prediction.item()))
