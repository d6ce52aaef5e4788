"""Training of a network on the errors of the linear forecast, with held-out validation windows for each member."""

import hashlib
import logging
import math
import sys
import time
from dataclasses import asdict, dataclass, field

import numpy as np
import pandas as pd

from rnn_pipelines.errors import TrainingError, count
from rnn_pipelines.forecast.methods.folds import count_needed_values
from rnn_pipelines.forecast.methods.memory import estimate_training_bytes
from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.networks.network import (
    InputLayout,
    Network,
    NetworkRecord,
    TrainedNetwork,
    size_members,
)
from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.methods.training.member_steps import MemberSetup, MemberSteps
from rnn_pipelines.forecast.methods.training.specs import (
    ForecastTrainingSpec,
    Hyperparameters,
    NetworkSpec,
    TrainingPlan,
    resolve_hyperparameters,
)
from rnn_pipelines.forecast.methods.training.validation import (
    find_network_shrinkage,
    is_far_behind,
    read_validation,
)
from rnn_pipelines.forecast.windows.panel import WindowedPanel
from rnn_pipelines.networks.checkpoints import read_checkpoint, write_checkpoint
from rnn_pipelines.networks.engines import choose_engine
from rnn_pipelines.networks.fan_out import is_first_process
from rnn_pipelines.networks.members import MemberShape, Weights
from rnn_pipelines.networks.memory import require_memory
from rnn_pipelines.networks.specs import format_units
from rnn_pipelines.networks.stages import set_share
from rnn_pipelines.networks.threads import use_one_thread
from rnn_pipelines.networks.time_left import TimeLeft
from rnn_pipelines.networks.trainer import compute_loss, forward_member

logger = logging.getLogger(__name__)

# Steps between two validations.
CHECK_STEPS = 25
# A training that has never improved on its start, step 0, ends after this part of the patience.
PART_AT_START = 0.375
# A lower validation loss counts if it is lower by this part.
MIN_GAIN = 0.002
# Keeps the time for checkpoints small.
SECONDS_BETWEEN_CHECKPOINTS = 10.0


@dataclass
class _Progress:
    """The state of a training, without the optimizer's arrays: history and best weights."""

    rows: list[dict[str, float]] = field(default_factory=list)
    best_loss: float = np.inf
    best_step: int = 0
    seconds: float = 0.0
    is_cut_short: bool = False
    best: Weights = field(default_factory=dict)


def train_network(
    data: FittingData,
    network: NetworkSpec,
    training: ForecastTrainingSpec,
    plan: TrainingPlan | None = None,
) -> TrainedNetwork:
    """Train the members of one network on the errors of the linear forecast, or with `start: none` on the targets.

    Member k is trained without the windows that fold k holds out, and forecasts them. These errors determine the step
    whose weights are kept, including step 0 (no correction), and the shrinkage. If blocks are held out in turn, each
    block is in the training data of all other members, and the same members make the forecasts. If all data after a
    fold is held out, further members are then trained on all data, for as many steps as were best. Test windows are not
    touched. Raise a ParameterError if it needs more memory than there is, and a TrainingError for a loss that is no
    longer finite.
    """
    with use_one_thread():
        return _Training(data, network, training, plan or TrainingPlan()).run()


class _Training:
    """One training, which can be interrupted between two validations."""

    def __init__(
        self,
        data: FittingData,
        network: NetworkSpec,
        training: ForecastTrainingSpec,
        plan: TrainingPlan,
    ) -> None:
        data = data.remove_start() if training.start == "none" else data
        if plan.budget.max_steps is not None:
            training = training.model_copy(update={"max_steps": plan.budget.max_steps})
        self.data = data
        self.name = network.cell
        self.training = training
        self.max_seconds = plan.budget.max_seconds
        self.parameters = network.model_dump(mode="json")
        chosen = resolve_hyperparameters(data.panel, data.linear, network, training)
        self.hyperparameters = chosen
        num_folds = len(data.linear)
        # The held-out fold of each member. If no fold's member learns the newest data, further members see all windows;
        # their number of a fold is that of the linear models' last matrix, which is of all data.
        needs_further = num_folds == 0 or data.linear.is_forward
        num_further = chosen.num_members if needs_further else 0
        held_out = [*range(num_folds), *[num_folds] * num_further]
        self.deployed = slice(num_folds if needs_further else 0, len(held_out))
        self.cell = NETWORKS[self.name].cell
        shape = size_members(
            data.panel, self.cell, chosen.units, chosen.embedding, chosen.segment, chosen.calendar
        )
        is_alone = data.pretrained.is_alone
        self.is_behind = (
            not is_alone and training.start == "baseline_ensemble" and is_far_behind(data)
        )
        # Nothing is trained without validation.
        is_trained = num_folds > 0 and not is_alone and not self.is_behind
        if is_trained:
            _check_training(self.name, data, shape, max(num_folds, num_further), chosen)
        self.engine = choose_engine(training.engine, shape, chosen.batch_size)
        self.layout = InputLayout(
            chosen.segment, np.array(chosen.calendar, np.int64), bool(chosen.embedding)
        )
        self.setup = MemberSetup(
            data, training, chosen, shape, self.layout, self.engine, tuple(held_out)
        )
        self.members = MemberSteps(self.setup, slice(num_folds or len(held_out)))
        self.progress = _Progress()
        self.is_deploying = False
        self.validation = read_validation(data, self.layout) if is_trained else []
        self.checkpoint = plan.checkpoints and plan.checkpoints / f"{self.name}.npz"
        settings_text = f"{chosen} {training.seed} {training.clip_norm} {self.engine}"
        self.fingerprint = _fingerprint(data.panel, self.setup.matrices, settings_text)

    def run(self) -> TrainedNetwork:
        self._resume()
        if not self.progress.rows:
            self._record(np.nan, self._validate())
        if not self.is_deploying:
            self._train_members()
        if self.deployed.start:
            if not self.is_deploying:
                self.members = MemberSteps(self.setup, self.deployed)
                self.is_deploying = True
            self._train_members()
        if self.checkpoint:
            self.checkpoint.unlink(missing_ok=True)
        return self._finish()

    def _train_members(self) -> None:
        """Train the members until their end, or until the time limit."""
        progress = self.progress
        num_before = self.members.num_steps
        max_steps = progress.best_step if self.is_deploying else self.hyperparameters.max_steps
        name = f"{self.name} on all windows" if self.is_deploying else self.name
        started = time.monotonic() - progress.seconds
        saved = time.monotonic()
        time_left = TimeLeft(max_steps, f"steps of {name}", num_before)
        # Exported forecasters do without it.
        from tqdm import tqdm

        bar = tqdm(total=max_steps, initial=num_before, desc=name, unit="step",
                   disable=not (sys.stderr.isatty() and is_first_process()))  # fmt: skip
        with bar:
            while self._goes_on():
                num_steps = min(CHECK_STEPS, max_steps - self.members.num_steps)
                loss = float(np.mean([self.members.step() for _ in range(num_steps)]))
                self._require_finite(loss)
                progress.seconds = time.monotonic() - started
                if not self.is_deploying:
                    self._record(loss, self._validate())
                bar.set_postfix(
                    loss=f"{loss:.4g}",
                    val_loss=f"{progress.rows[-1]['val_loss']:.4g}",
                    refresh=False,
                )
                bar.total = self._expect_steps()
                bar.update(num_steps)
                set_share(self._measure_share())
                if bar.disable:
                    time_left.log(self.members.num_steps, bar.total)
                if not self.is_deploying and self._is_late():
                    logger.warning("%s: stopped at the limit of %g s, step %d", self.name, self.max_seconds,
                                   self.num_steps)  # fmt: skip
                    self.progress.is_cut_short = self._goes_on()
                    break
                if self.checkpoint and time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS:
                    self._save()
                    saved = time.monotonic()

    def _is_late(self) -> bool:
        """Return whether the time is over, less that of the members that make the forecasts if these are others."""
        num_validated = self.deployed.start
        num_others = self.deployed.stop - self.deployed.start
        others = (
            num_others * self.progress.best_step / (self.num_steps * num_validated)
            if num_validated
            else 0.0
        )
        return (
            self.max_seconds is not None
            and self.progress.seconds * (1 + others) >= self.max_seconds
        )

    def _goes_on(self) -> bool:
        """Return whether the training continues, without the time limit. Nothing is trained without validation."""
        if self.is_deploying:
            return self.members.num_steps < self.progress.best_step
        chosen = self.hyperparameters
        num_steps = self.num_steps
        best_step = self.progress.best_step
        is_patient = num_steps - best_step < self._patience
        return bool(self.validation) and num_steps < chosen.max_steps and is_patient

    @property
    def _patience(self) -> float:
        """The steps without a lower validation error after which the training ends."""
        patience = self.hyperparameters.patience
        return patience if self.progress.best_step else PART_AT_START * patience

    def _expect_steps(self) -> int:
        """Return the expected number of steps of the current members: twice as many while they improve."""
        best_step = self.progress.best_step
        if self.is_deploying:
            return best_step
        chosen = self.hyperparameters
        num_steps = self.num_steps
        if num_steps == best_step:
            return min(2 * num_steps + chosen.patience, chosen.max_steps)
        return min(math.ceil(best_step + self._patience), chosen.max_steps)

    def _measure_share(self) -> float:
        """Return the expected share of the training that is done, by steps of all members."""
        num_validated = self.deployed.start or self.deployed.stop
        num_others = self.deployed.stop - self.deployed.start if self.deployed.start else 0
        done = self.num_steps * num_validated
        expected = self.num_steps if self.is_deploying else self._expect_steps()
        if self.is_deploying:
            done += self.members.num_steps * num_others
        return done / (expected * num_validated + self.progress.best_step * num_others)

    @property
    def num_steps(self) -> int:
        """The number of steps of the validated members."""
        return int(self.progress.rows[-1]["step"])

    def _validate(self) -> float:
        """Return the mean normalised error on held-out windows; NaN if there are none."""
        is_absolute = self.hyperparameters.is_absolute
        total, number = 0.0, 0
        for batch in self.validation:
            corrections = self.members.trainer.forward(
                batch.member, batch.steps, batch.static_inputs
            )
            total += float(compute_loss(batch.residuals - corrections, is_absolute)[0].sum())
            number += batch.residuals.size
        return total / number if number else np.nan

    def _record(self, loss: float, val_loss: float) -> None:
        if self.validation:
            self._require_finite(val_loss)
        progress = self.progress
        num_steps = self.members.num_steps
        row = {"step": num_steps, "loss": loss, "val_loss": val_loss, "seconds": progress.seconds}
        progress.rows.append(row)
        if val_loss < (1 - MIN_GAIN) * progress.best_loss:
            progress.best_loss, progress.best_step = val_loss, num_steps
            progress.best = self.members.trainer.copy_averages()

    def _require_finite(self, loss: float) -> None:
        if not np.isfinite(loss):
            raise TrainingError(
                f"{self.name}: the loss is not finite after {count(self.members.num_steps, 'step')}. Lower "
                "training.learning_rate, or look for extreme values in the data."
            )

    def _finish(self) -> TrainedNetwork:
        progress = self.progress
        chosen = self.hyperparameters
        out_of_fold = np.zeros(
            (len(self.data.linear.validation), self.data.panel.horizon), np.float32
        )
        for batch in self.validation:
            inputs = batch.member, batch.steps, batch.static_inputs
            out_of_fold[batch.rows] = forward_member(self.cell, progress.best, *inputs)
        weights = (
            self.members.trainer.copy_averages()
            if self.is_deploying or not progress.best
            else progress.best
        )
        shrinkage = float(progress.best_step > 0)
        if shrinkage and self.training.start == "baseline_ensemble":
            shrinkage = find_network_shrinkage(self.data, out_of_fold, chosen.num_members)
        is_alone = self.data.pretrained.is_alone
        has_enough = len(self.data.linear) > 0
        needed = (
            0 if has_enough else count_needed_values(self.data.panel, self.data.linear.is_forward)
        )
        said = f"best step {progress.best_step} of {self.num_steps}, shrinkage {shrinkage:.2f}"
        if self.is_behind:
            said = "not trained, because a local method is far better than the forecast that it corrects"
        elif needed:
            said = f"not trained, because there are too few windows for validation: it takes about {needed:,} values"
        if not is_alone:
            logger.info("%s: %s", self.name, said)
        cell = NETWORKS[self.name].cell
        segment = chosen.segment
        calendar = self.layout.calendar
        seconds = np.nan if is_alone else progress.seconds
        network = Network(
            weights, cell, segment, calendar, shrinkage, out_of_fold, seconds, self.training.start
        )
        history = pd.DataFrame(progress.rows)
        history["is_best"] = history["step"] == progress.best_step
        record: NetworkRecord = {
            "training_seconds": progress.seconds,
            "num_steps": self.num_steps,
            "best_step": progress.best_step,
            "is_cut_short": progress.is_cut_short,
            "shrinkage": shrinkage,
            "values_needed": needed,
            "num_parameters": sum(array.size for array in weights.values()),
            "hyperparameters": {
                **asdict(chosen),
                "calendar": list(chosen.calendar),
                "engine": self.engine,
            },
        }
        return TrainedNetwork(
            self.name, network, history, record, self.parameters, self.training.seed
        )

    def _save(self) -> None:
        assert self.checkpoint
        progress = self.progress
        state = {
            "rows": progress.rows,
            "best_loss": progress.best_loss,
            "best_step": progress.best_step,
            "seconds": progress.seconds,
            "is_cut_short": progress.is_cut_short,
            "fingerprint": self.fingerprint,
            "num_steps": self.members.num_steps,
            "is_deploying": self.is_deploying,
        }
        best = {f"best.{name}": array for name, array in progress.best.items()}
        write_checkpoint(self.checkpoint, state, self.members.trainer.list_state() | best)

    def _resume(self) -> None:
        """Resume from the checkpoint of the same training. Earlier batches are drawn and skipped."""
        checkpoint = read_checkpoint(self.checkpoint, self.fingerprint) if self.checkpoint else None
        if checkpoint is None:
            return
        state, arrays = checkpoint
        logger.info("%s: resumed after step %d", self.name, state["rows"][-1]["step"])
        if state["is_deploying"]:
            self.members = MemberSteps(self.setup, self.deployed)
            self.is_deploying = True
        self.members.trainer.set_state(arrays, state["num_steps"])
        self.members.skip(state["num_steps"])
        best = {
            name.removeprefix("best."): array
            for name, array in arrays.items()
            if name.startswith("best.")
        }
        self.progress = _Progress(
            rows=state["rows"],
            best_loss=state["best_loss"],
            best_step=state["best_step"],
            seconds=state["seconds"],
            is_cut_short=state["is_cut_short"],
            best=best,
        )


def _check_training(
    name: str, data: FittingData, shape: MemberShape, num_members: int, chosen: Hyperparameters
) -> None:
    """Log the hyperparameters, and check that there is enough memory."""
    units = format_units(chosen.units)
    values = asdict(chosen) | {"units": units}
    logger.info("%s: %s", name, ", ".join(f"{key} {value}" for key, value in values.items()))
    sizes = chosen.segment, chosen.batch_size, len(data.linear.validation)
    require_memory(
        estimate_training_bytes(data.panel, shape, num_members, *sizes),
        f"training {name} with {units} units, {count(num_members, 'member')} and batches of {chosen.batch_size:,}",
        f"{name}.units, {name}.members, training.batch_size and window.lookback",
    )


def _fingerprint(panel: WindowedPanel, matrices: np.ndarray, settings: str) -> str:
    shape = f"{panel.lookback} {panel.horizon} {panel.stride} {panel.season_length}"
    digest = hashlib.sha256(f"{settings} {shape}".encode())
    for array in (panel.values, panel.train, panel.validation, matrices):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
