"""Fits on the past from several origins, which cross-validation, tuning and backtests run in other processes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.parameters import ForecastSpec
from rnn_pipelines.forecast.series.tables import Series, Source
from rnn_pipelines.forecast.windows.panel import EvaluationSpec
from rnn_pipelines.networks.fan_out import ParallelSpec, fan_out

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(frozen=True)
class FitJob:
    """One fit, and forecasts of its test part; the spec has the methods, with this part.

    The table is as read, up to the end of the test part. Past covariates are not read after the cut-off of a window.
    """

    number: int
    table: Source
    covariate_table: pd.DataFrame | None
    spec: ForecastSpec


def rolling(
    run: Callable[[Job], Result],
    jobs: Sequence[Job],
    parallel: ParallelSpec,
    report: Callable[[Job, Result], None],
) -> list[Result]:
    """Run a job for each origin, report each as soon as it has ended, and return the results in their order.

    `run` is a function of a module, and reads nothing after the origin of its job.
    """
    results: dict[int, Result] = {}
    for job, result in fan_out(run, jobs, parallel):
        results[id(job)] = result
        report(job, result)
    return [results[id(job)] for job in jobs]


def cut_series(series: Series, is_kept: pd.Series | np.ndarray) -> Source:
    """Return a part of repaired series as read, because imputed values may depend on values after its end."""
    # Unavailable values are left out again when the part is repaired.
    is_given = series["observed"] | series.get("unavailable", False)
    grid = series.assign(y=series["y"].where(is_given)).drop(columns="observed")
    return grid.set_index(pd.RangeIndex(1, len(grid) + 1, name="row"))[np.asarray(is_kept)]


def keep_back(spec: ForecastSpec, num_steps: int) -> ForecastSpec:
    """Return the spec with a test part of so many steps at the end of each series, and forecasts from each step."""
    evaluation = EvaluationSpec(season_length=spec.evaluation.season_length, max_windows=10**9)
    split = spec.split.model_copy(update={"test": num_steps})
    return spec.model_copy(update={"split": split, "evaluation": evaluation})
