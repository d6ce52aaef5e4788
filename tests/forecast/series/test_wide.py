"""A wide table has one column for each series, and gives the series that a long table of them gives."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from rnn_pipelines import Forecaster
from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.series.covariates import CovariateSpec, read_series
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.source_reading import read_source

DAYS = pd.date_range("2024-01-01", periods=40)
WIDE = pd.DataFrame({"ds": DAYS, "a": np.arange(40) + 0.5, "b": np.arange(40) * 2.0, "note": "x1"})
WIDE.loc[:4, "b"] = np.nan


def save(folder: Path, name: str) -> str:
    path = folder / name
    match path.suffix:
        case ".csv":
            WIDE.to_csv(path, index=False, sep=";", decimal=",")
        case ".tsv":
            WIDE.to_csv(path, index=False, sep="\t")
        case ".xlsx":
            WIDE.to_excel(path, index=False)
        case ".parquet":
            WIDE.to_parquet(path)
    return str(path)


@pytest.mark.parametrize("name", ["my.csv", "my.tsv", "my.xlsx", "my.parquet"])
@pytest.mark.parametrize(("given", "names"), [({"wide": True}, ["a", "b"]), ({"series": ["b"]}, ["b"])], ids=str)
def test_each_column_of_numbers_is_a_series(tmp_path: Path, name: str, given: dict, names: list[str]) -> None:
    found = read_source(SourceSpec(path=save(tmp_path, name), **given))
    assert found["unique_id"].tolist() == np.repeat(names, 40).tolist()
    for column in names:
        one = found[found["unique_id"] == column]
        assert one["ds"].tolist() == list(DAYS)
        np.testing.assert_array_equal(one["y"], WIDE[column])
        assert one.index.tolist() == list(range(1, 41))


@pytest.mark.parametrize("name", ["my.csv", "my.xlsx", "my.parquet"])
def test_table_that_may_be_wide_is_refused_with_the_parameter(tmp_path: Path, name: str) -> None:
    with pytest.raises(SeriesError, match=r"'y'.*'a', 'b', 'note'.*source\.wide: true"):
        read_source(SourceSpec(path=save(tmp_path, name)))


def test_wrong_cell_is_named_by_its_column_and_row() -> None:
    table = WIDE.astype({"b": object})
    table.loc[7, "b"] = "many"
    with pytest.raises(SeriesError, match=r"'b', row 8.*'many'"):
        read_source(SourceSpec(name="catalog", wide=True), table)


@pytest.mark.parametrize(
    "given", [{"wide": True, "id": "b"}, {"series": ["ds"]}, {"series": ["a", "a"]}, {"wide": True, "name": "seattle"}]
)
def test_parameters_that_contradict_each_other_are_refused(given: dict) -> None:
    with pytest.raises(ValidationError):
        SourceSpec(**{"name": "catalog", **given})


def test_table_without_numbers_is_refused() -> None:
    with pytest.raises(SeriesError, match=r"source\.series"):
        read_source(SourceSpec(name="catalog", wide=True), WIDE[["ds", "note"]].assign(note="x"))


def test_covariates_are_refused() -> None:
    with pytest.raises(SeriesError, match="covariates"):
        read_series(SourceSpec(name="catalog", wide=True), CovariateSpec(past=("a",)), WIDE)


def test_forecasts_are_those_of_the_long_table() -> None:
    """Also of a pivot table, whose columns are numbers and whose index has the times."""
    pivot = WIDE.drop(columns="note").set_index("ds").set_axis([7, 8], axis=1)
    long = pivot.melt(ignore_index=False, var_name="unique_id", value_name="y").reset_index()
    small = {"lstm": {"units": 2}, "gru": {"units": 2}, "training": {"max_steps": 5}, "split": {"test": 8}}
    wide = Forecaster(h=2, level=None, lookback=8, source={"wide": True}, **small).fit(pivot)
    expected = Forecaster(h=2, level=None, lookback=8, **small).fit(long.astype({"unique_id": str})).predict()
    pd.testing.assert_frame_equal(wide.predict(), expected)
    pd.testing.assert_frame_equal(wide.predict(pivot), expected)
