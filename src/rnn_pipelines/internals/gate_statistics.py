"""What gates do over many sequences: how far they are open, how long they keep, how far back an input matters."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.cells.gradients import backpropagate
from rnn_pipelines.cells.unroll import Trace
from rnn_pipelines.internals.notation import CANDIDATE
from rnn_pipelines.internals.records import LayerTrace, Openness

LOW, HIGH = 0.1, 0.9
NUM_BINS = 25
# Lags that fewer sequences have say more about these than about the network.
MIN_SEQUENCES = 0.5
# Of the greatest gradient, where an input no longer matters.
REACH_FRACTION = 0.1


def list_gates(members: Sequence[LayerTrace]) -> dict[str, np.ndarray]:
    """The gates of the steps that were read, by name: float[num_steps, units] each, of all sequences together.

    Args:
        members: of one network over the same sequences; their units are put side by side.
    """
    names = members[0].trace.gates._fields
    return {
        name: np.concatenate([getattr(layer.trace.gates, name)[layer.mask] for layer in members], axis=1)
        for name in names
    }


def measure_openness(gates: dict[str, np.ndarray]) -> dict[str, Openness]:
    """Mean and saturation of each gate: `mean`, `low_fraction` and `high_fraction` of its values over steps and units.

    Low is below 0.1 and high above 0.9. A candidate is a tanh; as tanh a = 2 σ(2a) − 1, its bounds are −0.8 and 0.8.

    Args:
        gates: float[num_steps, units] each.
    """
    measured: dict[str, Openness] = {}
    for name, values in gates.items():
        opened = (values + 1) / 2 if name == CANDIDATE else values
        measured[name] = {
            "mean": float(values.mean()),
            "low_fraction": float((opened < LOW).mean()),
            "high_fraction": float((opened > HIGH).mean()),
        }
    return measured


def tabulate_distributions(gates: dict[str, np.ndarray]) -> pd.DataFrame:
    """How often a gate has which value: `gate`, `value` (middle of a bin), `fraction` (of all values, in sum 1).

    Args:
        gates: float[num_steps, units] each.
    """
    tables = []
    for name, values in gates.items():
        bounds = (-1.0, 1.0) if name == CANDIDATE else (0.0, 1.0)
        counts, edges = np.histogram(values, NUM_BINS, bounds)
        middle = (edges[:-1] + edges[1:]) / 2
        tables.append(pd.DataFrame({"gate": name, "value": middle, "fraction": counts / counts.sum()}))
    return pd.concat(tables, ignore_index=True)


def measure_half_lives(keeping: np.ndarray) -> np.ndarray:
    """Steps after which a unit still holds half of its state, if nothing new is written; float64[units].

    After k steps the product of k gates is left of a state, which is their geometric mean f to the power of k; half of
    it after ln 0.5 / ln f = ln 2 / |ln f|. Infinite where the gate is always 1, and 0 where it was once 0.

    Args:
        keeping: float[num_steps, units], the gate that keeps the state (`Notation.keeping`).
    """
    with np.errstate(divide="ignore"):
        return np.log(2) / np.abs(np.log(keeping.astype(np.float64)).mean(axis=0))


def probe_last_states(trace: Trace[Any, Any], mask: np.ndarray, seed: int = 0) -> np.ndarray:
    """The gradient of Σ ±h over the units of each sequence's last state, with signs drawn at random.

    The expected square of a gradient through it is the sum of squares over all units: a random sum asks about all of
    them at once.

    Args:
        trace, mask: of the layer; the last state is the one after the last step in the order of reading.
        seed: of the signs.
    Returns:
        float[batch, time, units], 0 at all other steps.
    Source: Hutchinson (1990), DOI 10.1080/03610919008812866.
    """
    hidden = trace.states.hidden
    gradients = np.zeros_like(hidden)
    last = 0 if trace.backwards else mask.shape[1] - 1
    # The state at a masked step is that of the step before it, and so is its gradient.
    gradients[:, last] = np.random.default_rng(seed).choice([-1.0, 1.0], hidden[:, last].shape)
    return gradients


def differentiate(layer: LayerTrace, of_states: np.ndarray) -> np.ndarray:
    """The gradient of an output with respect to all inputs of a layer; float64[batch, time, feature].

    Args:
        layer: between them.
        of_states: float[batch, time, units], the gradient of the output with respect to each hidden state.
    """
    # In float32, a gradient that vanishes over hundreds of steps gets so small that the processor slows down.
    weights: Any = type(layer.weights)(*(array.astype(np.float64) for array in layer.weights.to_list()))
    gradients: np.ndarray = backpropagate(weights, layer.inputs, layer.trace, of_states, layer.mask).inputs
    return gradients


def measure_gradient_by_lag(gradients: np.ndarray, mask: np.ndarray, backwards: bool = False) -> np.ndarray:
    """How strongly an output depends on what was read k steps before the last step.

    Args:
        gradients: float[batch, time, feature], of the output with respect to the inputs.
        mask: bool[batch, time], true where they were read.
        backwards: whether the first step was read last.
    Returns:
        float[lag] from lag 0 on, the last step read: the median length over the sequences that are so long, at least
        half of all. A mean would be that of the few in which a gradient doesn't vanish.
    """
    lengths = np.linalg.norm(gradients, axis=-1)
    if not backwards:
        lengths, mask = lengths[:, ::-1], mask[:, ::-1]
    newest_first = np.argsort(~mask, axis=1, kind="stable")
    lengths, is_read = (np.take_along_axis(array, newest_first, axis=1) for array in (lengths, mask))
    num_lags = int((is_read.sum(axis=0) >= max(MIN_SEQUENCES * len(mask), 1)).sum())
    return np.nanmedian(np.where(is_read, lengths, np.nan)[:, :num_lags], axis=0)


def find_reach(gradient_by_lag: np.ndarray) -> int | None:
    """The lag from which on the gradient is below `REACH_FRACTION` of its greatest value; None if it never is.

    0 where there is no gradient at all.

    Args:
        gradient_by_lag: float[lag] from lag 0 on.
    """
    if not gradient_by_lag.any():
        return 0
    above = np.flatnonzero(gradient_by_lag >= REACH_FRACTION * gradient_by_lag.max())
    reach = int(above[-1]) + 1
    return reach if reach < len(gradient_by_lag) else None
