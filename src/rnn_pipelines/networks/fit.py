"""The training loop of the Keras networks, those of `sentiment` and `compare`."""

import math
import time
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from rnn_pipelines.errors import TrainingError, count
from rnn_pipelines.networks.callbacks import (
    Checkpoint,
    Clock,
    Progress,
    TimeLimit,
    fingerprint_training,
)
from rnn_pipelines.networks.records import TrainingRecord
from rnn_pipelines.networks.specs import TrainingSpec

# A data set draws a new order for each iterator, and Keras makes a second iterator at the end of each epoch.
ITERATORS_PER_EPOCH = 2


@dataclass(frozen=True)
class Limits:
    """The time limit and the checkpoint of a training."""

    # Training ends with its best weights after the epoch that exceeds them; None for no limit.
    max_seconds: float | None = None
    # File of the state after each epoch, from which an interrupted training resumes. It is removed at the end of the
    # training. None for no checkpoint.
    checkpoint: Path | None = None
    fingerprint: str = (
        ""  # of the data and the network. A checkpoint with another fingerprint is ignored.
    )
    is_quiet: bool = False  # show no progress, if several trainings run at once


def fit(
    model: keras.Model,
    loss: str | keras.losses.Loss,
    batches: tuple[tf.data.Dataset, tf.data.Dataset],
    training: TrainingSpec,
    limits: Limits,
) -> tuple[pd.DataFrame, TrainingRecord]:
    """Train a network in place and restore the weights with the best validation loss; see `TrainingSpec`.

    An interrupted training resumes with the same results. Return the record and the history, one row per epoch: `epoch`
    (from 1), `loss`, `val_loss`, `learning_rate` (at its start), `seconds`, `is_best` (the epoch whose weights are
    kept). `batches` are of training and of validation, (inputs, targets). Raise a TrainingError if the loss is no
    longer finite.
    """
    train, validation = batches
    num_batches = int(train.cardinality())
    clock = Clock()
    callbacks = _make_callbacks(training)
    checkpoint = None
    if limits.checkpoint is not None:
        fingerprint = fingerprint_training(
            model, f"{limits.fingerprint} {training.model_dump_json()}"
        )
        counting = [callback for callback in callbacks if hasattr(callback, "wait")]
        checkpoint = Checkpoint(limits.checkpoint, fingerprint, clock, counting)
    last = [TimeLimit(limits.max_seconds, clock)] if limits.max_seconds is not None else []
    num_done = checkpoint.num_epochs if checkpoint else 0
    progress = Progress(model.name, training.epochs, num_done, limits.is_quiet)
    _compile(model, loss, training, num_batches)
    started = time.perf_counter()
    seconds_before = checkpoint.seconds if checkpoint else 0.0
    with progress:
        for _ in range(ITERATORS_PER_EPOCH * num_done):
            next(iter(train))
        model.fit(
            train,
            validation_data=validation,
            epochs=training.epochs,
            initial_epoch=num_done,
            shuffle=False,
            callbacks=[*callbacks, clock, progress, *last, *([checkpoint] if checkpoint else [])],
            verbose=0,
        )
    seconds = seconds_before + time.perf_counter() - started
    table = _tabulate_history(model.name, clock)
    if checkpoint:
        checkpoint.remove()
    record: TrainingRecord = {
        "training_seconds": seconds - clock.compile_seconds,
        "compile_seconds": clock.compile_seconds,
        "num_epochs": len(table),
        "num_steps": len(table) * num_batches,
        "best_epoch": int(table.loc[table["is_best"], "epoch"].iloc[0]),
        "num_parameters": model.count_params(),
    }
    return table, record


def _compile(
    model: keras.Model, loss: str | keras.losses.Loss, training: TrainingSpec, num_batches: int
) -> None:
    rate: float | keras.optimizers.schedules.LearningRateSchedule = training.learning_rate
    if training.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(
            training.learning_rate, training.epochs * num_batches
        )
    averaged = {"use_ema": training.weight_average > 0, "ema_momentum": training.weight_average}
    optimizer = keras.optimizers.Adam(rate, global_clipnorm=training.clip_norm, **averaged)
    model.compile(
        optimizer, loss, jit_compile=training.jit_compile, steps_per_execution=min(num_batches, 4)
    )


def _tabulate_history(name: str, clock: Clock) -> pd.DataFrame:
    table = pd.DataFrame(clock.rows)
    if not np.isfinite(table[["loss", "val_loss"]]).all(axis=None):
        raise TrainingError(
            f"{name}: the loss is not finite after {count(len(table), 'epoch')}. "
            "Lower training.learning_rate, or look for extreme values in the data."
        )
    return table.assign(is_best=table.index == table["val_loss"].idxmin())


def _make_callbacks(training: TrainingSpec) -> list[keras.callbacks.Callback]:
    callbacks: list[keras.callbacks.Callback] = [keras.callbacks.TerminateOnNaN()]
    if training.weight_average:
        # Before early stopping, which must see the averaged weights that belong to the loss.
        callbacks.append(keras.callbacks.SwapEMAWeights(swap_on_epoch=True))
    if training.schedule == "plateau":
        patience = math.ceil(training.patience / 2)
        callbacks.append(
            keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=patience)
        )
    callbacks.append(
        keras.callbacks.EarlyStopping(
            "val_loss", patience=training.patience, restore_best_weights=True
        )
    )
    return callbacks
