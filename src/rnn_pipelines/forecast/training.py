"""Training a network on what the linear part leaves over, judged all the while by what its members have not seen."""

import hashlib
import logging
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from rnn_pipelines.errors import TrainingError
from rnn_pipelines.forecast.base import Base, forecast_folds
from rnn_pipelines.forecast.blending import trust
from rnn_pipelines.forecast.design import Design, choose_design
from rnn_pipelines.forecast.folds import find_series, list_past
from rnn_pipelines.forecast.needs import estimate_training_bytes
from rnn_pipelines.forecast.networks import Network, NetworkRecord, make_network, read_windows, size_members
from rnn_pipelines.forecast.predictors import Framed, frame_targets, frame_windows
from rnn_pipelines.forecast.registry import NETWORKS
from rnn_pipelines.forecast.series.windows import WindowedPanel
from rnn_pipelines.forecast.specs import ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.networks.adam import Adam
from rnn_pipelines.networks.checkpoints import read_checkpoint, write_checkpoint
from rnn_pipelines.networks.members import Weights, find_gradients, initialize_members, run_members
from rnn_pipelines.networks.memory import keep_freed_memory, require_memory
from rnn_pipelines.networks.threads import use_one_thread

logger = logging.getLogger(__name__)

# Steps between two looks at the judged windows.
CHECK_STEPS = 25
JUDGE_BATCH_SIZE = 512
# A checkpoint takes up no more than a small part of the time.
SECONDS_BETWEEN_CHECKPOINTS = 10.0
# Residuals farther out, in the frame, are drawn in: a window that hardly moves must not rule all others.
MAX_RESIDUAL = 30.0


@dataclass(frozen=True)
class Limits:
    """What may end a training early, and from where it goes on.

    Attributes:
        max_seconds: after which it ends with its best weights; None for no limit.
        checkpoints: folder in which an interrupted training leaves what it needs to go on; None for none.
    """

    max_seconds: float | None = None
    checkpoints: Path | None = None


@dataclass
class _Progress:
    """How far a training has come: all that is not an array of the optimizer's, and the best weights."""

    rows: list[dict[str, float]] = field(default_factory=list)
    best_loss: float = np.inf
    best_step: int = 0
    seconds: float = 0.0
    best: Weights = field(default_factory=dict)


def train_network(
    panel: WindowedPanel,
    base: Base,
    network: NetworkSpec,
    training: ForecastTrainingSpec,
    limits: Limits | None = None,
) -> tuple[Network, pd.DataFrame, NetworkRecord]:
    """Trains the members of one network on what the base leaves over.

    Member k never sees what fold k hides, and forecasts it: the mean of these errors chooses the step whose weights are
    kept, step 0, at which the network says nothing, included; and how far the corrections are trusted. Blocks that are
    hidden in turn are seen by all other members, so that the same members make the forecaster; where all that comes
    after a fold is hidden, more members are trained beside them that see everything.

    Args:
        panel: windows for training and validation; its test windows are not touched.
        base: what is linear.
        network, training: what was asked for.
        limits: of time, and where the checkpoint lies.
    Returns:
        The network. The history, one row for each look: `step`, `loss` (of the steps since the look before), `val_loss`
        (of windows that nobody had seen; both in the frame), `seconds`, `is_best`; the first row is step 0. And the
        record.
    Raises:
        ParameterError: it would need more memory than there is.
        TrainingError: the loss is no longer finite.
    """
    design = choose_design(panel, base, network, training)
    logger.info("%s: %s", network.cell, ", ".join(f"{name} {value}" for name, value in design.list_values().items()))
    keep_freed_memory()
    with use_one_thread():
        return _Training(panel, base, network, training, design, limits or Limits()).run()


class _Training:
    """One training, between whose looks it can be interrupted."""

    def __init__(
        self,
        panel: WindowedPanel,
        base: Base,
        network: NetworkSpec,
        training: ForecastTrainingSpec,
        design: Design,
        limits: Limits,
    ) -> None:
        self.panel, self.base, self.design, self.limits, self.name = panel, base, design, limits, network.cell
        self.cell = NETWORKS[network.cell].cell
        self.folds, self.past = base.folds, list_past(panel)
        num_folds = len(self.folds)
        # Of each member the fold that it doesn't see; the last matrix of the base is that of everything.
        more = [] if num_folds and not base.is_forward else [num_folds] * design.num_members
        self.hidden = [*range(num_folds), *more]
        self.deployed = slice(num_folds if more else 0, None)
        self.matrices = np.stack([base.combine(fold) for fold in self.hidden])
        shape = size_members(panel, self.cell, design.units, design.embedding, design.segment, design.calendar)
        require_memory(
            estimate_training_bytes(
                panel, shape, len(self.hidden), design.segment, design.batch_size, len(base.judged)
            ),
            f"training {self.name} with {design.units} units, {len(self.hidden)} members and batches of "
            f"{design.batch_size:,}",
            "units, members, batch_size and window.lookback",
        )
        weights = initialize_members(training.seed, len(self.hidden), shape)
        self.optimizer = Adam(weights, design.learning_rate, design.weight_average, training.clip_norm)
        self.rng = np.random.default_rng([training.seed, 1])
        self.batches = self._draw()
        self.progress = _Progress()
        self.judged = self._prepare_judged()
        self.checkpoint = limits.checkpoints and limits.checkpoints / f"{self.name}.npz"
        self.fingerprint = _fingerprint(panel, self.matrices, f"{design} {training.seed} {training.clip_norm}")

    def run(self) -> tuple[Network, pd.DataFrame, NetworkRecord]:
        self._resume()
        progress, design = self.progress, self.design
        if not progress.rows:
            self._note(np.nan, self._judge())
        started, saved = time.monotonic() - progress.seconds, time.monotonic()
        bar = tqdm(total=design.max_steps, initial=self.num_steps, desc=self.name, unit="step",
                   disable=not sys.stderr.isatty())  # fmt: skip
        with bar:
            while self._goes_on():
                num_steps = min(CHECK_STEPS, design.max_steps - self.num_steps)
                loss = float(np.mean([self._step() for _ in range(num_steps)]))
                progress.seconds = time.monotonic() - started
                self._note(loss, self._judge())
                bar.set_postfix(loss=f"{loss:.4g}", unseen=f"{progress.rows[-1]['val_loss']:.4g}", refresh=False)
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
        """Whether it would, with time enough."""
        design = self.design
        return self.num_steps < design.max_steps and self.num_steps - self.progress.best_step < design.patience

    @property
    def num_steps(self) -> int:
        return self.optimizer.num_steps

    def _draw(self) -> Iterator[np.ndarray]:
        """Batches of origins: of one series all, in a new order each time; of many, a series first, then its origin."""
        size = self.design.batch_size
        if len(self.panel.series_starts) == 1:
            while True:
                yield from np.array_split(self.rng.permutation(self.past), max(1, round(len(self.past) / size)))
        counts = np.bincount(find_series(self.panel, self.past))
        firsts = np.cumsum(counts) - counts
        there = np.flatnonzero(counts)
        while True:
            drawn = self.rng.choice(there, size)
            yield self.past[firsts[drawn] + (self.rng.random(size) * counts[drawn]).astype(int)]

    def _read(self, framed: Framed, origins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        design = self.design
        return read_windows(
            self.panel, framed, origins, design.segment, np.array(design.calendar, int), bool(design.embedding)
        )

    def _step(self) -> float:
        origins = next(self.batches)
        framed = frame_windows(self.panel, self.base, origins)
        targets = frame_targets(self.panel, framed, origins) - framed.predictors @ self.matrices
        targets = np.clip(targets, -MAX_RESIDUAL, MAX_RESIDUAL).astype(np.float32)
        seen = self.folds.find_seen(origins, find_series(self.panel, origins))
        seen = np.vstack([seen, np.ones((1, len(origins)), bool)])[self.hidden][:, :, None]
        outputs, passed = run_members(self.optimizer.weights, *self._read(framed, origins))
        errors = (outputs - targets) * seen
        loss, slopes = _measure(errors, self.design.is_absolute)
        slopes /= np.float32(errors[0].size)
        self.optimizer.step(find_gradients(self.optimizer.weights, passed, slopes))
        return float(loss.sum() / max(1, seen.sum() * self.panel.horizon))

    def _prepare_judged(self) -> list[tuple[int, np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """By fold and batch: the fold, rows among the judged windows, what is read of them, and what is left over."""
        base, found = self.base, []
        for fold in range(len(self.folds)):
            own = np.flatnonzero(base.fold == fold)
            for rows in np.array_split(own, -(-len(own) // JUDGE_BATCH_SIZE)):
                origins = base.judged[rows]
                framed = frame_windows(self.panel, base, origins)
                left = frame_targets(self.panel, framed, origins) - framed.predictors @ self.matrices[fold]
                found.append((fold, rows, *self._read(framed, origins), np.clip(left, -MAX_RESIDUAL, MAX_RESIDUAL)))
        return found

    def _judge(self) -> float:
        """Mean error, in the frame, of windows that the member has not seen; NaN where there are none."""
        total, number = 0.0, 0
        for fold, _, steps, known, left in self.judged:
            outputs = self._run_one(self.optimizer.averages, fold, steps, known)
            total += float(_measure(left - outputs, self.design.is_absolute)[0].sum())
            number += left.size
        return total / number if number else np.nan

    @staticmethod
    def _run_one(weights: Weights, member: int, steps: np.ndarray, known: np.ndarray) -> np.ndarray:
        return run_members({name: array[member : member + 1] for name, array in weights.items()}, steps, known)[0][0]

    def _note(self, loss: float, unseen: float) -> None:
        progress = self.progress
        if (self.num_steps and not np.isfinite(loss)) or (self.judged and not np.isfinite(unseen)):
            raise TrainingError(
                f"{self.name}: the loss is not finite after {self.num_steps} steps. Lower training.learning_rate, or "
                "look for extreme values in the data."
            )
        row = {"step": self.num_steps, "loss": loss, "val_loss": unseen, "seconds": progress.seconds}
        progress.rows.append(row)
        if unseen < progress.best_loss:
            progress.best_loss, progress.best_step = unseen, self.num_steps
            progress.best = {name: array.copy() for name, array in self.optimizer.averages.items()}

    def _finish(self) -> tuple[Network, pd.DataFrame, NetworkRecord]:
        progress, design = self.progress, self.design
        unseen = np.zeros((len(self.base.judged), self.panel.horizon), np.float32)
        for fold, rows, steps, known, _ in self.judged:
            unseen[rows] = self._run_one(progress.best, fold, steps, known)
        weights = {name: array[self.deployed] for name, array in (progress.best or self.optimizer.averages).items()}
        gain = find_gain(self.panel, self.base, unseen, self.design.num_members) if progress.best_step else 0.0
        logger.info(
            "%s: best after %d of %d steps, trusted to %.2f", self.name, progress.best_step, self.num_steps, gain
        )
        network = make_network(weights, self.cell, design.segment, np.array(design.calendar, np.int64), gain, unseen)
        table = pd.DataFrame(progress.rows)
        table["is_best"] = table["step"] == progress.best_step
        record: NetworkRecord = {
            "training_seconds": progress.seconds,
            "num_steps": self.num_steps,
            "best_step": progress.best_step,
            "is_cut_short": self._goes_on(),
            "gain": gain,
            "num_parameters": sum(array.size for array in weights.values()),
            "design": {**design.list_values(), "calendar": list(design.calendar)},
        }
        return network, table, record

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
        """Goes on from the checkpoint of the same training; batches that were drawn before it are drawn again."""
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


def find_gain(panel: WindowedPanel, base: Base, unseen: np.ndarray, num_members: int) -> float:
    """How far corrections are trusted, 0 to 1: the share of them with the least error, and how far the folds agree.

    Args:
        panel, base: see `train_network`.
        unseen: float32[judged, horizon], corrections by members that have not seen the windows, one for each.
        num_members: whose corrections will be averaged.
    """
    framed = frame_windows(panel, base, base.judged)
    left = np.clip(
        frame_targets(panel, framed, base.judged) - forecast_folds(base, framed.predictors),
        -MAX_RESIDUAL, MAX_RESIDUAL,
    )  # fmt: skip
    shares = np.linspace(0, 1, 21)
    losses = [_measure(left - share * unseen, base.is_absolute)[0].mean() for share in shares]
    share = float(shares[int(np.argmin(losses))])
    # Of one member. The mean of several has less of what differs from member to member, so that more of it is signal.
    share = num_members * share / (num_members * share + 1 - share)
    gains = (_measure(left, base.is_absolute)[0] - _measure(left - unseen, base.is_absolute)[0]).mean(axis=1)
    return share * trust(np.array([gains[base.fold == fold].mean() for fold in np.unique(base.fold)]))


def _measure(errors: np.ndarray, is_absolute: bool) -> tuple[np.ndarray, np.ndarray]:
    """The loss of each error, and its slope."""
    return (np.abs(errors), np.sign(errors)) if is_absolute else (errors * errors, 2 * errors)


def _fingerprint(panel: WindowedPanel, matrices: np.ndarray, settings: str) -> str:
    shape = f"{panel.lookback} {panel.horizon} {panel.stride} {panel.season_length}"
    digest = hashlib.sha256(f"{settings} {shape}".encode())
    for array in (panel.values, panel.train, panel.validation, matrices):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
