"""Training of a pretrained network on generated series, in Keras. The series are generated as they are needed."""

import logging
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.pretrained.kinds import PARTS
from rnn_pipelines.forecast.pretrained.network import (
    DISTANCES,
    LEVELS,
    MIDDLE,
    SOFTPLUS_OF_ONE,
    PretrainedNetwork,
    find_spread,
    has_logarithm,
)
from rnn_pipelines.forecast.pretrained.reading import (
    MAX_STEPS,
    NUM_AHEAD,
    NUM_SEQUENCE,
    NUM_STATIC,
    Reading,
    read_past,
)
from rnn_pipelines.forecast.pretrained.specs import PretrainSpec
from rnn_pipelines.lab.pretraining.generator import SeriesKind, draw_kind, generate
from rnn_pipelines.networks.checkpoints import read_checkpoint, write_checkpoint
from rnn_pipelines.networks.time_left import TimeLeft

logger = logging.getLogger(__name__)

# Series of a group, which share season and length; groups of a round, which are mixed; and uses of each window, which
# learn other steps ahead.
GROUP_SIZE = 128
NUM_GROUPS = 96
NUM_USES = 2
# Steps ahead of each window that are learnt, and the lengths to which sequences are filled up.
NUM_AHEAD_LEARNT = 8
LENGTHS = (12, 24, 40, MAX_STEPS)
# Targets are cut at so many spreads from the base, because a series that breaks teaches nothing more.
LARGEST_TARGET = 25.0
# The quantiles of `LEVELS` are learnt at levels further out, because real series change more than generated ones.
# Intervals of normal errors become 7 % wider.
LEARNT_LEVELS = np.array([0.039, 0.085, 0.235, 0.5, 0.765, 0.915, 0.961], np.float32)
# Weight of the median's loss beside those of the other levels.
LEVEL_WEIGHTS = np.array([0.7, 0.7, 0.7, 2.5, 0.7, 0.7, 0.7], np.float32)


def draw_windows(
    rng: np.random.Generator, kind: SeriesKind, num_series: int, parts: tuple[str, ...] = PARTS
) -> tuple[Reading, np.ndarray]:
    """Generate series; return what the network reads of them, and the targets in units: float32[window, horizon]."""
    values = generate(rng, num_series, kind.season_length, kind.num_known + kind.horizon, parts)
    is_log = bool(rng.random() < 0.5)
    past = values[:, : kind.num_known]
    next_values = values[:, kind.num_known :]
    usable = has_logarithm(past) if is_log else past.std(axis=1) > 1e-9 * np.abs(past).max(axis=1)
    past = past[usable]
    next_values = next_values[usable]
    if is_log:
        least = 0.01 * np.median(past, axis=1, keepdims=True)
        past = np.log(past)
        next_values = np.log(np.maximum(next_values, least))
    elif rng.random() < 0.5:
        past, next_values = -past, -next_values
    read = read_past(past, kind.season_length, kind.horizon, is_log)
    targets = (next_values - read.zero[:, None]) / read.unit[:, None]
    reach = LARGEST_TARGET * find_spread(kind.horizon, kind.season_length)
    return read, np.clip(targets, read.base - reach, read.base + reach).astype(np.float32)


def draw_batches(
    spec: PretrainSpec, round_number: int, parts: tuple[str, ...]
) -> Iterator[tuple[list[np.ndarray], np.ndarray]]:
    """Yield the inputs and targets of one round. Windows of one batch have about the same length.

    A round has a seed of its own, so that a training resumes with the same batches.
    """
    rng = np.random.default_rng([spec.seed, round_number])
    pools: dict[int, list[list[np.ndarray]]] = {length: [] for length in LENGTHS}
    for _ in range(NUM_GROUPS):
        kind = draw_kind(rng)
        read, targets = draw_windows(rng, kind, GROUP_SIZE, parts)
        length = next(length for length in LENGTHS if length >= read.sequence.shape[1])
        for _ in range(NUM_USES):
            steps = np.sort(
                rng.choice(kind.horizon, NUM_AHEAD_LEARNT, replace=kind.horizon < NUM_AHEAD_LEARNT)
            )
            spread = find_spread(kind.horizon, kind.season_length)[steps]
            pools[length].append(_fill_up(read, targets, steps, spread, length))
    joined = [
        [np.concatenate(arrays) for arrays in zip(*pool, strict=True)]
        for pool in pools.values()
        if pool
    ]
    # Windows that do not fill a batch are left out; the largest batch is far smaller than a round.
    batches = []
    for number, arrays in enumerate(joined):
        order = rng.permutation(len(arrays[0]))
        size = spec.batch_size
        batches += [
            (number, order[stop - size : stop]) for stop in range(size, len(order) + 1, size)
        ]
    for place in rng.permutation(len(batches)):
        number, own = batches[place]
        *inputs, targets = (array[own] for array in joined[number])
        yield inputs, targets


def _fill_up(
    read: Reading, targets: np.ndarray, steps: np.ndarray, spread: np.ndarray, length: int
) -> list[np.ndarray]:
    missing = length - read.sequence.shape[1]
    spread = np.broadcast_to(spread, (len(targets), len(steps)))
    return [
        np.pad(read.sequence, ((0, 0), (missing, 0), (0, 0))),
        np.pad(read.is_there, ((0, 0), (missing, 0))),
        read.static,
        read.ahead[:, steps],
        np.stack([read.base[:, steps], targets[:, steps], spread], axis=-1),
    ]


def build_model(cell: str, spec: PretrainSpec) -> Any:
    """Return the network in Keras: from the arrays of `draw_batches` to the outputs of `PretrainedNetwork.compute`."""
    import keras
    from keras import layers, ops

    sequence = keras.Input((None, NUM_SEQUENCE))
    is_there = keras.Input((None,), dtype="bool")
    static = keras.Input((NUM_STATIC,))
    ahead = keras.Input((None, NUM_AHEAD))
    of_window = layers.Dense(spec.hidden, name="static")(static)
    if spec.units:
        layer = {"gru": layers.GRU, "lstm": layers.LSTM}[cell](spec.units, name="cell")
        of_window = of_window + layers.Dense(spec.hidden, use_bias=False, name="state")(
            layer(sequence, mask=is_there)
        )
    first = ops.relu(
        of_window[:, None] + layers.Dense(spec.hidden, use_bias=False, name="ahead")(ahead)
    )
    second = ops.relu(layers.Dense(spec.hidden, name="second")(first)) + first
    outputs = layers.Dense(len(LEVELS), kernel_initializer="zeros", name="output")(second)
    return keras.Model([sequence, is_there, static, ahead], outputs)


def measure_loss(targets: Any, outputs: Any) -> Any:
    """Return the weighted quantile loss of each window, in units over the root of its spread.

    The targets are float32[window, step, 3]: base, actual, spread; the outputs float32[window, step, level].
    """
    from keras import ops

    base, actual, spread = (targets[:, :, place : place + 1] for place in range(3))
    median = base + spread * outputs[:, :, :1]
    distances = spread * np.tile(DISTANCES, 2) * ops.softplus(outputs[:, :, 1:] + SOFTPLUS_OF_ONE)
    below = ops.cumsum(distances[:, :, :MIDDLE], axis=2)
    above = ops.cumsum(distances[:, :, MIDDLE:], axis=2)
    errors = actual - ops.concatenate(
        [ops.flip(median - below, axis=2), median, median + above], axis=2
    )
    losses = ops.maximum(LEARNT_LEVELS * errors, (LEARNT_LEVELS - 1) * errors) * LEVEL_WEIGHTS
    return ops.sum(losses, axis=2) / ops.sqrt(spread[:, :, 0])


def read_model(model: Any) -> PretrainedNetwork:
    """Return the network of a Keras model, in NumPy."""
    weights = {layer.name: layer.get_weights() for layer in model.layers}
    static, bias = weights["static"]
    if "cell" not in weights:
        # The head alone, beside a cell whose state it does not read.
        weights["cell"] = [np.zeros(shape) for shape in ((NUM_SEQUENCE, 3), (1, 3), (2, 3))]
        weights["state"] = [np.zeros((1, len(bias)))]
    head = {
        "static_kernel": static,
        "first_bias": bias,
        "state_kernel": weights["state"][0],
        "ahead_kernel": weights["ahead"][0],
    }
    for name in ("second", "output"):
        head[f"{name}_kernel"], head[f"{name}_bias"] = weights[name]
    cell = {f"cell_{number}": array for number, array in enumerate(weights["cell"])}
    return PretrainedNetwork.from_arrays(cell | head)


def train(
    cell: str, spec: PretrainSpec, checkpoint: Path | None = None
) -> tuple[Any, pd.DataFrame]:
    """Train a network with a `gru` or an `lstm` on generated series; an interrupted training resumes from a checkpoint.

    Return the Keras model with the averaged weights; and `step`, `loss` and `seconds`, a row for each round.
    """
    import keras

    keras.utils.set_random_seed(spec.seed)
    model = build_model(cell, spec)
    parts = tuple(part for part in PARTS if part not in spec.left_out)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0,
        spec.num_steps,
        alpha=0.01,
        warmup_target=spec.learning_rate,
        warmup_steps=min(100, spec.num_steps // 10),
    )
    average = {"use_ema": True, "ema_momentum": spec.weight_average}
    optimizer = keras.optimizers.Adam(schedule, beta_2=0.99, clipnorm=1.0, **average)
    optimizer.build(model.trainable_variables)
    model.compile(optimizer, loss=measure_loss, jit_compile=True)
    variables = [*model.trainable_variables, *optimizer.variables]
    rows = _resume(checkpoint, f"{cell} {spec}", variables)
    num_steps, started = (int(rows[-1]["step"]), rows[-1]["seconds"]) if rows else (0, 0.0)
    clock = time.monotonic() - started
    time_left = TimeLeft(spec.num_steps, f"steps of {cell}", num_steps)
    while num_steps < spec.num_steps:
        batches = islice(draw_batches(spec, len(rows), parts), spec.num_steps - num_steps)
        losses = [float(model.train_on_batch(*batch)) for batch in batches]
        num_steps += len(losses)
        # Keras returns the mean since the last reset.
        rows.append({"step": num_steps, "loss": losses[-1], "seconds": time.monotonic() - clock})
        model.reset_metrics()
        time_left.log(num_steps)
        if checkpoint is not None:
            arrays = {str(number): variable.numpy() for number, variable in enumerate(variables)}
            write_checkpoint(checkpoint, {"fingerprint": f"{cell} {spec}", "rows": rows}, arrays)
    optimizer.finalize_variable_values(model.trainable_variables)
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    return model, pd.DataFrame(rows)


def _resume(
    checkpoint: Path | None, fingerprint: str, variables: Sequence[Any]
) -> list[dict[str, float]]:
    """Restore the variables, and return the rows of the rounds before; none without a checkpoint."""
    found = read_checkpoint(checkpoint, fingerprint) if checkpoint is not None else None
    if found is None:
        return []
    state, arrays = found
    for number, variable in enumerate(variables):
        variable.assign(arrays[str(number)])
    logger.info("resumed after step %d", state["rows"][-1]["step"])
    rows: list[dict[str, float]] = state["rows"]
    return rows


def pretrain(cell: str, spec: PretrainSpec, folder: Path) -> tuple[PretrainedNetwork, pd.DataFrame]:
    """Train a network, and return it in the precision of its file, with its history."""
    model, history = train(cell, spec, folder / f"{cell}.npz")
    return PretrainedNetwork.from_arrays(read_model(model).to_arrays()), history
