"""A type of table says its columns once, and refuses every table that is another one."""

from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.errors import SeriesError, TableError
from rnn_pipelines.storage.tables import LETTERS, Column, Table


class Prices(Table):
    shop = Column("text")
    day = Column("moment")
    price = Column("float", can_be_empty=True)
    num_sold = Column("int", is_optional=True)
    key = ("shop", "day")
    is_sorted = True


@pytest.fixture
def prices() -> pd.DataFrame:
    days = pd.date_range("2024-01-01", periods=2)
    return pd.DataFrame(
        {"shop": ["a", "a", "b"], "day": [*days, days[0]], "price": [1.0, np.nan, 2.0]}
    )


def test_a_right_table_is_returned_as_it_is(prices: pd.DataFrame) -> None:
    assert Prices.validate(prices) is prices


def test_moments_may_be_steps(prices: pd.DataFrame) -> None:
    in_steps = prices.assign(day=[0, 1, 0])
    assert Prices.validate(in_steps) is in_steps


def test_an_optional_column_may_be_there(prices: pd.DataFrame) -> None:
    with_sales = prices.assign(num_sold=1)
    assert Prices.validate(with_sales) is with_sales


def test_an_optional_column_has_its_type(prices: pd.DataFrame) -> None:
    with pytest.raises(TableError, match="expected the columns"):
        Prices.validate(prices.assign(num_sold=0.5))


def test_a_table_may_be_empty(prices: pd.DataFrame) -> None:
    assert Prices.validate(prices.head(0)).empty


def test_a_family_may_have_any_number_of_columns(prices: pd.DataFrame) -> None:
    for names in ([], ["lo_80"], ["lo_80", "lo_95"]):
        grown = prices.assign(**dict.fromkeys(names, np.nan))
        assert Grown.validate(grown) is grown


def test_type_made_from_another_has_its_columns_too() -> None:
    empty = Prices.validate(Prices.make_empty())
    assert list(empty) == ["shop", "day", "price"]

    class More(Prices):
        tax = Column("float")

    assert list(More.columns) == ["shop", "day", "price", "num_sold", "tax"]
    assert "tax" not in Prices.columns


@pytest.mark.parametrize("kind", LETTERS)
def test_empty_table_has_columns_of_their_kinds(kind: str) -> None:
    made: Any = type("Made", (Table,), {"column": Column(kind)})
    assert made.validate(made.make_empty()).empty


def test_texts_are_no_categories() -> None:
    made: Any = type("Made", (Table,), {"column": Column("category")})
    with pytest.raises(TableError, match=r"column \(category\)"):
        made.validate(pd.DataFrame({"column": ["a"]}))


def test_wrong_tables_are_refused(prices: pd.DataFrame) -> None:
    with pytest.raises(
        TableError, match=r"Prices: expected the columns .*price \(float\).*, received"
    ):
        Prices.validate(prices.drop(columns="price"))
    with pytest.raises(TableError, match="colour"):
        Prices.validate(prices.assign(colour="red"))
    with pytest.raises(TableError, match="received dict"):
        Prices.validate({"shop": []})
    with pytest.raises(TableError, match="shop is missing"):
        Prices.validate(prices.assign(shop=["a", None, "b"]))
    with pytest.raises(TableError, match="price is missing or infinite"):
        Prices.validate(prices.assign(price=[1.0, np.inf, 2.0]))
    with pytest.raises(TableError, match="the same shop, day a second time"):
        Prices.validate(prices.iloc[[0, 0, 2]])
    with pytest.raises(TableError, match="not sorted by shop, day"):
        Prices.validate(prices[::-1])

    class Other(Prices):
        error = SeriesError

    with pytest.raises(SeriesError):
        Other.validate(prices.drop(columns="shop"))


class Grown(Prices):
    """With any number of columns of one kind."""

    families: ClassVar = {"lo_": Column("float", can_be_empty=True)}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"lo_80": "low"}, "expected the columns"),
        ({"lo_80": np.inf}, "lo_80 is missing or infinite"),
        ({"hi_80": 1.0}, "lo_…"),
    ],
    ids=["another kind", "infinite", "another family"],
)
def test_columns_of_a_family_are_of_its_kind(
    prices: pd.DataFrame, values: dict[str, object], said: str
) -> None:
    with pytest.raises(TableError, match=said):
        Grown.validate(prices.assign(**values))
