"""Traces of the pretrained networks: the series that they read, their states and their gradients."""

from dataclasses import replace

import numpy as np
import pytest

from rnn_pipelines.cells.gru import GRUWeights
from rnn_pipelines.errors import ParameterError
from rnn_pipelines.forecast.methods.local.method import gather_from_zero
from rnn_pipelines.forecast.pretrained.files import load_network
from rnn_pipelines.forecast.pretrained.network import PretrainedNetwork, compute_logarithms
from rnn_pipelines.forecast.pretrained.reading import Reading, read_past
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec
from rnn_pipelines.lab.internals.forecast import pretrained as traced
from rnn_pipelines.lab.internals.forecast.choice import ChosenForecasters
from rnn_pipelines.lab.internals.forecast.pretrained import trace_pretrained
from rnn_pipelines.lab.internals.forecast.traces import choose_origins
from rnn_pipelines.lab.internals.records import Traces
from rnn_pipelines.lab.internals.specs import SampleSpec

CELLS = ("lstm", "gru")


def read_windows(forecasters: ChosenForecasters, num_windows: int) -> tuple[np.ndarray, Reading]:
    """The values or logarithms before the windows, and the inputs of the network."""
    panel = forecasters.panel
    values, is_log = compute_logarithms(
        gather_from_zero(panel, choose_origins(panel, num_windows))[0]
    )
    return values, read_past(values, panel.season_length, panel.horizon, is_log)


@pytest.mark.parametrize("cell", CELLS)
def test_states_are_those_of_the_network(pretrained: Traces, cell: str) -> None:
    (layer,) = pretrained.layers[f"pretrained_{cell}"]
    assert layer.weights == load_network(PretrainedSpec(network=cell)).cell
    assert layer.max_difference < 1e-6


@pytest.mark.parametrize("cell", CELLS)
def test_series_is_that_of_the_windows(
    pretrained: Traces, cell: str, forecasters: ChosenForecasters, sample: SampleSpec
) -> None:
    (layer,) = pretrained.layers[f"pretrained_{cell}"]
    past, read = read_windows(forecasters, sample.windows)
    values = layer.series[:, :, 0] * read.unit[:, None] + read.zero[:, None]
    np.testing.assert_allclose(
        values[layer.mask], past[:, -layer.mask.shape[1] :][layer.mask], rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("cell", CELLS)
def test_parameters_are_those_of_the_network(pretrained: Traces, cell: str) -> None:
    summary = pretrained.networks[f"pretrained_{cell}"]
    arrays = load_network(PretrainedSpec(network=cell)).to_arrays()
    assert summary["num_parameters"] == sum(array.size for array in arrays.values())


@pytest.mark.parametrize("cell", CELLS)
def test_layers_are_the_cell_with_three_heads(pretrained: Traces, cell: str) -> None:
    summary = pretrained.networks[f"pretrained_{cell}"]
    assert [layer["kind"] for layer in summary["layers"]] == [
        cell.upper(),
        "Dense",
        "Dense",
        "Dense",
    ]


@pytest.mark.parametrize("cell", CELLS)
def test_gradient_is_that_of_finite_differences(
    pretrained: Traces, forecasters: ChosenForecasters, cell: str
) -> None:
    """Of the correction of the first step ahead, by single values that the layer reads."""
    network = load_network(PretrainedSpec(network=cell))
    (layer,) = pretrained.layers[f"pretrained_{cell}"]
    _, read = read_windows(forecasters, len(layer.mask))
    for time, feature in ((-1, 0), (-4, 2)):
        moved = np.zeros_like(read.sequence)
        moved[:, time, feature] = 1e-2
        up, down = (
            network.compute(read._replace(sequence=read.sequence + sign * moved))[:, 0, 0]
            for sign in (1, -1)
        )
        found = pretrained.gradients[f"pretrained_{cell}"][:, time, feature]
        np.testing.assert_allclose(found, (up - down) / 2e-2, rtol=0.02, atol=2e-3)
        assert np.abs(found).max() > 2e-2


def test_without_a_test_part_the_newest_values_are_read(
    forecasters: ChosenForecasters, sample: SampleSpec
) -> None:
    panel = replace(forecasters.panel, test=np.zeros((0, 2), np.int64))
    traces = trace_pretrained(replace(forecasters, panel=panel), PretrainedSpec(), sample)
    assert len(traces.layers["pretrained_gru"][0].mask) == len(panel.index("future"))


def test_network_without_a_recurrent_layer_is_refused(
    forecasters: ChosenForecasters, sample: SampleSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = load_network(PretrainedSpec()).cell.kernel
    head = load_network(PretrainedSpec()).head
    none = GRUWeights(kernel[:, :0], np.zeros((0, 0), np.float32), np.zeros((2, 0), np.float32))
    monkeypatch.setattr(traced, "load_network", lambda spec: PretrainedNetwork(none, head))
    with pytest.raises(ParameterError, match=r"pretrained\.path: .*pretrain\.units"):
        trace_pretrained(forecasters, PretrainedSpec(), sample)
