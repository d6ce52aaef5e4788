"""Forward pass of all members of a recurrent network at once; the backward pass is in `gradients`.

The equations are those of `cells.lstm`, `cells.gru` and `cells.gradients`. Each array has an axis for members in front,
and the products with the inputs are computed for all steps at once. A small network trains several times faster than
with a framework, and starts without delay. Tests compare the results with the cells and with Keras. All arrays are
float32.

    embedding (if any)   e = max(0, x E + e₀)          for each step
    recurrent layer      h = the last hidden state
    head                 y = [h, s] H + h₀         H starts at 0, so that the output of an untrained network is 0
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnn_pipelines.cells.conventions import GRU_GATES, LSTM_GATES, CellName
from rnn_pipelines.cells.gru import GRUWeights
from rnn_pipelines.cells.initialization import draw_glorot_uniform, draw_orthogonal
from rnn_pipelines.cells.lstm import LSTMWeights

# Arrays by name, float32[member, row, column]; biases have one row. Only a GRU has a `recurrent_bias`.
Weights = dict[str, np.ndarray]
NUM_GATES: dict[CellName, int] = {"lstm": len(LSTM_GATES), "gru": len(GRU_GATES)}


@dataclass(frozen=True)
class MemberShape:
    """The sizes of each member.

    Attributes:
        cell: `lstm` or `gru`.
        num_inputs: features of a step.
        embedding: units of the layer before the recurrent one; 0 for no such layer.
        units: of the recurrent layer.
        num_static_inputs: features that enter the head directly.
        num_outputs: of the head.
    """

    cell: CellName
    num_inputs: int
    embedding: int
    units: int
    num_static_inputs: int
    num_outputs: int


@dataclass(frozen=True)
class ForwardCache:
    """The intermediate results of `forward` that `find_gradients` needs: float32[member, time, feature, batch] each.

    The batch is the last axis, so that each gate of a small layer is contiguous in memory. Inputs that all members
    share have no axis for members. `states` and the carries in `extra` begin with the values before the first step.
    """

    inputs: np.ndarray
    embedded: np.ndarray
    states: np.ndarray
    gates: np.ndarray
    extra: np.ndarray
    head_inputs: np.ndarray


def initialize_members(seed: int, num_members: int, shape: MemberShape) -> Weights:
    """Draw initial weights. Those of a member depend only on the seed and its number.

    As in Keras: Glorot-uniform kernels, orthogonal recurrent kernels, biases of 0, and of 1 for forget gates.
    """
    members = [_initialize_member(np.random.default_rng([seed, member]), shape) for member in range(num_members)]
    return {name: np.stack([member[name] for member in members]).astype(np.float32) for name in members[0]}


def _initialize_member(rng: np.random.Generator, shape: MemberShape) -> Weights:
    width = NUM_GATES[shape.cell] * shape.units
    weights: Weights = {}
    if shape.embedding:
        weights["embedding_kernel"] = draw_glorot_uniform(rng, shape.num_inputs, shape.embedding)
        weights["embedding_bias"] = np.zeros((1, shape.embedding))
    weights["kernel"] = draw_glorot_uniform(rng, shape.embedding or shape.num_inputs, width)
    weights["recurrent_kernel"] = draw_orthogonal(rng, shape.units, width)
    weights["bias"] = np.zeros((1, width))
    if shape.cell == "lstm":
        weights["bias"][:, shape.units : 2 * shape.units] = 1
    else:
        weights["recurrent_bias"] = np.zeros((1, width))
    weights["head_kernel"] = np.zeros((shape.units + shape.num_static_inputs, shape.num_outputs))
    weights["head_bias"] = np.zeros((1, shape.num_outputs))
    return weights


def read_cell(weights: Mapping[str, np.ndarray], member: int) -> LSTMWeights | GRUWeights:
    """Return the recurrent layer of one member, as weights of `cells`."""
    kernel, recurrent_kernel, bias = (weights[name][member] for name in ("kernel", "recurrent_kernel", "bias"))
    if "recurrent_bias" in weights:
        return GRUWeights(kernel, recurrent_kernel, np.concatenate([bias, weights["recurrent_bias"][member]]))
    return LSTMWeights(kernel, recurrent_kernel, bias[0])


def forward(
    weights: Mapping[str, np.ndarray], steps: np.ndarray, static_inputs: np.ndarray
) -> tuple[np.ndarray, ForwardCache]:
    """Compute the outputs of all members.

    Args:
        weights: of the members.
        steps: float32[time, batch, feature], shared by all members, or float32[member, time, batch, feature].
        static_inputs: float32[batch, static_inputs] or float32[member, batch, static_inputs], for the head.
    Returns:
        float32[member, batch, output], and the cache for the backward pass.
    """
    inputs = np.ascontiguousarray(steps.swapaxes(-1, -2))
    embedded = inputs
    if "embedding_kernel" in weights:
        embedded = transpose(weights["embedding_kernel"])[:, None] @ inputs
        embedded += transpose(weights["embedding_bias"])[:, None]
        np.maximum(embedded, 0, out=embedded)
    products = transpose(weights["kernel"])[:, None] @ embedded
    products += transpose(weights["bias"])[:, None]
    step_through = _step_through_gru if "recurrent_bias" in weights else _step_through_lstm
    states, gates, extra = step_through(weights, products)
    last = states[:, -1]
    if static_inputs.shape[-1]:
        static_inputs = np.broadcast_to(static_inputs, (len(last), *static_inputs.shape[-2:]))
        last = np.concatenate([last, static_inputs.swapaxes(1, 2)], axis=1)
    outputs = transpose(last) @ weights["head_kernel"]
    outputs += weights["head_bias"]
    return outputs, ForwardCache(inputs, embedded, states, gates, extra, last)


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
    """Return states (the first is 0), gates i, f, g, o, and carries (the first is 0).

    The gates overwrite `products`.
    """
    num_members, time, width, batch = products.shape
    units = width // 4
    states = np.zeros((num_members, time + 1, units, batch), np.float32)
    carries, recurrent = np.zeros_like(states), np.empty_like(products[:, 0])
    kernel = np.ascontiguousarray(transpose(weights["recurrent_kernel"]))
    for step in range(time):
        gate, carry, new = products[:, step], carries[:, step + 1], states[:, step + 1]
        gate += np.matmul(kernel, states[:, step], out=recurrent)
        _sigmoid(gate[:, : 2 * units])
        candidate = gate[:, 2 * units : 3 * units]
        np.tanh(candidate, out=candidate)
        _sigmoid(gate[:, 3 * units :])
        np.multiply(carries[:, step], gate[:, units : 2 * units], out=carry)
        carry += gate[:, :units] * candidate
        np.tanh(carry, out=new)
        new *= gate[:, 3 * units :]
    return states, products, carries


def _sigmoid(values: np.ndarray) -> None:
    """Apply σ(v) = (1 + tanh(v / 2)) / 2 in place, because NumPy has a fast tanh."""
    values *= np.float32(0.5)
    np.tanh(values, out=values)
    values *= np.float32(0.5)
    values += np.float32(0.5)
