"""Training of a network on the errors of the linear forecast, with held-out validation windows for each member."""

import hashlib
import logging
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from rnn_pipelines.errors import TrainingError, count
from rnn_pipelines.forecast.methods.folds import count_needed_values, list_past
from rnn_pipelines.forecast.methods.memory import estimate_training_bytes
from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.network import (
    InputLayout,
    Network,
    NetworkRecord,
    TrainedNetwork,
    read_windows,
    size_members,
)
from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.methods.residuals import Residuals
from rnn_pipelines.forecast.methods.specs import (
    ForecastTrainingSpec,
    Hyperparameters,
    NetworkSpec,
    TrainingPlan,
    resolve_hyperparameters,
)
from rnn_pipelines.forecast.methods.validation import find_network_shrinkage, read_validation
from rnn_pipelines.forecast.series.windows import WindowedPanel, number_series
from rnn_pipelines.networks.checkpoints import read_checkpoint, write_checkpoint
from rnn_pipelines.networks.engines import choose_engine, make_trainer
from rnn_pipelines.networks.fan_out import is_first_process
from rnn_pipelines.networks.members import MemberShape, Weights, draw_masks, initialize_members
from rnn_pipelines.networks.memory import require_memory
from rnn_pipelines.networks.specs import format_units, list_units
from rnn_pipelines.networks.threads import use_one_thread
from rnn_pipelines.networks.time_left import TimeLeft
from rnn_pipelines.networks.trainer import (
    Batch,
    StepSettings,
    forward_member,
    measure_loss,
)

logger = logging.getLogger(__name__)

# Steps between two validations.
CHECK_STEPS = 25
# A training that has never improved on its start, step 0, ends after this part of the patience.
PART_AT_START = 4
# Keeps the time for checkpoints small.
SECONDS_BETWEEN_CHECKPOINTS = 10.0


@dataclass
class _Progress:
    """The state of a training, without the optimizer's arrays: history and best weights."""

    rows: list[dict[str, float]] = field(default_factory=list)
    best_loss: float = np.inf
    best_step: int = 0
    seconds: float = 0.0
    best: Weights = field(default_factory=dict)


def train_network(
    data: FittingData, network: NetworkSpec, training: ForecastTrainingSpec, plan: TrainingPlan | None = None
) -> TrainedNetwork:
    """Train the members of one network on the errors of the linear forecast, or with `start: none` on the targets.

    Member k is trained without the windows that fold k holds out, and forecasts them. These errors determine the step
    whose weights are kept, including step 0 (no correction), and the shrinkage. If blocks are held out in turn, each
    block is in the training data of all other members, and the same members make the forecasts. If all data after a
    fold is held out, further members are trained on all data.

    Args:
        data: the windows and their linear models; test windows are not touched.
        network, training: see their types.
        plan: limits and checkpoints; None for none.
    Raises:
        ParameterError: the training needs more memory than there is.
        TrainingError: the loss is no longer finite.
    """
    with use_one_thread():
        return _Training(data, network, training, plan or TrainingPlan()).run()


class _Training:
    """One training, which can be interrupted between two validations."""

    def __init__(
        self, data: FittingData, network: NetworkSpec, training: ForecastTrainingSpec, plan: TrainingPlan
    ) -> None:
        data = data.remove_start() if training.start == "none" else data
        if plan.budget.max_steps is not None:
            training = training.model_copy(update={"max_steps": plan.budget.max_steps})
        self.data, self.name, self.training, self.max_seconds = data, network.cell, training, plan.budget.max_seconds
        self.parameters = network.model_dump(mode="json")
        self.hyperparameters = chosen = resolve_hyperparameters(data.panel, data.linear, network, training)
        self.past, num_folds = list_past(data.panel), len(data.linear)
        # The held-out fold of each member; the last matrix of the linear models is of all data.
        more = [] if num_folds and not data.linear.is_forward else [num_folds] * chosen.num_members
        self.held_out = [*range(num_folds), *more]
        self.deployed = slice(num_folds if more else 0, None)
        self.matrices = np.stack([data.linear.combine(fold) for fold in self.held_out])
        self.cell = NETWORKS[self.name].cell
        shape = size_members(data.panel, self.cell, chosen.units, chosen.embedding, chosen.segment, chosen.calendar)
        _check_training(self.name, data, shape, len(self.held_out), chosen)
        weights = initialize_members(training.seed, len(self.held_out), shape)
        settings = StepSettings(chosen.learning_rate, chosen.weight_average, training.clip_norm, chosen.is_absolute)
        self.engine = choose_engine(training.engine, shape, chosen.batch_size)
        self.trainer = make_trainer(self.engine, self.cell, weights, settings)
        self.rng = np.random.default_rng([training.seed, 1])
        self.residuals = Residuals(data, self.matrices, self.past)
        self.batches = self._draw()
        self.progress = _Progress()
        self.layout = InputLayout(chosen.segment, np.array(chosen.calendar, np.int64), bool(chosen.embedding))
        self.validation = read_validation(data, self.layout)
        self.checkpoint = plan.checkpoints and plan.checkpoints / f"{self.name}.npz"
        settings_text = f"{chosen} {training.seed} {training.clip_norm} {self.engine}"
        self.fingerprint = _fingerprint(data.panel, self.matrices, settings_text)

    def run(self) -> TrainedNetwork:
        self._resume()
        progress, max_steps = self.progress, self.hyperparameters.max_steps
        if not progress.rows:
            self._record(np.nan, self._validate())
        started, saved = time.monotonic() - progress.seconds, time.monotonic()
        time_left = TimeLeft(max_steps, f"steps of {self.name}", self.num_steps, can_stop=True)
        bar = tqdm(total=max_steps, initial=self.num_steps, desc=self.name, unit="step",
                   disable=not (sys.stderr.isatty() and is_first_process()))  # fmt: skip
        with bar:
            while self._goes_on():
                num_steps = min(CHECK_STEPS, max_steps - self.num_steps)
                loss = float(np.mean([self._step() for _ in range(num_steps)]))
                progress.seconds = time.monotonic() - started
                self._record(loss, self._validate())
                bar.set_postfix(loss=f"{loss:.4g}", val_loss=f"{progress.rows[-1]['val_loss']:.4g}", refresh=False)
                bar.update(num_steps)
                if bar.disable:
                    time_left.log(self.num_steps)
                if self.max_seconds is not None and progress.seconds >= self.max_seconds:
                    logger.warning("%s: stopped at the limit of %g s, step %d", self.name, self.max_seconds,
                                   self.num_steps)  # fmt: skip
                    break
                if self.checkpoint and time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS:
                    self._save()
                    saved = time.monotonic()
        if self.checkpoint:
            self.checkpoint.unlink(missing_ok=True)
        return self._finish()

    def _goes_on(self) -> bool:
        """Return whether the training continues, without the time limit. Nothing is trained without validation."""
        chosen, num_steps = self.hyperparameters, self.num_steps
        best_step = self.progress.best_step
        is_patient = num_steps - best_step < (chosen.patience if best_step else chosen.patience // PART_AT_START)
        return (
            bool(self.validation) and not self.data.pretrained.is_alone and num_steps < chosen.max_steps and is_patient
        )

    @property
    def num_steps(self) -> int:
        return self.trainer.num_steps

    def _draw(self) -> Iterator[np.ndarray]:
        """Yield batches of origins: of a single series, all in random order; of a panel, from random series."""
        size, starts = self.hyperparameters.batch_size, self.data.panel.series_starts
        if len(starts) == 1:
            while True:
                yield from np.array_split(self.rng.permutation(self.past), max(1, round(len(self.past) / size)))
        counts = np.bincount(number_series(starts, self.past))
        firsts = np.cumsum(counts) - counts
        there = np.flatnonzero(counts)
        while True:
            drawn = self.rng.choice(there, size)
            yield self.past[firsts[drawn] + (self.rng.random(size) * counts[drawn]).astype(int)]

    def _step(self) -> float:
        panel, linear, chosen = self.data.panel, self.data.linear, self.hyperparameters
        origins = next(self.batches)
        normalized, targets = self.residuals.find(origins)
        seen = linear.find_seen(origins, number_series(panel.series_starts, origins))
        seen = np.vstack([seen, np.ones((1, len(origins)), bool)])[self.held_out][:, :, None]
        seed, units = (self.training.seed, 2, self.num_steps), list_units(chosen.units)
        masks = draw_masks(seed, chosen.dropout, units, len(self.held_out), len(origins))
        inputs = read_windows(panel, normalized, origins, self.layout)
        return self.trainer.step(Batch(*inputs, targets, seen, masks))

    def _validate(self) -> float:
        """Return the mean normalised error on held-out windows; NaN if there are none."""
        is_absolute = self.hyperparameters.is_absolute
        total, number = 0.0, 0
        for batch in self.validation:
            corrections = self.trainer.forward(batch.member, batch.steps, batch.static_inputs)
            total += float(measure_loss(batch.residuals - corrections, is_absolute)[0].sum())
            number += batch.residuals.size
        return total / number if number else np.nan

    def _record(self, loss: float, val_loss: float) -> None:
        progress = self.progress
        if (self.num_steps and not np.isfinite(loss)) or (self.validation and not np.isfinite(val_loss)):
            raise TrainingError(
                f"{self.name}: the loss is not finite after {count(self.num_steps, 'step')}. Lower "
                "training.learning_rate, or look for extreme values in the data."
            )
        row = {"step": self.num_steps, "loss": loss, "val_loss": val_loss, "seconds": progress.seconds}
        progress.rows.append(row)
        if val_loss < progress.best_loss:
            progress.best_loss, progress.best_step = val_loss, self.num_steps
            progress.best = self.trainer.copy_averages()

    def _finish(self) -> TrainedNetwork:
        progress, chosen = self.progress, self.hyperparameters
        out_of_fold = np.zeros((len(self.data.linear.validation), self.data.panel.horizon), np.float32)
        for batch in self.validation:
            out_of_fold[batch.rows] = forward_member(
                self.cell, progress.best, batch.member, batch.steps, batch.static_inputs
            )
        weights = {
            name: array[self.deployed] for name, array in (progress.best or self.trainer.copy_averages()).items()
        }
        shrinkage = float(progress.best_step > 0)
        if shrinkage and self.training.start == "baseline_ensemble":
            shrinkage = find_network_shrinkage(self.data, out_of_fold, chosen.num_members)
        needed = 0 if self.validation else count_needed_values(self.data.panel, self.data.linear.is_forward)
        said = f"best step {progress.best_step} of {self.num_steps}, shrinkage {shrinkage:.2f}"
        if needed:
            said = f"not trained, because there are too few windows for validation: it takes about {needed:,} values"
        logger.info("%s: %s", self.name, said)
        cell, segment, calendar = NETWORKS[self.name].cell, chosen.segment, self.layout.calendar
        seconds = np.nan if self.data.pretrained.is_alone else progress.seconds
        network = Network(weights, cell, segment, calendar, shrinkage, out_of_fold, seconds, self.training.start)
        history = pd.DataFrame(progress.rows)
        history["is_best"] = history["step"] == progress.best_step
        record: NetworkRecord = {
            "training_seconds": progress.seconds,
            "num_steps": self.num_steps,
            "best_step": progress.best_step,
            "is_cut_short": self._goes_on(),
            "shrinkage": shrinkage,
            "values_needed": needed,
            "num_parameters": sum(array.size for array in weights.values()),
            "hyperparameters": {**chosen.list_values(), "calendar": list(chosen.calendar), "engine": self.engine},
        }
        return TrainedNetwork(self.name, network, history, record, self.parameters, self.training.seed)

    def _save(self) -> None:
        assert self.checkpoint
        progress = self.progress
        state: dict[str, Any] = {name: value for name, value in vars(progress).items() if name != "best"}
        state |= {"fingerprint": self.fingerprint, "num_steps": self.num_steps}
        arrays = self.trainer.list_state() | {f"best.{name}": array for name, array in progress.best.items()}
        write_checkpoint(self.checkpoint, state, arrays)

    def _resume(self) -> None:
        """Resume from the checkpoint of the same training. Earlier batches are drawn and skipped."""
        found = read_checkpoint(self.checkpoint, self.fingerprint) if self.checkpoint else None
        if found is None:
            return
        state, arrays = found
        logger.info("%s: resumed after step %d", self.name, state["num_steps"])
        self.trainer.set_state(arrays, state["num_steps"])
        for _ in range(state["num_steps"]):
            next(self.batches)
        best = {name.removeprefix("best."): array for name, array in arrays.items() if name.startswith("best.")}
        self.progress = _Progress(state["rows"], state["best_loss"], state["best_step"], state["seconds"], best)


def _check_training(
    name: str, data: FittingData, shape: MemberShape, num_members: int, chosen: Hyperparameters
) -> None:
    """Log the hyperparameters, and check that there is enough memory."""
    units = format_units(chosen.units)
    values = chosen.list_values() | {"units": units}
    logger.info("%s: %s", name, ", ".join(f"{key} {value}" for key, value in values.items()))
    require_memory(
        estimate_training_bytes(
            data.panel, shape, num_members, chosen.segment, chosen.batch_size, len(data.linear.validation)
        ),
        f"training {name} with {units} units, {count(num_members, 'member')} and batches of {chosen.batch_size:,}",
        f"{name}.units, {name}.members, training.batch_size and window.lookback",
    )


def _fingerprint(panel: WindowedPanel, matrices: np.ndarray, settings: str) -> str:
    shape = f"{panel.lookback} {panel.horizon} {panel.stride} {panel.season_length}"
    digest = hashlib.sha256(f"{settings} {shape}".encode())
    for array in (panel.values, panel.train, panel.validation, matrices):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
