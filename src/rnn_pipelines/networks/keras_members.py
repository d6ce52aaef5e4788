"""The members of a network as Keras models, with the same weights and outputs as `members`."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from rnn_pipelines.cells.registry import CELLS
from rnn_pipelines.errors import NetworkError, show, show_all
from rnn_pipelines.networks.layers import find_layer
from rnn_pipelines.networks.members import (
    STATIC_INPUTS,
    STEPS,
    Weights,
    count_units,
    list_layers,
    name_array,
    read_cell,
)


def make_keras_model(cell: str, weights: Mapping[str, np.ndarray]) -> keras.Model:
    """Build a functional model of the members' mean; `member_1` and so on are models inside it.

    It is not compiled, and leads from `steps`, float32[batch, time, feature], and, if the head has static inputs,
    `static_inputs`, float32[batch, static_inputs], to float32[batch, output].
    """
    inputs = {STEPS: keras.Input((None, _count_inputs(weights)), name=STEPS)}
    num_static_inputs = weights["head_kernel"].shape[-2] - count_units(cell, weights)[-1]
    if num_static_inputs:
        inputs[STATIC_INPUTS] = keras.Input((num_static_inputs,), name=STATIC_INPUTS)
    outputs = []
    for member in range(len(weights["head_kernel"])):
        own = {name: keras.Input(one.shape[1:], name=name) for name, one in inputs.items()}
        output = call_layers(make_layers(cell, weights, member), own[STEPS], own.get(STATIC_INPUTS))
        outputs.append(keras.Model(own, output, name=f"member_{member + 1}")(inputs))
    mean = layers.Average(name="mean")(outputs) if len(outputs) > 1 else outputs[0]
    return keras.Model(inputs, mean, name="members")


def read_keras_model(cell: str, model: keras.Model) -> Weights:
    """Return the weights of a model of `make_keras_model` with this cell; raise a NetworkError if it has no members."""
    members = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    if not members:
        raise NetworkError(
            f"{show(model.name)}: expected the members of a network, such as member_1, received the layers "
            f"{show_all(layer.name for layer in model.layers)}. Give a model of Network.to_keras."
        )
    arrays = [
        [layer.get_weights() for layer in member.layers if layer.weights] for member in members
    ]
    return stack_members(
        cell, arrays, has_embedding=any(layer.name == "embedding" for layer in members[0].layers)
    )


def make_layers(cell: str, weights: Mapping[str, np.ndarray], member: int) -> list[Any]:
    """Return the layers of one member with their weights: embedding if any, recurrent layers, and head.

    The recurrent layers fulfil the conditions of cuDNN: default activations, and no recurrent dropout.
    """
    made: list[Any] = []
    if "embedding_kernel" in weights:
        made.append(
            layers.Dense(weights["embedding_bias"].shape[-1], activation="relu", name="embedding")
        )
    units = count_units(cell, weights)
    layer = find_layer(cell)
    for number, width in enumerate(units):
        made.append(
            layer(width, return_sequences=number < len(units) - 1, name=name_array(cell, number))
        )
    made.append(layers.Dense(weights["head_bias"].shape[-1], name="head"))
    num_inputs = _count_inputs(weights)
    for layer, arrays in zip(made, list_layer_arrays(cell, weights, member), strict=True):
        layer.build((None, len(arrays[0])) if layer.name == "head" else (None, None, num_inputs))
        layer.set_weights(arrays)
        num_inputs = layer.units
    return made


def call_layers(
    made: Sequence[Any], steps: Any, static_inputs: Any = None, masks: Sequence[Any] = ()
) -> Any:
    """Compute the outputs of one member from float32[batch, time, feature] and float32[batch, static_inputs], if any.

    `made` are its layers, see `make_layers`. For each recurrent layer, the masks are float32[batch, units], see
    `draw_masks`; empty for none.
    """
    *lower, head = made
    read, number = steps, 0
    for layer in lower:
        read = layer(read)
        if isinstance(layer, layers.RNN) and masks:
            read = read * (masks[number][:, None] if layer.return_sequences else masks[number])
            number += 1
    return head(read if static_inputs is None else ops.concatenate([read, static_inputs], axis=-1))


def list_layer_arrays(
    cell: str, weights: Mapping[str, np.ndarray], member: int
) -> list[list[np.ndarray]]:
    """Return the arrays of each layer of one member, in the order of Keras' `get_weights`."""
    kinds = [kind for kind in ("embedding", "head") if f"{kind}_kernel" in weights]
    *first, head = (
        [weights[f"{kind}_kernel"][member], weights[f"{kind}_bias"][member, 0]] for kind in kinds
    )
    numbers = range(len(list_layers(cell, weights)))
    return [
        *first,
        *(read_cell(cell, weights, member, number).to_list() for number in numbers),
        head,
    ]


def stack_members(
    cell: str, members: Sequence[Sequence[Sequence[np.ndarray]]], has_embedding: bool
) -> Weights:
    """Return the weights of members; the inverse of `list_layer_arrays`."""
    stacked: list[Weights] = []
    for arrays in members:
        named: Weights = {}
        for kind, (kernel, bias) in (("embedding", arrays[0]), ("head", arrays[-1]))[
            1 - has_embedding :
        ]:
            named[f"{kind}_kernel"] = kernel
            named[f"{kind}_bias"] = bias[None]
        for number, of_layer in enumerate(arrays[int(has_embedding) : -1]):
            arrays_of_cell = CELLS[cell].name_arrays(CELLS[cell].weights.from_list(of_layer))
            for name, array in arrays_of_cell.items():
                named[name_array(name, number)] = array
        stacked.append(named)
    return {name: np.stack([one[name] for one in stacked]) for name in stacked[0]}


def _count_inputs(weights: Mapping[str, np.ndarray]) -> int:
    return int(weights.get("embedding_kernel", weights["kernel"]).shape[-2])
