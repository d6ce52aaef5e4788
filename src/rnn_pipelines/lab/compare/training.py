"""Training and evaluation of one network of a comparison."""

from typing import Any

import keras
import pandas as pd
import tensorflow as tf
from keras import layers

from rnn_pipelines.lab.compare.contenders import NETWORKS, ContenderSpec
from rnn_pipelines.lab.compare.jobs import Job
from rnn_pipelines.lab.compare.records import RunWithCurve
from rnn_pipelines.lab.compare.specs import TaskSpec
from rnn_pipelines.lab.compare.tasks.data import Contest, Loss, Sequences
from rnn_pipelines.networks.fan_out import count_threads
from rnn_pipelines.networks.fit import Limits, fit
from rnn_pipelines.networks.layers import find_layer
from rnn_pipelines.networks.memory import estimate_recurrent_bytes, require_memory
from rnn_pipelines.networks.records import TrainingRecord

RECURRENT = "recurrent"
EVALUATION_BATCH_SIZE = 1_000


def train_contender(job: Job) -> RunWithCurve:
    """Train one network and measure its validation and test loss."""
    (contender,) = job.spec.contenders.values()
    contest = job.spec.data.prepare(job.seed, job.music)
    num_sequences, num_steps, num_inputs = contest.parts["train"].inputs.shape
    batch_size = min(job.spec.training.batch_size, num_sequences)
    task = f"compare.tasks.{job.task}"
    require_memory(
        estimate_recurrent_bytes(4, num_inputs, contender.units, num_steps, batch_size),
        f"training {job.contender} on {job.task} with {contender.units} units and batches of {batch_size:,}",
        f"{task}.contenders.{job.contender}.units, {task}.training.batch_size and the steps of {task}.data",
    )
    # Frees the graphs of earlier trainings in the same process.
    keras.backend.clear_session()
    keras.utils.set_random_seed((job.spec.training.seed + job.seed) % 2**32)
    model = build_contender(contender, contest.num_inputs, contest.num_outputs, contest.every_step)
    train = batch_sequences(contest.parts["train"], job.spec, shuffle_seed=job.seed)
    batches = train, batch_sequences(contest.parts["validation"], job.spec)
    history, record = fit(
        model, make_loss(contest.loss), batches, job.spec.training, Limits(is_quiet=True)
    )
    measured = {part: measure_part(model, contest, part) for part in ("validation", "test")}
    return _describe_run(
        job, model, history.assign(val_loss=contest.scale * history["val_loss"]), record, measured
    )


def _describe_run(
    job: Job,
    model: keras.Model,
    history: pd.DataFrame,
    record: TrainingRecord,
    measured: dict[str, float],
) -> RunWithCurve:
    curve = history["val_loss"]
    steps_per_epoch = record["num_steps"] // record["num_epochs"]
    is_learnt = curve < (job.spec.learnt_below or 0)
    seconds_to_best = history["seconds"][: record["best_epoch"]].sum() - record["compile_seconds"]
    return {
        "task": job.task,
        "cell": job.contender,
        "seed": job.seed,
        "num_recurrent_parameters": model.get_layer(RECURRENT).count_params(),
        "num_parameters": model.count_params(),
        "validation": measured["validation"],
        "test": measured["test"],
        "seconds_per_epoch": record["training_seconds"] / record["num_epochs"],
        "seconds_to_best": max(seconds_to_best, 0.0),
        "compile_seconds": record["compile_seconds"],
        "num_threads": count_threads(),
        "epochs": record["num_epochs"],
        "best_epoch": record["best_epoch"],
        "steps_per_epoch": steps_per_epoch,
        "steps_to_learn": int(is_learnt.idxmax() + 1) * steps_per_epoch
        if is_learnt.any()
        else None,
        "curve": curve.tolist(),
    }


def make_loss(loss: Loss) -> keras.losses.Loss:
    """Return the loss of a contest: a weighted mean, in which padding does not count."""
    mean = "mean_with_sample_weight"
    match loss:
        case "squared":
            return keras.losses.MeanSquaredError(reduction=mean)
        case "categorical":
            return keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=mean)
        case "bernoulli":
            return NotesCrossentropy(reduction=mean)


class NotesCrossentropy(keras.losses.Loss):
    """Cross-entropy of a step, summed over its notes, in nats.

    Keras' own loss is a mean over the notes. Its gradients are so small that Adam's epsilon slows the training down.
    """

    def call(self, targets: Any, logits: Any) -> Any:
        """Return the loss of each step, float32[batch, time], of targets and logits float32[batch, time, note]."""
        return keras.ops.sum(keras.ops.softplus(logits) - targets * logits, axis=-1)


def batch_sequences(
    sequences: Sequences, task: TaskSpec, shuffle_seed: int | None = None
) -> tf.data.Dataset:
    """Return sequences as a dataset for Keras; the order of the batches depends on the seed, not on the network.

    For evaluation, without a seed, they are in the given order; for training, in a new order in each epoch.

    Returns:
        Triples of inputs, targets and weights. Without XLA compilation, which needs fixed shapes, they are cut to the
        longest sequence of the batch.
    """
    num_sequences = len(sequences.inputs)
    numbers = tf.data.Dataset.range(num_sequences)
    if shuffle_seed is None:
        numbers = numbers.batch(EVALUATION_BATCH_SIZE)
    else:
        numbers = numbers.shuffle(num_sequences, seed=shuffle_seed).batch(task.training.batch_size)
        numbers = numbers.take(task.steps_per_epoch or -1)
    arrays = [
        tf.constant(array) for array in (sequences.inputs, sequences.targets, sequences.weights)
    ]
    batches = numbers.map(lambda chosen: tuple(tf.gather(array, chosen) for array in arrays))
    if sequences.weights.ndim == 2 and not task.training.jit_compile:
        batches = batches.map(_cut_padding)
    return batches.prefetch(2)


def _cut_padding(
    inputs: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    longest = tf.cast(tf.reduce_max(tf.reduce_sum(weights, axis=1)), tf.int32)
    return inputs[:, :longest], targets[:, :longest], weights[:, :longest]


def measure_part(model: keras.Model, contest: Contest, part: str) -> float:
    sequences = contest.parts[part]
    return contest.measure(
        model.predict(sequences.inputs, batch_size=EVALUATION_BATCH_SIZE, verbose=0), sequences
    )


def build_contender(
    contender: ContenderSpec, num_inputs: int, num_outputs: int, every_step: bool
) -> keras.Model:
    """Build a network of a comparison, whose recurrent layer is named `RECURRENT`.

    The model is not compiled. Its inputs are float32[batch, time, num_inputs], its outputs float32[batch, num_outputs]
    or, with `every_step`, float32[batch, time, num_outputs].
    """
    kind = NETWORKS[contender.cell]
    options = {name: getattr(contender, name) for name in kind.options}
    layer = find_layer(kind.layer)(
        contender.units, return_sequences=every_step, name=RECURRENT, **options
    )
    inputs = keras.Input((None, num_inputs), name="steps")
    outputs = layer(inputs)
    return keras.Model(inputs, layers.Dense(num_outputs, name="head")(outputs), name=contender.cell)
