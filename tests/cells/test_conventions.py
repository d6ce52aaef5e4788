"""Orders and counts are those of Keras."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from rnn_pipelines.cells.conventions import sigmoid
from rnn_pipelines.cells.registry import CELLS


def test_gates_of_the_lstm_are_in_the_order_of_keras() -> None:
    assert CELLS["lstm"].gates == ("input", "forget", "candidate", "output")


def test_gates_of_the_gru_are_in_the_order_of_keras() -> None:
    assert CELLS["gru"].gates == ("update", "reset", "candidate")


def test_the_default_gru_of_keras_resets_after_the_product() -> None:
    import keras

    assert keras.layers.GRU(1).reset_after is True


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("num_inputs", "units"), [(1, 1), (3, 8)])
def test_number_of_weights_is_that_of_the_layer_in_keras(
    cell: str, num_inputs: int, units: int
) -> None:
    from rnn_pipelines.networks.layers import find_layer

    layer = find_layer(CELLS[cell].keras_layer)(units)
    layer.build((None, None, num_inputs))
    assert CELLS[cell].count_weights(num_inputs, units) == layer.count_params()


@given(st.sampled_from(list(CELLS)), st.integers(1, 300), st.integers(1, 300))
def test_weights_by_gate_sum_to_all_weights(cell: str, num_inputs: int, units: int) -> None:
    assert sum(CELLS[cell].count_weights_by_gate(num_inputs, units).values()) == CELLS[
        cell
    ].count_weights(num_inputs, units)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("lstm", dict.fromkeys(["input", "forget", "candidate", "output"], 2 * (3 + 2 + 1))),
        ("gru", dict.fromkeys(["update", "reset", "candidate"], 2 * (3 + 2 + 2))),
        ("mingru", dict.fromkeys(["update", "candidate"], 2 * (3 + 1))),
    ],
)
def test_weights_of_a_gate_are_those_of_inputs_units_biases(
    cell: str, expected: dict[str, int]
) -> None:
    found = CELLS[cell].count_weights_by_gate(num_inputs=3, units=2)
    assert [*found.items()] == [*expected.items()]


@given(st.lists(st.floats(-700, 700), min_size=1))
def test_sigmoid_is_the_logistic_function(values: list[float]) -> None:
    np.testing.assert_allclose(sigmoid(np.array(values)), expit(values), rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_of_huge_numbers_is_0_or_1_without_overflow(dtype: type) -> None:
    with np.errstate(over="raise", invalid="raise"):
        found = sigmoid(np.array([-1e30, -1e4, 0, 1e4, 1e30], dtype))
    assert (found.tolist(), found.dtype) == ([0, 0, 0.5, 1, 1], dtype)


def test_sigmoid_of_nothing_is_nan() -> None:
    assert np.isnan(sigmoid(np.array([np.nan]))).all()
