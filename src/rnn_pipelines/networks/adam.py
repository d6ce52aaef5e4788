"""The optimizer of the members of a network. The members are independent."""

from collections.abc import Mapping

import numpy as np

from rnn_pipelines.networks.members import Weights


class Adam:
    """Adam with a running mean of the weights, and gradient clipping per member.

    Args:
        weights: changed in place.
        learning_rate: constant.
        weight_average: decay of the running mean; smaller in the first steps, so that the initial weights fade.
        clip_norm: largest norm of a member's gradient; None for no limit.
    Source: Kingma & Ba (2015), arXiv:1412.6980, algorithm 1 in the form of section 2's last paragraph.
    """

    FIRST, SECOND, SMALL = 0.9, 0.999, 1e-7

    def __init__(
        self, weights: Weights, learning_rate: float, weight_average: float, clip_norm: float | None = None
    ) -> None:
        self.weights = weights
        self.averages = {name: array.copy() for name, array in weights.items()}
        self.num_steps = 0
        self._first = {name: np.zeros_like(array) for name, array in weights.items()}
        self._second = {name: np.zeros_like(array) for name, array in weights.items()}
        self._learning_rate, self._decay, self._clip_norm = learning_rate, weight_average, clip_norm

    def step(self, gradients: Weights) -> None:
        """Take one gradient step."""
        self.num_steps += 1
        if self._clip_norm is not None:
            gradients = self._shorten(gradients, self._clip_norm)
        rate = np.float32(
            self._learning_rate * np.sqrt(1 - self.SECOND**self.num_steps) / (1 - self.FIRST**self.num_steps)
        )
        decay = min(self._decay, (1 + self.num_steps) / (10 + self.num_steps))
        for name, gradient in gradients.items():
            trained, first, second = self.weights[name], self._first[name], self._second[name]
            first += np.float32(1 - self.FIRST) * (gradient - first)
            second += np.float32(1 - self.SECOND) * (gradient * gradient - second)
            trained -= rate * first / (np.sqrt(second) + np.float32(self.SMALL))
            self.averages[name] += np.float32(1 - decay) * (trained - self.averages[name])

    def list_state(self) -> dict[str, np.ndarray]:
        """Return all arrays by unique names, for a checkpoint."""
        kinds = {"weights": self.weights, "averages": self.averages, "first": self._first, "second": self._second}
        return {f"{kind}.{name}": array for kind, arrays in kinds.items() for name, array in arrays.items()}

    def set_state(self, state: Mapping[str, np.ndarray], num_steps: int) -> None:
        """Restore a state of `list_state` and its number of steps."""
        for name, array in self.list_state().items():
            array[...] = state[name]
        self.num_steps = num_steps

    @staticmethod
    def _shorten(gradients: Weights, clip_norm: float) -> Weights:
        squares = sum((array.astype(np.float64) ** 2).sum(axis=(1, 2)) for array in gradients.values())
        factors = np.minimum(1.0, clip_norm / (np.sqrt(squares) + 1e-12)).astype(np.float32)[:, None, None]
        return {name: array * factors for name, array in gradients.items()}
