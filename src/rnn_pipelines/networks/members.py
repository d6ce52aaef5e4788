"""Forward and backward pass of all members of a recurrent network at once.

The equations are those of `cells.lstm`, `cells.gru` and `cells.gradients`. Each array has an axis for members in front,
and the products with the inputs are computed for all steps at once. A small network trains several times faster than
with a framework, and starts without delay. Tests compare the results with the cells and with Keras. All arrays are
float32.

    embedding (if any)   e = max(0, x E + e₀)          for each step
    recurrent layer      h = the last hidden state
    head                 y = [h, known] H + h₀         H starts at 0, so that the output of an untrained network is 0
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
        num_known: features that enter the head directly.
        num_outputs: of the head.
    """

    cell: CellName
    num_inputs: int
    embedding: int
    units: int
    num_known: int
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
    weights["head_kernel"] = np.zeros((shape.units + shape.num_known, shape.num_outputs))
    weights["head_bias"] = np.zeros((1, shape.num_outputs))
    return weights


def read_cell(weights: Mapping[str, np.ndarray], member: int) -> LSTMWeights | GRUWeights:
    """Return the recurrent layer of one member, as weights of `cells`."""
    kernel, recurrent_kernel, bias = (weights[name][member] for name in ("kernel", "recurrent_kernel", "bias"))
    if "recurrent_bias" in weights:
        return GRUWeights(kernel, recurrent_kernel, np.concatenate([bias, weights["recurrent_bias"][member]]))
    return LSTMWeights(kernel, recurrent_kernel, bias[0])


def forward(weights: Mapping[str, np.ndarray], steps: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, ForwardCache]:
    """Compute the outputs of all members.

    Args:
        weights: of the members.
        steps: float32[time, batch, feature], shared by all members, or float32[member, time, batch, feature].
        known: float32[batch, known] or float32[member, batch, known], for the head.
    Returns:
        float32[member, batch, output], and the cache for the backward pass.
    """
    inputs = np.ascontiguousarray(steps.swapaxes(-1, -2))
    embedded = inputs
    if "embedding_kernel" in weights:
        embedded = _transpose(weights["embedding_kernel"])[:, None] @ inputs
        embedded += _transpose(weights["embedding_bias"])[:, None]
        np.maximum(embedded, 0, out=embedded)
    products = _transpose(weights["kernel"])[:, None] @ embedded
    products += _transpose(weights["bias"])[:, None]
    step_through = _step_through_gru if "recurrent_bias" in weights else _step_through_lstm
    states, gates, extra = step_through(weights, products)
    last = states[:, -1]
    if known.shape[-1]:
        known = np.broadcast_to(known, (len(last), *known.shape[-2:]))
        last = np.concatenate([last, known.swapaxes(1, 2)], axis=1)
    outputs = _transpose(last) @ weights["head_kernel"]
    outputs += weights["head_bias"]
    return outputs, ForwardCache(inputs, embedded, states, gates, extra, last)


def _transpose(arrays: np.ndarray) -> np.ndarray:
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
    kernel, bias = np.ascontiguousarray(_transpose(weights["recurrent_kernel"])), _transpose(weights["recurrent_bias"])
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
    kernel = np.ascontiguousarray(_transpose(weights["recurrent_kernel"]))
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


def find_gradients(weights: Mapping[str, np.ndarray], cache: ForwardCache, of_outputs: np.ndarray) -> Weights:
    """Return the gradient of a loss with respect to each array of weights.

    Args:
        weights: of the members.
        cache: of `forward`.
        of_outputs: float32[member, batch, output], the gradient with respect to the outputs.
    """
    found = {"head_kernel": cache.head_inputs @ of_outputs, "head_bias": of_outputs.sum(axis=1, keepdims=True)}
    of_products, of_recurrent = _backward(weights, cache, of_outputs)
    if "recurrent_bias" in weights:
        found["recurrent_bias"] = _find_gradient_of_bias(of_recurrent)
    found["recurrent_kernel"] = _find_gradient_of_kernel(cache.states[:, :-1], of_recurrent)
    found["bias"] = _find_gradient_of_bias(of_products)
    found["kernel"] = _find_gradient_of_kernel(cache.embedded, of_products)
    if "embedding_kernel" in weights:
        of_embedded = _find_gradient_of_embedding(weights, cache, of_products)
        found["embedding_kernel"] = _find_gradient_of_kernel(cache.inputs, of_embedded)
        found["embedding_bias"] = _find_gradient_of_bias(of_embedded)
    return found


def find_input_gradients(
    weights: Mapping[str, np.ndarray], cache: ForwardCache, of_outputs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients of the loss with respect to the inputs.

    Args:
        weights, cache, of_outputs: see `find_gradients`.
    Returns:
        For `steps`, float32[member, time, batch, feature]; for `known`, float32[member, batch, known].
    """
    units = cache.states.shape[-2]
    of_inputs, _ = _backward(weights, cache, of_outputs)
    if "embedding_kernel" in weights:
        of_inputs = weights["embedding_kernel"][:, None] @ _find_gradient_of_embedding(weights, cache, of_inputs)
    else:
        of_inputs = weights["kernel"][:, None] @ of_inputs
    return _transpose(of_inputs), of_outputs @ _transpose(weights["head_kernel"][:, units:])


def _backward(
    weights: Mapping[str, np.ndarray], cache: ForwardCache, of_outputs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients for the arguments of the gates: for the products with inputs, and for those with states."""
    of_last = weights["head_kernel"][:, : cache.states.shape[-2]] @ _transpose(of_outputs)
    if "recurrent_bias" in weights:
        return _backward_gru(weights, cache, of_last)
    of_products = _backward_lstm(weights, cache, of_last)
    return of_products, of_products


def _find_gradient_of_embedding(
    weights: Mapping[str, np.ndarray], cache: ForwardCache, of_products: np.ndarray
) -> np.ndarray:
    """Return the gradient for the argument of the embedding's activation: float32[member, time, unit, batch]."""
    of_embedded: np.ndarray = weights["kernel"][:, None] @ of_products
    of_embedded *= cache.embedded > 0
    return of_embedded


def _find_gradient_of_kernel(inputs: np.ndarray, of_products: np.ndarray) -> np.ndarray:
    """Return the sum over all steps and the batch: float32[member, input, product]."""
    total: np.ndarray = (inputs @ _transpose(of_products)).sum(axis=1)
    return total


def _find_gradient_of_bias(of_products: np.ndarray) -> np.ndarray:
    # A product with ones, because NumPy's sum over two axes is several times slower.
    ones = np.ones((of_products.shape[-1], 1), np.float32)
    total: np.ndarray = _transpose((of_products @ ones).sum(axis=1))
    return total


def _backward_gru(
    weights: Mapping[str, np.ndarray], cache: ForwardCache, of_hidden: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients for the arguments of the gates: for the products with inputs, and for those with states."""
    units, kernel = of_hidden.shape[1], weights["recurrent_kernel"]
    of_products, of_recurrent = np.empty_like(cache.gates), np.empty_like(cache.gates)
    for step in reversed(range(cache.gates.shape[1])):
        z, r, g = (cache.gates[:, step, place * units : (place + 1) * units] for place in range(3))
        found = of_products[:, step]
        of_old = of_hidden * z
        closed = 1 - z
        found[:, :units] = (cache.states[:, step] - g) * of_old * closed
        of_candidate = (of_hidden - of_old) * (1 - g * g)
        found[:, 2 * units :] = of_candidate
        of_kept = of_candidate * r
        found[:, units : 2 * units] = of_kept * (1 - r) * cache.extra[:, step]
        recurrent = of_recurrent[:, step]
        recurrent[:, : 2 * units] = found[:, : 2 * units]
        recurrent[:, 2 * units :] = of_kept
        of_hidden = kernel @ recurrent
        of_hidden += of_old
    return of_products, of_recurrent


def _backward_lstm(weights: Mapping[str, np.ndarray], cache: ForwardCache, of_hidden: np.ndarray) -> np.ndarray:
    """Return the gradients for the arguments of the gates."""
    units, kernel = of_hidden.shape[1], weights["recurrent_kernel"]
    found = np.empty_like(cache.gates)
    of_carry = np.zeros_like(of_hidden)
    for step in reversed(range(cache.gates.shape[1])):
        i, f, g, o = (cache.gates[:, step, place * units : (place + 1) * units] for place in range(4))
        of_gates, shown = found[:, step], np.tanh(cache.extra[:, step + 1])
        of_shown = of_hidden * o
        of_carry += of_shown * (1 - shown * shown)
        of_gates[:, :units] = of_carry * g * i * (1 - i)
        of_gates[:, units : 2 * units] = of_carry * cache.extra[:, step] * f * (1 - f)
        of_gates[:, 2 * units : 3 * units] = of_carry * i * (1 - g * g)
        of_gates[:, 3 * units :] = of_shown * shown * (1 - o)
        of_hidden = kernel @ of_gates
        of_carry *= f
    return found
