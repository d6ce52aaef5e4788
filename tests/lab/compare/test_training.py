"""Contenders see the same batches, padding never counts, and a training states what it reached and what it took."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.errors import TrainingError
from rnn_pipelines.lab.compare.comparison import compare_cells
from rnn_pipelines.lab.compare.jobs import list_jobs
from rnn_pipelines.lab.compare.specs import PlanSpec, TaskBook, TaskSpec
from rnn_pipelines.lab.compare.tasks.data import Contest, Sequences
from rnn_pipelines.networks.fan_out import ParallelSpec

pytestmark = pytest.mark.usefixtures("no_graphs")

SIZES = {"num_train": 40, "num_validation": 20, "num_test": 10}
DATA: dict[str, dict[str, Any]] = {
    "series": {"kind": "series", "source": {"name": "noisy_sine"}, "lookback": 4},
    "adding": {"kind": "adding", "num_steps": 4, **SIZES},
    "copy": {"kind": "copy", "delay": 2, **SIZES},
    "music": {"kind": "music", "file": "JSB_Chorales.mat"},
}
CONTENDERS = {"rnn": {"cell": "rnn", "units": 17}, "gru": {"cell": "gru", "units": 9}}
TRAINING = {
    "epochs": 3,
    "patience": 3,
    "batch_size": 8,
    "learning_rate": 0.01,
    "schedule": "constant",
    "weight_average": 0.0,
    "jit_compile": False,
}
# A sequence of each form: one target and one unit, one target, and targets at every step.
TRAINED = ("series", "adding", "music")
# Steps of adding's epochs: 40 sequences in batches of 8.
NUM_BATCHES = 5

Batch = tuple[np.ndarray, np.ndarray, np.ndarray]


def make_task(
    kind: str = "adding", training: dict[str, Any] | None = None, **changes: Any
) -> TaskSpec:
    """`changes` are of the data, but for those of the task itself."""
    own = {key: changes.pop(key) for key in ("steps_per_epoch", "learnt_below") if key in changes}
    return TaskSpec.model_validate(
        {
            "data": DATA[kind] | changes,
            "contenders": CONTENDERS,
            "training": TRAINING | (training or {}),
            **own,
        }
    )


@pytest.fixture(scope="module")
def train(music: Path) -> Callable[..., dict[str, Any]]:
    """Trains a simple RNN, whose graph is the fastest to trace, on a tiny task."""

    def train_one(kind: str = "adding", seed: int = 0, **changes: Any) -> dict[str, Any]:
        from rnn_pipelines.lab.compare.training import train_contender

        plan = PlanSpec(tasks=kind, music=str(music))
        job = list_jobs({kind: make_task(kind, **changes)}, plan)[seed]
        assert (job.contender, job.seed) == ("rnn", seed)
        return train_contender(job)

    return train_one


@pytest.fixture(scope="module")
def runs(train: Callable[..., dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {kind: train(kind) for kind in TRAINED}


@pytest.fixture(scope="module")
def contests(music: Path) -> dict[str, Contest]:
    return {kind: make_task(kind).data.prepare(0, str(music)) for kind in DATA}


def list_batches(
    sequences: Sequences, task: TaskSpec, seed: int | None = None, epochs: int = 1
) -> list[Batch]:
    from rnn_pipelines.lab.compare.training import batch_sequences

    batches = batch_sequences(sequences, task, seed)
    return [tuple(array.numpy() for array in batch) for _ in range(epochs) for batch in batches]


def order_for(cell: str, contest: Contest, seed: int = 0, **options: Any) -> list[Batch]:
    """Training batches as the network of one cell gets them: after it was built from the seed."""
    import keras

    from rnn_pipelines.lab.compare.training import build_contender

    task = make_task(**options)
    keras.utils.set_random_seed(seed)
    build_contender(
        task.contenders[cell], contest.num_inputs, contest.num_outputs, contest.every_step
    )
    return list_batches(contest.parts["train"], task, seed, epochs=2)


def test_batches_are_equal_for_contenders(contests: dict[str, Contest]) -> None:
    by_cell = [order_for(cell, contests["adding"]) for cell in CONTENDERS]
    for one, other in zip(*by_cell, strict=True):
        np.testing.assert_array_equal(one[0], other[0])


def test_batches_differ_by_epoch(contests: dict[str, Contest]) -> None:
    batches = order_for("rnn", contests["adding"])
    assert not np.array_equal(batches[0][0], batches[NUM_BATCHES][0])


def test_batches_differ_by_seed(contests: dict[str, Contest]) -> None:
    assert not np.array_equal(
        *(order_for("rnn", contests["adding"], seed)[0][0] for seed in (0, 1))
    )


def test_short_epochs_go_on_where_the_last_ended(contests: dict[str, Contest]) -> None:
    batches = order_for("rnn", contests["adding"], steps_per_epoch=1)
    assert not np.array_equal(batches[0][0], batches[1][0])


def test_order_is_the_same_whatever_a_network_draws(contests: dict[str, Contest]) -> None:
    import keras
    import tensorflow as tf

    orders = []
    for num_draws in (0, 3):
        keras.utils.set_random_seed(0)
        for _ in range(num_draws):
            tf.random.uniform(())
        orders.append(
            [
                batch[0]
                for batch in list_batches(contests["adding"].parts["train"], make_task(), seed=0)
            ]
        )
    np.testing.assert_array_equal(*orders)


def test_an_epoch_has_every_sequence_once_with_its_target(contests: dict[str, Contest]) -> None:
    train = contests["adding"].parts["train"]
    inputs = np.concatenate([batch[0] for batch in list_batches(train, make_task(), seed=0)])
    np.testing.assert_array_equal(np.unique(inputs, axis=0), np.unique(train.inputs, axis=0))
    assert len(inputs) == 40
    # The sum of the two marked numbers.
    for inputs, targets, _ in list_batches(contests["adding"].parts["train"], make_task(), seed=0):
        np.testing.assert_allclose(
            (inputs[:, :, 0] * inputs[:, :, 1]).sum(axis=1), targets[:, 0], rtol=1e-6
        )


@pytest.mark.parametrize(("steps", "expected"), [(2, 2), (9, NUM_BATCHES), (None, NUM_BATCHES)])
def test_an_epoch_has_the_steps_of_the_task_but_at_most_those_of_one_pass(
    contests: dict[str, Contest], steps: int | None, expected: int
) -> None:
    batches = list_batches(
        contests["adding"].parts["train"], make_task(steps_per_epoch=steps), seed=0
    )
    assert len(batches) == expected


def test_batches_to_measure_keep_the_order(
    contests: dict[str, Contest], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnn_pipelines.lab.compare import training as contenders

    monkeypatch.setattr(contenders, "EVALUATION_BATCH_SIZE", 7)
    validation = contests["adding"].parts["validation"]
    batches = list_batches(validation, make_task())
    np.testing.assert_array_equal(
        np.concatenate([batch[0] for batch in batches]), validation.inputs
    )


def test_batches_are_cut_at_their_longest_sequence_unless_compiled(
    contests: dict[str, Contest],
) -> None:
    """Of 4 sequences with 4, 11, 6 and 8 steps."""
    batches = list_batches(
        contests["music"].parts["train"], make_task("music", training={"batch_size": 2}), seed=0
    )
    lengths = [[array.shape[1] for array in batch] for batch in batches]
    assert lengths == [[int(batch[2].sum(axis=1).max())] * 3 for batch in batches]
    assert len({length[0] for length in lengths}) == 2
    task = make_task("music", training={"batch_size": 2, "jit_compile": True})
    batches = list_batches(contests["music"].parts["train"], task, seed=0)
    assert [batch[0].shape for batch in batches] == [(2, 11, 88)] * 2


def compute_loss(kind: str, contest: Contest, batch: Batch, outputs: np.ndarray) -> float:
    from rnn_pipelines.lab.compare.training import make_loss

    return float(make_loss(contest.loss)(batch[1], outputs, sample_weight=batch[2]))


@pytest.fixture(scope="module")
def outputs(contests: dict[str, Contest]) -> dict[str, np.ndarray]:
    """Some for the test part of each kind."""
    random = np.random.default_rng(0)
    shapes = {
        kind: (*contest.parts["test"].weights.shape, contest.num_outputs)
        for kind, contest in contests.items()
    }
    return {kind: random.normal(size=shape).astype("float32") for kind, shape in shapes.items()}


@pytest.mark.parametrize("kind", DATA)
def test_metric_is_the_loss_times_the_scale(
    contests: dict[str, Contest], outputs: dict, kind: str
) -> None:
    contest = contests[kind]
    test = contest.parts["test"]
    loss = compute_loss(kind, contest, (test.inputs, test.targets, test.weights), outputs[kind])
    assert contest.measure(outputs[kind], test) == pytest.approx(contest.scale * loss, rel=1e-5)


def test_loss_pools_the_steps_whatever_the_padding(
    contests: dict[str, Contest], outputs: dict
) -> None:
    """Of two sequences with 5 and 2 steps, and 4 steps of padding besides."""
    contest = contests["music"]
    test = contest.parts["test"]
    cut = (test.inputs, test.targets, test.weights)
    padded = tuple(np.pad(array, [(0, 0), (0, 4), *[(0, 0)] * (array.ndim - 2)]) for array in cut)
    wide = np.pad(outputs["music"], ((0, 0), (0, 4), (0, 0)), constant_values=7)
    one = compute_loss("music", contest, cut, outputs["music"])
    other = compute_loss("music", contest, padded, wide)
    assert one == pytest.approx(other, rel=1e-6)
    # 5 steps of one half for each note, and 2 steps that cost nothing.
    logits = np.zeros(test.targets.shape, "float32")
    logits[1] = 1e3 * (2 * test.targets[1] - 1)
    loss = compute_loss("music", contest, (test.inputs, test.targets, test.weights), logits)
    assert loss == pytest.approx(5 / 7 * 88 * np.log(2), rel=1e-5)


def test_run_has_the_stated_fields(runs: dict) -> None:
    assert list(runs["adding"]) == [
        "task",
        "cell",
        "seed",
        "num_recurrent_parameters",
        "num_parameters",
        "validation",
        "test",
        "seconds_per_epoch",
        "seconds_to_best",
        "compile_seconds",
        "num_threads",
        "epochs",
        "best_epoch",
        "steps_per_epoch",
        "steps_to_learn",
        "curve",
    ]


def test_losses_of_a_run_are_of_different_parts(runs: dict) -> None:
    assert all(run["validation"] != run["test"] for run in runs.values())


def test_run_counts_the_steps_of_an_epoch(runs: dict) -> None:
    assert runs["adding"]["steps_per_epoch"] == NUM_BATCHES


def test_run_depends_on_its_seed(runs: dict, train: Callable[..., dict[str, Any]]) -> None:
    reseeded = train("adding", seed=1)
    assert reseeded["curve"] != runs["adding"]["curve"]


@pytest.mark.parametrize("kind", TRAINED)
def test_kept_weights_are_those_of_the_best_epoch(runs: dict, kind: str) -> None:
    run = runs[kind]
    assert run["curve"][run["best_epoch"] - 1] == pytest.approx(run["validation"], rel=1e-4)


@pytest.mark.parametrize("kind", TRAINED)
def test_curve_has_a_point_for_each_epoch(runs: dict, kind: str) -> None:
    assert len(runs[kind]["curve"]) == runs[kind]["epochs"] == 3


@pytest.mark.parametrize("kind", TRAINED)
def test_the_best_epoch_is_within_the_training(runs: dict, kind: str) -> None:
    run = runs[kind]
    assert 0 <= run["seconds_to_best"] <= run["epochs"] * run["seconds_per_epoch"]


def test_weights_of_the_best_epoch_are_measured_after_worse_ones(
    train: Callable[..., dict[str, Any]],
) -> None:
    # Steps so large that an early epoch stays the best.
    misled = train("adding", training={"learning_rate": 1.0, "epochs": 6, "patience": 6})
    assert misled["best_epoch"] < misled["epochs"]
    assert misled["validation"] == pytest.approx(min(misled["curve"]), rel=1e-4)


def test_training_never_sees_the_test_part(
    runs: dict, train: Callable[..., dict[str, Any]]
) -> None:
    # The same training after others have moved the global random state; and with another test part.
    again = train("adding", num_test=50)
    assert again["curve"] == runs["adding"]["curve"]
    assert again["validation"] == runs["adding"]["validation"]
    assert again["test"] != runs["adding"]["test"]


@pytest.mark.parametrize(("kind", "num_inputs"), [("series", 1), ("adding", 2), ("music", 88)])
def test_recurrent_weights_are_those_of_the_formula(runs: dict, kind: str, num_inputs: int) -> None:
    assert runs[kind]["num_recurrent_parameters"] == 17 * (num_inputs + 17 + 1)


@pytest.mark.parametrize(("kind", "num_outputs"), [("series", 1), ("adding", 1), ("music", 88)])
def test_head_has_the_other_weights(runs: dict, kind: str, num_outputs: int) -> None:
    assert runs[kind]["num_parameters"] - runs[kind]["num_recurrent_parameters"] == 18 * num_outputs


@pytest.fixture
def describe(
    monkeypatch: pytest.MonkeyPatch, train: Callable[..., dict[str, Any]]
) -> Callable[..., dict[str, Any]]:
    """What is said of a training of four epochs and 2 s of compilation, which is not done."""
    from rnn_pipelines.lab.compare import training as contenders

    history = pd.DataFrame({"val_loss": [0.8, 0.3, 0.4, 0.2], "seconds": [5.0, 1.0, 2.0, 1.0]})

    def describe_one(best_epoch: int = 4, kind: str = "adding", **changes: Any) -> dict[str, Any]:
        record = {"training_seconds": 8.0, "compile_seconds": 2.0, "num_epochs": 4, "num_steps": 20}
        monkeypatch.setattr(
            contenders, "fit", lambda *_, **__: (history, record | {"best_epoch": best_epoch})
        )
        monkeypatch.setattr(contenders, "batch_sequences", lambda *_, **__: None)
        monkeypatch.setattr(contenders, "measure_part", lambda *_: 0.0)
        return train(kind, **changes)

    return describe_one


@pytest.mark.parametrize(
    ("bar", "steps"), [(0.9, 5), (0.8, 10), (0.35, 10), (0.25, 20), (0.2, None), (None, None)]
)
def test_steps_to_learn_end_with_the_first_epoch_below_the_bar(
    describe: Callable[..., dict[str, Any]], bar: float | None, steps: int | None
) -> None:
    assert describe(learnt_below=bar)["steps_to_learn"] == steps


def test_bound_of_learning_is_in_the_unit_of_the_series(
    describe: Callable[..., dict[str, Any]], contests: dict[str, Contest]
) -> None:
    """Losses are of scaled values."""
    variance = contests["series"].scale
    assert variance < 0.6
    assert describe(kind="series", learnt_below=0.35 * variance)["steps_to_learn"] == 10


def test_curve_is_in_the_unit_of_the_series(
    describe: Callable[..., dict[str, Any]], contests: dict[str, Contest]
) -> None:
    variance = contests["series"].scale
    expected = [variance * loss for loss in (0.8, 0.3, 0.4, 0.2)]
    assert describe(kind="series")["curve"] == pytest.approx(expected)


def test_seconds_of_an_epoch_leave_compilation_out(describe: Callable[..., dict[str, Any]]) -> None:
    assert describe()["seconds_per_epoch"] == pytest.approx(8 / 4)


@pytest.mark.parametrize(("best_epoch", "seconds"), [(1, 3), (2, 4), (4, 7)])
def test_seconds_to_best_are_those_of_the_epochs_up_to_it_without_compilation(
    describe: Callable[..., dict[str, Any]], best_epoch: int, seconds: float
) -> None:
    assert describe(best_epoch)["seconds_to_best"] == pytest.approx(seconds)


def test_loss_of_nan_names_the_training(
    monkeypatch: pytest.MonkeyPatch, contests: dict[str, Contest]
) -> None:
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        monkeypatch.setenv(name, os.environ.get(name, "2"))
    task = make_task(training={"epochs": 2})
    # More than parameters may ask for, so that it ends so for certain.
    training = task.training.model_copy(update={"learning_rate": 1e30})
    book = TaskBook({"wild": task.model_copy(update={"training": training})})
    with pytest.raises(
        TrainingError,
        match=r"^wild, rnn, seed 0: rnn: the loss is not finite .* training\.learning_rate",
    ):
        compare_cells(book, PlanSpec(tasks="wild"), {}, ParallelSpec(workers=1))
