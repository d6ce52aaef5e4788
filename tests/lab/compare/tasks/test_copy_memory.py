"""Copy memory: symbols, a delay, a marker, and the symbols again."""

import numpy as np
import pytest

from rnn_pipelines.errors import TaskError
from rnn_pipelines.lab.compare.tasks.copy_memory import (
    BLANK,
    MARKER,
    NUM_CLASSES,
    NUM_SYMBOLS,
    compute_memoryless_loss,
    make_copy_memory,
)
from rnn_pipelines.lab.compare.tasks.data import Sequences

DELAYS = [1, 30]


def make(delay: int, num_sequences: int = 500, seed: int = 0) -> Sequences:
    return make_copy_memory(num_sequences, delay, np.random.default_rng(seed))


def list_ids(made: Sequences) -> list[list[int]]:
    return made.inputs.argmax(axis=2).tolist()


def test_arrays_have_the_length_of_a_sequence() -> None:
    made = make(30, num_sequences=5)
    arrays = [made.inputs, made.targets, made.weights]
    assert [(array.dtype, array.shape) for array in arrays] == [
        (np.float32, (5, 50, 10)),
        (np.int32, (5, 50)),
        (np.float32, (5, 50)),
    ]


def test_inputs_are_one_hot() -> None:
    inputs = make(30).inputs
    assert (set(inputs.flat), set(inputs.sum(axis=2).flat)) == ({0, 1}, {1})


def test_numbers_of_classes_are_those_of_the_task() -> None:
    assert (NUM_SYMBOLS, BLANK, MARKER, NUM_CLASSES) == (8, 8, 9, 9)


def test_every_step_counts() -> None:
    assert set(make(30).weights.flat) == {1}


def test_a_delay_of_0_is_refused() -> None:
    with pytest.raises(TaskError, match=r"at least 1.*received 0"):
        make(0)


def test_symbols_are_equally_likely() -> None:
    symbols = make(1, num_sequences=8_000).targets[:, -10:]
    counts = np.array([np.bincount(column, minlength=8) for column in symbols.T])
    np.testing.assert_allclose(counts, 1_000, rtol=0.15)


def test_symbols_are_independent() -> None:
    symbols = make(1, num_sequences=8_000).targets[:, -10:]
    assert abs(np.corrcoef(symbols[:, :-1].ravel(), symbols[:, 1:].ravel())[0, 1]) < 0.02


def test_loss_without_memory_is_that_of_the_paper() -> None:
    assert compute_memoryless_loss(1_000) == pytest.approx(0.0204, abs=5e-5)


@pytest.mark.parametrize("delay", DELAYS)
def test_sequence_begins_with_symbols(delay: int) -> None:
    assert {symbol for row in list_ids(make(delay)) for symbol in row[:10]} == set(range(8))


@pytest.mark.parametrize("delay", DELAYS)
def test_sequence_has_a_marker_after_the_delay(delay: int) -> None:
    tails = {tuple(row[10:]) for row in list_ids(make(delay))}
    assert tails == {(*[8] * (delay - 1), 9, *[8] * 10)}


@pytest.mark.parametrize("delay", DELAYS)
def test_targets_are_blank_up_to_the_marker(delay: int) -> None:
    made = make(delay)
    assert set(made.targets[:, : list_ids(made)[0].index(9) + 1].flat) == {8}


@pytest.mark.parametrize("delay", DELAYS)
def test_inputs_are_blank_after_the_marker(delay: int) -> None:
    made = make(delay)
    assert [row[row.index(9) + 1 :] for row in list_ids(made)] == [[8] * 10] * 500


@pytest.mark.parametrize("delay", DELAYS)
def test_targets_end_with_the_symbols_of_the_sequence(delay: int) -> None:
    made = make(delay)
    assert made.targets[:, delay + 10 :].tolist() == [row[:10] for row in list_ids(made)]


@pytest.mark.parametrize("delay", DELAYS)
def test_loss_without_memory_is_the_cross_entropy_of_its_probabilities(delay: int) -> None:
    # Cross-entropy of its probabilities, computed step by step.
    targets = make(delay).targets
    probabilities = np.zeros((*targets.shape, NUM_CLASSES))
    probabilities[:, :-10, BLANK] = 1
    probabilities[:, -10:, :NUM_SYMBOLS] = 1 / 8
    losses = -np.log(np.take_along_axis(probabilities, targets[:, :, None], axis=2))
    assert losses.mean() == pytest.approx(compute_memoryless_loss(delay))
