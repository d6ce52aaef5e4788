"""Covariates lie on the steps of their series, in columns of their own, and none is passed over without a word."""

from pathlib import Path

import pandas as pd
import pytest

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.series.covariates import CovariateSpec, join_ahead, read_covariates
from rnn_pipelines.forecast.series.source import SourceSpec

DAYS = pd.DataFrame({"ds": ["2024-01-01", "2024-01-02"], "y": [1.0, 2.0], "price": [3.0, 4.0]})
STEPS = DAYS.assign(ds=[1, 2])
CATALOG = SourceSpec(name="catalog")

# Columns


@pytest.mark.parametrize(
    ("source", "covariates", "column"),
    [
        ({}, {"past": ["ds"]}, "ds"),
        ({"time": "day"}, {"past": ["day"]}, "day"),
        ({"time": "day"}, {"past": ["ds"]}, "ds"),
        ({"id": "shop"}, {"static": ["shop"]}, "shop"),
        ({"id": "shop"}, {"static": ["unique_id"]}, "unique_id"),
        ({}, {"future": ["y"]}, "y"),
    ],
)
def test_column_of_the_series_is_no_covariate(
    source: dict[str, str], covariates: dict[str, list[str]], column: str
) -> None:
    """Under the names that times and series have here, a covariate would take their place."""
    external = DAYS.assign(day=DAYS["ds"], shop="a", unique_id="b")
    spec = SourceSpec(name="catalog", **source)
    with pytest.raises(SeriesError, match=rf"expected columns other than .*, received \['{column}'\]\. Leave them out"):
        read_covariates(spec, CovariateSpec(**covariates), external)


# Values ahead


@pytest.mark.parametrize(
    ("table", "time", "message"),
    [
        (DAYS, "3", r"column 'ds': expected times like those of the series \(2024-01-01\), received steps \(3\)"),
        (STEPS, "2024-01-03", r"column 'ds': expected steps like those of the series \(1\), received times \(2024"),
    ],
    ids=["steps after times", "times after steps"],
)
def test_times_ahead_are_of_the_kind_of_the_series(
    tmp_path: Path, table: pd.DataFrame, time: str, message: str
) -> None:
    (tmp_path / "ahead.csv").write_text(f"ds,price\n{time},5\n")
    with pytest.raises(SeriesError, match=message):
        read_covariates(CATALOG, CovariateSpec(future=["price"], path=str(tmp_path / "ahead.csv")), table)


@pytest.mark.parametrize("table", [DAYS, STEPS], ids=["times", "steps"])
def test_nothing_ahead_changes_nothing(table: pd.DataFrame) -> None:
    known = read_covariates(CATALOG, CovariateSpec(future=["price"]), table)
    found = join_ahead(known, CATALOG, ["price"], table[:0].astype({"ds": str}))
    assert found.astype({"price": float}).to_dict("list") == known.to_dict("list")
