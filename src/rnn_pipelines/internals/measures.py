"""The statistics of the gates of all layers, as one summary and three tables."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from rnn_pipelines.internals.gate_statistics import (
    find_reach,
    list_gates,
    measure_gradient_by_lag,
    measure_half_lives,
    measure_openness,
    tabulate_distributions,
)
from rnn_pipelines.internals.records import HalfLives, LayerSummary, Summary, Traces


def measure_traces(*traces: Traces) -> tuple[Summary, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Measure openness, memory length and gradient by lag of each layer, over all members of its network.

    Returns:
        The summary. And three tables with the `layer` of each row: the distributions (see
        `tabulate_distributions`), the half-lives (`unit`, `half_life`), and the gradients (`lag`, `gradient`) as shares
        of the largest one.
    """
    layers: dict[str, LayerSummary] = {}
    distributions, half_lives, gradients = [], [], []
    for group in traces:
        for name, members in group.layers.items():
            layer, gates = members[0], list_gates(members)
            lives = measure_half_lives(gates[layer.cell.keeping])
            by_lag = measure_gradient_by_lag(group.gradients[name], layer.mask, layer.trace.backwards)
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
                "half_life_steps": _summarize_half_lives(lives),
                "reach_steps": find_reach(by_lag),
            }
            distributions.append(tabulate_distributions(gates).assign(layer=name))
            half_lives.append(pd.DataFrame({"layer": name, "unit": range(len(lives)), "half_life": lives}))
            # A forecaster without a correction has no gradient; the divisor 1 keeps its zeros.
            by_lag /= by_lag.max() or 1
            gradients.append(pd.DataFrame({"layer": name, "lag": range(len(by_lag)), "gradient": by_lag}))
    return _join(layers, traces), *(
        pd.concat(tables, ignore_index=True) for tables in (distributions, half_lives, gradients)
    )


def _join(layers: dict[str, LayerSummary], traces: Iterable[Traces]) -> Summary:
    summary: Summary = {"layers": layers}
    for group in traces:
        if group.classifier is not None:
            summary["classifier"] = group.classifier
    return summary


def _summarize_half_lives(half_lives: np.ndarray) -> HalfLives:
    # The quantiles are values of the sample, because an infinite value cannot be interpolated.
    quantiles = np.quantile(half_lives, [0.1, 0.5, 0.9], method="inverted_cdf")
    low, median, high = (float(value) if np.isfinite(value) else None for value in quantiles)
    return {"low": low, "median": median, "high": high}
