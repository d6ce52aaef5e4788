"""Both engines take the same steps, and a training without a GPU does not load TensorFlow."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnn_pipelines.networks import trainer as engines
from rnn_pipelines.networks.members import MemberShape, draw_masks, initialize_members
from rnn_pipelines.networks.trainer import Batch, StepSettings, Trainer, choose_engine, make_trainer

NUM_MEMBERS, NUM_STEPS = 2, 50
SHAPES = {
    "lstm": MemberShape("lstm", 2, 0, (4,), 0, 2),
    "gru": MemberShape("gru", 2, 0, (4,), 0, 2),
    "lstm stack": MemberShape("lstm", 2, 3, (5, 3), 2, 2),
    "gru stack": MemberShape("gru", 2, 3, (5, 3), 2, 2),
}
LARGE = MemberShape("lstm", 2, 0, (256, 128), 0, 2)


def draw_batch(shape: MemberShape, step: int) -> Batch:
    """Of 6 steps and 8 or 9 windows, as parts of a series have different sizes."""
    rng, size = np.random.default_rng([7, step]), 8 + step % 2
    return Batch(
        rng.normal(size=(6, size, shape.num_inputs)).astype(np.float32),
        rng.normal(size=(size, shape.num_static_inputs)).astype(np.float32),
        rng.normal(size=(NUM_MEMBERS, size, shape.num_outputs)).astype(np.float32),
        rng.random((NUM_MEMBERS, size, 1)) > 0.2,
        draw_masks((0, step), 0.2 * (len(shape.units) > 1), shape.units, NUM_MEMBERS, size),
    )


def make(engine: Any, shape: MemberShape, is_absolute: bool = False) -> Trainer:
    settings = StepSettings(0.01, 0.98, clip_norm=0.5, is_absolute=is_absolute)
    return make_trainer(engine, initialize_members(0, NUM_MEMBERS, shape), settings)


@pytest.mark.parametrize("name", SHAPES)
def test_fifty_steps_of_the_engines_agree(name: str) -> None:
    """Losses, weights, running means and both means of Adam, from one seed, with clipping; of stacks with dropout."""
    shape = SHAPES[name]
    numpy, keras = (make(engine, shape, is_absolute=name == "gru") for engine in ("numpy", "keras"))
    for step in range(NUM_STEPS):
        batch = draw_batch(shape, step)
        assert numpy.step(batch) == pytest.approx(keras.step(batch), abs=1e-4)
    assert numpy.num_steps == keras.num_steps == NUM_STEPS
    one, other = numpy.list_state(), keras.list_state()
    assert one.keys() == other.keys()
    for key, array in one.items():
        np.testing.assert_allclose(other[key], array, rtol=0, atol=1e-4, err_msg=key)
    steps, static_inputs, *_ = draw_batch(shape, 0)
    found = [trainer.forward(1, steps, static_inputs) for trainer in (numpy, keras)]
    np.testing.assert_allclose(*found, rtol=0, atol=1e-4)


@pytest.mark.parametrize("engine", ["numpy", "keras"])
def test_state_continues_bit_for_bit(engine: str) -> None:
    shape = SHAPES["gru stack"]
    whole, half, resumed = (make(engine, shape) for _ in range(3))
    for step in range(4):
        whole.step(draw_batch(shape, step))
    for step in range(2):
        half.step(draw_batch(shape, step))
    resumed.set_state({name: array.copy() for name, array in half.list_state().items()}, half.num_steps)
    for step in range(2, 4):
        resumed.step(draw_batch(shape, step))
    for name, array in resumed.list_state().items():
        np.testing.assert_array_equal(array, whole.list_state()[name])


def test_copies_of_the_running_mean_do_not_change() -> None:
    for engine in ("numpy", "keras"):
        trainer = make(engine, SHAPES["lstm"])
        before = trainer.copy_averages()
        kept = {name: array.copy() for name, array in before.items()}
        trainer.step(draw_batch(SHAPES["lstm"], 0))
        for name, array in kept.items():
            np.testing.assert_array_equal(before[name], array)


# The choice of the engine


@pytest.mark.parametrize("engine", ["numpy", "keras"])
def test_engine_is_the_one_that_was_asked_for(engine: Any) -> None:
    assert choose_engine(engine, LARGE, 4096) == engine


def test_without_a_gpu_numpy_is_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(engines, "GPU_FILES", (tmp_path / "nvidiactl",))
    assert choose_engine("auto", LARGE, 4096) == "numpy"


@pytest.mark.parametrize(("batch_size", "engine"), [(4096, "keras"), (16, "numpy")])
def test_gpu_is_taken_for_large_networks_and_batches(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, batch_size: int, engine: str
) -> None:
    from rnn_pipelines.networks import keras_trainer

    monkeypatch.setattr(engines, "GPU_FILES", (tmp_path,))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(keras_trainer, "has_gpu", lambda: True)
    assert choose_engine("auto", LARGE, batch_size) == engine


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_hidden_gpu_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, hidden: str) -> None:
    monkeypatch.setattr(engines, "GPU_FILES", (tmp_path,))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert not engines.may_have_gpu()


def test_choice_without_a_gpu_does_not_load_tensorflow() -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom rnn_pipelines.networks import trainer\n"
        "from rnn_pipelines.networks.members import MemberShape\n"
        "trainer.GPU_FILES = (Path('/none'),)\n"
        "print(trainer.choose_engine('auto', MemberShape('lstm', 2, 0, (1024,), 0, 2), 4096),"
        " *{'keras', 'tensorflow'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.split() == ["numpy"]
