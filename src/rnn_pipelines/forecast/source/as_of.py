"""As-of reading: the data up to a day, and nothing later."""

from typing import Annotated

import pandas as pd
from pydantic import Field

from rnn_pipelines.errors import SeriesError, show
from rnn_pipelines.forecast.series.columns import OBSERVED
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.forecast.source.covariates import (
    NO_COVARIATES,
    CovariateSpec,
    parse_bound,
    read_series,
)
from rnn_pipelines.forecast.source.readable import External
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.source.time_axis import TimeAxis
from rnn_pipelines.parameter_models import ParameterModel, expect
from rnn_pipelines.reading.as_of import parse_last
from rnn_pipelines.reading.times import MAX_STEP, format_time


class AsOfSpec(ParameterModel, frozen=True):
    """The end of the data to read.

    Attributes:
        as_of: last day, time (see `parse_as_of`) or step to read; None for all.
    """

    as_of: Annotated[
        Annotated[int, Field(ge=-MAX_STEP, le=MAX_STEP)] | str | None,
        expect("a day, a time or a step"),
    ] = None


def read_as_of(
    external: External,
    source: SourceSpec,
    spec: AsOfSpec,
    covariates: CovariateSpec = NO_COVARIATES,
    axis: TimeAxis | None = None,
) -> tuple[Source, pd.DataFrame]:
    """Read the series up to `as_of`, and their covariates, see `read_series`; later values are dropped at once.

    Past covariates have no values after `as_of`; future ones were known then. Raise a SeriesError if `as_of` is not a
    time like those of the series, or is before the first one.
    """
    table, covariate_table = read_series(source, covariates, external, axis)
    if spec.as_of is None:
        return table, covariate_table
    last = parse_bound("as_of", spec.as_of, table, parse_last)
    kept = table[table["ds"] <= last]
    if kept.empty:
        raise SeriesError(
            f"{source.label}: as_of is {show(spec.as_of)}, and the first row is of {format_time(table['ds'].min())}. "
            "Give a later one."
        )
    if len(covariate_table):
        is_later = covariate_table["ds"] > last
        names = covariates.list_columns(OBSERVED)
        covariate_table = covariate_table.assign(
            **{name: covariate_table[name].mask(is_later) for name in names}
        )
    return kept, covariate_table
