"""Training a forecaster on a panel's windows, and forecasting with it."""

from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from rnn_pipelines.models.forecaster import average_forecasters, build_forecaster
from rnn_pipelines.models.recurrent import summarize_layers
from rnn_pipelines.models.specs import NetworkSpec
from rnn_pipelines.series.forecasts import Forecasts
from rnn_pipelines.series.windows import Part, WindowedPanel
from rnn_pipelines.training.batches import batch_windows
from rnn_pipelines.training.fit import fit
from rnn_pipelines.training.specs import ForecastTrainingSpec

PREDICT_BATCH_SIZE = 512


def train_forecaster(
    panel: WindowedPanel, network: NetworkSpec, training: ForecastTrainingSpec
) -> tuple[keras.Model, pd.DataFrame, dict[str, Any]]:
    """Builds and trains the members of one network over all series of a panel.

    Args:
        panel: windows for training and validation; its test windows are not touched.
        network: what to build.
        training: how to train it.
    Returns:
        The network with its best weights; the history of `fit`, each epoch the mean of the members that still trained;
        the record of `fit`, in sum over the members but for `best_epoch`, their mean, with the `layers` of one (see
        `summarize_layers`).
    Raises:
        TrainingError: the loss is no longer finite.
    """
    trained = [_train_member(panel, network, training, training.seed + member) for member in range(network.members)]
    models, histories, records = zip(*trained, strict=True)
    history = pd.concat(histories).groupby("epoch", as_index=False).mean()
    record = {key: sum(record[key] for record in records) for key in records[0]}
    record["best_epoch"] = round(record["best_epoch"] / network.members)
    return average_forecasters(models), history, record | {"layers": summarize_layers(models[0])}


def _train_member(
    panel: WindowedPanel, network: NetworkSpec, training: ForecastTrainingSpec, seed: int
) -> tuple[keras.Model, pd.DataFrame, dict[str, Any]]:
    keras.utils.set_random_seed(seed)
    model = build_forecaster(network, panel.lookback, panel.horizon, panel.num_known)
    train = batch_windows(panel, "train", training.batch_size, shuffle_seed=seed)
    return model, *fit(model, training.loss, train, batch_windows(panel, "validation", PREDICT_BATCH_SIZE), training)


def forecast_windows(model: keras.Model, panel: WindowedPanel) -> Forecasts:
    """Forecasts the test windows and the steps after each series' end.

    Args:
        model: what `train_forecaster` returns.
        panel: the windows it was trained on.
    """
    call = tf.function(lambda inputs: model(inputs, training=False), reduce_retracing=True)

    def forecast(part: Part) -> np.ndarray:
        batches = batch_windows(panel, part, PREDICT_BATCH_SIZE)
        return np.concatenate([call(inputs).numpy() for inputs, _ in batches])

    return Forecasts(test=forecast("test"), future=forecast("future"))
