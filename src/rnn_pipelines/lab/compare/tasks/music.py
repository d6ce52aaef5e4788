"""Polyphonic music: the network predicts the notes of the next step.

Source: Boulanger-Lewandowski, Bengio & Vincent (2012), arXiv:1206.6392.
"""

import os
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from rnn_pipelines.errors import TaskError, show
from rnn_pipelines.lab.compare.tasks.data import Contest, Sequences, TaskData
from rnn_pipelines.report.styles import Style

# From the piano's lowest note, MIDI 21, to its highest, MIDI 108.
NUM_NOTES = 88
# The parts, and the names of their variables in the files.
PARTS = {"train": "traindata", "validation": "validdata", "test": "testdata"}
PICKLES = (".pickle", ".pkl")

# Published losses on the test part, in the unit of `measure_music_loss`: Chung, Gulcehre, Cho & Bengio (2014),
# arXiv:1412.3555, table 2, networks of 20,000 parameters; Bai, Kolter & Koltun (2018), arXiv:1803.01271, table 1,
# networks of 300,000 (JSB Chorales) and 1,000,000 parameters (Nottingham).
PUBLISHED = {
    "JSB_Chorales.mat": {
        "Chung et al. 2014": {"rnn": 9.10, "gru": 8.54, "lstm": 8.67},
        "Bai et al. 2018": {"rnn": 8.91, "gru": 8.43, "lstm": 8.45},
    },
    "Nottingham.mat": {
        "Chung et al. 2014": {"rnn": 3.13, "gru": 3.23, "lstm": 3.20},
        "Bai et al. 2018": {"rnn": 4.05, "gru": 3.46, "lstm": 3.29},
    },
}


class MusicData(TaskData, frozen=True):
    """The next notes of polyphonic music, see `read_music`. The metric is that of `measure_music_loss`.

    Attributes:
        file: the file in the folder of music.
        train_steps: the number of steps of the stretches that training pieces are cut into, see `cut_rolls`; None for
            whole pieces.
    """

    metric: ClassVar = "negative log-likelihood, nats a step"
    styles: ClassVar = {
        "jsb_chorales": Style("JSB Chorales"),
        "nottingham": Style("Nottingham"),
        "note frequencies": Style("note frequencies", dash="dash"),
    }
    kind: Literal["music"]
    file: Literal["JSB_Chorales.mat", "Nottingham.mat"]
    train_steps: int | None = Field(None, ge=1, le=10**6)

    def prepare(self, seed: int, music: str | None) -> Contest:
        """See `TaskData.prepare`; music is the same for every seed."""
        path = self.find_file(music)
        if path is None:
            remedy = "Set compare.plan.music to its folder, or set RNN_DATA. See docs/reference/data-sets.md."
            raise TaskError(f"{self.file}: no such file. {remedy}")
        rolls = read_music(path)
        if self.train_steps:
            rolls["train"] = cut_rolls(rolls["train"], self.train_steps)
        parts = {part: pad_rolls(of_part) for part, of_part in rolls.items()}
        references = {
            "note frequencies": measure_note_frequency_loss(parts["train"], parts["test"])
        }
        return Contest(parts, NUM_NOTES, "bernoulli", measure_music_loss, references)

    def describe(self) -> str:
        cut = (
            f", cut into stretches of {self.train_steps} steps for training"
            if self.train_steps
            else ""
        )
        return (
            f"The next notes of the polyphonic music in {self.file}, which is the same for all seeds{cut}. "
            f"The metric is the negative log-likelihood in nats per step, summed over all {NUM_NOTES} notes."
        )

    def find_file(self, music: str | None) -> Path | None:
        """See `TaskData.find_file`; None also if the file is missing."""
        if music and not Path(music).is_dir():
            raise TaskError(f"compare.plan.music: expected a folder, received {show(music)}.")
        root = os.environ.get("RNN_DATA")
        folder = music or (root and f"{root}/music")
        path = Path(folder, self.file) if folder else None
        return path if path and path.is_file() else None

    def is_there(self, music: str | None) -> bool:
        return self.find_file(music) is not None

    @property
    def published(self) -> Mapping[str, Mapping[str, float]]:
        return PUBLISHED[self.file]


def read_music(path: Path | str) -> dict[str, list[np.ndarray]]:
    """Read the piano rolls of a MATLAB file, such as `JSB_Chorales.mat`.

    It has the cell arrays `traindata`, `validdata` and `testdata`, and is not a pickle, which could run any code. A
    file that is damaged, is of another kind, or holds something other than piano rolls raises a TaskError.

    Returns:
        `train`, `validation` and `test`, each a list of uint8[time, 88]: 1 if a note sounds; column i is MIDI note
        i + 21.
    """
    if Path(path).suffix.lower() in PICKLES:
        remedy = "Get the MATLAB file of the same music, see docs/reference/data-sets.md."
        raise TaskError(
            f"{path}: expected a MATLAB file, received a pickle, which could run any code. {remedy}"
        )
    variables = _load_variables(path)
    missing = [name for name in PARTS.values() if name not in variables]
    if missing:
        raise TaskError(
            f"{path}: the variables {', '.join(missing)} are missing. Get the file again."
        )
    return {part: _check_rolls(variables[name], f"{path}: {name}") for part, name in PARTS.items()}


def _load_variables(path: Path | str) -> dict[str, np.ndarray]:
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        return loadmat(path, appendmat=False, variable_names=list(PARTS.values()))
    # SciPy raises these on damaged files, on files of other kinds, and on MATLAB's version 7.3.
    except (
        OSError,
        ValueError,
        TypeError,
        LookupError,
        NotImplementedError,
        MatReadError,
        zlib.error,
    ) as error:
        raise TaskError(
            f"{path}: expected a MATLAB file of version 6 or 7 with the cell arrays {', '.join(PARTS.values())}, "
            f"received one that can't be read ({error}). Get it again."
        ) from error


def _check_rolls(cells: np.ndarray, where: str) -> list[np.ndarray]:
    if cells.dtype != object or not cells.size:
        raise TaskError(
            f"{where}: expected a cell array of piano rolls, received none. Get the file again."
        )
    rolls = list(cells.ravel(order="F"))
    for number, roll in enumerate(rolls, start=1):
        if roll.dtype.kind not in "biuf":
            received = "no numbers"
        elif roll.ndim != 2 or roll.shape[1] != NUM_NOTES or len(roll) < 2:
            received = f"the shape {' × '.join(map(str, roll.shape))}"
        elif not np.isin(roll, (0, 1)).all():
            received = f"the value {roll[~np.isin(roll, (0, 1))][0]}"
        else:
            continue
        raise TaskError(
            f"{where}, cell {number}: expected a piano roll, time × {NUM_NOTES} with at least 2 steps, and 1 for a "
            f"sounding note, else 0; received {received}. Get the file again, or remove the cell."
        )
    return [np.ascontiguousarray(roll, np.uint8) for roll in rolls]


def cut_rolls(rolls: Sequence[np.ndarray], num_steps: int) -> list[np.ndarray]:
    """Cut rolls into short stretches, because the training time depends on the longest roll.

    A stretch begins with the last step of the previous one, so that every step except a roll's first is a target once.
    Rolls are uint8[time, 88] of at least 2 steps. Stretches are views of 2 to `num_steps` + 1 steps, in the same order.
    """
    return [
        roll[start : start + num_steps + 1]
        for roll in rolls
        for start in range(0, len(roll) - 1, num_steps)
    ]


def pad_rolls(rolls: Sequence[np.ndarray]) -> Sequences:
    """Return sequences whose target is the next step, padded with zeros to the length of the longest roll.

    From rolls uint8[T, 88], T at least 2: `inputs` float32[num_rolls, time, 88], the steps 1 to T − 1; `targets`
    likewise, the steps 2 to T; `weights` float32[num_rolls, time], 1 at the T − 1 steps with a target, 0 in padding.
    """
    lengths = np.array([len(roll) - 1 for roll in rolls], int)
    weights = (np.arange(lengths.max(initial=0)) < lengths[:, None]).astype(np.float32)
    inputs = np.zeros((*weights.shape, NUM_NOTES), np.float32)
    targets = np.zeros_like(inputs)
    for number, roll in enumerate(rolls):
        inputs[number, : lengths[number]] = roll[:-1]
        targets[number, : lengths[number]] = roll[1:]
    return Sequences(inputs, targets, weights)


def measure_music_loss(logits: np.ndarray, sequences: Sequences) -> float:
    """Return the mean over all steps of the negative log-likelihood of all notes together, in nats per step.

    It is the sum over notes of log(1 + exp(x)) − x·y, with the target y, 0 or 1, and its logit x,
    float[num_rolls, time, 88]. Steps of all rolls are pooled, so that a longer roll counts for more, without padding.

    Source: evaluation notes at http://www-etud.iro.umontreal.ca/~boulanni/icml2012.
    """
    is_real = sequences.weights > 0
    x = logits[is_real].astype(float)
    return float((np.logaddexp(0, x) - x * sequences.targets[is_real]).sum(axis=1).mean())


def measure_note_frequency_loss(train: Sequences, test: Sequences) -> float:
    """Return the test loss of predicting each note with its frequency in the training part, in nats per step.

    The frequency is (steps with the note + 1) / (steps + 2), after Laplace, because some notes of the test part do not
    occur in training, and a probability of 0 would have an infinite loss.
    """
    targets = train.targets[train.weights > 0]
    counts = targets.sum(axis=0, dtype=float) + 1
    logits = np.log(counts / (len(targets) + 2 - counts))
    return measure_music_loss(np.broadcast_to(logits, test.targets.shape), test)
