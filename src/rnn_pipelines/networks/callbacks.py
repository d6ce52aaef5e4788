"""Keras callbacks: the history with timing, progress, a time limit, and checkpoints."""

import hashlib
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median_low
from typing import Any, TypedDict

import keras
import numpy as np
from tqdm import tqdm

from rnn_pipelines.networks.checkpoints import read_checkpoint, write_checkpoint
from rnn_pipelines.networks.time_left import TimeLeft

logger = logging.getLogger(__name__)

# Counters of callbacks, which Keras does not save.
COUNTERS = ("wait", "best", "best_epoch", "stopped_epoch", "cooldown_counter")


class Clock(keras.callbacks.Callback):
    """The losses, time and learning rate of each epoch, and the compile time.

    The compile time is the extra time of a graph's first calls. A graph is compiled twice: for whole batches, and for
    the smaller batch at the end of the first epoch.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[dict[str, float]] = []
        self._num_epochs = 0
        self._calls: dict[str, list[float]] = {"train": [], "test": []}

    @property
    def seconds(self) -> float:
        """Return the time of all epochs, including those before an interruption."""
        return sum(row["seconds"] for row in self.rows)

    @property
    def compile_seconds(self) -> float:
        return sum(
            max(calls[place] - median_low(calls), 0.0)
            for calls in self._calls.values()
            for place in {0, len(calls) // self._num_epochs - 1}
        )

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._epoch_started = time.perf_counter()
        self._learning_rate = float(self.model.optimizer.learning_rate)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        losses = {name: float((logs or {}).get(name, np.nan)) for name in ("loss", "val_loss")}
        seconds = time.perf_counter() - self._epoch_started
        self._num_epochs += 1
        self.rows.append(
            {"epoch": epoch + 1, **losses, "learning_rate": self._learning_rate, "seconds": seconds}
        )

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._call_started = time.perf_counter()

    on_test_batch_begin = on_train_batch_begin

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._calls["train"].append(time.perf_counter() - self._call_started)

    def on_test_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._calls["test"].append(time.perf_counter() - self._call_started)


class Progress(keras.callbacks.Callback):
    """A progress bar in a terminal, or one log line per epoch, or neither if quiet; `num_done` epochs are over."""

    def __init__(self, name: str, epochs: int, num_done: int, is_quiet: bool) -> None:
        super().__init__()
        self._name = name
        self._epochs = epochs
        self._is_quiet = is_quiet
        self._time_left = TimeLeft(epochs, "epochs", num_done, can_stop=True)
        is_shown = sys.stderr.isatty() and not is_quiet
        self._bar = tqdm(
            total=epochs, initial=num_done, desc=name, unit="epoch", disable=not is_shown
        )

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        losses = {name: f"{value:.4g}" for name, value in (logs or {}).items() if "loss" in name}
        self._bar.set_postfix(losses, refresh=False)
        self._bar.update()
        if self._bar.disable and not self._is_quiet:
            left = self._time_left.describe(epoch + 1)
            logger.info(
                "%s epoch %d/%d %s%s",
                self._name,
                epoch + 1,
                self._epochs,
                losses,
                left and f"; {left}",
            )


class TimeLimit(keras.callbacks.Callback):
    """A limit that ends the training after the epoch that exceeds it. The best weights are restored."""

    def __init__(self, max_seconds: float, clock: Clock) -> None:
        super().__init__()
        self._max_seconds, self._clock = max_seconds, clock

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if self._clock.seconds < self._max_seconds:
            return
        logger.info(
            "%s: stopped at the limit of %g s, epoch %d",
            self.model.name,
            self._max_seconds,
            epoch + 1,
        )
        self.model.stop_training = True


class CheckpointState(TypedDict):
    """The JSON part of a checkpoint: the clock's rows, and the counters of the callbacks."""

    fingerprint: str
    rows: list[dict[str, float]]
    counters: list[dict[str, float]]


class Checkpoint(keras.callbacks.Callback):
    """A checkpoint of the training after each epoch, from which an interrupted training resumes.

    It is written at the beginning of the next epoch, after Keras has replaced the averaged weights by the trained ones.
    One with another fingerprint, of the data and of all settings, is ignored. `counting` are the callbacks with
    counters.
    """

    def __init__(
        self,
        path: Path,
        fingerprint: str,
        clock: Clock,
        counting: Sequence[keras.callbacks.Callback],
    ) -> None:
        super().__init__()
        self._path = path
        self._fingerprint = fingerprint
        self._clock = clock
        self._counting = counting
        nothing: CheckpointState = {"fingerprint": "", "rows": [], "counters": []}
        self._state: CheckpointState
        self._arrays: dict[str, np.ndarray]
        self._state, self._arrays = read_checkpoint(path, fingerprint) or (nothing, {})

    @property
    def num_epochs(self) -> int:
        return len(self._state["rows"])

    @property
    def seconds(self) -> float:
        return sum(row["seconds"] for row in self._state["rows"])

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        if not self.num_epochs:
            return
        logger.info("%s: resumed after epoch %d", self.model.name, self.num_epochs)
        for kind, variables in self._list_variables().items():
            for number, variable in enumerate(variables):
                variable.assign(self._arrays[f"{kind}_{number}"])
        self._clock.rows = self._state["rows"]
        for callback, counters in zip(self._counting, self._state["counters"], strict=True):
            for name, value in counters.items():
                setattr(callback, name, value)
        num_best = sum(name.startswith("best_") for name in self._arrays)
        self._find_keeper().best_weights = [
            self._arrays[f"best_{number}"] for number in range(num_best)
        ] or None

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if epoch <= self.num_epochs:
            return
        state: CheckpointState = {
            "fingerprint": self._fingerprint,
            "rows": self._clock.rows,
            "counters": [
                {name: getattr(callback, name) for name in COUNTERS if hasattr(callback, name)}
                for callback in self._counting
            ],
        }
        best = {"best": self._find_keeper().best_weights or []}
        arrays = {
            f"{kind}_{number}": keras.ops.convert_to_numpy(value)
            for kind, values in (self._list_variables() | best).items()
            for number, value in enumerate(values)
        }
        write_checkpoint(self._path, state, arrays)

    def _list_variables(self) -> dict[str, list[Any]]:
        self.model.optimizer.build(self.model.trainable_variables)
        # Including the states of random generators, which `get_weights` omits.
        model = [*self.model.trainable_variables, *self.model.non_trainable_variables]
        return {"model": model, "optimizer": self.model.optimizer.variables}

    def _find_keeper(self) -> Any:
        return next(callback for callback in self._counting if hasattr(callback, "best_weights"))


def fingerprint_training(model: keras.Model, settings: str) -> str:
    """Return a hash of the initial weights and the settings of a training."""
    digest = hashlib.sha256(settings.encode())
    for weights in model.get_weights():
        digest.update(f"{weights.shape}{weights.dtype}".encode() + weights.tobytes())
    return digest.hexdigest()
