"""One training loop for all networks of the project."""

import logging
import math
import sys
import time
from statistics import median_low
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from tqdm import tqdm

from rnn_pipelines.errors import TrainingError
from rnn_pipelines.training.specs import TrainingSpec

logger = logging.getLogger(__name__)


def fit(
    model: keras.Model,
    loss: str | keras.losses.Loss,
    train: tf.data.Dataset,
    validation: tf.data.Dataset,
    training: TrainingSpec,
    is_quiet: bool = False,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Trains a network and leaves it with the weights that were best on validation.

    Args:
        model: not compiled; changed in place.
        loss: what is minimised.
        train: batches of (inputs, targets).
        validation: likewise.
        training: how.
        is_quiet: show no progress, where one of many trainings runs beside others.
    Returns:
        The history, one row an epoch: `epoch` (from 1), `loss`, `val_loss`, `learning_rate` (at its start), `seconds`,
        `is_best` (the epoch whose weights are kept). And a record: `training_seconds` without and `compile_seconds` of
        graph compilation, `num_epochs`, `num_steps`, `best_epoch`, `num_parameters`.
    Raises:
        TrainingError: the loss is no longer finite.
    """
    num_batches = int(train.cardinality())
    first_epoch = min(training.min_steps // num_batches, training.epochs - 1)
    optimizer = keras.optimizers.Adam(
        _make_learning_rate(training, num_batches),
        use_ema=training.weight_average > 0,
        ema_momentum=training.weight_average,
        global_clipnorm=training.clip_norm,
    )
    model.compile(optimizer, loss, jit_compile=training.jit_compile, steps_per_execution=min(num_batches, 4))
    clock, progress = _Clock(), _Progress(model.name, training.epochs, is_quiet)
    started = time.perf_counter()
    with progress:
        history = model.fit(
            train,
            validation_data=validation,
            epochs=training.epochs,
            shuffle=False,
            callbacks=[*_make_callbacks(training, first_epoch), clock, progress],
            verbose=0,
        ).history
    seconds = time.perf_counter() - started
    table = _tabulate_history(model.name, history, clock)
    best_epoch = int(table["val_loss"][first_epoch:].idxmin()) + 1
    table["is_best"] = table["epoch"] == best_epoch
    record = {
        "training_seconds": seconds - clock.compile_seconds,
        "compile_seconds": clock.compile_seconds,
        "num_epochs": len(table),
        "num_steps": len(table) * num_batches,
        "best_epoch": best_epoch,
        "num_parameters": model.count_params(),
    }
    return table, record


def _tabulate_history(name: str, history: dict[str, list[float]], clock: "_Clock") -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "epoch": range(1, len(history["loss"]) + 1),
            "loss": history["loss"],
            "val_loss": history["val_loss"],
            "learning_rate": clock.learning_rates,
            "seconds": clock.epoch_seconds,
        }
    )
    if not np.isfinite(table[["loss", "val_loss"]]).all(axis=None):
        raise TrainingError(
            f"{name}: the loss is not finite after {len(table)} epochs. "
            "Lower training.learning_rate, or look for extreme values in the data."
        )
    return table


def _make_learning_rate(
    training: TrainingSpec, num_batches: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    if training.schedule == "cosine":
        return keras.optimizers.schedules.CosineDecay(training.learning_rate, training.epochs * num_batches)
    return training.learning_rate


def _make_callbacks(training: TrainingSpec, first_epoch: int) -> list[keras.callbacks.Callback]:
    callbacks: list[keras.callbacks.Callback] = [keras.callbacks.TerminateOnNaN()]
    if training.weight_average:
        # First in line, so that early stopping sees the averaged weights whose loss it compares.
        callbacks.append(keras.callbacks.SwapEMAWeights(swap_on_epoch=True))
    if training.schedule == "plateau":
        callbacks.append(
            keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=math.ceil(training.patience / 2))
        )
    callbacks.append(
        keras.callbacks.EarlyStopping(
            "val_loss",
            patience=training.patience,
            restore_best_weights=True,
            start_from_epoch=first_epoch,
        )
    )
    return callbacks


class _Clock(keras.callbacks.Callback):
    """Notes time and learning rate of each epoch, and how much longer a graph's first calls took: its compilation.

    It is compiled twice: for whole batches, and for the smaller one at the end of the first epoch.
    """

    def __init__(self) -> None:
        super().__init__()
        self.epoch_seconds: list[float] = []
        self.learning_rates: list[float] = []
        self._calls: dict[str, list[float]] = {"train": [], "test": []}

    @property
    def compile_seconds(self) -> float:
        return sum(
            max(calls[place] - median_low(calls), 0.0)
            for calls in self._calls.values()
            for place in {0, len(calls) // len(self.epoch_seconds) - 1}
        )

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._epoch_started = time.perf_counter()
        self.learning_rates.append(float(self.model.optimizer.learning_rate))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.epoch_seconds.append(time.perf_counter() - self._epoch_started)

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._call_started = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._calls["train"].append(time.perf_counter() - self._call_started)

    def on_test_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._call_started = time.perf_counter()

    def on_test_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._calls["test"].append(time.perf_counter() - self._call_started)


class _Progress(keras.callbacks.Callback):
    """A bar in a terminal, one line an epoch in a log."""

    def __init__(self, name: str, epochs: int, is_quiet: bool) -> None:
        super().__init__()
        self._name, self._epochs, self._is_quiet = name, epochs, is_quiet
        self._bar = tqdm(total=epochs, desc=name, unit="epoch", disable=is_quiet or not sys.stderr.isatty())

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        losses = {name: f"{value:.4g}" for name, value in (logs or {}).items() if "loss" in name}
        self._bar.set_postfix(losses, refresh=False)
        self._bar.update()
        if self._bar.disable and not self._is_quiet:
            logger.info("%s epoch %d/%d %s", self._name, epoch + 1, self._epochs, losses)
