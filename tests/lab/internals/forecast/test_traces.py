"""Traces are of what each member reads in the windows, and the states in them are those of the network and of Keras."""

from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.cells.registry import CELLS
from rnn_pipelines.cells.unroll import unroll
from rnn_pipelines.errors import NetworkError
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.methods.networks.network import Network, read_windows, size_members
from rnn_pipelines.forecast.methods.predictors import normalize_windows
from rnn_pipelines.forecast.recipe import Recipe, prepare_panel
from rnn_pipelines.forecast.source.covariates import CovariateSpec, read_series
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.panel import WindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec
from rnn_pipelines.lab.internals.checks import MAX_DIFFERENCE
from rnn_pipelines.lab.internals.forecast import traces
from rnn_pipelines.lab.internals.forecast.choice import ChosenForecasters
from rnn_pipelines.lab.internals.forecast.traces import (
    CALENDAR,
    PADDING,
    SERIES,
    cut_history,
    describe_members,
    differentiate_correction,
    list_inputs,
    trace_forecasters,
    trace_layers,
)
from rnn_pipelines.lab.internals.records import LayerTrace, Traces
from rnn_pipelines.lab.internals.specs import SampleSpec
from rnn_pipelines.networks.members import forward, initialize_members

# Single steps; four steps read as one, of which the first has only two; the latter through an embedding.
# And stacks of two layers.
STACK = {"units": (3, 2)}
DESIGNS = [
    {},
    {"segment": 4},
    {"segment": 4, "embedding": 5},
    STACK,
    {"segment": 4, "embedding": 5, **STACK},
]
MakeForecasters = Callable[..., ChosenForecasters]


def read_all(
    chosen: ChosenForecasters, network: Network
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a network reads of all test windows, what goes to its head, and the framed history."""
    index = chosen.panel.index("test")
    origins = index.origins(np.arange(len(index)))
    normalized = normalize_windows(chosen.panel, chosen.linear.normalizer, origins)
    return *read_windows(chosen.panel, normalized, origins, network.layout), normalized.history


def trace_all(chosen: ChosenForecasters, cell: str) -> list[LayerTrace]:
    """The traces of the members of a network of one layer."""
    return trace_stack(chosen, cell)["made"]


def trace_stack(chosen: ChosenForecasters, cell: str) -> dict[str, list[LayerTrace]]:
    return trace_layers("made", chosen.networks[cell], *read_all(chosen, chosen.networks[cell]))


def test_test_windows_are_spread(forecasters: ChosenForecasters, forecast: Traces) -> None:
    index = forecasters.panel.index("test")
    origins = index.origins(np.array([0, len(index) - 1]))
    normalized = normalize_windows(forecasters.panel, forecasters.linear.normalizer, origins)
    series = forecast.layers["forecast_gru"][0].series
    np.testing.assert_array_equal(series[[0, -1], :, 0], normalized.history)
    assert len(series) == 6


def test_every_test_window_is_traced_if_asked_for(
    forecasters: ChosenForecasters, sample: SampleSpec
) -> None:
    found = trace_forecasters(forecasters, sample.model_copy(update={"windows": 1000}))
    assert len(found.layers["forecast_lstm"][0].mask) == len(forecasters.panel.index("test"))


def test_inputs_are_normalised_with_the_level_beside_them(forecast: Traces) -> None:
    # Less the window's mean, and as it is.
    layer = forecast.layers["forecast_lstm"][1]
    series = layer.series[:, :, 0]
    np.testing.assert_allclose(
        layer.inputs[:, :, 0], series - series.mean(axis=1, keepdims=True), atol=1e-6
    )
    np.testing.assert_allclose(layer.inputs[:, :, 1], series, atol=1e-6)


def test_a_history_is_cut_into_segments_from_its_end() -> None:
    cut = cut_history(np.arange(1.0, 6)[None], 3)
    np.testing.assert_array_equal(cut, [[[np.nan, 1, 2], [3, 4, 5]]])


def test_each_member_is_traced_by_its_own_weights(
    forecasters: ChosenForecasters, forecast: Traces
) -> None:
    for cell in CELLS:
        kernels = [layer.weights.kernel for layer in forecast.layers[f"forecast_{cell}"]]
        np.testing.assert_array_equal(kernels, forecasters.networks[cell].weights["kernel"])


def test_layer_reads_what_its_own_embedding_makes_of_a_step(
    make_forecasters: MakeForecasters,
) -> None:
    chosen = make_forecasters(segment=4, embedding=5)
    network = chosen.networks["gru"]
    steps, _, _ = read_all(chosen, network)
    for member, layer in enumerate(trace_all(chosen, "gru")):
        kernel, bias = (network.weights[f"embedding_{part}"][member] for part in ("kernel", "bias"))
        expected = np.maximum(steps @ kernel + bias, 0)
        np.testing.assert_allclose(layer.inputs, expected.swapaxes(0, 1), atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("hyperparameters", DESIGNS, ids=str)
def test_states_are_those_with_which_the_network_forecasts(
    make_forecasters: MakeForecasters, cell: str, hyperparameters: dict[str, Any]
) -> None:
    chosen = make_forecasters(**hyperparameters)
    _, cache = forward(
        cell, chosen.networks[cell].weights, *read_all(chosen, chosen.networks[cell])[:2]
    )
    for own, members in zip(cache.layers, trace_stack(chosen, cell).values(), strict=True):
        for member, layer in enumerate(members):
            states = own.states[member, 1:].transpose(2, 0, 1)
            np.testing.assert_allclose(layer.trace.states.hidden, states, atol=1e-6)
            assert layer.max_difference < 1e-6


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("hyperparameters", DESIGNS, ids=str)
def test_states_are_as_keras(
    make_forecasters: MakeForecasters, cell: str, hyperparameters: dict[str, Any]
) -> None:
    """Of a layer of Keras with the member's weights."""
    from rnn_pipelines.networks.layers import find_layer

    for layer in chain.from_iterable(
        trace_stack(make_forecasters(**hyperparameters), cell).values()
    ):
        made = find_layer(CELLS[cell].keras_layer)(layer.weights.units, return_sequences=True)
        made.build(layer.inputs.shape)
        made.set_weights(layer.weights.to_list())
        np.testing.assert_allclose(layer.trace.states.hidden, made(layer.inputs), atol=1e-6)


def test_states_that_are_not_those_of_the_network_are_refused(
    forecasters: ChosenForecasters, sample: SampleSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the gates stood in another order."""

    def unroll_wrongly(weights, inputs, mask):
        kernel = np.roll(weights.kernel, weights.units, axis=1)
        return unroll(type(weights)(kernel, weights.recurrent_kernel, weights.bias), inputs, mask)

    monkeypatch.setattr(traces, "unroll", unroll_wrongly)
    with pytest.raises(
        NetworkError,
        match=f"forecast_lstm: expected hidden states within {MAX_DIFFERENCE:g} of those",
    ):
        trace_forecasters(forecasters, sample)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("hyperparameters", DESIGNS, ids=str)
def test_gradient_of_the_correction_is_that_of_finite_differences(
    make_forecasters: MakeForecasters, cell: str, hyperparameters: dict[str, Any]
) -> None:
    """The mean of the members, one step ahead, by single values that the network reads."""
    chosen = make_forecasters(**hyperparameters)
    network = chosen.networks[cell]
    steps, known, history = read_all(chosen, network)
    gradients = differentiate_correction(
        network, [*trace_layers("made", network, steps, known, history).values()]
    )[0]
    assert gradients.shape == steps.swapaxes(0, 1).shape
    for time, feature in ((0, 0), (len(steps) - 1, steps.shape[2] - 1)):
        moved = np.zeros_like(steps)
        # So small that no unit of an embedding begins or ends on the way.
        moved[time, :, feature] = 2e-3
        outputs = [
            forward(network.cell, network.weights, steps + sign * moved, known)[0]
            for sign in (1, -1)
        ]
        expected = (outputs[0] - outputs[1]).mean(axis=0)[:, 0] / 4e-3
        np.testing.assert_allclose(gradients[:, time, feature], expected, rtol=5e-3, atol=5e-4)


def test_network_that_says_nothing_has_no_gradient(forecasters: ChosenForecasters) -> None:
    weights = forecasters.networks["gru"].weights
    network = replace(
        forecasters.networks["gru"],
        weights={**weights, "head_kernel": np.zeros_like(weights["head_kernel"])},
    )
    assert not differentiate_correction(network, [trace_all(forecasters, "gru")])[0].any()


@pytest.mark.parametrize("cell", CELLS)
def test_gradient_of_an_upper_layer_is_that_of_its_first_states(
    make_forecasters: MakeForecasters, cell: str
) -> None:
    """Through the inputs of the last layer alone, of all members side by side."""
    chosen = make_forecasters(**STACK)
    network = chosen.networks[cell]
    layers = list(trace_stack(chosen, cell).values())
    found = differentiate_correction(network, layers)[1]
    assert found.shape[2] == 2 * network.units[0]
    cut = {
        name.removesuffix("_2"): array
        for name, array in network.weights.items()
        if name.endswith("_2")
    }
    head = {name: network.weights[name] for name in ("head_kernel", "head_bias")}
    for member in range(2):
        alone = replace(
            network, weights={name: array[member:][:1] for name, array in (cut | head).items()}
        )
        expected = differentiate_correction(alone, [[layers[1][member]]])[0] / 2
        np.testing.assert_allclose(np.split(found, 2, axis=2)[member], expected, rtol=1e-6)


def test_layers_of_a_stack_are_numbered(
    make_forecasters: MakeForecasters, sample: SampleSpec
) -> None:
    found = trace_forecasters(make_forecasters(**STACK), sample)
    assert list(found.layers) == [
        f"forecast_{cell}_layer_{number}" for cell in CELLS for number in (1, 2)
    ]


def test_layers_of_a_stack_have_their_units(
    make_forecasters: MakeForecasters, sample: SampleSpec
) -> None:
    found = trace_forecasters(make_forecasters(**STACK), sample)
    assert {layers[0].weights.units for layers in found.layers.values()} == {3, 2}


def test_every_layer_of_a_stack_is_summarised(
    make_forecasters: MakeForecasters, sample: SampleSpec
) -> None:
    found = trace_forecasters(make_forecasters(**STACK), sample)
    assert found.gradients.keys() == found.networks.keys() == found.layers.keys()


def test_an_embedding_is_a_layer(make_forecasters: MakeForecasters) -> None:
    network = make_forecasters(segment=4, embedding=5).networks["gru"]
    shapes = {
        layer["kind"]: layer["output_shape"]
        for layer in describe_members(network, num_steps=2)["layers"][:2]
    }
    assert shapes == {"Dense": [2, 5], "GRU": [3]}


def test_only_the_last_layer_of_a_stack_puts_out_one_state(
    make_forecasters: MakeForecasters,
) -> None:
    layers = describe_members(make_forecasters(**STACK).networks["gru"], num_steps=6)["layers"]
    assert [(layer["layer"], layer["output_shape"]) for layer in layers] == [
        ("gru", [6, 3]), ("gru_2", [2]), ("head", [2])
    ]  # fmt: skip


@pytest.mark.parametrize("hyperparameters", DESIGNS, ids=str)
def test_parameters_are_those_of_all_members(
    make_forecasters: MakeForecasters, hyperparameters: dict[str, Any]
) -> None:
    network = make_forecasters(**hyperparameters, members=3).networks["lstm"]
    summary = describe_members(network, num_steps=2)
    assert summary["num_parameters"] == sum(array.size for array in network.weights.values())


@pytest.mark.parametrize("hyperparameters", DESIGNS, ids=str)
def test_layers_are_those_of_one_member(
    make_forecasters: MakeForecasters, hyperparameters: dict[str, Any]
) -> None:
    network = make_forecasters(**hyperparameters, members=3).networks["lstm"]
    summary = describe_members(network, num_steps=2)
    assert summary["num_parameters"] == 3 * sum(
        layer["num_parameters"] for layer in summary["layers"]
    )


@pytest.mark.parametrize("cell", CELLS)
def test_weights_are_counted_by_gate(forecast: Traces, cell: str) -> None:
    """Of a member that reads the series twice, and one feature of the calendar."""
    for layer in forecast.layers[f"forecast_{cell}"]:
        assert layer.num_weights_by_gate == CELLS[cell].count_weights_by_gate(3, 3)


# What moves a correction is told by the name of its input.


NUM_DAYS = 90
HORIZON = 2
UNITS = 3
SPEC = CovariateSpec(future=("promo", "weather"), past=("visitors",), static=("region",))
SAMPLE = SampleSpec(windows=6, reviews=1, max_words=4, texts=("good",))
# A single series that is read at single steps, and a panel through an embedding, two steps at once.
READING_DESIGNS = [{"num_series": 1}, {"num_series": 2, "segment": 2, "embedding": 5}]


def prepare(num_series: int) -> Any:
    rng = np.random.default_rng(0)
    tables = []
    days = NUM_DAYS + HORIZON
    for number in range(num_series):
        y = np.where(np.arange(days) < NUM_DAYS, rng.normal(size=days), np.nan)
        columns = {
            "y": y,
            "promo": rng.integers(0, 2, days),
            "weather": rng.choice(["sun", "rain"], days),
            "visitors": y,
            "region": f"r{number}",
            "shop": f"s{number}",
        }
        tables.append(pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=days)} | columns))
    external = pd.concat(tables)
    source = SourceSpec(name="catalog", id="shop")
    window = WindowSpec(lookback=6, horizon=HORIZON)
    split = SplitSpec(validation=20, test=20)
    recipe = Recipe(source=source, covariates=SPEC, window=window, split=split)
    table, covariate_table = read_series(source, SPEC, external)
    return prepare_panel(table, recipe, covariate_table)


@pytest.fixture(params=READING_DESIGNS, ids=str)
def case(request: pytest.FixtureRequest) -> SimpleNamespace:
    """Windows, and a network of two members on them."""
    segment = request.param.get("segment", 1)
    embedding = request.param.get("embedding", 0)
    found = prepare(request.param["num_series"])
    calendar = () if embedding else (1,)
    panel = found.windows
    linear = fit_linear_models(found.windows)
    shape = size_members(panel, "gru", UNITS, embedding, segment, calendar)
    weights = initialize_members(0, 2, shape)
    weights["head_kernel"] = (
        np.random.default_rng(1).normal(size=weights["head_kernel"].shape).astype(np.float32)
    )
    unseen = np.zeros((len(linear.validation), panel.horizon), np.float32)
    network = Network(weights, "gru", segment, np.array(calendar, np.int64), 0.5, unseen)
    return SimpleNamespace(
        panel=panel, linear=linear, network=network, shape=shape, features=found.features
    )


def measure(case: SimpleNamespace, network: Network) -> dict[str, float]:
    chosen = ChosenForecasters({"gru": network}, case.linear, case.panel)
    return trace_forecasters(chosen, SAMPLE).networks["forecast_gru"]["moved_by"]


def test_every_input_has_a_name(case: SimpleNamespace) -> None:
    steps, known = list_inputs(case.panel, case.network)
    assert (len(steps), len(known)) == (case.shape.num_inputs, case.shape.num_static_inputs)
    static = {"region"} if "static" in case.panel.roles else set()
    assert {*steps, *known} - {PADDING} == {
        SERIES,
        CALENDAR,
        "promo",
        "weather",
        "visitors",
    } | static


def test_every_input_moves_the_forecast(case: SimpleNamespace) -> None:
    moved = measure(case, case.network)
    assert min(moved.values()) > 0
    assert PADDING not in moved


def test_an_input_moves_only_what_reads_it(case: SimpleNamespace) -> None:
    _, known = list_inputs(case.panel, case.network)
    is_promo = np.array([False] * UNITS + [name == "promo" for name in known])
    weights = case.network.weights
    head = (weights["head_kernel"] * is_promo[None, :, None]).astype(np.float32)
    moved = measure(case, replace(case.network, weights={**weights, "head_kernel": head}))
    assert {name for name, by in moved.items() if by > 0} == {"promo"}


def test_constant_that_every_window_has_moves_nothing(case: SimpleNamespace) -> None:
    values = case.panel.values.copy()
    values[:, case.panel.columns.future.start] = 1.0
    # In whose frame covariates are not divided by the spread of the window.
    linear = replace(case.linear, kind="series")
    still = SimpleNamespace(
        **vars(case) | {"panel": replace(case.panel, values=values), "linear": linear}
    )
    assert measure(still, case.network)["promo"] == pytest.approx(0, abs=1e-6)
