"""As-of reading: the data up to a day, and nothing later."""

from typing import Annotated

import pandas as pd
from pydantic import Field

from rnn_pipelines.errors import SeriesError, show
from rnn_pipelines.forecast.series.coding import Coding
from rnn_pipelines.forecast.series.covariates import CovariateSpec, read_covariates
from rnn_pipelines.forecast.series.source import SourceSpec, read_source
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.forecast.series.time_axis import TimeAxis
from rnn_pipelines.parameter_models import ParameterModel, expect
from rnn_pipelines.reading.as_of import parse_as_of, parse_step
from rnn_pipelines.reading.times import MAX_STEP, format_time


class AsOfSpec(ParameterModel, frozen=True):
    """The end of the data to read.

    Attributes:
        as_of: last day, time (see `parse_as_of`) or step to read; None for all.
    """

    as_of: Annotated[
        Annotated[int, Field(ge=-MAX_STEP, le=MAX_STEP)] | str | None, expect("a day, a time or a step")
    ] = None


def read_as_of(
    external: pd.DataFrame | None, source: SourceSpec, spec: AsOfSpec, axis: TimeAxis | None = None
) -> Source:
    """Read the series up to `as_of`; later rows are dropped before any computation.

    Args:
        external, source, axis: see `read_source`.
    Raises:
        SeriesError: `as_of` is not a time like those of the series, or is before the first one.
    """
    table = read_source(source, external, axis)
    if spec.as_of is None:
        return table
    kept = table[table["ds"] <= _find_last(spec.as_of, table["ds"], table.attrs.get("tz"))]
    if kept.empty:
        raise SeriesError(
            f"{source.label}: as_of is {show(spec.as_of)}, and the first row is of {format_time(table['ds'].min())}. "
            "Give a later one."
        )
    return kept


def read_covariates_as_of(
    external: pd.DataFrame | None,
    source: SourceSpec,
    spec: AsOfSpec,
    covariates: CovariateSpec,
    axis: TimeAxis | None = None,
) -> pd.DataFrame:
    """Read the covariates, without past covariates after `as_of`; future covariates were known then.

    Args:
        external, source, covariates, axis: see `read_covariates`.
    """
    table = read_covariates(source, covariates, external, axis)
    if spec.as_of is None or table.empty:
        return table
    is_later = table["ds"] > _find_last(spec.as_of, table["ds"], table.attrs.get("tz"))
    past = list(covariates.past)
    return table.assign(**{name: table[name].mask(is_later) for name in past})


def read_coded_covariates(
    coding: Coding,
    external: pd.DataFrame | None,
    source: SourceSpec,
    spec: AsOfSpec,
    covariates: CovariateSpec,
    axis: TimeAxis | None = None,
) -> pd.DataFrame:
    """Read the covariates that a forecaster was trained with, whatever the parameters name now.

    Args:
        coding: of the forecaster.
        external, source, spec, axis: see `read_as_of`.
        covariates: only its path is used.
    """
    path = covariates.path if coding.list_columns("future") else None
    return read_covariates_as_of(external, source, spec, coding.make_spec(path), axis)


def _find_last(as_of: int | str, ds: pd.Series, tz: str | None) -> pd.Timestamp | int:
    try:
        if not pd.api.types.is_datetime64_any_dtype(ds):
            return parse_step(as_of)
        if isinstance(as_of, int):
            raise ValueError("a number is not a date")
        return parse_as_of(as_of, tz or "UTC")
    except ValueError as error:
        raise SeriesError(
            f"as_of: expected a time like those of the series ({format_time(ds.iloc[0])}), received {show(as_of)}."
        ) from error
