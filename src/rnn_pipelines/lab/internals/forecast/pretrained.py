"""Traces of the pretrained networks over the windows of a table, whether networks were trained on it or not."""

from typing import Any

import numpy as np

from rnn_pipelines.cells.unroll import Trace, unroll
from rnn_pipelines.errors import ParameterError
from rnn_pipelines.forecast.methods.local.method import gather_from_zero
from rnn_pipelines.forecast.pretrained.files import load_network
from rnn_pipelines.forecast.pretrained.gradients import differentiate_head
from rnn_pipelines.forecast.pretrained.network import PretrainedNetwork, compute_logarithms
from rnn_pipelines.forecast.pretrained.reading import Reading, read_past
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec
from rnn_pipelines.lab.internals.checks import compare_states, count_by_gate
from rnn_pipelines.lab.internals.forecast.choice import ChosenForecasters
from rnn_pipelines.lab.internals.forecast.traces import choose_origins
from rnn_pipelines.lab.internals.gate_statistics import differentiate
from rnn_pipelines.lab.internals.notation import CELLS, PRETRAINED
from rnn_pipelines.lab.internals.records import LayerTrace, NetworkSummary, Traces
from rnn_pipelines.lab.internals.specs import SampleSpec
from rnn_pipelines.networks.records import LayerRecord


def trace_pretrained(
    forecasters: ChosenForecasters, pretrained: PretrainedSpec, sample: SampleSpec
) -> Traces:
    """Trace the recurrent layer of both pretrained networks over windows, as `trace_forecasters` does.

    The series are read as in a forecast: logarithms of positive ones, scaled by their own unit and zero. The gradients
    are those of the correction o₀ of the first step ahead in the equations of the network. Networks that can't be read,
    or have no recurrent layer, raise a ParameterError; states that differ from those of the networks, a NetworkError.
    """
    panel = forecasters.panel
    past, _ = gather_from_zero(panel, choose_origins(panel, sample.windows))
    values, is_log = compute_logarithms(past)
    read = read_past(values, panel.season_length, panel.horizon, is_log)
    layers: dict[str, list[LayerTrace]] = {}
    gradients: dict[str, np.ndarray] = {}
    networks: dict[str, NetworkSummary] = {}
    for cell in CELLS:
        name = f"{PRETRAINED}_{cell}"
        network = load_network(pretrained.model_copy(update={"network": cell}))
        if not network.cell.units:
            raise ParameterError(
                f"pretrained.path: the {cell} network has no recurrent units, so there are no gates. Name a folder "
                "of networks that were trained with pretrain.units above 0."
            )
        layer = _trace_layer(name, cell, network, read)
        of_states = np.zeros_like(layer.trace.states.hidden)
        _, *of_layers = network.compute_head(read, network.find_state(read))
        of_states[:, -1] = (
            differentiate_head(network, *of_layers)[:, 0] @ network.head["state_kernel"].T
        )
        layers[name] = [layer]
        gradients[name] = differentiate(layer, of_states)
        networks[name] = _summarize_network(cell, network)
    return Traces(
        layers,
        gradients,
        networks,
        f"trained before, on generated series; traced over {forecasters.series}",
    )


def _trace_layer(name: str, cell: str, network: PretrainedNetwork, read: Reading) -> LayerTrace:
    trace: Trace[Any, Any] = unroll(network.cell, read.sequence, read.is_there)
    difference = compare_states(name, trace, read.is_there, network.find_state(read))
    by_gate = count_by_gate(name, CELLS[cell], network.cell.to_list())
    # The first input is the arcsinh of the scaled value.
    series = np.where(read.is_there, np.sinh(read.sequence[:, :, 0].astype(np.float64)), np.nan)[
        :, :, None
    ]
    return LayerTrace(
        CELLS[cell], network.cell, read.sequence, read.is_there, trace, difference, by_gate, series
    )


def _summarize_network(cell: str, network: PretrainedNetwork) -> NetworkSummary:
    head = network.head
    hidden, num_outputs = head["output_kernel"].shape
    of_layers: dict[str, tuple[int, list[np.ndarray]]] = {
        cell: (network.cell.units, network.cell.to_list()),
        "first": (
            hidden,
            [head[f"{name}_kernel"] for name in ("state", "static", "ahead")]
            + [head["first_bias"]],
        ),
        "second": (hidden, [head["second_kernel"], head["second_bias"]]),
        "output": (num_outputs, [head["output_kernel"], head["output_bias"]]),
    }
    layers: list[LayerRecord] = []
    for name, (width, arrays) in of_layers.items():
        kind = cell.upper() if name == cell else "Dense"
        num_parameters = sum(array.size for array in arrays)
        layers.append(
            {"layer": name, "kind": kind, "output_shape": [width], "num_parameters": num_parameters}
        )
    return {"layers": layers, "num_parameters": sum(layer["num_parameters"] for layer in layers)}
