"""Backward pass of all members of a recurrent network at once; see `members`."""

from collections.abc import Mapping

import numpy as np

from rnn_pipelines.networks.members import ForwardCache, Weights, transpose


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
        found["recurrent_bias"] = _sum_batch(of_recurrent)
    found["recurrent_kernel"] = _sum_products(cache.states[:, :-1], of_recurrent)
    found["bias"] = _sum_batch(of_products)
    found["kernel"] = _sum_products(cache.embedded, of_products)
    if "embedding_kernel" in weights:
        of_embedded = _find_gradient_of_embedding(weights, cache, of_products)
        found["embedding_kernel"] = _sum_products(cache.inputs, of_embedded)
        found["embedding_bias"] = _sum_batch(of_embedded)
    return found


def find_input_gradients(
    weights: Mapping[str, np.ndarray], cache: ForwardCache, of_outputs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients of the loss with respect to the inputs.

    Args:
        weights, cache, of_outputs: see `find_gradients`.
    Returns:
        For `steps`, float32[member, time, batch, feature]; for `static_inputs`, float32[member, batch, static_inputs].
    """
    units = cache.states.shape[-2]
    of_inputs, _ = _backward(weights, cache, of_outputs)
    if "embedding_kernel" in weights:
        of_inputs = weights["embedding_kernel"][:, None] @ _find_gradient_of_embedding(weights, cache, of_inputs)
    else:
        of_inputs = weights["kernel"][:, None] @ of_inputs
    return transpose(of_inputs), of_outputs @ transpose(weights["head_kernel"][:, units:])


def _backward(
    weights: Mapping[str, np.ndarray], cache: ForwardCache, of_outputs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients for the arguments of the gates: for the products with inputs, and for those with states."""
    of_last = weights["head_kernel"][:, : cache.states.shape[-2]] @ transpose(of_outputs)
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


def _sum_products(inputs: np.ndarray, of_products: np.ndarray) -> np.ndarray:
    """Return the sum over all steps and the batch: float32[member, input, product]."""
    total: np.ndarray = (inputs @ transpose(of_products)).sum(axis=1)
    return total


def _sum_batch(of_products: np.ndarray) -> np.ndarray:
    # A product with ones, because NumPy's sum over two axes is several times slower.
    ones = np.ones((of_products.shape[-1], 1), np.float32)
    total: np.ndarray = transpose((of_products @ ones).sum(axis=1))
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
