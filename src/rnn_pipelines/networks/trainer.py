"""Gradient steps of all members of a network: the interface of all engines, and that of NumPy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from rnn_pipelines.networks.gradients import find_gradients
from rnn_pipelines.networks.members import Weights, forward


@dataclass(frozen=True)
class StepSettings:
    """The settings of gradient steps."""

    # `learning_rate`, `weight_average` and `clip_norm`: see `Adam`.
    learning_rate: float
    weight_average: float
    clip_norm: float | None
    is_absolute: bool  # whether to minimise the absolute error instead of the squared one


class Batch(NamedTuple):
    """The data of a gradient step."""

    # `steps` and `static_inputs`: shared by all members, see `forward`.
    steps: np.ndarray
    static_inputs: np.ndarray
    targets: np.ndarray  # float32[member, batch, output]
    is_seen: np.ndarray  # bool[member, batch, 1], whether a member learns from an example
    masks: Sequence[np.ndarray] = ()  # of dropout, see `draw_masks`


class Trainer(Protocol):
    """The members in training, with the running mean of their weights."""

    @property
    def num_steps(self) -> int:
        """The number of gradient steps until now."""

    def step(self, batch: Batch) -> float:
        """Take one gradient step, and return the mean loss of the examples before it."""

    def forward(self, member: int, steps: np.ndarray, static_inputs: np.ndarray) -> np.ndarray:
        """Return the outputs of one member by the running mean of its weights: float32[batch, output]."""

    def copy_averages(self) -> Weights:
        """Return the running mean of the weights of all members."""

    def list_state(self) -> dict[str, np.ndarray]:
        """Return all arrays by unique names, for a checkpoint; the names are those of `Adam.list_state`."""

    def set_state(self, state: Mapping[str, np.ndarray], num_steps: int) -> None:
        """Restore a state of `list_state` and its number of steps."""


class NumPyTrainer:
    """See `Trainer`. The initial weights are changed in place."""

    def __init__(self, cell: str, weights: Weights, settings: StepSettings) -> None:
        self._cell = cell
        self._is_absolute = settings.is_absolute
        self._adam = Adam(
            weights, settings.learning_rate, settings.weight_average, settings.clip_norm
        )
        self.list_state = self._adam.list_state
        self.set_state = self._adam.set_state

    @property
    def num_steps(self) -> int:
        return self._adam.num_steps

    def step(self, batch: Batch) -> float:
        outputs, cache = forward(
            self._cell, self._adam.weights, batch.steps, batch.static_inputs, batch.masks
        )
        errors = (outputs - batch.targets) * batch.is_seen
        loss, slopes = compute_loss(errors, self._is_absolute)
        slopes /= np.float32(errors[0].size)
        self._adam.step(find_gradients(self._adam.weights, cache, slopes))
        return float(loss.sum() / max(1, batch.is_seen.sum() * errors.shape[-1]))

    def forward(self, member: int, steps: np.ndarray, static_inputs: np.ndarray) -> np.ndarray:
        return forward_member(self._cell, self._adam.averages, member, steps, static_inputs)

    def copy_averages(self) -> Weights:
        return {name: array.copy() for name, array in self._adam.averages.items()}


def forward_member(
    cell: str, weights: Weights, member: int, steps: np.ndarray, static_inputs: np.ndarray
) -> np.ndarray:
    """Return the outputs of one member: float32[batch, output]."""
    weights_of_member = {name: array[member : member + 1] for name, array in weights.items()}
    return forward(cell, weights_of_member, steps, static_inputs)[0][0]


def compute_loss(errors: np.ndarray, is_absolute: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the loss of each error, and its slope."""
    return (np.abs(errors), np.sign(errors)) if is_absolute else (errors * errors, 2 * errors)


class Adam:
    """Adam with a running mean of the weights, which are changed in place, and gradient clipping per member.

    Args:
        learning_rate: constant.
        weight_average: decay of the running mean; smaller in the first steps, so that the initial weights fade.
        clip_norm: largest norm of a member's gradient; None for no limit.
    Source: Kingma & Ba (2015), arXiv:1412.6980, algorithm 1 in the form of section 2's last paragraph.
    """

    FIRST = 0.9
    SECOND = 0.999
    SMALL = 1e-7

    def __init__(
        self,
        weights: Weights,
        learning_rate: float,
        weight_average: float,
        clip_norm: float | None = None,
    ) -> None:
        self.weights = weights
        self.averages = {name: array.copy() for name, array in weights.items()}
        self.num_steps = 0
        self._first = {name: np.zeros_like(array) for name, array in weights.items()}
        self._second = {name: np.zeros_like(array) for name, array in weights.items()}
        self._learning_rate = learning_rate
        self._decay = weight_average
        self._clip_norm = clip_norm

    def step(self, gradients: Weights) -> None:
        self.num_steps += 1
        if self._clip_norm is not None:
            gradients = self._shorten(gradients, self._clip_norm)
        number = self.num_steps
        rate = np.float32(
            self._learning_rate * np.sqrt(1 - self.SECOND**number) / (1 - self.FIRST**number)
        )
        decay = min(self._decay, (1 + number) / (10 + number))
        for name, gradient in gradients.items():
            trained = self.weights[name]
            first = self._first[name]
            second = self._second[name]
            first += np.float32(1 - self.FIRST) * (gradient - first)
            second += np.float32(1 - self.SECOND) * (gradient * gradient - second)
            trained -= rate * first / (np.sqrt(second) + np.float32(self.SMALL))
            self.averages[name] += np.float32(1 - decay) * (trained - self.averages[name])

    def list_state(self) -> dict[str, np.ndarray]:
        """Return all arrays by unique names, for a checkpoint."""
        kinds = {
            "weights": self.weights,
            "averages": self.averages,
            "first": self._first,
            "second": self._second,
        }
        return {
            f"{kind}.{name}": array
            for kind, arrays in kinds.items()
            for name, array in arrays.items()
        }

    def set_state(self, state: Mapping[str, np.ndarray], num_steps: int) -> None:
        """Restore a state of `list_state` and its number of steps."""
        for name, array in self.list_state().items():
            array[...] = state[name]
        self.num_steps = num_steps

    @staticmethod
    def _shorten(gradients: Weights, clip_norm: float) -> Weights:
        squares = sum(
            (array.astype(np.float64) ** 2).sum(axis=(1, 2)) for array in gradients.values()
        )
        factors = np.minimum(1.0, clip_norm / (np.sqrt(squares) + 1e-12)).astype(np.float32)[
            :, None, None
        ]
        return {name: array * factors for name, array in gradients.items()}
