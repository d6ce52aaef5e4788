"""Traces of trained forecasters: every gate and state over test windows. Uses NumPy alone."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from rnn_pipelines.cells.registry import CELLS
from rnn_pipelines.cells.unroll import Trace, unroll
from rnn_pipelines.forecast.methods.networks.network import Network, list_head_columns, read_windows
from rnn_pipelines.forecast.methods.predictors import normalize_windows
from rnn_pipelines.forecast.windows.panel import WindowedPanel
from rnn_pipelines.lab.internals.checks import compare_states, count_by_gate
from rnn_pipelines.lab.internals.forecast.choice import ChosenForecasters
from rnn_pipelines.lab.internals.gate_statistics import differentiate
from rnn_pipelines.lab.internals.records import LayerTrace, NetworkSummary, Traces
from rnn_pipelines.lab.internals.specs import SampleSpec
from rnn_pipelines.networks.members import ForwardCache, forward, list_layers, name_array, read_cell
from rnn_pipelines.networks.records import LayerRecord

SERIES = "series"
CALENDAR = "calendar"
PADDING = "padding"
ORIGIN = "trained by forecast"


def trace_forecasters(forecasters: ChosenForecasters, sample: SampleSpec) -> Traces:
    """Trace the recurrent layers of every member of each network over test windows; none without networks.

    All values are normalised. The gradients are those of the network's correction of the first step ahead, see
    `differentiate_correction`. States that differ from those that the networks compute raise a NetworkError.
    """
    panel = forecasters.panel
    linear = forecasters.linear
    if linear is None:
        return Traces({}, {}, {}, ORIGIN)
    origins = choose_origins(panel, sample.windows)
    normalized = normalize_windows(panel, linear.normalizer, origins)
    layers: dict[str, list[LayerTrace]] = {}
    gradients: dict[str, np.ndarray] = {}
    networks: dict[str, NetworkSummary] = {}
    for cell, network in forecasters.networks.items():
        steps, head_inputs = read_windows(panel, normalized, origins, network.layout)
        traces = trace_layers(f"forecast_{cell}", network, steps, head_inputs, normalized.history)
        of_layers = differentiate_correction(network, list(traces.values()))
        inputs = list_inputs(panel, network)
        moved_by = measure_moves(network, inputs, steps, head_inputs, of_layers[0])
        layers |= traces
        gradients |= dict(zip(traces, of_layers, strict=True))
        summary: NetworkSummary = {**describe_members(network, len(steps)), "moved_by": moved_by}
        networks |= {layer: summary for layer in traces}  # noqa: C420 - one network of several layers, never changed
    return Traces(layers, gradients, networks, ORIGIN)


def trace_layers(
    name: str, network: Network, steps: np.ndarray, head_inputs: np.ndarray, history: np.ndarray
) -> dict[str, list[LayerTrace]]:
    """Trace the recurrent layers of every member over the inputs of the network, after the embedding if it has one.

    `steps` and `head_inputs` are those of `read_windows`, `history` is the normalised series in the steps:
    float64[batch, lookback]. The traces of the members are by the name of the layer: that of the network, or of a stack
    `name_layer_1` and so on.
    """
    _, cache = forward(network.cell, network.weights, steps, head_inputs)
    series = cut_history(history, network.segment)
    num_layers = len(cache.layers)
    names = [
        f"{name}_layer_{number + 1}" if num_layers > 1 else name for number in range(num_layers)
    ]
    return {
        layer: [
            _trace_member(layer, network, cache, (number, member), series)
            for member in range(network.num_members)
        ]
        for number, layer in enumerate(names)
    }


def _trace_member(
    name: str, network: Network, cache: ForwardCache, place: tuple[int, int], series: np.ndarray
) -> LayerTrace:
    """Trace one layer of one member; `place` has the numbers of both."""
    number, member = place
    layer = cache.layers[number]
    cell = CELLS[network.cell]
    weights = read_cell(network.cell, network.weights, member, number)
    # Without an embedding, the inputs of the first layer are the same for all members.
    inputs = (layer.inputs if layer.inputs.ndim == 3 else layer.inputs[member]).transpose(2, 0, 1)
    mask = np.ones(inputs.shape[:2], bool)
    trace: Trace[Any, Any] = unroll(weights, inputs, mask)
    difference = compare_states(name, trace, mask, layer.states[member, 1:].transpose(2, 0, 1))
    by_gate = count_by_gate(name, cell, weights.to_list())
    return LayerTrace(cell, weights, inputs, mask, trace, difference, by_gate, series)


def cut_history(history: np.ndarray, segment: int) -> np.ndarray:
    """Return the history in each step of the recurrent layer: float64[batch, time, segment], NaN before its beginning.

    It is float64[batch, lookback], and `segment` steps of the series are read as one.
    """
    batch, lookback = history.shape
    num_steps = -(-lookback // segment)
    missing = num_steps * segment - lookback
    return np.pad(history, ((0, 0), (missing, 0)), constant_values=np.nan).reshape(
        batch, num_steps, segment
    )


def differentiate_correction(
    network: Network, layers: Sequence[Sequence[LayerTrace]]
) -> list[np.ndarray]:
    """Return the gradient of the correction of the first step ahead, with respect to the inputs of each layer.

    It is the gradient of the members' mean, before shrinkage. It does not contain the linear forecast that the network
    corrects. The traces are those of the members, for each recurrent layer.

    Returns:
        For each layer, float64[batch, time, feature]: for the first one, of the inputs of the network; for the others,
        of the states below them, of all members side by side.
    """
    weights = network.weights
    of_states = []
    found: list[np.ndarray] = []
    for member, trace in enumerate(layers[-1]):
        of_states.append(np.zeros_like(trace.trace.states.hidden))
        of_states[-1][:, -1] = (
            weights["head_kernel"][member, : trace.weights.units, 0] / network.num_members
        )
    for members in reversed(layers):
        of_states = [
            differentiate(layer, of_outputs)
            for layer, of_outputs in zip(members, of_states, strict=True)
        ]
        found.insert(0, np.concatenate(of_states, axis=2))
    if "embedding_kernel" in weights:
        of_states = [
            (of_inputs * (layer.inputs > 0)) @ kernel.T
            for of_inputs, layer, kernel in zip(
                of_states, layers[0], weights["embedding_kernel"], strict=True
            )
        ]
    found[0] = np.sum(of_states, axis=0)
    return found


def describe_members(network: Network, num_steps: int) -> NetworkSummary:
    """Return the layers of one member, over `num_steps` steps of a window, and the parameters of all members."""
    weights = network.weights
    units = network.units
    cell = network.cell

    def describe(
        layer: str, kind: str, output_shape: list[int | None], arrays: Iterable[np.ndarray]
    ) -> LayerRecord:
        num_parameters = sum(array.size for array in arrays) // network.num_members
        return {
            "layer": layer,
            "kind": kind,
            "output_shape": output_shape,
            "num_parameters": num_parameters,
        }

    layers = []
    if "embedding_kernel" in weights:
        kernel = weights["embedding_kernel"]
        bias = weights["embedding_bias"]
        layers.append(describe("embedding", "Dense", [num_steps, kernel.shape[-1]], [kernel, bias]))
    for number, (width, arrays) in enumerate(
        zip(units, list_layers(cell, weights), strict=True), start=1
    ):
        shape: list[int | None] = [width] if number == len(units) else [num_steps, width]
        layers.append(describe(name_array(cell, number - 1), cell.upper(), shape, arrays.values()))
    kernel = weights["head_kernel"]
    bias = weights["head_bias"]
    layers.append(describe("head", "Dense", [bias.shape[-1]], [kernel, bias]))
    num_parameters = sum(array.size for array in weights.values())
    return {
        "layers": layers,
        "num_parameters": num_parameters,
        "segment": network.segment,
        "shrinkage": network.shrinkage,
    }


def choose_origins(panel: WindowedPanel, num_windows: int) -> np.ndarray:
    """Return origins of test windows, evenly spread from the first to the last: int64[window].

    Without a test part, they are those of the forecasts, after the newest value of each series.
    """
    return panel.list_origins("test" if len(panel.test) else "future", num_windows)


def list_inputs(panel: WindowedPanel, network: Network) -> tuple[list[str], list[str]]:
    """Return the name of each input of the recurrent layer at a step, and of each input of the head.

    The order is that of `read_windows`.
    """
    # Features of the same column of the table have its name, without role and category.
    covariates = [name.split(":", 1)[-1].split("=", 1)[0] for name in panel.names.tolist()]
    names = [SERIES, *[CALENDAR] * panel.columns.num_calendar, *covariates]
    in_head = [names[column] for column in list_head_columns(panel, network.layout.has_embedding)]
    if network.layout.has_embedding:
        return [SERIES, *covariates] * network.segment + [PADDING], in_head
    return [
        SERIES,
        SERIES,
        *[CALENDAR] * len(network.calendar),
        *covariates,
    ] * network.segment, in_head


def measure_moves(
    network: Network,
    names: tuple[list[str], list[str]],
    steps: np.ndarray,
    head_inputs: np.ndarray,
    gradients: np.ndarray,
) -> dict[str, float]:
    """Return how much each input changes the correction of the first step ahead between windows, to first order.

    It is the mean over windows of |Σ gradient · (input − its mean over windows)|, normalised, with the names of
    `list_inputs`, the inputs of `read_windows` and the gradients of `differentiate_correction`.
    """
    inputs = steps.transpose(1, 0, 2)
    of_steps = ((inputs - inputs.mean(axis=0)) * gradients).sum(axis=1)
    kernel = network.weights["head_kernel"][:, network.units[-1] :, 0].mean(axis=0)
    of_head = (head_inputs - head_inputs.mean(axis=0)) * kernel
    moves = np.concatenate([of_steps, of_head], axis=1)
    labels = np.array([*names[0], *names[1]])
    return {
        str(name): float(np.abs(moves[:, labels == name].sum(axis=1)).mean())
        for name in dict.fromkeys(labels.tolist())
        if name != PADDING
    }
