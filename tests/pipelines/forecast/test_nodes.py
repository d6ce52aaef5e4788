"""Nodes of `forecast` that are not functions of the library."""

import pandas as pd
import pytest

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.recipe import read_source
from rnn_pipelines.forecast.series.covariates import CovariateSpec
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.windows import OpenWindowSpec

DAYS = pd.date_range("2024-01-01", periods=50)
KNOWN = 36


def read(by: str = "0 D", horizon: int | None = None, num_rows: int = len(DAYS)) -> pd.DataFrame:
    """A series whose prices go on for 14 days, at other times."""
    rows = pd.DataFrame({"ds": DAYS, "y": 1.0, "price": 2.0})
    rows.loc[KNOWN:, "y"] = None
    rows.loc[KNOWN:, "ds"] += pd.Timedelta(by)
    source, window = SourceSpec(name="catalog"), OpenWindowSpec(horizon=horizon)
    return read_source(source, CovariateSpec(future=["price"]), window, rows[:num_rows])[1]


@pytest.mark.parametrize("horizon", [3, None])
def test_a_horizon_of_covariates_is_read(horizon: int | None) -> None:
    assert len(read(horizon=horizon)) == len(DAYS)


@pytest.mark.parametrize("horizon", [3, None])
@pytest.mark.parametrize("by", ["1 D", "12 h"])
def test_nothing_begins_where_rows_ahead_have_other_times(by: str, horizon: int | None) -> None:
    """There were rows enough, and no forecast."""
    with pytest.raises(SeriesError, match=r"'y' lacks \d+ of \d+ steps, the first at 2024-02-06"):
        read(by, horizon)


def test_a_table_without_rows_is_told_by_the_check_of_the_series() -> None:
    assert read(num_rows=0).empty
