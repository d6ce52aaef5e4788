"""Gradient steps of some members of a network, which do not depend on the others."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rnn_pipelines.forecast.methods.folds import list_past
from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.networks.network import InputLayout, read_windows
from rnn_pipelines.forecast.methods.predictors import (
    NormalizedWindows,
    normalize_targets,
    normalize_windows,
)
from rnn_pipelines.forecast.methods.training.specs import ForecastTrainingSpec, Hyperparameters
from rnn_pipelines.forecast.methods.training.validation import MAX_RESIDUAL
from rnn_pipelines.networks.engines import EngineName, make_trainer
from rnn_pipelines.networks.members import MemberShape, draw_masks, initialize_members
from rnn_pipelines.networks.specs import list_units
from rnn_pipelines.networks.trainer import Batch, StepSettings

# Most bytes of errors of the linear forecast that are kept.
MAX_KEPT = 2**26


class Residuals:
    """Actual minus linear forecast, normalised and clipped, each computed once if there are few windows.

    The matrices are those of the linear forecast of each member, float64[member, predictor, horizon]; the origins are
    those of all windows, in order.
    """

    def __init__(self, data: FittingData, matrices: np.ndarray, origins: np.ndarray) -> None:
        self._data = data
        self._matrices = matrices
        self._origins = origins
        shape = len(matrices), len(origins), data.panel.horizon
        is_kept = 4 * np.prod(shape, dtype=float) <= MAX_KEPT
        self._kept = np.empty(shape, np.float32) if is_kept else None
        self._is_known = np.zeros(len(origins), bool)

    def find(self, origins: np.ndarray) -> tuple[NormalizedWindows, np.ndarray]:
        """Return windows, and their errors: float32[member, window, horizon].

        The windows are without predictors if their errors are known.
        """
        panel = self._data.panel
        normalizer = self._data.linear.normalizer
        rows = np.searchsorted(self._origins, origins)
        if self._kept is not None and self._is_known[rows].all():
            return normalize_windows(panel, normalizer, origins, has_predictors=False), self._kept[
                :, rows
            ]
        windows = normalize_windows(panel, normalizer, origins)
        errors = normalize_targets(panel, windows, origins) - windows.predictors @ self._matrices
        found = np.clip(errors, -MAX_RESIDUAL, MAX_RESIDUAL).astype(np.float32)
        if self._kept is not None:
            self._kept[:, rows], self._is_known[rows] = found, True
        return windows, found


@dataclass(frozen=True)
class MemberSetup:
    """The setup that all members of a training share."""

    # `data`, `training` and `hyperparameters`: the windows, and the parameters of the training.
    data: FittingData
    training: ForecastTrainingSpec
    hyperparameters: Hyperparameters
    # `shape`, `layout` and `engine`: of the members, of their inputs, and of the steps.
    shape: MemberShape
    layout: InputLayout
    engine: EngineName
    held_out: tuple[
        int, ...
    ]  # the fold that each member does not see; the number of folds if it sees all windows

    @cached_property
    def matrices(self) -> np.ndarray:
        """The forecast that each member corrects: float64[member, predictor, horizon]."""
        return np.stack([self.data.linear.combine(fold) for fold in self.held_out])


class MemberSteps:
    """Some members in training.

    The batches, initial weights and dropout of a member are the same with and without the others.
    """

    def __init__(self, setup: MemberSetup, members: slice) -> None:
        training = setup.training
        chosen = setup.hyperparameters
        self._setup = setup
        self._members = members
        self._held_out = setup.held_out[members]
        drawn = initialize_members(training.seed, len(setup.held_out), setup.shape)
        weights = {name: array[members].copy() for name, array in drawn.items()}
        settings = StepSettings(
            chosen.learning_rate, chosen.weight_average, training.clip_norm, chosen.is_absolute
        )
        self.trainer = make_trainer(setup.engine, setup.shape.cell, weights, settings)
        self._past, self._rng = (
            list_past(setup.data.panel),
            np.random.default_rng([training.seed, 1]),
        )
        self._residuals = Residuals(setup.data, setup.matrices[members], self._past)
        self._batches = self._draw()

    @property
    def num_steps(self) -> int:
        return self.trainer.num_steps

    def step(self) -> float:
        """Take one gradient step, and return the mean normalised loss of the examples before it."""
        setup = self._setup
        held_out = list(self._held_out)
        origins = next(self._batches)
        panel = setup.data.panel
        linear = setup.data.linear
        chosen = setup.hyperparameters
        normalized, targets = self._residuals.find(origins)
        seen = linear.find_seen(origins, panel.find_series(origins))
        seen = np.vstack([seen, np.ones((1, len(origins)), bool)])[held_out][:, :, None]
        seed = (setup.training.seed, 2, self.num_steps)
        units = list_units(chosen.units)
        masks = draw_masks(seed, chosen.dropout, units, len(setup.held_out), len(origins))
        inputs = read_windows(panel, normalized, origins, setup.layout)
        return self.trainer.step(
            Batch(*inputs, targets, seen, [mask[self._members] for mask in masks])
        )

    def skip(self, num_steps: int) -> None:
        """Draw the batches of steps that an earlier process took."""
        for _ in range(num_steps):
            next(self._batches)

    def _draw(self) -> Iterator[np.ndarray]:
        """Yield batches of origins: of a single series, all in random order; of a panel, from random series."""
        size = self._setup.hyperparameters.batch_size
        starts = self._setup.data.panel.series_starts
        if len(starts) == 1:
            while True:
                yield from np.array_split(
                    self._rng.permutation(self._past), max(1, round(len(self._past) / size))
                )
        counts = np.bincount(self._setup.data.panel.find_series(self._past))
        firsts = np.cumsum(counts) - counts
        there = np.flatnonzero(counts)
        while True:
            drawn = self._rng.choice(there, size)
            yield self._past[firsts[drawn] + (self._rng.random(size) * counts[drawn]).astype(int)]
