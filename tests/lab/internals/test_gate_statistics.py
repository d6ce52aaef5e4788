"""Gates are counted over the steps that were read, and memory is what gates and gradients say it is."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cell_weights import draw_weights
from rnn_pipelines.cells.gradients import backpropagate
from rnn_pipelines.cells.gru import GRUWeights
from rnn_pipelines.cells.lstm import LSTMWeights
from rnn_pipelines.cells.unroll import unroll
from rnn_pipelines.lab.internals.gate_statistics import (
    NUM_BINS,
    differentiate,
    find_reach,
    list_gates,
    measure_gradient_by_lag,
    measure_half_lives,
    measure_openness,
    measure_traces,
    probe_last_states,
    tabulate_distributions,
)
from rnn_pipelines.lab.internals.notation import CELLS
from rnn_pipelines.lab.internals.records import ClassifierSummary, LayerTrace, Traces
from rnn_pipelines.lab.internals.specs import SampleSpec
from rnn_pipelines.sentiment.text.cleaning import tokenize


@pytest.fixture(params=["lstm", "gru"])
def weights(request: pytest.FixtureRequest) -> LSTMWeights | GRUWeights:
    return draw_weights(np.random.default_rng(0), request.param, 3, 4)


@pytest.fixture
def inputs() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(5, 7, 3))


@pytest.fixture
def mask() -> np.ndarray:
    """Texts of 7, 6, 5, 4 and 3 words, padded behind them."""
    return np.arange(7)[None, :] < np.array([7, 6, 5, 4, 3])[:, None]


def make_layer(weights, inputs: np.ndarray, mask: np.ndarray) -> LayerTrace:
    cell = "lstm" if isinstance(weights, LSTMWeights) else "gru"
    return LayerTrace(cell, weights, inputs, mask, unroll(weights, inputs, mask), 0.0, {})


def test_gates_of_masked_steps_are_left_out(weights, inputs, mask) -> None:
    gates = list_gates([make_layer(weights, inputs, mask)])
    assert {gate.shape for gate in gates.values()} == {(mask.sum(), 4)}
    assert all(np.isfinite(gate).all() for gate in gates.values())


def test_gates_of_members_stand_side_by_side(weights, inputs, mask) -> None:
    one = make_layer(weights, inputs, mask)
    other = make_layer(weights, inputs + 1, mask)
    for name, gate in list_gates([one, other]).items():
        expected = [getattr(layer.trace.gates, name)[mask] for layer in (one, other)]
        np.testing.assert_array_equal(gate, np.hstack(expected))


def test_fractions_of_a_gate_sum_to_1(weights, inputs, mask) -> None:
    table = tabulate_distributions(list_gates([make_layer(weights, inputs, mask)]))
    assert table.groupby("gate")["fraction"].sum().to_numpy() == pytest.approx(1)


def test_openness_counts_values_near_the_ends() -> None:
    measured = measure_openness({"forget": np.array([[0.05, 0.1, 0.5, 0.95]])})
    assert measured["forget"] == pytest.approx(
        {"mean": 0.4, "low_fraction": 0.25, "high_fraction": 0.25}
    )


def test_openness_of_a_candidate_is_that_of_its_gate() -> None:
    # tanh a = 2 σ(2a) − 1.
    arguments = np.linspace(-3, 3, 101)[None, :]
    measured = measure_openness(
        {"forget": 1 / (1 + np.exp(-2 * arguments)), "candidate": np.tanh(arguments)}
    )
    for key in ("low_fraction", "high_fraction"):
        assert measured["candidate"][key] == measured["forget"][key] > 0


def test_distributions_cover_the_range_of_a_gate() -> None:
    table = tabulate_distributions({"forget": np.array([[0.5]]), "candidate": np.array([[0.5]])})
    half = 0.5 / NUM_BINS
    ends = (
        table.groupby("gate")["value"].agg(["min", "max"]).loc[["forget", "candidate"]].to_numpy()
    )
    np.testing.assert_allclose(ends, [[half, 1 - half], [-1 + 2 * half, 1 - 2 * half]])


def test_distributions_count_values_in_their_bin() -> None:
    table = tabulate_distributions({"forget": np.array([[0.83, 0.83, 0.83, 0.01]])})
    fullest = table.loc[table["fraction"].idxmax()]
    assert abs(fullest["value"] - 0.83) < 1 / NUM_BINS
    assert fullest["fraction"] == 0.75


@pytest.mark.parametrize("gate", [0.5, 0.9, 0.99])
def test_half_is_left_after_a_half_life(gate: float) -> None:
    (steps,) = measure_half_lives(np.full((10, 1), gate))
    assert gate**steps == pytest.approx(0.5)


def test_half_life_is_that_of_the_product_of_all_gates_of_a_unit() -> None:
    """Of 0.9 and 0.1 by turns, 0.3 a step is left, and not 0.5."""
    (steps,) = measure_half_lives(np.array([[0.9], [0.1]] * 5))
    assert steps == pytest.approx(math.log(0.5) / math.log(0.3))
    np.testing.assert_allclose(measure_half_lives(np.array([[0.5, 0.25]])), [1, 0.5])
    assert measure_half_lives(np.ones((3, 1), np.float32))[0] == math.inf
    assert measure_half_lives(np.array([[1.0], [0.0]]))[0] == 0


@pytest.mark.parametrize(("cell", "state"), [("lstm", "cell"), ("gru", "hidden")])
def test_gate_that_keeps_is_the_one_that_multiplies_the_state(cell: str, state: str) -> None:
    """Of a state that is large beside all that is written, the step leaves as much as the gate says."""
    weights = draw_weights(np.random.default_rng(0), cell, 1, 1)
    if cell == "gru":  # Without recurrent weights, gates and candidate don't see the large state.
        weights = GRUWeights(weights.kernel, np.zeros_like(weights.recurrent_kernel), weights.bias)
    size = 1e9
    initial = unroll(weights, np.zeros((1, 1, 1))).states._replace(
        **{state: np.full((1, 1, 1), size)}
    )
    first = type(initial)(
        *(
            field[:, 0] * (name == state)
            for name, field in zip(initial._fields, initial, strict=True)
        )
    )
    trace = unroll(weights, np.ones((1, 1, 1)), initial=first)
    kept = getattr(trace.states, state)[0, 0, 0] / size
    assert kept == pytest.approx(getattr(trace.gates, CELLS[cell].keeping)[0, 0, 0], abs=1e-8)


def measure(weights, inputs, mask, trace, hidden_gradients, num_features: int) -> np.ndarray:
    """Of a layer by itself, from its equations."""
    gradients = backpropagate(weights, inputs, trace, hidden_gradients, mask).inputs
    return measure_gradient_by_lag(gradients[:, :, :num_features], mask, trace.backwards)


def test_gradient_by_lag_is_that_of_finite_differences(weights, inputs) -> None:
    """The sum of the last hidden state, by the value that was read two steps before the last."""
    mask = np.ones(inputs.shape[:2], bool)
    trace = unroll(weights, inputs)
    hidden_gradients = np.zeros_like(trace.states.hidden)
    hidden_gradients[:, -1] = 1
    measured = measure(weights, inputs, mask, trace, hidden_gradients, num_features=1)
    step = 1e-6
    outputs = []
    for sign in (-1, 1):
        moved = inputs.copy()
        moved[:, -3, 0] += sign * step
        outputs.append(unroll(weights, moved).states.hidden[:, -1].sum(axis=-1))
    expected = np.median(np.abs(outputs[1] - outputs[0]) / (2 * step))
    assert measured[2] == pytest.approx(expected, rel=1e-5)


def test_lag_counts_from_the_last_word_whatever_the_padding(weights, inputs, mask) -> None:
    """Each text by itself, without its padding, gives the same gradients."""
    trace = unroll(weights, inputs, mask)
    probe = np.zeros_like(trace.states.hidden)
    probe[:, -1] = 1
    measured = measure(weights, inputs, mask, trace, probe, num_features=3)
    alone = []
    for text, length in zip(inputs, mask.sum(axis=1), strict=True):
        one = text[None, :length]
        short = unroll(weights, one)
        last = np.zeros_like(short.states.hidden)
        last[:, -1] = 1
        alone.append(measure(weights, one, np.ones((1, length), bool), short, last, num_features=3))
    expected = np.median([gradient[:3] for gradient in alone], axis=0)
    np.testing.assert_allclose(measured[:3], expected)
    order = np.argsort(mask, axis=1, kind="stable")
    shifted = (
        np.take_along_axis(inputs, order[:, :, None], axis=1),
        np.take_along_axis(mask, order, axis=1),
    )
    both = []
    for values, is_read in ((inputs, mask), shifted):
        trace = unroll(weights, values, is_read)
        probe = probe_last_states(trace, is_read)
        both.append(measure(weights, values, is_read, trace, probe, num_features=3))
    np.testing.assert_allclose(both[0], both[1])
    # Three of five texts have five words or more, two have six.
    trace = unroll(weights, inputs, mask)
    probe = probe_last_states(trace, mask)
    assert len(measure(weights, inputs, mask, trace, probe, num_features=3)) == 5


def test_backward_layer_is_measured_in_the_order_in_which_it_reads(weights, inputs) -> None:
    measured = []
    mask = np.ones(inputs.shape[:2], bool)
    for values, backwards in ((inputs, False), (inputs[:, ::-1], True)):
        trace = unroll(weights, values, backwards=backwards)
        probe = probe_last_states(trace, mask)
        measured.append(measure(weights, values, mask, trace, probe, num_features=3))
    np.testing.assert_allclose(measured[0], measured[1])


def test_probe_asks_for_the_last_state(weights, inputs, mask) -> None:
    probe = probe_last_states(unroll(weights, inputs, mask), mask)
    assert np.all(np.abs(probe[:, -1]) == 1)
    assert not probe[:, :-1].any()


def test_probe_of_a_backward_layer_asks_for_the_first_state(weights, inputs, mask) -> None:
    probe = probe_last_states(unroll(weights, inputs, mask, backwards=True), mask)
    assert np.all(np.abs(probe[:, 0]) == 1)
    assert not probe[:, 1:].any()


def test_gradient_of_a_probe_is_that_of_backpropagation(weights, inputs, mask) -> None:
    layer = make_layer(weights, inputs, mask)
    probe = probe_last_states(layer.trace, mask)
    expected = backpropagate(weights, inputs, layer.trace, probe, mask).inputs
    np.testing.assert_allclose(differentiate(layer, probe), expected)


def test_gradient_of_a_float32_layer_is_float64(weights, inputs, mask) -> None:
    rough = type(weights)(*(array.astype(np.float32) for array in weights.to_list()))
    layer = make_layer(rough, inputs, mask)
    assert differentiate(layer, probe_last_states(layer.trace, mask)).dtype == np.float64


@pytest.mark.parametrize(
    ("gradient", "reach"),
    [
        ([1.0, 0.5, 0.05, 0.01], 2),
        ([0.5, 1.0, 0.09, 0.2, 0.01], 4),
        ([1.0, 0.5, 0.2], None),
        ([1.0, 0.1, 0.01], 2),
        ([2.0], None),
        ([0.0, 0.0], 0),
    ],
)
def test_reach_is_where_the_gradient_stays_below_a_tenth(
    gradient: list[float], reach: int | None
) -> None:
    assert find_reach(np.array(gradient)) == reach


# The summary and the tables say what the gates and gradients of the traces do.


MISSING: ClassifierSummary = {"is_missing": True, "origin": "none", "accuracy": {}, "num_texts": 0}


@pytest.fixture(scope="module")
def measured(forecast: Traces, traced) -> Any:
    return measure_traces(forecast, traced[0])


def test_summary_has_every_layer(forecast: Traces, traced, measured: Any) -> None:
    assert list(measured[0]["layers"]) == [*forecast.layers, *traced[0].layers]


def test_summary_has_the_origin_of_every_layer(measured: Any) -> None:
    assert {layer["origin"] for layer in measured[0]["layers"].values()} == {
        "trained by forecast",
        "made too",
    }


def test_steps_of_texts_are_their_words(
    sample: SampleSpec, reviews: tuple[str, ...], measured: Any
) -> None:
    lengths = [len(tokenize(text)) for text in (*sample.texts, reviews[1])]
    drawn = measured[0]["layers"]["sentiment_lstm_forward"]["num_steps"] - sum(lengths)
    possible = [len(tokenize(a)) + len(tokenize(b)) for a in reviews for b in reviews if a != b]
    assert drawn in possible


def test_median_half_life_is_that_of_the_table(measured: Any) -> None:
    summary, _, half_lives, _ = measured
    lives = np.sort(half_lives.query("layer == 'forecast_lstm'")["half_life"])
    assert summary["layers"]["forecast_lstm"]["half_life_steps"]["median"] == pytest.approx(
        lives[2]
    )


def test_half_lives_are_those_of_every_member(forecast: Traces, measured: Any) -> None:
    lives = measured[2].query("layer == 'forecast_gru'")["half_life"]
    members = [
        measure_half_lives(list_gates([layer])["update"])
        for layer in forecast.layers["forecast_gru"]
    ]
    np.testing.assert_allclose(lives, np.concatenate(members))


def test_largest_gradient_of_a_layer_is_1(measured: Any) -> None:
    assert measured[3].groupby("layer")["gradient"].max().to_numpy() == pytest.approx(1)


def test_gradients_by_lag_are_medians(forecast: Traces, measured: Any) -> None:
    by_lag = np.median(np.linalg.norm(forecast.gradients["forecast_lstm"][:, ::-1], axis=2), axis=0)
    shown = measured[3].query("layer == 'forecast_lstm'")["gradient"]
    np.testing.assert_allclose(shown, by_lag / by_lag.max(), rtol=1e-4)


def test_tables_have_every_layer(measured: Any) -> None:
    summary, *tables = measured
    assert all(list(dict.fromkeys(table["layer"])) == list(summary["layers"]) for table in tables)


def test_summary_has_the_classifier(traced, measured: Any) -> None:
    assert measured[0]["classifier"] == traced[0].classifier


def test_difference_of_a_layer_is_that_of_its_worst_member(forecast: Traces) -> None:
    one, other = forecast.layers["forecast_gru"]
    layers = [replace(one, max_difference=2e-7), replace(other, max_difference=1e-7)]
    summary = measure_traces(replace(forecast, layers={"forecast_gru": layers}))[0]
    assert summary["layers"]["forecast_gru"]["max_difference"] == 2e-7


def test_half_life_of_a_gate_that_never_closes_is_none(forecast: Traces) -> None:
    # As a JSON file has no infinity.
    layer = forecast.layers["forecast_gru"][0]
    gates = layer.trace.gates._replace(update=np.ones_like(layer.trace.gates.update))
    still = replace(
        forecast, layers={"forecast_gru": [replace(layer, trace=replace(layer.trace, gates=gates))]}
    )
    summary = measure_traces(still)[0]
    assert summary["layers"]["forecast_gru"]["half_life_steps"] == {
        "low": None,
        "median": None,
        "high": None,
    }


def test_measuring_does_not_change_the_gradients(forecast: Traces) -> None:
    before = {name: gradient.copy() for name, gradient in forecast.gradients.items()}
    measure_traces(forecast)
    assert all(
        np.array_equal(before[name], gradient) for name, gradient in forecast.gradients.items()
    )


def test_gradients_of_0_stay_0(forecast: Traces) -> None:
    # Its gradient is 0, and stays so.
    still = replace(
        forecast, gradients={name: 0 * gradient for name, gradient in forecast.gradients.items()}
    )
    summary, _, _, gradients = measure_traces(still)
    assert summary["layers"]["forecast_gru"]["reach_steps"] == 0
    assert not gradients["gradient"].any()


def test_a_missing_classifier_changes_nothing_else(forecast: Traces) -> None:
    summary, *tables = measure_traces(forecast, Traces({}, {}, {}, "none", MISSING))
    alone = measure_traces(forecast)
    assert summary == {**alone[0], "classifier": MISSING}
    for table, expected in zip(tables, alone[1:], strict=True):
        pd.testing.assert_frame_equal(table, expected)
