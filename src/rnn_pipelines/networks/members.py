"""Forward pass of all members of a recurrent network at once; the backward pass is in `gradients`.

The equations are those of `cells`. Each array, float32, has an axis for members in front, and the products with the
inputs are computed for all steps at once. A small network trains several times faster than with a framework, and starts
without delay. Tests compare the results with the cells and with Keras.

    embedding (if any)   e = max(0, x E + e₀)          for each step
    recurrent layers     each reads all hidden states of the one below it; h = the last hidden state of the last layer
    head                 y = [h, s] H + h₀         H starts at 0, so that the output of an untrained network is 0
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_pipelines.cells.cell import LayerCache, draw_glorot_uniform
from rnn_pipelines.cells.registry import CELLS
from rnn_pipelines.cells.weights import CellWeights

# Arrays by name, float32[member, row, column]; biases have one row. Those of a recurrent layer have the names of
# `Cell.arrays`; those of the second one are `kernel_2`, `recurrent_kernel_2` and so on.
Weights = dict[str, np.ndarray]
# The names of the inputs of a Keras model of the members.
STEPS, STATIC_INPUTS = "steps", "static_inputs"


@dataclass(frozen=True)
class MemberShape:
    """The sizes of each member."""

    cell: str  # its name in `CELLS`
    num_inputs: int  # features of a step
    embedding: int  # units of the layer before the recurrent ones; 0 for no such layer
    units: tuple[int, ...]  # of each recurrent layer, from the inputs to the head
    num_static_inputs: int  # features that enter the head directly
    num_outputs: int  # of the head


@dataclass(frozen=True)
class ForwardCache:
    """The intermediate results of `forward` that `find_gradients` needs."""

    cell: str  # its name in `CELLS`
    inputs: np.ndarray  # float32[time, feature, batch], or float32[member, time, feature, batch]
    layers: tuple[
        LayerCache, ...
    ]  # of each recurrent layer; the inputs of the first one are those after the embedding
    masks: Sequence[np.ndarray]  # as given to `forward`
    head_inputs: np.ndarray  # float32[member, feature, batch]


def initialize_members(seed: int, num_members: int, shape: MemberShape) -> Weights:
    """Draw initial weights. Those of a member depend only on the seed and its number.

    As in Keras: Glorot-uniform kernels, orthogonal recurrent kernels, biases of 0, and of 1 for forget gates.
    """
    members = [
        _initialize_member(np.random.default_rng([seed, member]), shape)
        for member in range(num_members)
    ]
    return {
        name: np.stack([member[name] for member in members]).astype(np.float32)
        for name in members[0]
    }


def _initialize_member(rng: np.random.Generator, shape: MemberShape) -> Weights:
    weights: Weights = {}
    if shape.embedding:
        weights["embedding_kernel"] = draw_glorot_uniform(rng, shape.num_inputs, shape.embedding)
        weights["embedding_bias"] = np.zeros((1, shape.embedding))
    num_inputs = shape.embedding or shape.num_inputs
    for number, units in enumerate(shape.units):
        layer = CELLS[shape.cell].initialize(rng, num_inputs, units)
        weights |= {name_array(name, number): array for name, array in layer.items()}
        num_inputs = units
    weights["head_kernel"] = np.zeros((num_inputs + shape.num_static_inputs, shape.num_outputs))
    weights["head_bias"] = np.zeros((1, shape.num_outputs))
    return weights


def name_array(name: str, layer: int) -> str:
    """Return the name in `Weights` of an array of a recurrent layer; layers are numbered from 0."""
    return f"{name}_{layer + 1}" if layer else name


def list_layers(cell: str, weights: Mapping[str, np.ndarray]) -> list[Weights]:
    """Return the arrays of each recurrent layer, by their names in `Cell.arrays`."""
    layers: list[Weights] = []
    while name_array("kernel", len(layers)) in weights:
        layers.append({name: weights[name_array(name, len(layers))] for name in CELLS[cell].arrays})
    return layers


def count_units(cell: str, weights: Mapping[str, np.ndarray]) -> tuple[int, ...]:
    """Return the units of each recurrent layer."""
    return tuple(
        layer["kernel"].shape[-1] // len(CELLS[cell].gates) for layer in list_layers(cell, weights)
    )


def read_cell(
    cell: str, weights: Mapping[str, np.ndarray], member: int, layer: int = 0
) -> CellWeights[Any, Any]:
    """Return a recurrent layer of one member, as weights of `cells`."""
    arrays = list_layers(cell, weights)[layer]
    return CELLS[cell].read_arrays({name: array[member] for name, array in arrays.items()})


def forward(
    cell: str,
    weights: Mapping[str, np.ndarray],
    steps: np.ndarray,
    static_inputs: np.ndarray,
    masks: Sequence[np.ndarray] = (),
) -> tuple[np.ndarray, ForwardCache]:
    """Compute the outputs of all members, float32[member, batch, output], and the cache for the backward pass.

    Steps, float32[time, batch, feature], and the static inputs of the head, float32[batch, static_inputs], may have an
    axis for members in front. `masks` are those of dropout, see `draw_masks`; empty for none.
    """
    inputs = np.ascontiguousarray(steps.swapaxes(-1, -2))
    read = inputs
    if "embedding_kernel" in weights:
        read = transpose(weights["embedding_kernel"])[:, None] @ inputs
        read += transpose(weights["embedding_bias"])[:, None]
        np.maximum(read, 0, out=read)
    layers = []
    for number, layer in enumerate(list_layers(cell, weights)):
        products = transpose(layer["kernel"])[:, None] @ read
        products += transpose(layer["bias"])[:, None]
        layers.append(LayerCache(read, *CELLS[cell].step_through(layer, products)))
        read = layers[-1].states[:, 1:]
        if masks:
            read = read * masks[number][:, None]
    last = read[:, -1]
    if static_inputs.shape[-1]:
        static_inputs = np.broadcast_to(static_inputs, (len(last), *static_inputs.shape[-2:]))
        last = np.concatenate([last, static_inputs.swapaxes(1, 2)], axis=1)
    outputs = transpose(last) @ weights["head_kernel"]
    outputs += weights["head_bias"]
    return outputs, ForwardCache(cell, inputs, tuple(layers), masks, last)


def draw_masks(
    seed: Sequence[int], rate: float, units: Sequence[int], num_members: int, batch: int
) -> list[np.ndarray]:
    """Draw the factors of the outputs of each recurrent layer for inverted dropout; none if the rate is 0.

    As with the `dropout` of Keras' recurrent layers, a unit of an example is dropped at all steps or at none. The seed
    is that of this gradient step alone, so that a resumed training draws the same. Each layer has float32[member,
    units, batch]: 0 or 1 / (1 − rate).
    """
    if not rate:
        return []
    rng = np.random.default_rng(seed)
    factor = np.float32(1 / (1 - rate))
    return [
        factor * (rng.random((num_members, width, batch), np.float32) >= rate) for width in units
    ]


def transpose(arrays: np.ndarray) -> np.ndarray:
    """Transpose each matrix."""
    return arrays.swapaxes(-1, -2)
