"""From a task's spec to what its networks train on, are measured by, and must beat."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from rnn_pipelines.cells.conventions import count_weights
from rnn_pipelines.compare.specs import AddingData, ContenderSpec, CopyData, MusicData, SeriesData, TaskSpec
from rnn_pipelines.compare.tasks.adding import make_adding
from rnn_pipelines.compare.tasks.copy_memory import NUM_CLASSES, compute_memoryless_loss, make_copy_memory
from rnn_pipelines.compare.tasks.music import (
    PUBLISHED,
    cut_rolls,
    measure_music_loss,
    measure_note_frequency_loss,
    pad_rolls,
    read_music,
)
from rnn_pipelines.compare.tasks.sequences import Sequences
from rnn_pipelines.errors import TaskError
from rnn_pipelines.forecast.baselines import fit_ridge
from rnn_pipelines.forecast.recipe import Recipe, prepare_panel
from rnn_pipelines.forecast.series.calendar import CalendarSpec
from rnn_pipelines.forecast.series.schema import GapPolicy
from rnn_pipelines.forecast.series.source import read_source
from rnn_pipelines.forecast.series.windows import WindowSpec, gather_windows

Loss = Literal["squared", "categorical", "bernoulli"]
PARTS: tuple[Literal["train", "validation", "test"], ...] = ("train", "validation", "test")
# How far apart the numbers of recurrent weights may be, as a share of the largest.
BUDGET_TOLERANCE = 0.06


@dataclass(frozen=True)
class Contest:
    """A task, ready for its networks.

    Attributes:
        parts: train, validation and test.
        num_outputs: numbers that a network gives for each target.
        loss: what is minimised: squared error, or the cross-entropy of classes or of notes.
        scale: the metric is so many times the loss: that of a scaled series is in another unit.
        measure: the metric of a network's outputs for one part, lower is better.
        references: what simple methods reach on the test part, in the same metric.
    """

    parts: Mapping[str, Sequences]
    num_outputs: int
    loss: Loss
    scale: float
    measure: Callable[[np.ndarray, Sequences], float]
    references: Mapping[str, float]

    @property
    def num_inputs(self) -> int:
        """Features of a step."""
        return int(self.parts["train"].inputs.shape[2])

    @property
    def every_step(self) -> bool:
        """Whether there is a target at every step, or one for each sequence."""
        return self.parts["train"].weights.ndim == 2


def prepare_contest(data: SeriesData | AddingData | CopyData | MusicData, seed: int, music: str | None) -> Contest:
    """Generates or reads what a task is made of.

    Args:
        data: which.
        seed: of what is drawn; music is always the same.
        music: folder of the music files, see `PlanSpec`.
    Raises:
        TaskError: there is no such music file, or it can't be read.
    """
    match data:
        case SeriesData():
            return _prepare_series_contest(data, seed)
        case AddingData():
            parts = _draw(data, seed, lambda size, rng: make_adding(size, data.num_steps, rng))
            references = {"guessing 1": measure_mse(np.ones_like(parts["test"].targets), parts["test"])}
            return Contest(parts, 1, "squared", 1.0, measure_mse, references)
        case CopyData():
            parts = _draw(data, seed, lambda size, rng: make_copy_memory(size, data.delay, rng))
            references = {"no memory": compute_memoryless_loss(data.delay)}
            return Contest(parts, NUM_CLASSES, "categorical", 1.0, measure_cross_entropy, references)
        case MusicData():
            return _prepare_music_contest(data, music)


def find_file(data: SeriesData | AddingData | CopyData | MusicData, music: str | None) -> Path | None:
    """The file that a task reads; None where it reads none, and where the music file is not there.

    Raises:
        TaskError: there is no such folder of music.
    """
    match data:
        case SeriesData():
            return Path(data.source.path) if data.source.path else None
        case MusicData():
            folder = _find_music_folder(music)
            path = folder / data.file if folder else None
            return path if path and path.is_file() else None
        case _:
            return None


def _find_music_folder(music: str | None) -> Path | None:
    if not music:
        root = os.environ.get("RNN_DATA")
        return Path(root, "music") if root else None
    if not Path(music).is_dir():
        raise TaskError(f"compare.plan.music: expected a folder, received {music}, which is none.")
    return Path(music)


def check_budgets(name: str, contenders: Mapping[str, ContenderSpec], num_inputs: int) -> dict[str, int]:
    """The numbers of recurrent weights: kernel, recurrent kernel and bias.

    Args:
        name: of the task.
        contenders: its networks.
        num_inputs: features of a step.
    Raises:
        TaskError: they are too far apart for a fair comparison.
    """
    weights = {key: count_weights(spec.cell, num_inputs, spec.units) for key, spec in contenders.items()}
    if min(weights.values()) < (1 - BUDGET_TOLERANCE) * max(weights.values()):
        raise TaskError(
            f"task {name}: expected numbers of recurrent weights within {BUDGET_TOLERANCE:.0%} of each other, received "
            f"{', '.join(f'{key} {number:,}' for key, number in weights.items())} with {num_inputs} inputs. "
            "Change the units."
        )
    return weights


def measure_mse(outputs: np.ndarray, sequences: Sequences) -> float:
    """Mean squared error of float[num_sequences, 1]."""
    return float(((sequences.targets - outputs.astype(float)) ** 2).mean())


def measure_cross_entropy(logits: np.ndarray, sequences: Sequences) -> float:
    """Mean over all steps of −log of the probability of the right class, in nats.

    Args:
        logits: float[num_sequences, time, num_classes].
        sequences: targets int[num_sequences, time].
    """
    shifted = logits.astype(float) - logits.max(axis=-1, keepdims=True)
    right = np.take_along_axis(shifted, sequences.targets[:, :, None].astype(int), axis=-1)[:, :, 0]
    return float((np.log(np.exp(shifted).sum(axis=-1)) - right).mean())


def _draw(
    data: AddingData | CopyData, seed: int, make: Callable[[int, np.random.Generator], Sequences]
) -> dict[str, Sequences]:
    sizes = {"train": data.num_train, "validation": data.num_validation, "test": data.num_test}
    rngs = np.random.default_rng(seed).spawn(len(sizes))
    return {part: make(size, rng) for (part, size), rng in zip(sizes.items(), rngs, strict=True)}


def _prepare_series_contest(data: SeriesData, seed: int) -> Contest:
    source = data.source.model_copy(update={"seed": data.source.seed + seed})
    recipe = Recipe(
        source=source,
        gaps=GapPolicy("split"),
        split=data.split,
        window=WindowSpec(lookback=data.lookback, horizon=1),
        calendar=CalendarSpec(yearly=0, weekly=0, daily=0),
    )
    prepared = prepare_panel(read_source(source), recipe)
    series, cutoffs, panel = prepared.series, prepared.cutoffs, prepared.windows
    if len(cutoffs) > 1:
        raise TaskError(
            f"{source.label}: expected one series, received {len(cutoffs)}. Leave out the id, or choose one."
        )
    parts: dict[str, Sequences] = {}
    for part in PARTS:
        history, _, targets = gather_windows(panel, np.concatenate(list(panel.index(part).batches(len(series)))))
        parts[part] = Sequences(history, targets, np.ones(len(targets), np.float32))
    variance = float(prepared.scaler["deviation"].iloc[0]) ** 2

    def measure(outputs: np.ndarray, sequences: Sequences) -> float:
        return variance * measure_mse(outputs, sequences)

    test, ridge = parts["test"], fit_ridge(panel)
    history = test.inputs[:, :, 0]
    references = {
        "last value": measure(history[:, -1:], test),
        "ridge": measure(history @ ridge[:-1] + ridge[-1], test),
    }
    if "signal" in series:
        stop = int(cutoffs["validation_stop"].iloc[0])
        noise = (series["y"] - series["signal"]).iloc[stop:]
        references["noise floor"] = float((noise**2).mean())
    return Contest(parts, 1, "squared", variance, measure, references)


def _prepare_music_contest(data: MusicData, music: str | None) -> Contest:
    path = find_file(data, music)
    if path is None:
        raise TaskError(
            f"{data.file}: no such file. Give its folder as compare.plan.music, or set RNN_DATA; docs/data.md says "
            "where to get it."
        )
    rolls = read_music(path)
    if data.train_steps:
        rolls["train"] = cut_rolls(rolls["train"], data.train_steps)
    parts = {part: pad_rolls(of_part) for part, of_part in rolls.items()}
    references = {"note frequencies": measure_note_frequency_loss(parts["train"], parts["test"])}
    num_notes = parts["train"].targets.shape[2]
    return Contest(parts, num_notes, "bernoulli", 1.0, measure_music_loss, references)


def list_published(task: TaskSpec) -> dict[str, dict[str, float]]:
    """What papers report for a task, by paper and cell, in the metric of the task."""
    return PUBLISHED.get(Path(task.data.file).stem.lower(), {}) if isinstance(task.data, MusicData) else {}
