"""Forward pass of all members of a recurrent network at once; the backward pass is in `gradients`.

The equations are those of `cells.lstm`, `cells.gru` and `cells.gradients`. Each array has an axis for members in front,
and the products with the inputs are computed for all steps at once. A small network trains several times faster than
with a framework, and starts without delay. Tests compare the results with the cells and with Keras. All arrays are
float32.

    embedding (if any)   e = max(0, x E + e₀)          for each step
    recurrent layers     each reads all hidden states of the one below it; h = the last hidden state of the last layer
    head                 y = [h, s] H + h₀         H starts at 0, so that the output of an untrained network is 0
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnn_pipelines.cells.conventions import GRU_GATES, LSTM_GATES, CellName
from rnn_pipelines.cells.gru import GRUWeights
from rnn_pipelines.cells.initialization import draw_glorot_uniform, draw_orthogonal
from rnn_pipelines.cells.lstm import LSTMWeights

# Arrays by name, float32[member, row, column]; biases have one row. Only a GRU has a `recurrent_bias`. The arrays of
# the second recurrent layer are `kernel_2`, `recurrent_kernel_2` and so on.
Weights = dict[str, np.ndarray]
LAYER_ARRAYS = ("kernel", "recurrent_kernel", "bias", "recurrent_bias")
# The names of the inputs of a Keras model of the members.
STEPS, STATIC_INPUTS = "steps", "static_inputs"
NUM_GATES: dict[CellName, int] = {"lstm": len(LSTM_GATES), "gru": len(GRU_GATES)}


@dataclass(frozen=True)
class MemberShape:
    """The sizes of each member.

    Attributes:
        cell: `lstm` or `gru`.
        num_inputs: features of a step.
        embedding: units of the layer before the recurrent ones; 0 for no such layer.
        units: of each recurrent layer, from the inputs to the head.
        num_static_inputs: features that enter the head directly.
        num_outputs: of the head.
    """

    cell: CellName
    num_inputs: int
    embedding: int
    units: tuple[int, ...]
    num_static_inputs: int
    num_outputs: int


@dataclass(frozen=True)
class LayerCache:
    """The intermediate results of a recurrent layer: float32[member, time, feature, batch] each.

    The batch is the last axis, so that each gate of a small layer is contiguous in memory. Inputs that all members
    share have no axis for members. `states` and the cell states in `extra` begin with the values before the first step.
    """

    inputs: np.ndarray
    states: np.ndarray
    gates: np.ndarray
    extra: np.ndarray


@dataclass(frozen=True)
class ForwardCache:
    """The intermediate results of `forward` that `find_gradients` needs.

    Attributes:
        inputs: float32[time, feature, batch], or float32[member, time, feature, batch].
        layers: of each recurrent layer; the inputs of the first one are those after the embedding.
        masks: as given to `forward`.
        head_inputs: float32[member, feature, batch].
    """

    inputs: np.ndarray
    layers: tuple[LayerCache, ...]
    masks: Sequence[np.ndarray]
    head_inputs: np.ndarray


def initialize_members(seed: int, num_members: int, shape: MemberShape) -> Weights:
    """Draw initial weights. Those of a member depend only on the seed and its number.

    As in Keras: Glorot-uniform kernels, orthogonal recurrent kernels, biases of 0, and of 1 for forget gates.
    """
    members = [_initialize_member(np.random.default_rng([seed, member]), shape) for member in range(num_members)]
    return {name: np.stack([member[name] for member in members]).astype(np.float32) for name in members[0]}


def _initialize_member(rng: np.random.Generator, shape: MemberShape) -> Weights:
    weights: Weights = {}
    if shape.embedding:
        weights["embedding_kernel"] = draw_glorot_uniform(rng, shape.num_inputs, shape.embedding)
        weights["embedding_bias"] = np.zeros((1, shape.embedding))
    num_inputs = shape.embedding or shape.num_inputs
    for number, units in enumerate(shape.units):
        layer = _initialize_layer(rng, shape.cell, num_inputs, units)
        weights |= {name_array(name, number): array for name, array in layer.items()}
        num_inputs = units
    weights["head_kernel"] = np.zeros((num_inputs + shape.num_static_inputs, shape.num_outputs))
    weights["head_bias"] = np.zeros((1, shape.num_outputs))
    return weights


def _initialize_layer(rng: np.random.Generator, cell: CellName, num_inputs: int, units: int) -> Weights:
    width = NUM_GATES[cell] * units
    layer = {
        "kernel": draw_glorot_uniform(rng, num_inputs, width),
        "recurrent_kernel": draw_orthogonal(rng, units, width),
        "bias": np.zeros((1, width)),
    }
    if cell == "lstm":
        layer["bias"][:, units : 2 * units] = 1
    else:
        layer["recurrent_bias"] = np.zeros((1, width))
    return layer


def name_array(name: str, layer: int) -> str:
    """Return the name in `Weights` of an array of a recurrent layer; layers are numbered from 0."""
    return f"{name}_{layer + 1}" if layer else name


def list_layers(weights: Mapping[str, np.ndarray]) -> list[Weights]:
    """Return the arrays of each recurrent layer, by their names in `LAYER_ARRAYS`."""
    layers: list[Weights] = []
    while name_array("kernel", len(layers)) in weights:
        names = {name: name_array(name, len(layers)) for name in LAYER_ARRAYS}
        layers.append({name: weights[full] for name, full in names.items() if full in weights})
    return layers


def read_cell(weights: Mapping[str, np.ndarray], member: int, layer: int = 0) -> LSTMWeights | GRUWeights:
    """Return a recurrent layer of one member, as weights of `cells`."""
    arrays = list_layers(weights)[layer]
    kernel, recurrent_kernel, bias = (arrays[name][member] for name in LAYER_ARRAYS[:3])
    if "recurrent_bias" in arrays:
        return GRUWeights(kernel, recurrent_kernel, np.concatenate([bias, arrays["recurrent_bias"][member]]))
    return LSTMWeights(kernel, recurrent_kernel, bias[0])


def forward(
    weights: Mapping[str, np.ndarray],
    steps: np.ndarray,
    static_inputs: np.ndarray,
    masks: Sequence[np.ndarray] = (),
) -> tuple[np.ndarray, ForwardCache]:
    """Compute the outputs of all members.

    Args:
        weights: of the members.
        steps: float32[time, batch, feature], shared by all members, or float32[member, time, batch, feature].
        static_inputs: float32[batch, static_inputs] or float32[member, batch, static_inputs], for the head.
        masks: of dropout, see `draw_masks`; empty for none.
    Returns:
        float32[member, batch, output], and the cache for the backward pass.
    """
    inputs = np.ascontiguousarray(steps.swapaxes(-1, -2))
    read = inputs
    if "embedding_kernel" in weights:
        read = transpose(weights["embedding_kernel"])[:, None] @ inputs
        read += transpose(weights["embedding_bias"])[:, None]
        np.maximum(read, 0, out=read)
    layers = []
    for number, layer in enumerate(list_layers(weights)):
        products = transpose(layer["kernel"])[:, None] @ read
        products += transpose(layer["bias"])[:, None]
        step_through = _step_through_gru if "recurrent_bias" in layer else _step_through_lstm
        layers.append(LayerCache(read, *step_through(layer, products)))
        read = layers[-1].states[:, 1:]
        if masks:
            read = read * masks[number][:, None]
    last = read[:, -1]
    if static_inputs.shape[-1]:
        static_inputs = np.broadcast_to(static_inputs, (len(last), *static_inputs.shape[-2:]))
        last = np.concatenate([last, static_inputs.swapaxes(1, 2)], axis=1)
    outputs = transpose(last) @ weights["head_kernel"]
    outputs += weights["head_bias"]
    return outputs, ForwardCache(inputs, tuple(layers), masks, last)


def draw_masks(
    seed: Sequence[int], rate: float, units: Sequence[int], num_members: int, batch: int
) -> list[np.ndarray]:
    """Draw the factors of the outputs of each recurrent layer for inverted dropout; none if the rate is 0.

    As with the `dropout` of Keras' recurrent layers, a unit of an example is dropped at all steps or at none.

    Args:
        seed: of this gradient step alone, so that a resumed training draws the same.
        rate: share of the units that are dropped.
        units: of each recurrent layer.
        num_members, batch: members and examples.
    Returns:
        For each layer, float32[member, units, batch]: 0 or 1 / (1 − rate).
    """
    if not rate:
        return []
    rng, factor = np.random.default_rng(seed), np.float32(1 / (1 - rate))
    return [factor * (rng.random((num_members, width, batch), np.float32) >= rate) for width in units]


def transpose(arrays: np.ndarray) -> np.ndarray:
    """Transpose each matrix."""
    return arrays.swapaxes(-1, -2)


def _step_through_gru(
    weights: Mapping[str, np.ndarray], products: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return states (the first is 0), gates z, r, g, and recurrent products of the candidate.

    The gates overwrite `products`.
    """
    num_members, time, width, batch = products.shape
    units = width // 3
    states = np.zeros((num_members, time + 1, units, batch), np.float32)
    kept, recurrent = np.empty_like(states[:, 1:]), np.empty_like(products[:, 0])
    kernel, bias = np.ascontiguousarray(transpose(weights["recurrent_kernel"])), transpose(weights["recurrent_bias"])
    for step in range(time):
        hidden, gate = states[:, step], products[:, step]
        np.matmul(kernel, hidden, out=recurrent)
        recurrent += bias
        opened, candidate = gate[:, : 2 * units], gate[:, 2 * units :]
        opened += recurrent[:, : 2 * units]
        _sigmoid(opened)
        kept[:, step] = recurrent[:, 2 * units :]
        candidate += opened[:, units:] * kept[:, step]
        np.tanh(candidate, out=candidate)
        new = states[:, step + 1]
        np.subtract(hidden, candidate, out=new)
        new *= opened[:, :units]
        new += candidate
    return states, products, kept


def _step_through_lstm(
    weights: Mapping[str, np.ndarray], products: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return states (the first is 0), gates i, f, g, o, and cell states (the first is 0).

    The gates overwrite `products`.
    """
    num_members, time, width, batch = products.shape
    units = width // 4
    states = np.zeros((num_members, time + 1, units, batch), np.float32)
    cells, recurrent = np.zeros_like(states), np.empty_like(products[:, 0])
    kernel = np.ascontiguousarray(transpose(weights["recurrent_kernel"]))
    for step in range(time):
        gate, cell, new = products[:, step], cells[:, step + 1], states[:, step + 1]
        gate += np.matmul(kernel, states[:, step], out=recurrent)
        _sigmoid(gate[:, : 2 * units])
        candidate = gate[:, 2 * units : 3 * units]
        np.tanh(candidate, out=candidate)
        _sigmoid(gate[:, 3 * units :])
        np.multiply(cells[:, step], gate[:, units : 2 * units], out=cell)
        cell += gate[:, :units] * candidate
        np.tanh(cell, out=new)
        new *= gate[:, 3 * units :]
    return states, products, cells


def _sigmoid(values: np.ndarray) -> None:
    """Apply σ(v) = (1 + tanh(v / 2)) / 2 in place, because NumPy has a fast tanh."""
    values *= np.float32(0.5)
    np.tanh(values, out=values)
    values *= np.float32(0.5)
    values += np.float32(0.5)
