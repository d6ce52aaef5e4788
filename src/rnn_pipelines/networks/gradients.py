"""Backward pass of all members of a recurrent network at once; see `members`."""

from collections.abc import Iterator, Mapping

import numpy as np

from rnn_pipelines.cells.registry import CELLS
from rnn_pipelines.networks.members import ForwardCache, Weights, list_layers, name_array, transpose


def find_gradients(
    weights: Mapping[str, np.ndarray], cache: ForwardCache, of_outputs: np.ndarray
) -> Weights:
    """Return the gradient of a loss for each array of weights, from float32[member, batch, output] of the outputs."""
    gradients = {
        "head_kernel": cache.head_inputs @ of_outputs,
        "head_bias": of_outputs.sum(axis=1, keepdims=True),
    }
    for number, of_products, of_recurrent in _backward(weights, cache, of_outputs):
        layer = cache.layers[number]
        of_layer = {
            "kernel": _sum_products(layer.inputs, of_products),
            "bias": _sum_batch(of_products),
        }
        if "recurrent_kernel" in weights:
            of_layer["recurrent_kernel"] = _sum_products(layer.states[:, :-1], of_recurrent)
        if "recurrent_bias" in weights:
            of_layer["recurrent_bias"] = _sum_batch(of_recurrent)
        gradients |= {name_array(name, number): array for name, array in of_layer.items()}
    if "embedding_kernel" in weights:
        of_embedded = _find_gradient_of_embedding(weights, cache, of_products)
        gradients["embedding_kernel"] = _sum_products(cache.inputs, of_embedded)
        gradients["embedding_bias"] = _sum_batch(of_embedded)
    return gradients


def find_input_gradients(
    weights: Mapping[str, np.ndarray], cache: ForwardCache, of_outputs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients of the loss with respect to the inputs, see `find_gradients`.

    For `steps`, float32[member, time, batch, feature]; for `static_inputs`, float32[member, batch, static_inputs].
    """
    units = cache.layers[-1].states.shape[-2]
    *_, (_, of_inputs, _) = _backward(weights, cache, of_outputs)
    kernel = weights["kernel"]
    if "embedding_kernel" in weights:
        kernel = weights["embedding_kernel"]
        of_inputs = _find_gradient_of_embedding(weights, cache, of_inputs)
    return transpose(kernel[:, None] @ of_inputs), of_outputs @ transpose(
        weights["head_kernel"][:, units:]
    )


def _backward(
    weights: Mapping[str, np.ndarray], cache: ForwardCache, of_outputs: np.ndarray
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Go back through the recurrent layers, from the last to the first.

    Yield the number of the layer, and the gradients for the arguments of its gates: for the products with its inputs,
    and for those with its states.
    """
    layers = list_layers(cache.cell, weights)
    units = cache.layers[-1].states.shape[-2]
    of_last = weights["head_kernel"][:, :units] @ transpose(of_outputs)
    if cache.masks:
        of_last *= cache.masks[-1]
    # Only the last state of the last layer is an output; of the layers below it, all states are.
    of_states = of_last[:, None]
    for number in reversed(range(len(layers))):
        layer = layers[number]
        of_products, of_recurrent = CELLS[cache.cell].go_back(
            layer, cache.layers[number], of_states
        )
        yield number, of_products, of_recurrent
        if number:
            of_states = layer["kernel"][:, None] @ of_products
            if cache.masks:
                of_states *= cache.masks[number - 1][:, None]


def _find_gradient_of_embedding(
    weights: Mapping[str, np.ndarray], cache: ForwardCache, of_products: np.ndarray
) -> np.ndarray:
    """Return the gradient for the argument of the embedding's activation: float32[member, time, unit, batch]."""
    of_embedded: np.ndarray = weights["kernel"][:, None] @ of_products
    of_embedded *= cache.layers[0].inputs > 0
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
