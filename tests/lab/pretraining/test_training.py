"""The training on generated series: what is learnt, Keras against NumPy, and interruptions."""

from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

from rnn_pipelines.forecast.pretrained.kinds import PARTS
from rnn_pipelines.forecast.pretrained.network import LEVELS, MIDDLE, find_spread
from rnn_pipelines.forecast.pretrained.specs import PretrainSpec
from rnn_pipelines.lab.pretraining import training
from rnn_pipelines.lab.pretraining.generator import SeriesKind

pytestmark = pytest.mark.slow

SPEC = PretrainSpec(units=6, hidden=8, batch_size=32, num_steps=40, seed=3)
# The sums of the absolute weights of each array of the networks of `SPEC`.
RECORDED = {
    "gru": {
        "cell_0": 29.87854, "cell_1": 19.12501, "cell_2": 0.0273, "static_kernel": 26.8561, "first_bias": 0.00735,
        "state_kernel": 16.11548, "ahead_kernel": 28.35906, "second_kernel": 19.43383, "second_bias": 0.00736,
        "output_kernel": 0.06459, "output_bias": 0.00886,
    },
    "lstm": {
        "cell_0": 35.46388, "cell_1": 22.89857, "cell_2": 6.0154, "static_kernel": 26.85582, "first_bias": 0.00754,
        "state_kernel": 16.11145, "ahead_kernel": 28.3559, "second_kernel": 19.4303, "second_bias": 0.00801,
        "output_kernel": 0.06399, "output_bias": 0.00872,
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def small_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "NUM_GROUPS", 6)
    monkeypatch.setattr(training, "GROUP_SIZE", 32)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_numpy_computes_what_keras_computes(cell: str) -> None:
    model, _ = training.train(cell, SPEC)
    network = training.read_model(model)
    kind = SeriesKind(12, 30, 9)
    read, _ = training.draw_windows(np.random.default_rng(0), kind, 20)
    outputs = model.predict_on_batch([read.sequence, read.is_there, read.static, read.ahead])
    assert np.abs(outputs).max() > 0
    np.testing.assert_allclose(network.compute(read), outputs, atol=1e-4)


def test_training_lowers_the_loss() -> None:
    """Compared on windows of another seed, with the start, which is the seasonal naive forecast."""
    import keras

    spec = SPEC.model_copy(
        update={
            "num_steps": 400,
            "units": 16,
            "hidden": 64,
            "weight_average": 0.98,
            "learning_rate": 0.01,
        }
    )
    keras.utils.set_random_seed(0)
    start = training.build_model("gru", spec)
    trained = training.train("gru", spec)[0]
    batches = list(training.draw_batches(spec.model_copy(update={"seed": 99}), 0, PARTS))

    def measure(model: keras.Model) -> float:
        losses = [
            training.measure_loss(targets, model(inputs)).numpy() for inputs, targets in batches
        ]
        return float(np.median(np.concatenate([loss.mean(axis=1) for loss in losses])))

    assert measure(trained) < 0.97 * measure(start)


def test_learnt_levels_widen_normal_intervals_by_7_percent() -> None:
    outer = [level for level in range(len(LEVELS)) if level != MIDDLE]
    distances = [NormalDist().inv_cdf(float(training.LEARNT_LEVELS[level])) for level in outer]
    expected = [1.07 * NormalDist().inv_cdf(LEVELS[level]) for level in outer]
    np.testing.assert_allclose(distances, expected, rtol=2e-3)


def test_interrupted_training_resumes_with_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = training.read_model(training.train("gru", SPEC)[0]).to_arrays()
    again = training.read_model(training.train("gru", SPEC)[0]).to_arrays()
    rounds = 0
    draw = training.draw_batches

    def stop_at_third(*arguments: object) -> object:
        nonlocal rounds
        rounds += 1
        if rounds == 3:
            raise KeyboardInterrupt
        return draw(*arguments)

    monkeypatch.setattr(training, "draw_batches", stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        training.train("gru", SPEC, tmp_path / "gru.npz")
    assert (tmp_path / "gru.npz").exists()
    monkeypatch.setattr(training, "draw_batches", draw)
    resumed = training.read_model(training.train("gru", SPEC, tmp_path / "gru.npz")[0]).to_arrays()
    assert not (tmp_path / "gru.npz").exists()
    for name, array in whole.items():
        np.testing.assert_array_equal(array, again[name])
        np.testing.assert_array_equal(array, resumed[name])


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_small_network_is_rebuilt_from_its_seed(cell: str) -> None:
    """The order of sums, and so the last digits, depend on the CPU; another seed changes some by 10 %."""
    arrays = training.read_model(training.train(cell, SPEC)[0]).to_arrays()
    sums = {name: float(np.abs(array).sum(dtype="float64")) for name, array in arrays.items()}
    assert sums == pytest.approx(RECORDED[cell], rel=5e-3)


def test_targets_are_those_of_the_series() -> None:
    """The base of a series that repeats itself is exact."""
    rng = np.random.default_rng(0)
    kind = SeriesKind(4, 20, 8)
    read, targets = training.draw_windows(rng, kind, 50, parts=("season",))
    assert targets.shape == (len(read.base), 8)
    reach = training.LARGEST_TARGET * find_spread(8, 4)
    assert (np.abs(targets - read.base) <= reach + 1e-4).all()
    model, history = training.train("gru", SPEC.model_copy(update={"units": 0}))
    network = training.read_model(model)
    kind = SeriesKind(12, 30, 9)
    read, _ = training.draw_windows(np.random.default_rng(0), kind, 20)
    other = read._replace(sequence=0 * read.sequence)
    np.testing.assert_array_equal(network.compute(read), network.compute(other))
    inputs = [read.sequence, read.is_there, read.static, read.ahead]
    np.testing.assert_allclose(network.compute(read), model.predict_on_batch(inputs), atol=1e-4)
    assert history["step"].iloc[-1] == SPEC.num_steps
