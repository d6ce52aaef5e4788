"""Forecasts from several origins at the end of the series, each of which has seen what was there, and nothing later."""

import logging
from dataclasses import dataclass, replace

import pandas as pd
from pydantic import Field

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.fitting import ForecastSpec, fit_forecasters, tabulate_part
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.series.as_of import AsOfSpec
from rnn_pipelines.forecast.series.schema import repair_series
from rnn_pipelines.forecast.series.tables import Series, Source
from rnn_pipelines.forecast.series.windows import EvaluationSpec
from rnn_pipelines.networks.fan_out import ParallelSpec, fan_out

logger = logging.getLogger(__name__)


class CrossValidationSpec(AsOfSpec, frozen=True):
    """Which windows are forecast; data, networks and training are those of `forecast`, and its test part is not read.

    Attributes:
        n_windows: windows of each series, the newest of which ends with it.
        step_size: steps from one window to the next; None for the horizon, so that they don't overlap.
        refit: whether everything is fitted again for each window; else once, before the first.
    """

    n_windows: int = Field(5, ge=1, le=10_000)
    step_size: int | None = Field(None, ge=1, le=10**6)
    refit: bool = False

    def choose_step_size(self, horizon: int) -> int:
        """The one that is set, or the horizon."""
        return self.step_size or horizon


@dataclass(frozen=True)
class CrossValidationJob:
    """One fit, and what is forecast with it, in whichever process.

    Attributes:
        number: from 1.
        table: up to the end of its last window, as it was read.
        covariate_table: of all steps: what is past in it is not read after the cut-off of a window.
        spec: whose test part is its windows.
    """

    number: int
    table: Source
    covariate_table: pd.DataFrame | None
    spec: ForecastSpec


def cross_validate(
    table: Source,
    covariate_table: pd.DataFrame | None,
    spec: ForecastSpec,
    validation: CrossValidationSpec,
    parallel: ParallelSpec,
) -> Predictions:
    """Forecasts the newest windows of each series by everyone who has not seen them.

    What a fit learns from ends before its windows begin: values, scales, calendar, the choice among networks and the
    errors behind the intervals. Gaps are filled from what lies on the same side.

    Args:
        table: the series as they were read.
        covariate_table: see `read_covariates`; None if there are none.
        spec: what to fit; its test part gives way to the windows.
        validation: which windows.
        parallel: over which processes fits are spread.
    Returns:
        Forecasts of everyone beside what happened. Left out are windows that begin or end inside a gap, and series that
        are too short for a fit; the log says so.
    Raises:
        SeriesError: no series has the windows.
    """
    source = spec.recipe.source
    series, profile = repair_series(table, source, spec.recipe.gaps)
    horizon = spec.recipe.window.fill(profile).horizon
    known = {
        "source": source.model_copy(update={"freq": profile["freq"]}),
        "window": spec.recipe.window.model_copy(update={"horizon": horizon}),
    }
    spec = replace(spec, recipe=spec.recipe.model_copy(update=known))
    jobs = [replace(job, covariate_table=covariate_table) for job in list_jobs(series, spec, validation)]
    found = dict(_forecast_jobs(jobs, parallel))
    merged = _merge([found[number] for number in sorted(found)])
    wanted = list_windows(series, validation, horizon)
    merged = merged.keep(_find_rows(merged.table, wanted))
    num_missing = len(wanted) - len(merged.table[["unique_id", "cutoff"]].drop_duplicates())
    if num_missing:
        logger.warning("left out: %d of %d windows, of young series or at gaps", num_missing, len(wanted))
    return replace(
        merged, table=merged.table.sort_values(["unique_id", "cutoff", "ds"], kind="stable", ignore_index=True)
    )


def list_jobs(series: Series, spec: ForecastSpec, validation: CrossValidationSpec) -> list[CrossValidationJob]:
    """The fits that are needed: one for each window, or one for all.

    Args:
        series: repaired, whose grid says where windows lie.
        spec, validation: see `cross_validate`; the horizon is not open.
    Returns:
        In their order, still without covariates.
    """
    horizon = spec.recipe.window.horizon
    assert horizon is not None
    step_size = validation.choose_step_size(horizon)
    span = (validation.n_windows - 1) * step_size
    grid = open_gaps(series)
    if not validation.refit:
        return [CrossValidationJob(1, grid, None, keep_back(spec, horizon + span))]
    from_end = grid.groupby("unique_id", sort=False).cumcount(ascending=False)
    ends = range(span, -1, -step_size)
    return [
        CrossValidationJob(number, grid[from_end >= end], None, keep_back(spec, horizon))
        for number, end in enumerate(ends, start=1)
    ]


def open_gaps(series: Series) -> Source:
    """Series as if they were just read, because what has filled a gap may lie behind the end of a part.

    Args:
        series: repaired.
    """
    grid = series.assign(y=series["y"].where(series["observed"])).drop(columns="observed")
    return grid.set_index(pd.RangeIndex(1, len(grid) + 1, name="row"))


def list_windows(series: Series, validation: CrossValidationSpec, horizon: int) -> pd.DataFrame:
    """The cut-offs of all windows: `unique_id, cutoff`.

    Args:
        series: repaired.
        validation: which windows.
        horizon: steps that each reaches ahead.
    """
    after = series.groupby("unique_id", sort=False).cumcount(ascending=False) - horizon
    step_size = validation.choose_step_size(horizon)
    is_cutoff = (after >= 0) & (after % step_size == 0) & (after < validation.n_windows * step_size)
    return series.loc[is_cutoff, ["unique_id", "ds"]].rename(columns={"ds": "cutoff"}).reset_index(drop=True)


def forecast_job(job: CrossValidationJob) -> tuple[int, Predictions]:
    """Fits and forecasts one round; the number tells it from the others."""
    try:
        return job.number, tabulate_part(fit_forecasters(job.table, job.covariate_table, job.spec), "test")
    except SeriesError as error:
        last = job.table["ds"].max()
        raise type(error)(
            f"cross-validation, up to {last}: {error} Or ask for fewer windows, nearer to each other."
        ) from error


def _forecast_jobs(jobs: list[CrossValidationJob], parallel: ParallelSpec) -> list[tuple[int, Predictions]]:
    found = []
    for _, result in fan_out(forecast_job, jobs, parallel):
        found.append(result)
        logger.info("cross-validation: %d of %d fits", len(found), len(jobs))
    return found


def keep_back(spec: ForecastSpec, num_steps: int) -> ForecastSpec:
    """With a test part of so many steps, and forecasts from each of them.

    Args:
        spec: of which this is changed.
        num_steps: at each series' end.
    """
    recipe = spec.recipe
    evaluation = EvaluationSpec(season_length=recipe.evaluation.season_length)
    split = recipe.split.model_copy(update={"test": num_steps})
    return replace(spec, recipe=recipe.model_copy(update={"split": split, "evaluation": evaluation}))


def _find_rows(table: pd.DataFrame, windows: pd.DataFrame) -> pd.Series:
    """Which rows belong to the windows, bool."""
    found = table[["unique_id", "cutoff"]].merge(windows.assign(is_wanted=True), how="left")["is_wanted"]
    return pd.Series(found.eq(True).to_numpy(), index=table.index)


def _merge(jobs: list[Predictions]) -> Predictions:
    """One below the other; NaN where a round lacks a forecaster, as it does the climatology of what is too short."""
    forecasters = dict.fromkeys(name for found in jobs for name in found.forecasters)
    table = pd.concat([found.table for found in jobs], ignore_index=True)
    return Predictions(table, tuple(forecasters), jobs[0].levels)
