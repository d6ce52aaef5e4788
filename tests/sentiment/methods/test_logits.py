"""Logits and probabilities of classes are the same numbers in other words, also in a table."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit, softmax

from rnn_pipelines.sentiment.methods.logits import (
    mark_classes,
    measure_log_loss,
    predict_classes,
    read_logits,
    tabulate_logits,
    to_logits,
    to_probabilities,
)


def test_probability_of_two_classes_is_logistic() -> None:
    logits = np.linspace(-30, 30, 61)
    np.testing.assert_allclose(to_probabilities(logits[:, None])[:, 1], expit(logits), rtol=1e-12)


def test_probability_of_three_classes_is_the_softmax() -> None:
    logits = np.random.default_rng(0).normal(0, 9, (50, 3))
    np.testing.assert_allclose(to_probabilities(logits), softmax(logits, axis=1), rtol=1e-12)


def test_probability_of_large_logits_is_0_or_1() -> None:
    logits = np.array([[-1e6], [0], [1e6]], np.float32)
    assert to_probabilities(logits)[:, 1].tolist() == [0.0, 0.5, 1.0]


OUTPUTS = st.sampled_from([1, 3, 5])


@given(OUTPUTS.flatmap(lambda num: arrays(float, (3, num), elements=st.floats(-12, 12))))
def test_logits_have_the_probabilities_they_come_from(logits: np.ndarray) -> None:
    probabilities = to_probabilities(logits)
    np.testing.assert_allclose(
        to_probabilities(to_logits(probabilities)), probabilities, atol=1e-12
    )


@pytest.mark.parametrize("probability", [0.0, 1e-9, 0.25, 1.0])
@pytest.mark.parametrize("num_others", [1, 2])
def test_logit_of_any_probability_is_finite(probability: float, num_others: int) -> None:
    shares = [[probability, *[(1 - probability) / num_others] * num_others]]
    logits = to_logits(np.array(shares))
    assert np.isfinite(logits).all()
    assert to_probabilities(logits)[0, 0] == pytest.approx(probability, abs=1e-14)


def test_loss_of_a_sure_mistake_is_its_logit() -> None:
    assert measure_log_loss(np.array([0, 1]), np.array([[1000], [-1000]], np.float32)) == 1000


def test_loss_of_a_guess_among_three_classes_is_the_logarithm_of_three() -> None:
    assert measure_log_loss(np.array([0, 2]), np.zeros((2, 3))) == pytest.approx(np.log(3))


def test_a_logit_above_0_is_the_second_class() -> None:
    assert predict_classes(np.array([[-1.0], [0.0], [0.1]])).tolist() == [0, 0, 1]


def test_the_largest_of_three_logits_is_the_class() -> None:
    assert predict_classes(np.array([[-1.0, -3.0, -2.0], [0.0, 1.0, 4.0]])).tolist() == [0, 2]


def test_two_classes_mark_the_second_one() -> None:
    assert mark_classes(np.array([0, 1]), 2).tolist() == [[False], [True]]


def test_three_classes_mark_each_one() -> None:
    expected = [[True, False, False], [False, False, True]]
    assert mark_classes(np.array([0, 2]), 3).tolist() == expected


@pytest.mark.parametrize("num_outputs", [1, 3])
def test_logits_in_a_table_come_back(num_outputs: int) -> None:
    logits = np.random.default_rng(0).normal(size=(5, num_outputs))
    others = tabulate_logits("gru_alone", -logits)
    table = pd.DataFrame({**others, **tabulate_logits("gru", logits), "label": "x"})
    np.testing.assert_array_equal(read_logits(table, "gru"), logits)


def test_logits_of_one_output_have_the_name_of_the_classifier() -> None:
    assert list(tabulate_logits("gru", np.zeros((1, 1)))) == ["gru"]


def test_logits_of_several_outputs_are_numbered() -> None:
    assert list(tabulate_logits("gru", np.zeros((1, 3)))) == ["gru 0", "gru 1", "gru 2"]
