"""Cross-validation: forecasts from several origins at the end of the series, each from earlier data only."""

import logging
from dataclasses import replace

import pandas as pd
from pydantic import Field

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.experiments.fit_job import FitJob, keep_back, open_gaps
from rnn_pipelines.forecast.fitting import fit_forecasters, tabulate_part
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.parameters import ForecastSpec
from rnn_pipelines.forecast.preparation.preparing import choose_horizon
from rnn_pipelines.forecast.preparation.schema import repair_series
from rnn_pipelines.forecast.series.tables import Series, Source
from rnn_pipelines.forecast.source.as_of import AsOfSpec
from rnn_pipelines.networks.fan_out import ParallelSpec, fan_out

logger = logging.getLogger(__name__)


class CrossValidationSpec(AsOfSpec, frozen=True):
    """Windows of a cross-validation; data, networks and training are those of `forecast`, without its test part.

    Attributes:
        n_windows: windows of each series; the newest one ends with the series.
        step_size: steps from one window to the next; None for the horizon, so that they do not overlap.
        refit: whether all methods are fitted again for each window; otherwise once, before the first.
    """

    n_windows: int = Field(5, ge=1, le=10_000)
    step_size: int | None = Field(None, ge=1, le=10**6)
    refit: bool = False

    def choose_step_size(self, horizon: int) -> int:
        """Return the step size, by default the horizon."""
        return self.step_size or horizon


def cross_validate(
    table: Source,
    covariate_table: pd.DataFrame | None,
    spec: ForecastSpec,
    validation: CrossValidationSpec,
    parallel: ParallelSpec,
) -> Predictions:
    """Forecast the newest windows of each series by methods fitted on earlier data.

    A fit reads only data before its windows: values, scales, calendar, the choice of networks and the errors behind the
    intervals. Gaps are filled from values on the same side of the cut-off.

    Args:
        covariate_table: see `read_series`; None if there are none.
        spec: the methods to fit; the windows replace its test part.
    Returns:
        Forecasts of all methods with the actuals. Windows that begin or end inside a gap, and series that are too short
        for a fit, are left out with a warning in the log.
    Raises:
        SeriesError: no series has the windows.
    """
    source = spec.recipe.source
    series, profile = repair_series(table, source, spec.recipe.gaps)
    horizon = choose_horizon(spec.recipe.window, series, profile)
    resolved = {
        "source": source.model_copy(update={"freq": profile["freq"]}),
        "window": spec.recipe.window.model_copy(update={"horizon": horizon}),
    }
    spec = replace(spec, recipe=spec.recipe.model_copy(update=resolved))
    jobs = _list_jobs(series, covariate_table, spec, validation)
    found: dict[int, Predictions] = {}
    for job, predictions in fan_out(_run_job, jobs, parallel):
        found[job.number] = predictions
        logger.info("cross-validation: %d of %d fits", len(found), len(jobs))
    merged = _merge([found[number] for number in sorted(found)])
    wanted = _list_windows(series, validation, horizon)
    merged = merged.keep(_find_rows(merged.table, wanted))
    num_missing = len(wanted) - len(merged.table[["unique_id", "cutoff"]].drop_duplicates())
    if num_missing:
        logger.warning(
            "left out: %d of %d windows, because the series is too short or has a gap there", num_missing, len(wanted)
        )
    return replace(
        merged, table=merged.table.sort_values(["unique_id", "cutoff", "ds"], kind="stable", ignore_index=True)
    )


def _list_jobs(
    series: Series, covariate_table: pd.DataFrame | None, spec: ForecastSpec, validation: CrossValidationSpec
) -> list[FitJob]:
    """Return the fits in order: one for each window, or one for all."""
    horizon = spec.recipe.window.horizon
    assert horizon is not None
    step_size = validation.choose_step_size(horizon)
    span = (validation.n_windows - 1) * step_size
    grid = open_gaps(series)
    if not validation.refit:
        return [FitJob(1, grid, covariate_table, keep_back(spec, horizon + span))]
    from_end = grid.groupby("unique_id", sort=False).cumcount(ascending=False)
    ends = range(span, -1, -step_size)
    return [
        FitJob(number, grid[from_end >= end], covariate_table, keep_back(spec, horizon))
        for number, end in enumerate(ends, start=1)
    ]


def _list_windows(series: Series, validation: CrossValidationSpec, horizon: int) -> pd.DataFrame:
    """Return the cut-offs of all windows: `unique_id, cutoff`."""
    after = series.groupby("unique_id", sort=False).cumcount(ascending=False) - horizon
    step_size = validation.choose_step_size(horizon)
    is_cutoff = (after >= 0) & (after % step_size == 0) & (after < validation.n_windows * step_size)
    return series.loc[is_cutoff, ["unique_id", "ds"]].rename(columns={"ds": "cutoff"}).reset_index(drop=True)


def _run_job(job: FitJob) -> Predictions:
    try:
        return tabulate_part(fit_forecasters(job.table, job.covariate_table, job.spec), "test")
    except SeriesError as error:
        last = job.table["ds"].max()
        raise type(error)(
            f"cross-validation, up to {last}: {error} Or give a smaller n_windows or step_size."
        ) from error


def _find_rows(table: pd.DataFrame, windows: pd.DataFrame) -> pd.Series:
    """Return whether each row belongs to one of the windows: bool."""
    found = table[["unique_id", "cutoff"]].merge(windows.assign(is_wanted=True), how="left")["is_wanted"]
    return pd.Series(found.eq(True).to_numpy(), index=table.index)


def _merge(jobs: list[Predictions]) -> Predictions:
    """Concatenate the forecasts of all jobs; NaN if a job lacks a method, such as climatology for short series."""
    forecasters = dict.fromkeys(name for found in jobs for name in found.forecasters)
    table = pd.concat([found.table for found in jobs], ignore_index=True)
    return replace(jobs[0], table=table, forecasters=tuple(forecasters))
