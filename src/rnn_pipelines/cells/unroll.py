"""A cell applied to whole sequences: the states and gates of every step."""

from dataclasses import dataclass
from typing import Any, Generic

import numpy as np

from rnn_pipelines.cells.weights import CellWeights, GatesT, StateT


@dataclass(frozen=True)
class Trace(Generic[StateT, GatesT]):
    """The states and gates of a cell, in the order of the inputs."""

    states: StateT  # after each step; float[batch, time, units] each
    gates: GatesT  # of each step, NaN at masked steps; float[batch, time, units] each
    backwards: bool = False  # whether the steps were read from last to first


def unroll(
    weights: CellWeights[StateT, GatesT],
    inputs: np.ndarray,
    mask: np.ndarray | None = None,
    initial: StateT | None = None,
    backwards: bool = False,
) -> Trace[StateT, GatesT]:
    """Compute the states and gates of all steps, of inputs float[batch, time, feature].

    A masked step, False in bool[batch, time], keeps the state. Its gates are NaN, so that no statistic includes them by
    accident. The states equal those of Keras. The outputs of Keras differ at masked steps: they are 0 before the first
    step that is read, and within `Bidirectional` at all masked steps. `initial` is the state before the first step that
    is read, None for 0. The trace keeps the order of the inputs if it is read backwards, so that the state at the first
    step is computed last. Raise a ValueError if inputs or mask do not fit the weights or each other.
    """
    inputs, mask, state = fill_defaults(weights, inputs, mask, initial)
    shape = (*mask.shape, weights.units)
    states = np.empty((len(state), *shape), inputs.dtype)
    gates = np.empty((len(weights.gates_type._fields), *shape), inputs.dtype)
    order = range(inputs.shape[1])
    for time in reversed(order) if backwards else order:
        is_read = mask[:, time, None]
        after, opened = weights.step(inputs[:, time], state)
        states[:, :, time] = np.where(is_read, after, state)
        gates[:, :, time] = np.where(is_read, opened, np.nan)
        state = weights.state_type(*states[:, :, time])
    return Trace(weights.state_type(*states), weights.gates_type(*gates), backwards)


def fill_defaults(
    weights: CellWeights[Any, Any], inputs: np.ndarray, mask: np.ndarray | None, initial: Any
) -> tuple[np.ndarray, np.ndarray, Any]:
    """Return inputs, mask and initial state in the dtype of the weights, with 0 at masked inputs; or a ValueError."""
    num_inputs = len(weights.kernel)
    dtype = weights.kernel.dtype
    inputs = np.asarray(inputs, dtype)
    if inputs.ndim != 3 or inputs.shape[2] != num_inputs:
        raise ValueError(
            f"inputs: expected batch, time and as many features as the kernel has rows, {num_inputs}, received an "
            f"array of shape {inputs.shape}. Give the sequences that the layer reads; a single one is a batch of one."
        )
    mask = np.ones(inputs.shape[:2], bool) if mask is None else np.asarray(mask, bool)
    if mask.shape != inputs.shape[:2]:
        raise ValueError(
            f"mask: expected batch and time of the inputs, {inputs.shape[:2]}, received an array of shape "
            f"{mask.shape}. Give one value for each step, true if it is read."
        )
    # The states do not depend on masked inputs, but in a gradient, 0 · NaN is NaN.
    inputs = np.where(mask[:, :, None], inputs, 0)
    fields = [0] * len(weights.state_type._fields) if initial is None else initial
    shape = (len(inputs), weights.units)
    return (
        inputs,
        mask,
        weights.state_type(*(np.broadcast_to(np.asarray(field, dtype), shape) for field in fields)),
    )
