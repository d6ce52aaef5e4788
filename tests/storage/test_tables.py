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
    return pd.DataFrame({"shop": ["a", "a", "b"], "day": [*days, days[0]], "price": [1.0, np.nan, 2.0]})


def test_right_table_is_returned_as_it_is(prices: pd.DataFrame) -> None:
    assert Prices.validate(prices) is prices


def test_steps_are_moments_too(prices: pd.DataFrame) -> None:
    in_steps = prices.assign(day=[0, 1, 0])
    assert Prices.validate(in_steps) is in_steps


def test_optional_column_is_checked_where_it_is_there(prices: pd.DataFrame) -> None:
    Prices.validate(prices.assign(num_sold=1))
    with pytest.raises(TableError, match="expected the columns"):
        Prices.validate(prices.assign(num_sold=0.5))


def test_table_without_rows_is_right(prices: pd.DataFrame) -> None:
    assert Prices.validate(prices.head(0)).empty


def test_empty_table_has_every_column_that_is_needed() -> None:
    empty = Prices.validate(Prices.make_empty())
    assert list(empty) == ["shop", "day", "price"]


@pytest.mark.parametrize("kind", LETTERS)
def test_empty_table_has_columns_of_their_kinds(kind: str) -> None:
    made: Any = type("Made", (Table,), {"column": Column(kind)})
    assert made.validate(made.make_empty()).empty


def test_missing_column_is_refused(prices: pd.DataFrame) -> None:
    with pytest.raises(TableError, match=r"Prices: expected the columns .*price \(float\).*, received"):
        Prices.validate(prices.drop(columns="price"))


def test_column_that_is_not_in_the_type_is_refused(prices: pd.DataFrame) -> None:
    with pytest.raises(TableError, match="colour"):
        Prices.validate(prices.assign(colour="red"))


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(TableError, match="received dict"):
        Prices.validate({"shop": []})


def test_missing_value_is_refused_where_the_type_has_none(prices: pd.DataFrame) -> None:
    with pytest.raises(TableError, match="shop is missing"):
        Prices.validate(prices.assign(shop=["a", None, "b"]))


def test_infinite_value_is_refused_even_where_it_may_be_missing(prices: pd.DataFrame) -> None:
    with pytest.raises(TableError, match="price is missing or infinite"):
        Prices.validate(prices.assign(price=[1.0, np.inf, 2.0]))


def test_key_that_stands_twice_is_refused(prices: pd.DataFrame) -> None:
    with pytest.raises(TableError, match="the same shop, day a second time"):
        Prices.validate(prices.iloc[[0, 0, 2]])


def test_rows_out_of_order_are_refused(prices: pd.DataFrame) -> None:
    with pytest.raises(TableError, match="not sorted by shop, day"):
        Prices.validate(prices[::-1])


def test_type_may_have_an_error_of_its_own(prices: pd.DataFrame) -> None:
    class Other(Prices):
        error = SeriesError

    with pytest.raises(SeriesError):
        Other.validate(prices.drop(columns="shop"))


def test_type_made_from_another_has_its_columns_too() -> None:
    class More(Prices):
        tax = Column("float")

    assert list(More.columns) == ["shop", "day", "price", "num_sold", "tax"]
    assert "tax" not in Prices.columns


class Grown(Prices):
    """With any number of columns of one kind."""

    families: ClassVar = {"lo_": Column("float", can_be_empty=True)}


def test_there_may_be_any_number_of_columns_of_a_family(prices: pd.DataFrame) -> None:
    for names in ([], ["lo_80"], ["lo_80", "lo_95"]):
        grown = prices.assign(**dict.fromkeys(names, np.nan))
        assert Grown.validate(grown) is grown


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"lo_80": "low"}, "expected the columns"),
        ({"lo_80": np.inf}, "lo_80 is missing or infinite"),
        ({"hi_80": 1.0}, "lo_…"),
    ],
    ids=["another kind", "infinite", "another family"],
)
def test_columns_of_a_family_are_held_against_its_kind(
    prices: pd.DataFrame, values: dict[str, object], said: str
) -> None:
    with pytest.raises(TableError, match=said):
        Grown.validate(prices.assign(**values))
