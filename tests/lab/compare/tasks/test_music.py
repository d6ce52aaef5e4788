"""Piano rolls are read as they are or refused, padding never counts, and the losses are what loops compute."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import savemat
from scipy.stats import bernoulli

from rnn_pipelines.errors import TaskError
from rnn_pipelines.lab.compare.tasks.data import Sequences
from rnn_pipelines.lab.compare.tasks.music import (
    PUBLISHED,
    cut_rolls,
    measure_music_loss,
    measure_note_frequency_loss,
    pad_rolls,
    read_music,
)

Save = Callable[..., Path]


def make_rolls(*lengths: int, seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [(random.random((length, 88)) < 0.05).astype(np.uint8) for length in lengths]


ROLLS = make_rolls(5, 2, 9)


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Writes a file of music; parts that aren't given hold one roll each, those that are None are missing."""

    def write(**parts: list[np.ndarray] | None) -> Path:
        contents = dict.fromkeys(("traindata", "validdata", "testdata"), make_rolls(3)) | parts
        variables = {}
        for name, rolls in contents.items():
            if rolls is not None:
                variables[name] = np.empty((1, len(rolls)), object)
                variables[name][0] = rolls
        path = tmp_path / "music.mat"
        savemat(path, variables)
        return path

    return write


def fail(path: Path) -> str:
    """The message of the error that reading ends in."""
    with pytest.raises(TaskError) as caught:
        read_music(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    return message


@pytest.mark.parametrize(
    ("part", "name"), [("train", "traindata"), ("validation", "validdata"), ("test", "testdata")]
)
def test_each_part_holds_its_rolls_in_their_order(save: Save, part: str, name: str) -> None:
    found = read_music(save(**{name: ROLLS}))[part]
    for roll, expected in zip(found, ROLLS, strict=True):
        np.testing.assert_array_equal(roll, expected)


@pytest.mark.parametrize("dtype", [np.uint8, bool, np.float64])
def test_rolls_are_uint8_whatever_the_files_dtype(save: Save, dtype: type) -> None:
    rolls = read_music(save(traindata=[roll.astype(dtype) for roll in ROLLS]))["train"]
    assert {roll.dtype for roll in rolls} == {np.dtype(np.uint8)}


@pytest.mark.parametrize("suffix", [".pkl", ".PICKLE"])
def test_pickle_is_refused_with_the_reason(tmp_path: Path, suffix: str) -> None:
    assert "pickle" in fail(tmp_path / f"music{suffix}")


def test_a_pickle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "music.mat"
    path.write_bytes(b"\x80\x04" + bytes(200))
    assert "expected a MATLAB file" in fail(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "nowhere.mat" in fail(tmp_path / "nowhere.mat")


def test_other_contents_are_refused(save: Save) -> None:
    path = save()
    savemat(path, {"traindata": np.zeros((5, 88)), "validdata": 1.0, "testdata": "text"})
    assert "traindata: expected a cell array of piano rolls" in fail(path)


@pytest.mark.parametrize("name", ["traindata", "validdata", "testdata"])
def test_missing_part_is_named(save: Save, name: str) -> None:
    assert name in fail(save(**{name: None}))


def test_part_without_rolls_or_numbers_is_refused(save: Save) -> None:
    assert "testdata: expected a cell array of piano rolls, received none" in fail(
        save(testdata=[])
    )
    assert "validdata, cell 4: expected a piano roll" in fail(
        save(validdata=[*ROLLS, np.array(["text"])])
    )


@pytest.mark.parametrize(
    ("roll", "received"),
    [
        (np.zeros((5, 87), np.uint8), "the shape 5 × 87"),
        (np.zeros((88, 5), np.uint8), "the shape 88 × 5"),
        (np.zeros((5, 88, 2), np.uint8), "the shape 5 × 88 × 2"),
        (np.zeros((1, 88), np.uint8), "the shape 1 × 88"),
        (np.zeros((0, 0), np.uint8), "the shape 0 × 0"),
        (np.full((5, 88), 2, np.uint8), "the value 2"),
        (np.full((5, 88), 0.5), "the value 0.5"),
        (np.full((5, 88), -1, np.int8), "the value -1"),
        (np.full((5, 88), np.nan), "the value nan"),
    ],
)
def test_what_is_no_piano_roll_is_refused_with_its_place(
    save: Save, roll: np.ndarray, received: str
) -> None:
    message = fail(save(validdata=[*ROLLS, roll]))
    assert "validdata, cell 4: expected a piano roll, time × 88 with at least 2 steps" in message
    assert f"received {received}." in message


@pytest.mark.parametrize("num_bytes", [0, 130])
def test_file_that_is_cut_off_is_refused(save: Save, num_bytes: int) -> None:
    path = save(traindata=ROLLS)
    path.write_bytes(path.read_bytes()[:num_bytes])
    assert str(path) in fail(path)


@pytest.mark.parametrize("number", [0, 2])
def test_inputs_are_the_steps_but_the_last(number: int) -> None:
    roll = ROLLS[number]
    np.testing.assert_array_equal(pad_rolls(ROLLS).inputs[number, : len(roll) - 1], roll[:-1])


@pytest.mark.parametrize("number", [0, 2])
def test_targets_are_the_steps_but_the_first(number: int) -> None:
    roll = ROLLS[number]
    np.testing.assert_array_equal(pad_rolls(ROLLS).targets[number, : len(roll) - 1], roll[1:])


def test_weights_are_1_at_steps_with_a_target() -> None:
    assert pad_rolls(ROLLS).weights.tolist() == [[1] * 4 + [0] * 4, [1] + [0] * 7, [1] * 8]


def test_rolls_are_padded_to_the_longest_one() -> None:
    padded = pad_rolls(ROLLS)
    arrays = [padded.inputs, padded.targets, padded.weights]
    assert [(array.dtype, array.shape) for array in arrays] == [
        (np.float32, (3, 8, 88)),
        (np.float32, (3, 8, 88)),
        (np.float32, (3, 8)),
    ]


def test_no_rolls_are_an_empty_array() -> None:
    assert pad_rolls([]).inputs.shape == (0, 0, 88)


def test_rolls_are_cut_into_stretches() -> None:
    assert [len(stretch) - 1 for stretch in cut_rolls(ROLLS, 3)] == [3, 1, 1, 3, 3, 2]


def test_loss_of_note_frequencies_is_that_of_a_loop() -> None:
    test = make_rolls(4, 6, seed=1)
    found = measure_note_frequency_loss(pad_rolls(ROLLS), pad_rolls(test))
    assert found == pytest.approx(compute_note_frequency_loss(ROLLS, test))


def test_loss_of_note_frequencies_is_finite_for_new_notes() -> None:
    train = [np.zeros((3, 88))]
    test = [np.ones((2, 88))]
    assert measure_note_frequency_loss(pad_rolls(train), pad_rolls(test)) == pytest.approx(
        88 * math.log(4)
    )


@pytest.mark.parametrize("name", ["inputs", "targets"])
def test_padding_is_silent(name: str) -> None:
    padded = pad_rolls(ROLLS)
    assert not getattr(padded, name)[padded.weights == 0].any()


@pytest.mark.parametrize("num_steps", [1, 4])
def test_every_target_is_in_one_stretch_with_the_step_before_it(num_steps: int) -> None:
    targets = [stretch[1:] for stretch in cut_rolls(ROLLS, num_steps)]
    np.testing.assert_array_equal(
        np.concatenate(targets), np.concatenate([roll[1:] for roll in ROLLS])
    )
    inputs = [stretch[:-1] for stretch in cut_rolls(ROLLS, num_steps)]
    np.testing.assert_array_equal(
        np.concatenate(inputs), np.concatenate([roll[:-1] for roll in ROLLS])
    )


def make_logits(sequences: Sequences, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(-2, 3, sequences.targets.shape).astype(np.float32)


def test_loss_is_the_negative_log_likelihood_of_all_notes_over_the_steps() -> None:
    sequences = pad_rolls(ROLLS)
    logits = make_logits(sequences)
    total = 0.0
    for row, roll in zip(logits, ROLLS, strict=True):
        probabilities = 1 / (1 + np.exp(-row[: len(roll) - 1].astype(float)))
        total -= bernoulli.logpmf(roll[1:], probabilities).sum()
    assert measure_music_loss(logits, sequences) == pytest.approx(total / (4 + 1 + 8))


def test_loss_of_guesses_is_that_of_a_coin_for_each_note() -> None:
    sequences = pad_rolls(ROLLS)
    assert measure_music_loss(np.zeros((3, 8, 88)), sequences) == pytest.approx(88 * math.log(2))


def test_loss_weighs_every_step_alike() -> None:
    # A silent roll of 3 targets and one of 1; every note is given 1/2 in the first, and 0 in the second.
    sequences = pad_rolls([np.zeros((4, 88)), np.zeros((2, 88))])
    logits = np.stack([np.zeros((3, 88)), np.full((3, 88), -50.0)])
    assert measure_music_loss(logits, sequences) == pytest.approx(3 / 4 * 88 * math.log(2))


def test_loss_of_certain_errors_is_finite() -> None:
    sequences = pad_rolls([np.zeros((2, 88))])
    assert measure_music_loss(np.full((1, 1, 88), 1_000, np.float32), sequences) == 88_000


def test_measuring_a_loss_changes_no_array() -> None:
    sequences = pad_rolls(ROLLS)
    logits = make_logits(sequences)
    before = logits.copy(), sequences.targets.copy()
    measure_music_loss(logits, sequences)
    np.testing.assert_array_equal(logits, before[0])
    np.testing.assert_array_equal(sequences.targets, before[1])


@given(st.floats(allow_nan=True, allow_infinity=True, width=32), st.integers(0, 1))
def test_what_stands_in_padding_never_changes_the_loss(logit: float, target: int) -> None:
    sequences = pad_rolls(ROLLS)
    is_padding = sequences.weights == 0
    logits = make_logits(sequences)
    targets = sequences.targets.copy()
    expected = measure_music_loss(logits, sequences)
    logits[is_padding], targets[is_padding] = logit, target
    assert (
        measure_music_loss(logits, Sequences(sequences.inputs, targets, sequences.weights))
        == expected
    )


@pytest.mark.parametrize("amount", [1, 50])
def test_more_padding_never_changes_the_loss(amount: int) -> None:
    sequences = pad_rolls(ROLLS)
    logits = make_logits(sequences)
    wide = ((0, 0), (0, amount), (0, 0))
    padded = Sequences(
        np.pad(sequences.inputs, wide),
        np.pad(sequences.targets, wide),
        np.pad(sequences.weights, wide[:2]),
    )
    found = measure_music_loss(np.pad(logits, wide, constant_values=7), padded)
    assert found == measure_music_loss(logits, sequences)


def compute_note_frequency_loss(train: list[np.ndarray], test: list[np.ndarray]) -> float:
    """Step by step and note by note."""
    heard = [step.tolist() for roll in train for step in roll[1:]]
    frequencies = [(sum(step[note] for step in heard) + 1) / (len(heard) + 2) for note in range(88)]
    losses = [
        -sum(
            math.log(p if note else 1 - p)
            for note, p in zip(step.tolist(), frequencies, strict=True)
        )
        for roll in test
        for step in roll[1:]
    ]
    return sum(losses) / len(losses)


@pytest.mark.parametrize("music", ["JSB_Chorales.mat", "Nottingham.mat"])
def test_every_published_row_names_the_three_cells(music: str) -> None:
    assert [set(row) for row in PUBLISHED[music].values()] == [{"rnn", "gru", "lstm"}] * 2


COUNTS = [("JSB_Chorales", [229, 76, 77]), ("Nottingham", [694, 173, 170])]


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "counts"), COUNTS)
def test_parts_have_the_stated_numbers_of_rolls(
    real_data: Path, name: str, counts: list[int]
) -> None:
    music = read_music(real_data / f"music/{name}.mat")
    assert [len(music[part]) for part in ("train", "validation", "test")] == counts


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "num_steps"), [("JSB_Chorales", 160), ("Nottingham", 1_793)])
def test_longest_roll_has_the_stated_steps(real_data: Path, name: str, num_steps: int) -> None:
    music = read_music(real_data / f"music/{name}.mat")
    assert max(len(roll) for rolls in music.values() for roll in rolls) == num_steps


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "loss"), [("JSB_Chorales", 11.09), ("Nottingham", 10.26)])
def test_note_frequencies_of_real_music_have_the_stated_loss(
    real_data: Path, name: str, loss: float
) -> None:
    music = read_music(real_data / f"music/{name}.mat")
    found = measure_note_frequency_loss(pad_rolls(music["train"]), pad_rolls(music["test"]))
    assert found == pytest.approx(loss, abs=0.005)
