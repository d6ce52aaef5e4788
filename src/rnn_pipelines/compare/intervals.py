"""What several seeds can say: means with intervals, and paired differences."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

CONFIDENCE = 0.95
MEASURES = ("validation", "test", "seconds_per_epoch", "seconds_to_best", "compile_seconds", "epochs")


def estimate_mean(values: Sequence[float]) -> dict[str, float]:
    """Mean of some runs, and the interval in which the mean of many more lies: Student's, for 95 %.

    Args:
        values: one for each seed, at least two.
    Returns:
        `mean, low, high`.
    Source: Student (1908), The Probable Error of a Mean, Biometrika 6.
    """
    from scipy.stats import t

    mean, num_values = float(np.mean(values)), len(values)
    half = float(t.ppf((1 + CONFIDENCE) / 2, num_values - 1) * np.std(values, ddof=1) / np.sqrt(num_values))
    return {"mean": mean, "low": mean - half, "high": mean + half}


def compare_pairs(values: Mapping[str, Sequence[float]]) -> Iterator[dict[str, Any]]:
    """The differences of all pairs of networks, seed by seed: both have seen the same data in the same order.

    Args:
        values: a loss, or the steps to learn, for each seed of each network, in the same order of seeds.
    Yields:
        `cell, against`, the `mean, low, high` of value minus the other's value, and `better`: the name of the one with
        the lower values where the interval leaves 0 out, else None.
    """
    for cell, against in combinations(values, 2):
        difference = estimate_mean(np.subtract(values[cell], values[against]).tolist())
        better = None
        if difference["high"] < 0 or difference["low"] > 0:
            better = cell if difference["mean"] < 0 else against
        yield {"cell": cell, "against": against, **difference, "better": better}


def summarize_runs(runs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the trainings of a comparison come to.

    Args:
        runs: what `train_contender` returns, for the same seeds of each network.
    Returns:
        For each task and network `task, cell, num_seeds, num_recurrent_parameters, num_parameters`; `mean, low, high`
        of each of `MEASURES`; `num_learnt` seeds and their median `steps_to_learn` (None where none did); `differences`
        of `test`: what `compare_pairs` yields for the pairs in which this network stands first; and likewise
        `step_differences` of `steps_to_learn`, where every seed of both learnt.
    """
    table = pd.DataFrame(runs).sort_values("seed", kind="stable")
    summary = []
    for task, of_task in table.groupby("task", sort=False):
        by_cell = dict(iter(of_task.groupby("cell", sort=False)))
        pairs = list(compare_pairs({cell: of_cell["test"].tolist() for cell, of_cell in by_cell.items()}))
        steps = {cell: of_cell["steps_to_learn"] for cell, of_cell in by_cell.items()}
        step_pairs = list(compare_pairs({cell: s.tolist() for cell, s in steps.items() if s.notna().all()}))
        for cell, of_cell in by_cell.items():
            learnt = of_cell["steps_to_learn"].dropna()
            summary.append(
                {
                    "task": task,
                    "cell": cell,
                    "num_seeds": len(of_cell),
                    "num_recurrent_parameters": int(of_cell["num_recurrent_parameters"].iloc[0]),
                    "num_parameters": int(of_cell["num_parameters"].iloc[0]),
                    **{measure: estimate_mean(of_cell[measure].tolist()) for measure in MEASURES},
                    "num_learnt": len(learnt),
                    "steps_to_learn": float(learnt.median()) if len(learnt) else None,
                    "differences": [pair for pair in pairs if pair["cell"] == cell],
                    "step_differences": [pair for pair in step_pairs if pair["cell"] == cell],
                }
            )
    return summary


def summarize_comparison(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """`runs` without their learning curves, and their `summary`, see `summarize_runs`."""
    return {
        "runs": [{key: value for key, value in run.items() if key != "curve"} for run in runs],
        "summary": summarize_runs(runs),
    }
