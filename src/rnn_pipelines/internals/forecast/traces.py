"""Traces of trained forecasters: every gate and state over test windows. Uses NumPy alone."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from rnn_pipelines.cells.unroll import Trace, unroll
from rnn_pipelines.forecast.methods.network import Network, read_windows
from rnn_pipelines.forecast.methods.predictors import normalize_windows
from rnn_pipelines.internals.checks import compare_states, count_by_gate
from rnn_pipelines.internals.forecast.choice import ChosenForecasters
from rnn_pipelines.internals.forecast.inputs import list_inputs, measure_moves
from rnn_pipelines.internals.gate_statistics import differentiate
from rnn_pipelines.internals.records import LayerTrace, NetworkSummary, Traces
from rnn_pipelines.internals.specs import SampleSpec
from rnn_pipelines.networks.members import ForwardCache, forward, read_cell
from rnn_pipelines.networks.records import LayerRecord


def trace_forecasters(forecasters: ChosenForecasters, sample: SampleSpec) -> Traces:
    """Trace the recurrent layer of every member of each network over test windows.

    All values are normalised. The gradients are those of the network's correction of the first step ahead, see
    `differentiate_correction`.

    Args:
        sample: for the number of windows.
    Raises:
        NetworkError: the states from the equations differ from those that the networks compute.
    """
    panel = forecasters.panel
    origins = _choose_origins(forecasters, sample.windows)
    normalized = normalize_windows(panel, forecasters.linear.normalizer, origins)
    layers, gradients = {}, {}
    networks: dict[str, NetworkSummary] = {}
    for cell, network in forecasters.networks.items():
        steps, head_inputs = read_windows(panel, normalized, origins, network.layout)
        name = f"forecast_{cell}"
        layers[name] = trace_members(name, network, steps, head_inputs, normalized.history)
        gradients[name] = differentiate_correction(network, layers[name])
        names = list_inputs(panel, network, forecasters.covariates)
        moved_by = measure_moves(network, names, steps, head_inputs, gradients[name])
        networks[name] = {**summarize_network(network, len(steps)), "moved_by": moved_by}
    return Traces(layers, gradients, networks, forecasters.origin)


def trace_members(
    name: str, network: Network, steps: np.ndarray, head_inputs: np.ndarray, history: np.ndarray
) -> list[LayerTrace]:
    """Trace the recurrent layer of every member over the inputs of the network, after the embedding if it has one.

    Args:
        name: the name of the network.
        steps, head_inputs: see `read_windows`.
        history: float64[batch, lookback], the normalised series in the steps.
    Raises:
        NetworkError: the states from the equations differ from those that the network computes.
    """
    _, cache = forward(network.weights, steps, head_inputs)
    series = cut_history(history, network.segment)
    return [_trace_member(name, network, cache, member, series) for member in range(len(network.kernel))]


def _trace_member(name: str, network: Network, cache: ForwardCache, member: int, series: np.ndarray) -> LayerTrace:
    weights: Any = read_cell(network.weights, member)
    cell: Literal["lstm", "gru"] = "lstm" if network.cell == "lstm" else "gru"
    # Without an embedding, the inputs of the recurrent layer are the same for all members.
    embedded = cache.embedded if cache.embedded.ndim == 3 else cache.embedded[member]
    batch, time, _ = series.shape
    inputs = embedded.transpose(2, 0, 1)
    mask = np.ones((batch, time), bool)
    trace: Trace[Any, Any] = unroll(weights, inputs, mask)
    return LayerTrace(
        cell=cell,
        weights=weights,
        inputs=inputs,
        mask=mask,
        trace=trace,
        max_difference=compare_states(name, trace, mask, cache.states[member, 1:].transpose(2, 0, 1)),
        num_weights_by_gate=count_by_gate(name, cell, weights.to_list()),
        series=series,
    )


def cut_history(history: np.ndarray, segment: int) -> np.ndarray:
    """Return the history in each step of the recurrent layer: float64[batch, time, segment], NaN before its beginning.

    Args:
        history: float64[batch, lookback].
        segment: the number of steps of the series that are read as one.
    """
    batch, lookback = history.shape
    num_steps = -(-lookback // segment)
    missing = num_steps * segment - lookback
    return np.pad(history, ((0, 0), (missing, 0)), constant_values=np.nan).reshape(batch, num_steps, segment)


def differentiate_correction(network: Network, layers: Sequence[LayerTrace]) -> np.ndarray:
    """Return the gradient of the network's correction of the first step ahead, with respect to its inputs at each step.

    It is the gradient of the members' mean, before shrinkage. It does not contain the linear forecast that the network
    corrects.

    Args:
        layers: the traces of the members.
    Returns:
        float64[batch, time, feature].
    """
    weights, found = network.weights, []
    for member, layer in enumerate(layers):
        of_states = np.zeros_like(layer.trace.states.hidden)
        of_states[:, -1] = weights["head_kernel"][member, : layer.weights.units, 0] / len(layers)
        of_inputs = differentiate(layer, of_states)
        if "embedding_kernel" in weights:
            of_inputs = (of_inputs * (layer.inputs > 0)) @ weights["embedding_kernel"][member].T
        found.append(of_inputs)
    total: np.ndarray = np.sum(found, axis=0)
    return total


def summarize_network(network: Network, num_steps: int) -> NetworkSummary:
    """Return the layers of one member, and the number of parameters of all members.

    Args:
        num_steps: the number of steps of a window that the recurrent layer reads.
    """
    weights, num_members = network.weights, len(network.kernel)
    units, kind = network.recurrent_kernel.shape[-2], network.cell.upper()

    def describe(layer: str, kind: str, output_shape: list[int | None], *names: str) -> LayerRecord:
        num_parameters = sum(weights[name].size for name in names if name in weights) // num_members
        return {"layer": layer, "kind": kind, "output_shape": output_shape, "num_parameters": num_parameters}

    embedding = [num_steps, network.embedding_kernel.shape[-1]]
    layers = [
        describe("embedding", "Dense", [*embedding], "embedding_kernel", "embedding_bias"),
        describe(network.cell, kind, [units], "kernel", "recurrent_kernel", "bias", "recurrent_bias"),
        describe("head", "Dense", [network.head_bias.shape[-1]], "head_kernel", "head_bias"),
    ]
    return {
        "layers": [layer for layer in layers if layer["num_parameters"]],
        "num_parameters": sum(array.size for array in weights.values()),
        "segment": network.segment,
        "shrinkage": network.shrinkage,
    }


def _choose_origins(forecasters: ChosenForecasters, num_windows: int) -> np.ndarray:
    """Return origins of test windows, evenly spread from the first to the last: int64[window]."""
    index = forecasters.panel.index("test")
    numbers = np.linspace(0, len(index) - 1, min(num_windows, len(index))).round().astype(int)
    return index.origins(numbers)
