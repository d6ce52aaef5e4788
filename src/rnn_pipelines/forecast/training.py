"""Training a forecaster on a panel's windows, and forecasting with it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from rnn_pipelines.forecast.batches import batch_windows
from rnn_pipelines.forecast.networks import average_forecasters, build_network
from rnn_pipelines.forecast.predictions import Forecasts
from rnn_pipelines.forecast.series.windows import Part, WindowedPanel
from rnn_pipelines.forecast.specs import ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.networks.fan_out import ParallelSpec, fan_out, train_in_subprocess
from rnn_pipelines.networks.fit import Limits, fit_within
from rnn_pipelines.networks.records import LayerRecord, TrainingRecord
from rnn_pipelines.networks.recurrent import summarize_layers

PREDICT_BATCH_SIZE = 512


@dataclass(frozen=True)
class Start:
    """From where a network's training starts, what ends it early, and where it runs.

    Attributes:
        weights: those of each member, as Keras lists them; None for new ones.
        max_seconds: of all members together; None for no limit.
        checkpoints: folder in which an interrupted training leaves what it needs to go on; None for none.
        in_subprocess: in one process below this one, see `train_in_subprocess`.
    """

    weights: Sequence[Sequence[np.ndarray]] | None = None
    max_seconds: float | None = None
    checkpoints: Path | None = None
    in_subprocess: bool = False


@dataclass(frozen=True)
class _Member:
    """All that the training of one member needs, in whichever process."""

    number: int
    panel: WindowedPanel
    network: NetworkSpec
    training: ForecastTrainingSpec
    start: Start


def train_forecaster(
    panel: WindowedPanel,
    network: NetworkSpec,
    training: ForecastTrainingSpec,
    start: Start | None = None,
    parallel: ParallelSpec | None = None,
) -> tuple[keras.Model, pd.DataFrame, TrainingRecord]:
    """Builds and trains the members of one network over all series of a panel.

    Args:
        panel: windows for training and validation; its test windows are not touched.
        network: what to build.
        training: how to train it.
        start: from where, and within which limits; by default from new weights, without limits.
        parallel: over which processes several members are spread; by default, and where there is one, in this one.
    Returns:
        The network with its best weights; the history of `fit`, each epoch the mean of the members that still trained;
        the record, in sum over the members but for `best_epoch`, their mean, and the `layers`, those of one of them.
    Raises:
        TrainingError: the loss is no longer finite.
        ParallelError: see `fan_out`.
    """
    start = start or Start()
    members = [_Member(number, panel, network, training, start) for number in range(network.members)]
    spread = parallel if parallel and network.members > 1 else ParallelSpec(workers=1)
    train = train_in_subprocess if start.in_subprocess else partial(fan_out, parallel=spread)
    trained = train(_train_member, members)
    ordered = [result for _, result in sorted(trained, key=lambda ended: ended[0].number)]
    weights, histories, records = zip(*ordered, strict=True)
    models = [_build_member(member, found) for member, found in zip(members, weights, strict=True)]
    history = pd.concat(histories).groupby("epoch", as_index=False).mean()
    return average_forecasters(models), history, _join_records(records, summarize_layers(models[0]))


def _join_records(records: Sequence[TrainingRecord], layers: list[LayerRecord]) -> TrainingRecord:
    return TrainingRecord(
        training_seconds=sum(record["training_seconds"] for record in records),
        compile_seconds=sum(record["compile_seconds"] for record in records),
        num_epochs=sum(record["num_epochs"] for record in records),
        num_steps=sum(record["num_steps"] for record in records),
        best_epoch=round(sum(record["best_epoch"] for record in records) / len(records)),
        num_parameters=sum(record["num_parameters"] for record in records),
        layers=layers,
    )


def _train_member(member: _Member) -> tuple[list[np.ndarray], pd.DataFrame, TrainingRecord]:
    """Its weights, because they travel between processes as a Keras model does not, its history and its record."""
    panel, training, start = member.panel, member.training, member.start
    seed = training.seed + member.number
    keras.utils.set_random_seed(seed)
    model = _build_member(member, start.weights[member.number] if start.weights is not None else None)
    train = batch_windows(panel, "train", training.batch_size, shuffle_seed=seed)
    validation = batch_windows(panel, "validation", PREDICT_BATCH_SIZE)
    limits = Limits(max_seconds=start.max_seconds and start.max_seconds / member.network.members)
    if start.checkpoints is not None:
        path = start.checkpoints / f"{member.network.cell}_{member.number + 1}.npz"
        fingerprint = f"{member.network.model_dump_json()} {_fingerprint_panel(panel)}"
        limits = replace(limits, checkpoint=path, fingerprint=fingerprint)
    history, record = fit_within(model, training.loss, (train, validation), training, limits)
    return model.get_weights(), history, record


def _build_member(member: _Member, weights: Sequence[np.ndarray] | None) -> keras.Model:
    panel = member.panel
    model = build_network(member.network, panel.lookback, panel.horizon, panel.num_known)
    if weights is not None:
        model.set_weights(weights)
    return model


def _fingerprint_panel(panel: WindowedPanel) -> str:
    digest = hashlib.sha256(f"{panel.lookback} {panel.horizon} {panel.stride}".encode())
    for array in (panel.values, panel.train, panel.validation):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def forecast_windows(model: keras.Model, panel: WindowedPanel) -> Forecasts:
    """Forecasts the test windows and the steps after each series' end.

    Args:
        model: a trained network.
        panel: the windows it was trained on.
    """
    return Forecasts(test=forecast_part(model, panel, "test"), future=forecast_part(model, panel, "future"))


def forecast_part(model: keras.Model, panel: WindowedPanel, part: Part) -> np.ndarray:
    """Forecasts of the windows of one part, float32[window, horizon], scaled."""
    call = tf.function(lambda inputs: model(inputs, training=False), reduce_retracing=True)
    return np.concatenate([call(inputs).numpy() for inputs, _ in batch_windows(panel, part, PREDICT_BATCH_SIZE)])
