"""Cross-validation: forecasts from several origins at the end of the series, each from earlier data only."""

import logging
from dataclasses import replace

import pandas as pd
from pydantic import Field

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.experiments.rolling import FitJob, cut_series, keep_back, rolling
from rnn_pipelines.forecast.fitting import fit_forecasters, tabulate_part
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.parameters import ForecastSpec
from rnn_pipelines.forecast.preparation.preparing import choose_horizon
from rnn_pipelines.forecast.preparation.schema import repair_series
from rnn_pipelines.forecast.series.tables import Series, Source
from rnn_pipelines.forecast.source.as_of import AsOfSpec
from rnn_pipelines.networks.fan_out import ParallelSpec

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


def cross_validate(
    table: Source,
    covariate_table: pd.DataFrame | None,
    spec: ForecastSpec,
    validation: CrossValidationSpec,
    parallel: ParallelSpec,
) -> Predictions:
    """Forecast the newest windows of each series by methods fitted on earlier data.

    A fit reads only data before its windows: values, scales, calendar, the choice of networks and the errors behind the
    intervals. Gaps are filled from values on the same side of the cut-off. The windows replace the test part of the
    spec.

    Returns:
        Forecasts of all methods with the actuals. Windows that begin or end inside a gap, and series that are too short
        for a fit, are left out with a warning in the log.
    Raises:
        SeriesError: no series has the windows.
    """
    source = spec.source
    series, profile = repair_series(table, source, spec.gaps)
    horizon = choose_horizon(spec.window, series, profile)
    window = spec.window.model_copy(update={"horizon": horizon})
    resolved = {"source": source.model_copy(update={"freq": profile["freq"]}), "window": window}
    spec = spec.model_copy(update=resolved)
    jobs = _list_jobs(series, covariate_table, spec, validation)
    results = rolling(
        _run_job,
        jobs,
        parallel,
        lambda job, _: logger.info("cross-validation: fit %d of %d", job.number, len(jobs)),
    )
    # A method that a fit lacks, such as climatology for short series, is NaN there.
    table = pd.concat([result.table for result in results], ignore_index=True)
    names = dict.fromkeys(name for result in results for name in result.forecasters)
    after = series.groupby("unique_id", sort=False).cumcount(ascending=False) - horizon
    step_size = validation.step_size or horizon
    is_cutoff = (after >= 0) & (after % step_size == 0) & (after < validation.n_windows * step_size)
    wanted = series.loc[is_cutoff, ["unique_id", "ds"]].rename(columns={"ds": "cutoff"})
    is_wanted = table[["unique_id", "cutoff"]].merge(wanted.assign(is_wanted=True), how="left")[
        "is_wanted"
    ]
    table = table[is_wanted.eq(True).to_numpy()]
    num = len(table[["unique_id", "cutoff"]].drop_duplicates())
    num_wanted = len(wanted)
    if num < num_wanted:
        reason = "the series is too short or has a gap there"
        logger.warning(
            "left out: %d of %d windows, because %s", num_wanted - num, num_wanted, reason
        )
    table = table.sort_values(["unique_id", "cutoff", "ds"], kind="stable", ignore_index=True)
    return replace(results[0], table=table, forecasters=tuple(names))


def _list_jobs(
    series: Series,
    covariate_table: pd.DataFrame | None,
    spec: ForecastSpec,
    validation: CrossValidationSpec,
) -> list[FitJob]:
    """Return the fits in order: one for each window, or one for all."""
    horizon = spec.window.horizon
    assert horizon is not None
    step_size = validation.step_size or horizon
    span = (validation.n_windows - 1) * step_size
    ends, num_steps = (
        (range(span, -1, -step_size), horizon) if validation.refit else ([0], horizon + span)
    )
    from_end = series.groupby("unique_id", sort=False).cumcount(ascending=False)
    return [
        FitJob(
            number, cut_series(series, from_end >= end), covariate_table, keep_back(spec, num_steps)
        )
        for number, end in enumerate(ends, start=1)
    ]


def _run_job(job: FitJob) -> Predictions:
    try:
        return tabulate_part(fit_forecasters(job.table, job.covariate_table, job.spec), "test")
    except SeriesError as error:
        place = f"cross-validation, up to {job.table['ds'].max()}"
        raise type(error)(f"{place}: {error} Or give a smaller n_windows or step_size.") from error
