"""The adding problem: two marked numbers, one in each half, and their sum."""

import numpy as np
import pytest

from rnn_pipelines.errors import TaskError
from rnn_pipelines.lab.compare.tasks.adding import make_adding
from rnn_pipelines.lab.compare.tasks.data import Sequences

LENGTHS = [2, 7]


def make(num_steps: int, num_sequences: int = 2_000, seed: int = 0) -> Sequences:
    return make_adding(num_sequences, num_steps, np.random.default_rng(seed))


def find_marked(num_steps: int) -> np.ndarray:
    """int64[num_sequences, 2], the places of the markers."""
    return np.array([np.flatnonzero(row) for row in make(num_steps).inputs[:, :, 1]])


def test_arrays_have_the_length_of_a_sequence() -> None:
    made = make(7, num_sequences=5)
    arrays = [made.inputs, made.targets, made.weights]
    assert [(array.dtype, array.shape) for array in arrays] == [
        (np.float32, (5, 7, 2)),
        (np.float32, (5, 1)),
        (np.float32, (5,)),
    ]


def test_every_sequence_counts() -> None:
    assert set(make(7).weights) == {1}


def test_guessing_the_mean_has_an_error_of_a_sixth() -> None:
    assert np.mean((make(7, num_sequences=100_000).targets - 1) ** 2) == pytest.approx(
        1 / 6, rel=0.01
    )


def test_a_sequence_of_one_step_is_refused() -> None:
    with pytest.raises(TaskError, match=r"at least 2.*received 1"):
        make(1)


def test_every_step_is_marked_equally_often() -> None:
    counts = np.bincount(find_marked(8).ravel(), minlength=8)
    np.testing.assert_allclose(counts, 2_000 / 4, rtol=0.15)


def test_the_places_of_both_markers_are_independent() -> None:
    assert abs(np.corrcoef(find_marked(50), rowvar=False)[0, 1]) < 0.1


def test_numbers_are_uniform() -> None:
    counts, _ = np.histogram(make(50).inputs[:, :, 0], bins=10, range=(0, 1))
    np.testing.assert_allclose(counts, 10_000, rtol=0.05)


@pytest.mark.parametrize("num_steps", LENGTHS)
def test_two_steps_are_marked(num_steps: int) -> None:
    markers = np.sort(make(num_steps).inputs[:, :, 1], axis=1)
    np.testing.assert_array_equal(markers, [[0] * (num_steps - 2) + [1, 1]] * len(markers))


@pytest.mark.parametrize("num_steps", LENGTHS)
def test_each_half_has_one_marker(num_steps: int) -> None:
    assert set(np.count_nonzero(find_marked(num_steps) < num_steps // 2, axis=1)) == {1}


@pytest.mark.parametrize("num_steps", LENGTHS)
def test_every_step_can_be_marked(num_steps: int) -> None:
    assert set(find_marked(num_steps).flat) == set(range(num_steps))


@pytest.mark.parametrize("num_steps", LENGTHS)
def test_the_target_is_the_sum_of_the_marked_steps(num_steps: int) -> None:
    made = make(num_steps)
    sums = [
        sum(number for number, marker in sequence if marker == 1)
        for sequence in made.inputs.tolist()
    ]
    np.testing.assert_allclose(made.targets[:, 0], sums, rtol=1e-6)
