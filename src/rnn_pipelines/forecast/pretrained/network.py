"""A pretrained network in NumPy: the recurrence, the head of each step ahead, and forecasts in the unit of the data.

    s  = state of the cell after the newest step
    a  = relu(s S + static T + ahead A + b)
    a' = relu(a R + r) + a
    o  = a' O + q
    median = base + σ o₀,    quantiles = median ∓ σ Σ zₖ softplus(oₖ + c),   σ = .8 √(1 + step / 6)

The step is at most the horizon that was learnt. softplus(c) = 1, and O and q are 0 before the training: it starts from
the base with normal quantiles zₖ.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from threading import Lock
from typing import Any

import numpy as np

from rnn_pipelines.cells.registry import CELLS
from rnn_pipelines.cells.weights import CellWeights
from rnn_pipelines.forecast.pretrained.memory import find_memory_length, revert_quantiles
from rnn_pipelines.forecast.pretrained.reading import Reading, count_root_steps, read_past

# Newest forecasts that are kept, because bounds and paths read their quantiles; in bytes.
MAX_RECENT_BYTES = 1 << 27
# Newest values that the network reads for unit, lags and state.
NUM_READ = 500
LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
# Distances of these levels of a standard normal distribution, from the median outwards.
DISTANCES = np.array([0.6744898, 0.6070618, 0.3633021], np.float32)
MIDDLE = len(DISTANCES)
SOFTPLUS_OF_ONE = float(np.log(np.e - 1))
# A value below this part of the median has no logarithm of use.
LEAST_POSITIVE = 0.02
# A forecast by logarithms is at most so many times the largest value.
MOST = 20.0


class RecentArrays:
    """Arrays by the checksum of what they were computed from; all are dropped if they become too large."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._lock = Lock()
        self._arrays: dict[bytes, np.ndarray] = {}

    def get(self, key: bytes, compute: Callable[[], np.ndarray]) -> np.ndarray:
        """Return an array, which cannot be changed; compute it if it is not known."""
        with self._lock:
            known = self._arrays.get(key)
        if known is not None:
            return known
        array = compute()
        array.setflags(write=False)
        with self._lock:
            if sum(one.nbytes for one in self._arrays.values()) + array.nbytes > self._max_bytes:
                self._arrays.clear()
            self._arrays[key] = array
        return array


_RECENT = RecentArrays(MAX_RECENT_BYTES)


@dataclass(frozen=True, eq=False)
class PretrainedNetwork:
    """Weights of one network; two are equal if they are one object."""

    cell: CellWeights[Any, Any]  # of the recurrence
    # float32 arrays by name: kernels S, T, A, R, O and biases b, r, q of the equations above.
    head: Mapping[str, np.ndarray]

    def extend(self, past: np.ndarray, season_length: int, horizon: int) -> np.ndarray:
        """Continue series by the median; see `LocalForecast`."""
        return self.forecast(past, season_length, horizon)[:, :, MIDDLE]

    def forecast(self, past: np.ndarray, season_length: int, horizon: int) -> np.ndarray:
        """Return the quantiles of the next values at `LEVELS`, ascending: float64[window, horizon, level].

        Two forecasts are averaged: that of the negated values, negated, and that of the logarithms, or of the values
        themselves if one is not positive. Their median reverts to older values, see `memory`, and moves the others.
        The newest past value comes last, with NaN before the first one.
        """
        content = past.tobytes() + self.digest + repr((past.shape, season_length, horizon)).encode()
        return _RECENT.get(
            sha256(content).digest(), lambda: self._forecast_both(past, season_length, horizon)
        )

    @cached_property
    def digest(self) -> bytes:
        """The checksum of the weights."""
        arrays = [*self.cell.to_list(), *self.head.values()]
        return sha256(b"".join(array.tobytes() for array in arrays)).digest()

    def _forecast_both(self, past: np.ndarray, season_length: int, horizon: int) -> np.ndarray:
        newest = past[:, -NUM_READ:]
        values, is_log = compute_logarithms(newest)
        found = self._forecast(values, season_length, horizon, is_log)
        found[is_log] = limit_exponential(found[is_log], values[is_log])
        negated = self._forecast(-newest, season_length, horizon, False)
        mean: np.ndarray = (found - negated[:, :, ::-1]) / 2
        return revert_quantiles(past, season_length, mean, MIDDLE)

    def _forecast(
        self, past: np.ndarray, season_length: int, horizon: int, is_log: np.ndarray | bool
    ) -> np.ndarray:
        read = read_past(past, season_length, horizon, is_log)
        spread = find_spread(horizon, season_length)
        quantiles = compute_quantiles(self.compute(read), read.base, spread).astype(np.float64)
        return quantiles * read.unit[:, None, None] + read.zero[:, None, None]

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return all arrays by name, float16; those of the cell are in Keras' order."""
        arrays = {
            f"cell_{number}": array for number, array in enumerate(self.cell.to_list())
        } | dict(self.head)
        return {name: array.astype(np.float16) for name, array in arrays.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "PretrainedNetwork":
        """Return the network with these arrays; the cell is the one with this number of gates."""
        head = {name: np.asarray(array, np.float32) for name, array in arrays.items()}
        kernel, recurrent_kernel, bias = (head.pop(f"cell_{number}") for number in range(3))
        # A head without a recurrence has 0 units, and arrays of a GRU.
        num_gates = recurrent_kernel.shape[1] // max(1, len(recurrent_kernel))
        cell = next((cell for cell in CELLS.values() if len(cell.gates) == num_gates), CELLS["gru"])
        return cls(cell.weights.from_list([kernel, recurrent_kernel, bias]), head)

    def find_state(self, read: Reading) -> np.ndarray:
        """Return the hidden state after the newest step: float32[window, units]."""
        state_type = self.cell.state_type
        state = state_type(
            *np.zeros((len(state_type._fields), len(read.static), self.cell.units), np.float32)
        )
        for step in range(read.sequence.shape[1]):
            is_there = read.is_there[:, step, None]
            after = self.cell.step(read.sequence[:, step], state)[0]
            state = state_type(
                *(np.where(is_there, new, old) for new, old in zip(after, state, strict=True))
            )
        hidden: np.ndarray = state.hidden
        return hidden

    def compute(self, read: Reading) -> np.ndarray:
        """Return the outputs of the head: float32[window, horizon, level]."""
        return self.compute_head(read, self.find_state(read))[0]

    def compute_head(
        self, read: Reading, state: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the outputs, a, and the first part of a′: float32[window, horizon, level or unit]; see the module."""
        head = self.head
        of_window = (
            state @ head["state_kernel"] + read.static @ head["static_kernel"] + head["first_bias"]
        )
        first = np.maximum(of_window[:, None] + read.ahead @ head["ahead_kernel"], 0)
        second = np.maximum(first @ head["second_kernel"] + head["second_bias"], 0)
        return (second + first) @ head["output_kernel"] + head["output_bias"], first, second


def find_past_length(season_length: int, horizon: int) -> int:
    """Return the number of newest values that a forecast reads."""
    return max(NUM_READ, find_memory_length(season_length, horizon))


def compute_quantiles(outputs: np.ndarray, base: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return the quantiles at `LEVELS`, in units: float32[window, horizon, level]; `spread` is of `find_spread`.

    The outputs are of the median, of the distances below it and of those above it.
    """
    spread = spread[:, None]
    median = base[:, :, None] + spread * outputs[:, :, :1]
    distances = (
        spread
        * np.tile(DISTANCES, 2)
        * np.logaddexp(0, outputs[:, :, 1:] + np.float32(SOFTPLUS_OF_ONE))
    )
    below, above = (np.cumsum(part, axis=2) for part in np.split(distances, 2, axis=2))
    return np.concatenate([(median - below)[:, :, ::-1], median, median + above], axis=2)


def find_spread(horizon: int, season_length: int) -> np.ndarray:
    """Return about how far forecasts are from the base, in units: float32[horizon]; see `count_root_steps`."""
    return (0.8 * np.sqrt(1 + count_root_steps(horizon, season_length) / 6)).astype(np.float32)


def compute_logarithms(past: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the values to read: float64[window, time], and whether they are logarithms: bool[window]."""
    is_log = has_logarithm(past)
    return np.log(past, out=past.copy(), where=is_log[:, None]), is_log


def limit_exponential(forecasts: np.ndarray, past: np.ndarray) -> np.ndarray:
    """Return the exponential of logarithms, float64[window, horizon, ...], after the logarithms of `past`."""
    highest = np.nanmax(past, axis=1) + np.log(MOST)
    exponential: np.ndarray = np.exp(np.minimum(forecasts.T, highest).T)
    return exponential


def has_logarithm(past: np.ndarray) -> np.ndarray:
    """Return whether all values of a window are positive, and none near 0: bool[window]."""
    least = np.nanmin(past, axis=1)
    usable: np.ndarray = (least > 0) & (least > LEAST_POSITIVE * np.nanmedian(past, axis=1))
    return usable
