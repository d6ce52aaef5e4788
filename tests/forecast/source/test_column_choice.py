"""The columns of times, values and series that the user did not name."""

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.source.column_choice import choose_columns
from rnn_pipelines.forecast.source.specs import SourceSpec

DAYS = pd.date_range("2024-01-01", periods=40)
TEXT = DAYS.strftime("%Y-%m-%d")
COUNT = np.arange(40)


def choose(table: pd.DataFrame, **given: str) -> tuple[str, str, str | None]:
    found = choose_columns(table, SourceSpec(path="my.csv", **given), given, ())
    return found.time, found.target, found.id


def refuse(table: pd.DataFrame, **given: str) -> str:
    with pytest.raises(SeriesError) as refused:
        choose(table, **given)
    return str(refused.value)


@pytest.mark.parametrize(
    "dates", [TEXT, DAYS, DAYS.strftime("%d.%m.%Y"), DAYS.strftime("%Y%m%d").astype(int)]
)
def test_dates_are_the_times_beside_numbers_of_rows(dates: object) -> None:
    table = pd.DataFrame({"id": COUNT + 1, "when": dates, "units": 5.5})
    assert choose(table, target="units") == ("when", "units", None)


def test_column_with_a_usual_name_has_the_times() -> None:
    table = pd.DataFrame({"delivered": TEXT, "date": TEXT, "y": 1.5})
    assert choose(table)[0] == "date"


def test_two_columns_of_dates_are_refused() -> None:
    assert "Name one of ['delivered', 'ordered'] in source.time" in refuse(
        pd.DataFrame({"delivered": TEXT, "ordered": TEXT, "y": 1.5})
    )


def test_rising_numbers_are_the_times() -> None:
    assert choose(pd.DataFrame({"run": COUNT * 5, "level": COUNT % 7 + 0.5}))[0] == "run"


@pytest.mark.parametrize("numbers", [COUNT % 10, COUNT[::-1], COUNT**2])
def test_other_numbers_are_no_times(numbers: np.ndarray) -> None:
    table = pd.DataFrame({"run": numbers, "level": COUNT % 7 + 0.5})
    assert "no column holds dates" in refuse(table)


def test_two_columns_of_rising_numbers_are_refused() -> None:
    table = pd.DataFrame({"run": COUNT, "row": COUNT + 7, "level": COUNT % 7 + 0.5})
    assert "which column has the times? Name one of ['run', 'row']" in refuse(table)


def test_times_rise_in_each_series() -> None:
    table = pd.DataFrame(
        {"shop": np.repeat(["a", "b"], 20), "week_no": np.tile(np.arange(20), 2), "sold": 1.5}
    )
    assert choose(table, id="shop")[0] == "week_no"


def test_numbers_like_years_are_values_beside_dates() -> None:
    table = pd.DataFrame({"price": 1800 + COUNT % 5, "day": TEXT})
    assert choose(table)[:2] == ("day", "price")


def test_repeated_date_of_one_series_is_left_to_the_reader() -> None:
    times = [*TEXT, TEXT[3]]
    assert choose(pd.DataFrame({"date": times, "sold": 1.5, "kind": "a"}), target="sold") == (
        "date",
        "sold",
        None,
    )


def test_columns_that_could_name_the_series_are_listed() -> None:
    table = pd.DataFrame(
        {"date": np.tile(TEXT, 2), "shop": np.repeat([7, 8], 40), "city": np.repeat(["a", "b"], 40)}
    )
    message = refuse(table.assign(sold=1.5), target="sold")
    assert "Name their column with source.id=city, or one of ['shop']" in message


def test_faulty_dates_are_left_to_the_reader() -> None:
    """It names the row, which a list of candidates would hide."""
    table = pd.DataFrame({"date": ["soon", *["2024-13-77"] * 39], "y": 1.5, "note": "x"})
    assert choose(table)[0] == "date"


@pytest.mark.parametrize("name", ["ds", "unique_id"])
def test_names_of_forecasting_libraries_need_no_option(name: str) -> None:
    table = pd.DataFrame(
        {
            "unique_id": np.repeat(["a", "b"], 20),
            "ds": np.tile(TEXT[:20], 2),
            "y": 1.5,
            "date": "2024",
        }
    )
    assert choose(table) == ("ds", "y", "unique_id")


@pytest.mark.parametrize(
    "names", [DAYS[:12].strftime("%d.%m.%Y"), [str(year) for year in range(2010, 2022)]]
)
def test_a_table_with_columns_of_times_is_turned(names: list[str]) -> None:
    table = pd.DataFrame(
        [[number, *range(12)] for number in range(1, 30)], columns=["Product", *names]
    )
    assert ".set_index('Product').T" in refuse(table)
