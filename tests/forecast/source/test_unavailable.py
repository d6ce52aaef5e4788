"""Rows in which a column such as the stock is 0 are marked: their values are unknown."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from divided_tables import explain_difference, read, read_divided
from rnn_pipelines.errors import MissingColumnsError, SeriesError
from rnn_pipelines.forecast.partitions.dividing import PartitionSpec
from rnn_pipelines.forecast.source.column_choice import choose_columns
from rnn_pipelines.forecast.source.covariates import CovariateSpec, read_future, read_series
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec

DAYS = pd.date_range("2024-01-01", periods=4)
STOCK = SourceSpec(name="catalog", unavailable="stock")


def make_table(stock: Any) -> pd.DataFrame:
    return pd.DataFrame({"ds": DAYS, "y": [1.0, 0.0, 3.0, 4.0], "stock": stock})


def make_panel(num_series: int = 8, num_steps: int = 30) -> pd.DataFrame:
    random = np.random.default_rng(0)
    tables = []
    for number in range(num_series):
        stock = random.integers(0, 4, num_steps)
        y = np.where(stock > 0, random.integers(0, 9, num_steps), 0)
        ds = pd.date_range("2024-01-01", periods=num_steps)
        tables.append(pd.DataFrame({"shop": f"shop {number}", "ds": ds, "y": y, "stock": stock}))
    return pd.concat(tables, ignore_index=True)


@pytest.mark.parametrize(
    "stock",
    [
        [5, 0, 2, 1],
        [5.5, -2.0, np.nan, 1e-9],
        [True, False, None, True],
        pd.array([3, 0, None, 1], dtype="Int64"),
        ["5", " 0.0 ", "n/a", "2"],
        ["yes", "False", "", "TRUE"],
    ],
    ids=["integers", "negative", "flags", "missing", "texts", "words"],
)
def test_rows_with_0_or_less_or_false_are_marked(stock: Any) -> None:
    table = read_source(STOCK, make_table(stock))
    assert table["unavailable"].tolist() == [False, True, False, False]


def test_stock_has_the_decimal_sign_of_the_table(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("ds;y;stock\n01.01.2024;1,5;5,5\n02.01.2024;0,0;0,0\n13.01.2024;3,0;1,5\n")
    table = read_source(SourceSpec(path=str(path), unavailable="stock"))
    assert table["unavailable"].tolist() == [False, True, False]


def test_the_values_stay_as_written() -> None:
    table = make_table([5, 0, 0, 1])
    assert read_source(STOCK, table)["y"].tolist() == table["y"].tolist()


def test_tables_without_the_parameter_have_no_mark() -> None:
    assert "unavailable" not in read_source(SourceSpec(name="catalog"), make_table(0))


def test_other_texts_are_refused() -> None:
    with pytest.raises(SeriesError, match=r"column 'stock', row 2: expected a number, true or fal"):
        read_source(STOCK, make_table(["5", "sold out", "2", "3"]))


def test_missing_column_is_named() -> None:
    with pytest.raises(MissingColumnsError, match=r"\['stock'\]"):
        read_source(STOCK, make_table(1).drop(columns="stock"))


@pytest.mark.parametrize("wide", [{"wide": True}, {"series": ("y",)}], ids=["wide", "series"])
def test_wide_table_is_refused(wide: dict[str, Any]) -> None:
    source = SourceSpec(name="catalog", unavailable="stock", **wide)
    with pytest.raises(
        SeriesError, match=r"source\.unavailable is for a table with a row for each"
    ):
        read_source(source, make_table(1))


@pytest.mark.parametrize("name", ["seattle", "sine"])
def test_packaged_series_have_no_stock(name: str) -> None:
    with pytest.raises(ValidationError, match=r"unavailable.* are for your own table"):
        SourceSpec(name=name, unavailable="stock")


@pytest.mark.parametrize("role", ["time", "target", "id"])
def test_column_of_the_series_is_refused(role: str) -> None:
    with pytest.raises(ValidationError, match="unavailable names the column of time, target or id"):
        SourceSpec(name="catalog", unavailable="stock", **{role: "stock"})


def test_stock_is_not_chosen_as_the_values() -> None:
    table = make_table([5, 0, 2, 1]).rename(columns={"ds": "day", "y": "sales"})
    found = choose_columns(table, STOCK, ["unavailable"], [])
    assert (found.time, found.target, found.id) == ("day", "sales", None)


def test_stock_is_not_proposed_as_the_series() -> None:
    table = pd.concat([make_table(0), make_table(1)])
    plain = SourceSpec(name="catalog")
    with pytest.raises(SeriesError, match=r"source\.id=stock"):
        choose_columns(table, plain, [], [])
    assert choose_columns(table, STOCK, ["unavailable"], []).id is None


def test_stock_is_no_unread_column() -> None:
    assert read_source(STOCK, make_table(1)).attrs["columns"]["unread"] == []


@pytest.mark.parametrize("role", ["past", "future"])
def test_stock_is_a_covariate_too(role: str) -> None:
    covariates = CovariateSpec(**{role: ("stock",)})
    table, covariate_table = read_series(STOCK, covariates, make_table([5, 0, 2, 1]))
    assert covariate_table["stock"].tolist() == [5, 0, 2, 1]
    assert table["unavailable"].tolist() == [False, True, False, False]


def test_future_covariates_need_no_stock() -> None:
    covariate_table = pd.DataFrame({"unique_id": "y", "ds": DAYS, "price": 1.0})
    more = pd.DataFrame({"ds": DAYS + pd.Timedelta(days=4), "price": 2.0})
    future = read_future(covariate_table, STOCK, ["price"], more)
    assert future["price"].tolist() == [2.0] * 4


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("past", [(), ("stock",)], ids=["alone", "covariate"])
def test_divided_table_has_the_marks_of_the_whole_one(
    kind: str, past: tuple[str, ...], tmp_path: Path
) -> None:
    panel = make_panel().assign(stock=lambda table: table["stock"] > 0)
    path = tmp_path / f"sales.{kind}"
    panel.to_csv(path, index=False) if kind == "csv" else panel.to_parquet(path, index=False)
    source = SourceSpec(path=str(path), id="shop", unavailable="stock")
    covariates = CovariateSpec(past=past)
    whole = read(source, covariates)
    spec = PartitionSpec(training_rows=100, rows=60)
    divided = read_divided(source, covariates, spec, tmp_path / "partitions")
    assert whole[0]["unavailable"].sum() == (~panel["stock"]).sum()
    assert explain_difference(whole, divided) is None
