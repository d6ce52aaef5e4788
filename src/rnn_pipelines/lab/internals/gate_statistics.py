"""Statistics of gates over many sequences: openness, half-lives of states, and gradients by lag."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.cells.cell import CANDIDATE
from rnn_pipelines.cells.gradients import backpropagate
from rnn_pipelines.cells.unroll import Trace
from rnn_pipelines.lab.internals.records import LayerSummary, LayerTrace, Openness, Summary, Traces

LOW, HIGH = 0.1, 0.9
NUM_BINS = 25
# Lags with a smaller share of the sequences depend more on these sequences than on the network.
MIN_SEQUENCES = 0.5
# Share of the largest gradient below which an input no longer matters.
REACH_FRACTION = 0.1


def list_gates(members: Sequence[LayerTrace]) -> dict[str, np.ndarray]:
    """Return the gates of all steps that were read, by name: float[num_steps, units of all members of the network]."""
    gates = {
        name: [getattr(one.trace.gates, name)[one.mask] for one in members]
        for name in members[0].trace.gates._fields
    }
    return {name: np.concatenate(values, axis=1) for name, values in gates.items()}


def measure_openness(gates: dict[str, np.ndarray]) -> dict[str, Openness]:
    """Return mean and saturation of each gate over steps and units: `mean`, `low_fraction` and `high_fraction`.

    Low is below 0.1 and high above 0.9. A candidate is a tanh; as tanh a = 2 σ(2a) − 1, its bounds are −0.8 and 0.8.
    """
    measured: dict[str, Openness] = {}
    for name, values in gates.items():
        opened = (values + 1) / 2 if name == CANDIDATE else values
        low = float((opened < LOW).mean())
        high = float((opened > HIGH).mean())
        measured[name] = {"mean": float(values.mean()), "low_fraction": low, "high_fraction": high}
    return measured


def tabulate_distributions(gates: dict[str, np.ndarray]) -> pd.DataFrame:
    """Tabulate histograms of the gates: `gate`, `value` (middle of a bin), `fraction` (of all values; the sum is 1)."""
    tables = []
    for name, values in gates.items():
        bounds = (-1.0, 1.0) if name == CANDIDATE else (0.0, 1.0)
        counts, edges = np.histogram(values, NUM_BINS, bounds)
        middle = (edges[:-1] + edges[1:]) / 2
        tables.append(
            pd.DataFrame({"gate": name, "value": middle, "fraction": counts / counts.sum()})
        )
    return pd.concat(tables, ignore_index=True)


def measure_half_lives(keeping: np.ndarray) -> np.ndarray:
    """Return the half-life of each unit's state in steps, if nothing new is written: float64[units].

    `keeping` is float[num_steps, units], the gate that keeps the state (`Cell.keeping`). After k steps, a share f^k of
    a state remains, f being the geometric mean of the gate. Half of it remains after ln 0.5 / ln f = ln 2 / |ln f|
    steps: infinite if the gate is always 1, and 0 if it is 0 at any step.
    """
    with np.errstate(divide="ignore"):
        return np.log(2) / np.abs(np.log(keeping.astype(np.float64)).mean(axis=0))


def probe_last_states(trace: Trace[Any, Any], mask: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return the gradient of Σ ±h over the units of each sequence's last state, with random signs.

    It is float[batch, time, units], 0 at all steps but the last one in the order of reading. The expected square of a
    gradient through this sum is the sum of squares over all units, so that one random sum covers all units.

    Source: Hutchinson (1990), DOI 10.1080/03610919008812866.
    """
    hidden = trace.states.hidden
    gradients = np.zeros_like(hidden)
    last = 0 if trace.backwards else mask.shape[1] - 1
    # A masked step has the state of the step before it, and passes its gradient on to it.
    gradients[:, last] = np.random.default_rng(seed).choice([-1.0, 1.0], hidden[:, last].shape)
    return gradients


def differentiate(layer: LayerTrace, of_states: np.ndarray) -> np.ndarray:
    """Return the gradient of an output with respect to the inputs of a layer: float64[batch, time, feature].

    `of_states` is its gradient with respect to each hidden state: float[batch, time, units].
    """
    # In float32, gradients that vanish over hundreds of steps become denormal numbers, which are slow.
    weights: Any = type(layer.weights)(
        *(array.astype(np.float64) for array in layer.weights.to_list())
    )
    gradients: np.ndarray = backpropagate(
        weights, layer.inputs, layer.trace, of_states, layer.mask
    ).inputs
    return gradients


def measure_gradient_by_lag(
    gradients: np.ndarray, mask: np.ndarray, backwards: bool = False
) -> np.ndarray:
    """Return the length of the gradient of an output with respect to the inputs k steps before the last step.

    Args:
        gradients: float[batch, time, feature], of the output with respect to the inputs.
        mask: bool[batch, time], true for steps that were read.
        backwards: whether the first step was read last.
    Returns:
        float[lag], from lag 0, the last step read: the median over the sequences with this lag, for lags that at least
        half of all sequences have. A mean would depend on the few sequences in which the gradient does not vanish.
    """
    lengths = np.linalg.norm(gradients, axis=-1)
    if not backwards:
        lengths = lengths[:, ::-1]
        mask = mask[:, ::-1]
    newest_first = np.argsort(~mask, axis=1, kind="stable")
    lengths, is_read = (
        np.take_along_axis(array, newest_first, axis=1) for array in (lengths, mask)
    )
    num_lags = int((is_read.sum(axis=0) >= max(MIN_SEQUENCES * len(mask), 1)).sum())
    return np.nanmedian(np.where(is_read, lengths, np.nan)[:, :num_lags], axis=0)


def find_reach(gradient_by_lag: np.ndarray) -> int | None:
    """Return the lag from which the gradient, from lag 0, stays below `REACH_FRACTION` of its largest value.

    None if it is not below at the last lag; 0 if all gradients are 0.
    """
    if not gradient_by_lag.any():
        return 0
    above = np.flatnonzero(gradient_by_lag >= REACH_FRACTION * gradient_by_lag.max())
    reach = int(above[-1]) + 1
    return reach if reach < len(gradient_by_lag) else None


def measure_traces(*traces: Traces) -> tuple[Summary, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Measure openness, memory length and gradient by lag of each layer, over all members of its network.

    Return the summary, and three tables with the `layer` of each row: the distributions (see `tabulate_distributions`),
    the half-lives (`unit`, `half_life`), and the gradients (`lag`, `gradient`) as shares of the largest one.
    """
    layers: dict[str, LayerSummary] = {}
    distributions = []
    half_lives = []
    gradients = []
    for group in traces:
        for name, members in group.layers.items():
            layer = members[0]
            gates = list_gates(members)
            lives = measure_half_lives(gates[layer.cell.keeping])
            # The quantiles are values of the sample, because an infinite value cannot be interpolated.
            quantiles = np.quantile(lives, [0.1, 0.5, 0.9], method="inverted_cdf")
            low, median, high = (
                float(value) if np.isfinite(value) else None for value in quantiles
            )
            by_lag = measure_gradient_by_lag(
                group.gradients[name], layer.mask, layer.trace.backwards
            )
            layers[name] = {
                "origin": group.origin,
                "cell": layer.cell.name,
                "num_inputs": layer.inputs.shape[2],
                "units": layer.weights.units,
                "num_sequences": len(layer.mask),
                "num_steps": int(layer.mask.sum()),
                "num_weights_by_gate": layer.num_weights_by_gate,
                "max_difference": max(member.max_difference for member in members),
                "network": group.networks[name],
                "openness": measure_openness(gates),
                "half_life_steps": {"low": low, "median": median, "high": high},
                "reach_steps": find_reach(by_lag),
            }
            distributions.append(tabulate_distributions(gates).assign(layer=name))
            half_lives.append(
                pd.DataFrame({"layer": name, "unit": range(len(lives)), "half_life": lives})
            )
            # A forecaster without a correction has no gradient; the divisor 1 keeps its zeros.
            by_lag /= by_lag.max() or 1
            gradients.append(
                pd.DataFrame({"layer": name, "lag": range(len(by_lag)), "gradient": by_lag})
            )
    summary: Summary = {"layers": layers}
    for group in traces:
        if group.classifier is not None:
            summary["classifier"] = group.classifier
    return summary, *(
        pd.concat(tables, ignore_index=True) for tables in (distributions, half_lives, gradients)
    )
