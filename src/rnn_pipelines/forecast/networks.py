"""The forecasting network: recurrent layers over the history, one head for all steps ahead."""

from collections.abc import Sequence

import keras
from keras import layers

from rnn_pipelines.forecast.registry import NETWORKS
from rnn_pipelines.forecast.specs import NetworkSpec
from rnn_pipelines.networks.recurrent import RECURRENT_LAYERS


def build_network(network: NetworkSpec, lookback: int, horizon: int, num_known: int) -> keras.Model:
    """Builds a network as the registry says; see `build_forecaster`."""
    build = NETWORKS[network.cell].build or build_forecaster
    return build(network, lookback, horizon, num_known)


def build_forecaster(network: NetworkSpec, lookback: int, horizon: int, num_known: int) -> keras.Model:
    """Builds a network that forecasts all steps of the horizon at once.

    The head reads the last state, so that every step sees the whole window, and what is known about the targets'
    own dates. It is linear: nothing bounds the output.

    Args:
        network: the network's spec.
        lookback: steps of history.
        horizon: steps ahead.
        num_known: features that are known in advance; 0 for none.
    Returns:
        A model, not compiled, from `history` float32[batch, lookback, 1 + num_known] and, with known features, `known`
        float32[batch, horizon, num_known] to float32[batch, horizon], scaled.
    """
    history = keras.Input((lookback, 1 + num_known), name="history")
    inputs, state = {"history": history}, history
    if network.centre:
        level = keras.ops.mean(history[:, :, :1], axis=1, keepdims=True)
        state = keras.ops.concatenate([history[:, :, :1] - level, history[:, :, 1:]], axis=-1)
    for depth, units in enumerate(network.units, start=1):
        is_last = depth == len(network.units)
        state = RECURRENT_LAYERS[network.cell](
            units, activation=network.activation, return_sequences=not is_last, name=f"{network.cell}_{depth}"
        )(state)
        if network.dropout:
            state = layers.Dropout(network.dropout, name=f"dropout_{depth}")(state)
    if num_known:
        known = inputs["known"] = keras.Input((horizon, num_known), name="known")
        state = layers.Concatenate(name="state_and_known")([state, layers.Flatten(name="known_flat")(known)])
    forecast = layers.Dense(horizon, name="forecast")(state)
    if network.centre:
        forecast = forecast + level[:, :, 0]
    return keras.Model(inputs, forecast, name=f"{network.cell}_forecaster")


def average_forecasters(members: Sequence[keras.Model]) -> keras.Model:
    """One network whose forecast is the mean of its members'; the member itself where there is one.

    Args:
        members: networks, all built from one spec.
    """
    if len(members) == 1:
        return members[0]
    inputs = {tensor.name: keras.Input(tensor.shape[1:], name=tensor.name) for tensor in members[0].inputs}
    forecasts = []
    for number, member in enumerate(members, start=1):
        member.name = f"{member.name}_{number}"
        forecasts.append(member(inputs))
    return keras.Model(inputs, layers.Average(name="forecast")(forecasts), name=members[0].name.rsplit("_", 1)[0])
