"""A wide table has one column for each series, and gives the series that a long table of them gives."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from rnn_pipelines import Forecaster
from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.source.covariates import CovariateSpec, read_series
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec

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
@pytest.mark.parametrize(
    ("given", "names"), [({"wide": True}, ["a", "b"]), ({"series": ["b"]}, ["b"])], ids=str
)
def test_each_column_of_numbers_is_a_series(
    tmp_path: Path, name: str, given: dict, names: list[str]
) -> None:
    found = read_source(SourceSpec(path=save(tmp_path, name), **given))
    assert found["unique_id"].tolist() == np.repeat(names, 40).tolist()
    for column in names:
        one = found[found["unique_id"] == column]
        assert one["ds"].tolist() == list(DAYS)
        np.testing.assert_array_equal(one["y"], WIDE[column])
        first = 1 if name == "my.parquet" else 2
        assert one.index.tolist() == list(range(first, first + 40))


@pytest.mark.parametrize("name", ["my.csv", "my.xlsx", "my.parquet"])
def test_table_without_a_named_target_is_wide(tmp_path: Path, name: str) -> None:
    path = save(tmp_path, name)
    assert read_source(SourceSpec(path=path)).equals(read_source(SourceSpec(path=path, wide=True)))


@pytest.mark.parametrize("given", [{"target": "x"}, {"id": "note"}, {"time": "day"}], ids=str)
def test_table_without_a_named_column_is_refused(tmp_path: Path, given: dict[str, str]) -> None:
    (name,) = given.values()
    with pytest.raises(SeriesError, match="'y'" if name == "note" else f"'{name}'"):
        read_source(SourceSpec(path=save(tmp_path, "my.parquet"), **given))


def test_wrong_cell_is_named() -> None:
    table = WIDE.astype({"b": object})
    table.loc[7, "b"] = "many"
    with pytest.raises(SeriesError, match=r"'b', row 8.*'many'"):
        read_source(SourceSpec(name="catalog", wide=True), table)


def test_table_without_numbers_is_refused() -> None:
    with pytest.raises(SeriesError, match=r"source\.series"):
        read_source(SourceSpec(name="catalog", wide=True), WIDE[["ds", "note"]].assign(note="x"))


@pytest.mark.parametrize(
    "given",
    [
        {"wide": True, "id": "b"},
        {"series": ["ds"]},
        {"series": ["a", "a"]},
        {"wide": True, "name": "seattle"},
    ],
)
def test_parameters_that_contradict_each_other_are_refused(given: dict) -> None:
    with pytest.raises(ValidationError):
        SourceSpec(**{"name": "catalog", **given})


@pytest.mark.parametrize(
    ("given", "names"),
    [({"wide": True}, ["a", "b"]), ({"series": ["b", "a"]}, ["b", "a"])],
    ids=["all", "named"],
)
def test_covariates_are_those_of_all_series(tmp_path: Path, given: dict, names: list[str]) -> None:
    """Also beyond the last value, in rows of a second table."""
    ahead = pd.DataFrame({"ds": pd.date_range("2024-02-10", periods=3), "price": [7.0, 8.0, 9.0]})
    ahead.to_csv(tmp_path / "ahead.csv", index=False)
    spec = CovariateSpec(future=("price",), past=("visitors",), path=str(tmp_path / "ahead.csv"))
    wide = WIDE.assign(price=np.arange(40) * 1.0, visitors=np.arange(40) % 5)
    table, covariates = read_series(SourceSpec(name="catalog", **given), spec, wide)
    assert table["unique_id"].unique().tolist() == names
    for name in names:
        own = covariates[covariates["unique_id"] == name]
        assert own["price"].tolist() == [*range(40), 7, 8, 9]
        assert own["visitors"].dropna().tolist() == wide["visitors"].tolist()


@pytest.mark.parametrize("given", [{"static": ("price",)}, {"past": ("a",)}], ids=str)
def test_covariates_that_are_series_or_static_are_refused(given: dict) -> None:
    with pytest.raises(SeriesError, match="'price'" if "static" in given else "'a'"):
        read_series(
            SourceSpec(name="catalog", series=("a", "b")),
            CovariateSpec(**given),
            WIDE.assign(price=1.0),
        )


def test_values_of_covariates_over_the_horizon_suffice() -> None:
    wide = WIDE.drop(columns="note").assign(price=np.arange(40) % 3)
    forecaster = Forecaster(
        h=2, source={"wide": True}, covariates={"future": ["price"]}, training={"max_steps": 1}
    )
    forecaster.fit(wide)
    ahead = pd.DataFrame({"ds": pd.date_range("2024-02-10", periods=2), "price": [1, 2]})
    found = forecaster.predict(ahead)
    assert found["unique_id"].tolist() == ["a", "a", "b", "b"]
    whole = pd.concat([wide, ahead], ignore_index=True)
    pd.testing.assert_frame_equal(forecaster.predict(whole), found)


def test_forecasts_are_those_of_the_long_table() -> None:
    """Also of a pivot table, whose columns are numbers and whose index has the times."""
    pivot = WIDE.drop(columns="note").set_index("ds").set_axis([7, 8], axis=1)
    long = pivot.melt(ignore_index=False, var_name="unique_id", value_name="y").reset_index()
    small = {
        "lstm": {"units": 2},
        "gru": {"units": 2},
        "training": {"max_steps": 5},
        "split": {"test": 8},
    }
    wide = Forecaster(h=2, level=None, lookback=8, source={"wide": True}, **small).fit(pivot)
    expected = (
        Forecaster(h=2, level=None, lookback=8, **small)
        .fit(long.astype({"unique_id": str}))
        .predict()
    )
    pd.testing.assert_frame_equal(wide.predict(), expected)
    pd.testing.assert_frame_equal(wide.predict(pivot), expected)


@pytest.mark.parametrize(
    "names", [["Jan", "Feb", "Mar", "Apr"], ["2024-01", "2024-02", "2024-03"]], ids=str
)
def test_columns_of_times_are_refused(names: list[str]) -> None:
    table = pd.DataFrame({"ds": [2022, 2023, 2024], **{name: [1.0, 2, 3] for name in names}})
    with pytest.raises(SeriesError, match=f"'{names[0]}'"):
        read_source(SourceSpec(name="catalog", wide=True), table)


@pytest.mark.parametrize("names", [["a"], ["a", "b"]], ids=str)
def test_wide_table_without_parameters_is_forecast(names: list[str]) -> None:
    table = WIDE[["ds", *names]]
    forecaster = Forecaster(h=2, training={"max_steps": 1}).fit(table)
    pd.testing.assert_frame_equal(forecaster.predict(table), forecaster.predict())
    assert forecaster.predict()["unique_id"].unique().tolist() == names
