"""Training of a network on the errors of the linear forecast, with held-out validation windows for each member."""

import hashlib
import logging
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from rnn_pipelines.errors import TrainingError
from rnn_pipelines.forecast.methods.folds import find_series, list_past
from rnn_pipelines.forecast.methods.hyperparameters import Hyperparameters, resolve_hyperparameters
from rnn_pipelines.forecast.methods.linear import LinearModels, forecast_out_of_fold
from rnn_pipelines.forecast.methods.memory import estimate_training_bytes
from rnn_pipelines.forecast.methods.network import Network, NetworkRecord, make_network, read_windows, size_members
from rnn_pipelines.forecast.methods.predictors import NormalizedWindows, normalize_targets, normalize_windows
from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.methods.specs import ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.forecast.methods.weights import find_shrinkage
from rnn_pipelines.forecast.series.windows import WindowedPanel
from rnn_pipelines.networks.adam import Adam
from rnn_pipelines.networks.checkpoints import read_checkpoint, write_checkpoint
from rnn_pipelines.networks.members import Weights, find_gradients, forward, initialize_members
from rnn_pipelines.networks.memory import require_memory
from rnn_pipelines.networks.threads import use_one_thread

logger = logging.getLogger(__name__)

# Steps between two validations.
CHECK_STEPS = 25
VALIDATION_BATCH_SIZE = 512
# Keeps the time for checkpoints small.
SECONDS_BETWEEN_CHECKPOINTS = 10.0
# Larger normalised residuals are clipped, so that nearly constant windows do not dominate.
MAX_RESIDUAL = 30.0


@dataclass(frozen=True)
class Limits:
    """The time limit of a training, and its checkpoints.

    Attributes:
        max_seconds: time after which it ends with its best weights; None for no limit.
        checkpoints: folder for checkpoints, from which an interrupted training resumes; None for no checkpoints.
    """

    max_seconds: float | None = None
    checkpoints: Path | None = None


@dataclass
class _Progress:
    """The state of a training, without the optimizer's arrays: history and best weights."""

    rows: list[dict[str, float]] = field(default_factory=list)
    best_loss: float = np.inf
    best_step: int = 0
    seconds: float = 0.0
    best: Weights = field(default_factory=dict)


def train_network(
    panel: WindowedPanel,
    linear: LinearModels,
    network: NetworkSpec,
    training: ForecastTrainingSpec,
    limits: Limits | None = None,
) -> tuple[Network, pd.DataFrame, NetworkRecord]:
    """Train the members of one network on the errors of the linear forecast.

    Member k is trained without the windows that fold k holds out, and forecasts them. These errors determine the step
    whose weights are kept, including step 0 (no correction), and the shrinkage. If blocks are held out in turn, each
    block is in the training data of all other members, and the same members make the forecasts. If all data after a
    fold is held out, further members are trained on all data.

    Args:
        panel: windows for training and validation; its test windows are not touched.
        linear: the linear models of the panel.
        network, training: see their types.
        limits: time limit and checkpoints.
    Returns:
        The network. The history, one row for each validation: `step`, `loss` (of the steps since the last validation),
        `val_loss` (both normalised), `seconds`, `is_best`; the first row is step 0. And the record.
    Raises:
        ParameterError: the training needs more memory than there is.
        TrainingError: the loss is no longer finite.
    """
    hyperparameters = resolve_hyperparameters(panel, linear, network, training)
    logger.info(
        "%s: %s", network.cell, ", ".join(f"{name} {value}" for name, value in hyperparameters.list_values().items())
    )
    with use_one_thread():
        return _Training(panel, linear, network, training, hyperparameters, limits or Limits()).run()


class _Training:
    """One training, which can be interrupted between two validations."""

    def __init__(
        self,
        panel: WindowedPanel,
        linear: LinearModels,
        network: NetworkSpec,
        training: ForecastTrainingSpec,
        hyperparameters: Hyperparameters,
        limits: Limits,
    ) -> None:
        self.panel, self.linear, self.hyperparameters, self.limits, self.name = (
            panel,
            linear,
            hyperparameters,
            limits,
            network.cell,
        )
        self.cell = NETWORKS[network.cell].cell
        self.folds, self.past = linear.folds, list_past(panel)
        num_folds = len(self.folds)
        # The held-out fold of each member; the last matrix of the linear models is of all data.
        more = [] if num_folds and not linear.is_forward else [num_folds] * hyperparameters.num_members
        self.hidden = [*range(num_folds), *more]
        self.deployed = slice(num_folds if more else 0, None)
        self.matrices = np.stack([linear.combine(fold) for fold in self.hidden])
        shape = size_members(
            panel,
            self.cell,
            hyperparameters.units,
            hyperparameters.embedding,
            hyperparameters.segment,
            hyperparameters.calendar,
        )
        require_memory(
            estimate_training_bytes(
                panel,
                shape,
                len(self.hidden),
                hyperparameters.segment,
                hyperparameters.batch_size,
                len(linear.validation),
            ),
            f"training {self.name} with {hyperparameters.units} units, {len(self.hidden)} members and batches of "
            f"{hyperparameters.batch_size:,}",
            "units, members, batch_size and window.lookback",
        )
        weights = initialize_members(training.seed, len(self.hidden), shape)
        self.optimizer = Adam(
            weights, hyperparameters.learning_rate, hyperparameters.weight_average, training.clip_norm
        )
        self.rng = np.random.default_rng([training.seed, 1])
        self.batches = self._draw()
        self.progress = _Progress()
        self.validation = self._prepare_validation()
        self.checkpoint = limits.checkpoints and limits.checkpoints / f"{self.name}.npz"
        self.fingerprint = _fingerprint(panel, self.matrices, f"{hyperparameters} {training.seed} {training.clip_norm}")

    def run(self) -> tuple[Network, pd.DataFrame, NetworkRecord]:
        self._resume()
        progress, hyperparameters = self.progress, self.hyperparameters
        if not progress.rows:
            self._note(np.nan, self._validate())
        started, saved = time.monotonic() - progress.seconds, time.monotonic()
        bar = tqdm(total=hyperparameters.max_steps, initial=self.num_steps, desc=self.name, unit="step",
                   disable=not sys.stderr.isatty())  # fmt: skip
        with bar:
            while self._goes_on():
                num_steps = min(CHECK_STEPS, hyperparameters.max_steps - self.num_steps)
                loss = float(np.mean([self._step() for _ in range(num_steps)]))
                progress.seconds = time.monotonic() - started
                self._note(loss, self._validate())
                bar.set_postfix(loss=f"{loss:.4g}", val_loss=f"{progress.rows[-1]['val_loss']:.4g}", refresh=False)
                bar.update(num_steps)
                if self.limits.max_seconds is not None and progress.seconds >= self.limits.max_seconds:
                    logger.warning(
                        "%s: its %g s are over after %d steps", self.name, self.limits.max_seconds, self.num_steps
                    )
                    break
                if self.checkpoint and time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS:
                    self._save()
                    saved = time.monotonic()
        if self.checkpoint:
            self.checkpoint.unlink(missing_ok=True)
        return self._finish()

    def _goes_on(self) -> bool:
        """Return whether the training continues, without the time limit."""
        hyperparameters = self.hyperparameters
        return (
            self.num_steps < hyperparameters.max_steps
            and self.num_steps - self.progress.best_step < hyperparameters.patience
        )

    @property
    def num_steps(self) -> int:
        return self.optimizer.num_steps

    def _draw(self) -> Iterator[np.ndarray]:
        """Yield batches of origins: of a single series, all in random order; of a panel, from random series."""
        size = self.hyperparameters.batch_size
        if len(self.panel.series_starts) == 1:
            while True:
                yield from np.array_split(self.rng.permutation(self.past), max(1, round(len(self.past) / size)))
        counts = np.bincount(find_series(self.panel, self.past))
        firsts = np.cumsum(counts) - counts
        there = np.flatnonzero(counts)
        while True:
            drawn = self.rng.choice(there, size)
            yield self.past[firsts[drawn] + (self.rng.random(size) * counts[drawn]).astype(int)]

    def _read(self, normalized: NormalizedWindows, origins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        hyperparameters = self.hyperparameters
        return read_windows(
            self.panel,
            normalized,
            origins,
            hyperparameters.segment,
            np.array(hyperparameters.calendar, int),
            bool(hyperparameters.embedding),
        )

    def _step(self) -> float:
        origins = next(self.batches)
        normalized = normalize_windows(self.panel, self.linear.normalizer, origins)
        targets = normalize_targets(self.panel, normalized, origins) - normalized.predictors @ self.matrices
        targets = np.clip(targets, -MAX_RESIDUAL, MAX_RESIDUAL).astype(np.float32)
        seen = self.folds.find_seen(origins, find_series(self.panel, origins))
        seen = np.vstack([seen, np.ones((1, len(origins)), bool)])[self.hidden][:, :, None]
        outputs, cache = forward(self.optimizer.weights, *self._read(normalized, origins))
        errors = (outputs - targets) * seen
        loss, slopes = _measure(errors, self.hyperparameters.is_absolute)
        slopes /= np.float32(errors[0].size)
        self.optimizer.step(find_gradients(self.optimizer.weights, cache, slopes))
        return float(loss.sum() / max(1, seen.sum() * self.panel.horizon))

    def _prepare_validation(self) -> list[tuple[int, np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """Return for each batch: the fold, rows of validation windows, their two inputs, and the residuals."""
        linear, found = self.linear, []
        for fold in range(len(self.folds)):
            own = np.flatnonzero(linear.fold == fold)
            for rows in np.array_split(own, -(-len(own) // VALIDATION_BATCH_SIZE)):
                origins = linear.validation[rows]
                normalized = normalize_windows(self.panel, linear.normalizer, origins)
                left = normalize_targets(self.panel, normalized, origins) - normalized.predictors @ self.matrices[fold]
                found.append((fold, rows, *self._read(normalized, origins), np.clip(left, -MAX_RESIDUAL, MAX_RESIDUAL)))
        return found

    def _validate(self) -> float:
        """Return the mean normalised error on held-out windows; NaN if there are none."""
        total, number = 0.0, 0
        for fold, _, steps, known, left in self.validation:
            outputs = self._run_one(self.optimizer.averages, fold, steps, known)
            total += float(_measure(left - outputs, self.hyperparameters.is_absolute)[0].sum())
            number += left.size
        return total / number if number else np.nan

    @staticmethod
    def _run_one(weights: Weights, member: int, steps: np.ndarray, known: np.ndarray) -> np.ndarray:
        return forward({name: array[member : member + 1] for name, array in weights.items()}, steps, known)[0][0]

    def _note(self, loss: float, val_loss: float) -> None:
        progress = self.progress
        if (self.num_steps and not np.isfinite(loss)) or (self.validation and not np.isfinite(val_loss)):
            raise TrainingError(
                f"{self.name}: the loss is not finite after {self.num_steps} steps. Lower training.learning_rate, or "
                "look for extreme values in the data."
            )
        row = {"step": self.num_steps, "loss": loss, "val_loss": val_loss, "seconds": progress.seconds}
        progress.rows.append(row)
        if val_loss < progress.best_loss:
            progress.best_loss, progress.best_step = val_loss, self.num_steps
            progress.best = {name: array.copy() for name, array in self.optimizer.averages.items()}

    def _finish(self) -> tuple[Network, pd.DataFrame, NetworkRecord]:
        progress, chosen = self.progress, self.hyperparameters
        out_of_fold = np.zeros((len(self.linear.validation), self.panel.horizon), np.float32)
        for fold, rows, steps, known, _ in self.validation:
            out_of_fold[rows] = self._run_one(progress.best, fold, steps, known)
        weights = {name: array[self.deployed] for name, array in (progress.best or self.optimizer.averages).items()}
        shrinkage = 0.0
        if progress.best_step:
            shrinkage = find_network_shrinkage(self.panel, self.linear, out_of_fold, chosen.num_members)
        logger.info("%s: best step %d of %d, shrinkage %.2f", self.name, progress.best_step, self.num_steps, shrinkage)
        network = make_network(
            weights, self.cell, chosen.segment, np.array(chosen.calendar, np.int64), shrinkage, out_of_fold
        )
        table = pd.DataFrame(progress.rows)
        table["is_best"] = table["step"] == progress.best_step
        record: NetworkRecord = {
            "training_seconds": progress.seconds,
            "num_steps": self.num_steps,
            "best_step": progress.best_step,
            "is_cut_short": self._goes_on(),
            "shrinkage": shrinkage,
            "num_parameters": sum(array.size for array in weights.values()),
            "hyperparameters": {**chosen.list_values(), "calendar": list(chosen.calendar)},
        }
        return replace(network, seconds=progress.seconds), table, record

    def _save(self) -> None:
        assert self.checkpoint
        progress = self.progress
        state = {
            "fingerprint": self.fingerprint,
            "num_steps": self.num_steps,
            "rows": progress.rows,
            "best_loss": progress.best_loss,
            "best_step": progress.best_step,
            "seconds": progress.seconds,
        }
        arrays = self.optimizer.list_state() | {f"best.{name}": array for name, array in progress.best.items()}
        write_checkpoint(self.checkpoint, state, arrays)

    def _resume(self) -> None:
        """Resume from the checkpoint of the same training. Earlier batches are drawn and skipped."""
        found = read_checkpoint(self.checkpoint, self.fingerprint) if self.checkpoint else None
        if found is None:
            return
        state, arrays = found
        logger.info("%s goes on after step %d", self.name, state["num_steps"])
        self.optimizer.set_state(arrays, state["num_steps"])
        for _ in range(state["num_steps"]):
            next(self.batches)
        best = {name.removeprefix("best."): array for name, array in arrays.items() if name.startswith("best.")}
        self.progress = _Progress(state["rows"], state["best_loss"], state["best_step"], state["seconds"], best)


def find_network_shrinkage(
    panel: WindowedPanel, linear: LinearModels, out_of_fold: np.ndarray, num_members: int
) -> float:
    """Return the shrinkage of the corrections, 0 to 1: the factor with the least error, times the agreement of folds.

    Args:
        panel, linear: see `train_network`.
        out_of_fold: float32[validation, horizon], normalised: the correction of each window by the member trained
            without it.
        num_members: number of members whose corrections will be averaged.
    """
    windows = normalize_windows(panel, linear.normalizer, linear.validation)
    start = forecast_out_of_fold(linear.select_ensemble(), linear.fold, windows.predictors)
    left = np.clip(normalize_targets(panel, windows, linear.validation) - start, -MAX_RESIDUAL, MAX_RESIDUAL)
    shares = np.linspace(0, 1, 21)
    losses = [_measure(left - share * out_of_fold, linear.is_absolute)[0].mean() for share in shares]
    share = float(shares[int(np.argmin(losses))])
    # This factor is for one member. The mean of several has less variance between members, and needs less shrinkage.
    share = num_members * share / (num_members * share + 1 - share)
    gains = (_measure(left, linear.is_absolute)[0] - _measure(left - out_of_fold, linear.is_absolute)[0]).mean(axis=1)
    return share * find_shrinkage(np.array([gains[linear.fold == fold].mean() for fold in np.unique(linear.fold)]))


def _measure(errors: np.ndarray, is_absolute: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the loss of each error, and its slope."""
    return (np.abs(errors), np.sign(errors)) if is_absolute else (errors * errors, 2 * errors)


def _fingerprint(panel: WindowedPanel, matrices: np.ndarray, settings: str) -> str:
    shape = f"{panel.lookback} {panel.horizon} {panel.stride} {panel.season_length}"
    digest = hashlib.sha256(f"{settings} {shape}".encode())
    for array in (panel.values, panel.train, panel.validation, matrices):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
