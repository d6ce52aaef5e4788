"""The training loop does what its spec says and keeps quiet when it is told to."""

import logging
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnn_pipelines.networks.specs import TrainingSpec

TRAINING = TrainingSpec(
    epochs=3, patience=3, batch_size=4, schedule="constant", weight_average=0.0, jit_compile=False
)
BreakOff = Callable[[int], AbstractContextManager[None]]
# 20 examples in batches of 4.
NUM_BATCHES = 5


def train(is_quiet: bool = True, **options: object) -> tuple[Any, Any, dict[str, Any]]:
    """Trains a linear model: the model, its history and the record."""
    import keras
    import tensorflow as tf

    from rnn_pipelines.networks.fit import Limits, fit

    keras.utils.set_random_seed(0)
    inputs = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")
    batches = tf.data.Dataset.from_tensor_slices((inputs, inputs.sum(axis=1, keepdims=True))).batch(
        4
    )
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)], name="linear")
    return model, *fit(
        model,
        "mse",
        (batches, batches),
        TRAINING.model_copy(update=options),
        Limits(is_quiet=is_quiet),
    )


@pytest.mark.parametrize("clip_norm", [0.5, None])
def test_gradients_of_all_weights_together_are_clipped_at_the_norm_of_the_spec(
    clip_norm: float | None,
) -> None:
    optimizer = train(epochs=1, clip_norm=clip_norm)[0].optimizer
    assert (optimizer.global_clipnorm, optimizer.clipnorm, optimizer.clipvalue) == (
        clip_norm,
        None,
        None,
    )


def test_clipped_gradients_learn_less() -> None:
    """Only Adam's epsilon sees the length of gradients that are all shortened alike, so they must be very short."""
    one, other = (train(epochs=1, clip_norm=clip_norm)[1] for clip_norm in (1e-9, None))
    assert one["val_loss"][0] > other["val_loss"][0]


def test_record_counts_the_steps() -> None:

    model, _history, record = train()
    assert record["num_steps"] == 3 * NUM_BATCHES == int(model.optimizer.iterations)


def test_the_first_epoch_alone_pays_for_compilation() -> None:

    _model, history, record = train()
    assert history["seconds"].sum() <= record["training_seconds"] + record["compile_seconds"]
    assert history["seconds"][1:].max() < record["compile_seconds"] <= history["seconds"][0]


@pytest.mark.parametrize("is_quiet", [True, False])
def test_quiet_training_shows_neither_lines_nor_a_bar(
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    is_quiet: bool,
) -> None:
    with caplog.at_level(logging.INFO, "rnn_pipelines"):
        train(is_quiet, epochs=1)
    assert len(caplog.messages) == (not is_quiet)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    train(is_quiet, epochs=1)
    assert ("linear" in capsys.readouterr().err) is not is_quiet


def train_within(
    checkpoint: Path | None = None,
    fingerprint: str = "",
    max_seconds: float | None = None,
    **options,
):
    """Trains a network with dropout on shuffled batches, within limits: the model, its history and the record."""
    import keras
    import tensorflow as tf

    from rnn_pipelines.networks.fit import Limits, fit

    keras.utils.set_random_seed(0)
    inputs = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")
    rows = tf.data.Dataset.from_tensor_slices((inputs, inputs.sum(axis=1, keepdims=True)))
    layers = [
        keras.Input((3,)),
        keras.layers.Dense(4),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(1),
    ]
    model = keras.Sequential(layers, name="dropping")
    batches = rows.shuffle(20, seed=3).batch(4), rows.batch(4)
    training = TRAINING.model_copy(
        update={"epochs": 8, "learning_rate": 0.05, "patience": 8, **options}
    )
    return model, *fit(
        model, "mse", batches, training, Limits(max_seconds, checkpoint, fingerprint, True)
    )


def interrupt(break_off: BreakOff, checkpoint: Path, epoch: int, **options: object) -> None:
    """Trains until an epoch (from 0) has begun, and breaks off."""
    with break_off(epoch):
        train_within(checkpoint, **options)


# Averaged weights and a falling rate; weights whose best epoch lies before the interruption; another schedule.
SETTINGS = [
    {"weight_average": 0.9, "schedule": "plateau", "patience": 4},
    {"learning_rate": 1.0, "patience": 7},
    {"schedule": "cosine"},
]


@pytest.mark.slow
@pytest.mark.parametrize("options", SETTINGS, ids=["averaged", "best is past", "cosine"])
def test_interrupted_training_ends_as_one_that_was_not(
    tmp_path: Path, break_off: BreakOff, options: dict
) -> None:
    """Weights, losses, rates and epochs are the same to the last digit."""
    model, history, record = train_within(**options)
    checkpoint = tmp_path / "deep" / "one.npz"
    interrupt(break_off, checkpoint, 2, **options)
    interrupt(break_off, checkpoint, 3, **options)
    resumed, its_history, its_record = train_within(checkpoint, **options)
    for one, other in zip(model.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    columns = ["epoch", "loss", "val_loss", "learning_rate", "is_best"]
    assert history[columns].equals(its_history[columns])
    for key in ("num_epochs", "num_steps", "best_epoch"):
        assert record[key] == its_record[key]


def test_interrupted_training_resumes_after_its_last_epoch(
    tmp_path: Path, break_off: BreakOff, caplog: pytest.LogCaptureFixture
) -> None:
    interrupt(break_off, tmp_path / "one.npz", 4)
    with caplog.at_level(logging.INFO, "rnn_pipelines"):
        train_within(tmp_path / "one.npz")
    assert caplog.messages == ["dropping: resumed after epoch 4"]


def test_training_that_ended_leaves_no_checkpoint(tmp_path: Path, break_off: BreakOff) -> None:
    interrupt(break_off, tmp_path / "one.npz", 4)
    train_within(tmp_path / "one.npz")
    assert os.listdir(tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "change", [{"fingerprint": "other data"}, {"learning_rate": 0.01}], ids=["data", "setting"]
)
def test_checkpoint_of_another_training_is_not_taken_up(
    tmp_path: Path, break_off: BreakOff, change: dict
) -> None:
    interrupt(break_off, tmp_path / "one.npz", 4)
    found = train_within(tmp_path / "one.npz", **change)[1]
    expected = train_within(**change)[1]
    assert found["loss"].equals(expected["loss"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "keep", [0, 100, 0.5, 0.99], ids=["empty", "beginning", "half", "almost all"]
)
def test_damaged_checkpoint_is_not_taken_up(
    tmp_path: Path, break_off: BreakOff, keep: float
) -> None:
    checkpoint = tmp_path / "one.npz"
    interrupt(break_off, checkpoint, 2)
    content = checkpoint.read_bytes()
    checkpoint.write_bytes(content[: keep if isinstance(keep, int) else int(keep * len(content))])
    assert train_within(checkpoint)[1]["loss"].equals(train_within()[1]["loss"])


def test_training_out_of_time_has_the_weights_that_were_validated() -> None:
    _, history, record = train_within(max_seconds=1e-9)
    assert (len(history), record["best_epoch"]) == (1, 1)
    # And not those before averaging.
    model, history, _ = train_within(max_seconds=1e-9, weight_average=0.9)
    inputs = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")
    found = np.mean((model(inputs).numpy() - inputs.sum(axis=1, keepdims=True)) ** 2)
    assert found == pytest.approx(history["val_loss"].iloc[-1], rel=1e-5)


def test_time_before_an_interruption_counts(tmp_path: Path, break_off: BreakOff) -> None:
    interrupt(break_off, tmp_path / "one.npz", 4, epochs=200, patience=200)
    history = train_within(tmp_path / "one.npz", max_seconds=1e-9, epochs=200, patience=200)[1]
    assert len(history) == 5
