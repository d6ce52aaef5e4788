"""Means over seeds with their intervals, and paired differences."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import cast

import numpy as np
import pandas as pd

from rnn_pipelines.lab.compare.records import (
    ComparisonResults,
    ContenderRun,
    ContenderSummary,
    Difference,
    Estimate,
    RunWithCurve,
)

CONFIDENCE = 0.95


def estimate_mean(values: Sequence[float]) -> Estimate:
    """Return the mean of values, one for each seed, with its 95 % confidence interval, by Student's t distribution.

    SciPy's own intervals have no ends if all values are equal. A single value has no interval.

    Source: Student (1908), The Probable Error of a Mean, Biometrika 6.
    """
    from scipy.stats import t

    mean = float(np.mean(values))
    num_values = len(values)
    if num_values == 1:
        return {"mean": mean, "low": None, "high": None}
    half = float(
        t.ppf((1 + CONFIDENCE) / 2, num_values - 1) * np.std(values, ddof=1) / np.sqrt(num_values)
    )
    return {"mean": mean, "low": mean - half, "high": mean + half}


def estimate_loss(values: Sequence[float]) -> Estimate:
    """Return the mean of losses, or of other sizes, with its 95 % confidence interval, which never goes below 0.

    The upper end is that of `estimate_mean`. On a logarithmic scale, the lower end is as far from the mean.
    """
    estimate = estimate_mean(values)
    mean = estimate["mean"]
    high = estimate["high"]
    if high is None:
        return estimate
    return {"mean": mean, "low": mean**2 / high if high > 0 else mean, "high": high}


def compare_pairs(values: Mapping[str, Sequence[float]]) -> Iterator[Difference]:
    """Yield the paired difference of every two networks; with the same seed, both see the same data in the same order.

    The values, losses or steps to learn, are those of the seeds, in the same order for each network.
    """
    for cell, against in combinations(values, 2):
        difference = estimate_mean(np.subtract(values[cell], values[against]).tolist())
        better = None
        low = difference["low"]
        high = difference["high"]
        if low is not None and high is not None and (high < 0 or low > 0):
            better = cell if difference["mean"] < 0 else against
        yield {"cell": cell, "against": against, **difference, "better": better}


def summarize_runs(runs: Sequence[RunWithCurve]) -> ComparisonResults:
    """Return the trainings of a comparison without their learning curves, and a summary of each network.

    Each network of a task has the same seeds.
    """
    table = pd.DataFrame(runs).sort_values("seed", kind="stable")
    by_task = table.groupby("task", sort=False)
    return {
        "runs": [
            cast(ContenderRun, {key: value for key, value in run.items() if key != "curve"})
            for run in runs
        ],
        "summary": [
            network for task, of_task in by_task for network in _summarize_task(task, of_task)
        ],
    }


def _summarize_task(task: str, runs: pd.DataFrame) -> Iterator[ContenderSummary]:
    by_cell = dict(iter(runs.groupby("cell", sort=False)))
    pairs = list(
        compare_pairs({cell: of_cell["test"].tolist() for cell, of_cell in by_cell.items()})
    )
    steps = {cell: of_cell["steps_to_learn"] for cell, of_cell in by_cell.items()}
    step_pairs = list(
        compare_pairs({cell: s.tolist() for cell, s in steps.items() if s.notna().all()})
    )
    keys = (
        "validation",
        "test",
        "seconds_per_epoch",
        "seconds_to_best",
        "compile_seconds",
        "epochs",
    )
    for cell, of_cell in by_cell.items():
        learnt = steps[cell].dropna()
        estimates = {key: estimate_loss(of_cell[key].tolist()) for key in keys}
        sizes = {
            key: int(of_cell[key].iloc[0]) for key in ("num_recurrent_parameters", "num_parameters")
        }
        summary = {
            "task": task,
            "cell": cell,
            "num_seeds": len(of_cell),
            **sizes,
            **estimates,
            "num_learnt": len(learnt),
            "steps_to_learn": float(learnt.median()) if len(learnt) else None,
            "differences": [pair for pair in pairs if pair["cell"] == cell],
            "step_differences": [pair for pair in step_pairs if pair["cell"] == cell],
        }
        yield cast(ContenderSummary, summary)
