"""Times are read in the one form that fits all of them; where two do, the user says which."""

import logging
import re
from collections.abc import Iterable
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.reading.times import parse_times, read_steps, warn_of_centuries
from rnn_pipelines.reading.zones import has_zone


def read(cells: list[str]) -> tuple[list[pd.Timestamp], dict[str, str]]:
    times, found = parse_times(pd.Series(cells, name="ds"), "my.csv", None)
    return times.tolist(), found


def fail(cells: list[str]) -> str:
    with pytest.raises(SeriesError) as caught:
        read(cells)
    return str(caught.value)


@pytest.mark.parametrize(
    ("cells", "last", "form"),
    [
        (["05.01.2024", "13.01.2024"], "2024-01-13", "%d.%m.%Y"),
        (["01/05/2024", "01/13/2024"], "2024-01-13", "%m/%d/%Y"),
        (["13/01/2024 14:00", "31/01/2024 15:30"], "2024-01-31 15:30", "%d/%m/%Y %H:%M"),
        (["1/31/2024 2:00 PM"], "2024-01-31 14:00", "%m/%d/%Y %I:%M %p"),
        (["01.2024", "02.2024"], "2024-02-01", "%m.%Y"),
        (["Jan 1949", "MAY 1949"], "1949-05-01", "%b %Y"),
        (["january 1949", "May 1949"], "1949-05-01", "%B %Y"),
        (["Dec-22", "Jan-23", "Feb-23"], "2023-02-01", "%b-%y"),
        (["22-Dec", "23-Jan", "23-Feb"], "2023-02-01", "%y-%b"),
        (["Jan 2023", "März 2023", "Okt. 2023"], "2023-10-01", "%b %Y"),
        (["Mär 2023", "Dez 2023"], "2023-12-01", "%b %Y"),
        (["Januar 2023", "April 2023", "Dezember 2023"], "2023-12-01", "%B %Y"),
        (["1. Oktober 2023"], "2023-10-01", "%d. %b %Y"),
        (["2023M01", "2023M12"], "2023-12-01", "%YM%m"),
        (["18-Jun-23", "19-JUN-23"], "2023-06-19", "%d-%b-%y"),
        (["19 Jun 2023", "1 Jul 2023"], "2023-07-01", "%d %b %Y"),
        (["Monday, June 19, 2023"], "2023-06-19", "%A, %B %d, %Y"),
        (["Jun 19, 2023", "Jun 20, 2023"], "2023-06-20", "%b %d, %Y"),
        (["19 Jun 2023 14:00"], "2023-06-19 14:00", "%d %b %Y %H:%M"),
        (["2001Q1", "2001q4"], "2001-10-01", "%YQ%q"),
        (["2001-Q1", "2001-Q2"], "2001-04-01", "%Y-Q%q"),
        (["Q1 2001", "Q3 2001"], "2001-07-01", "Q%q %Y"),
        (["2020-W53", "2021-W01"], "2021-01-04", "%G-W%V"),
        (["2023-W05-1", "2023-W05-3"], "2023-02-01", "%G-W%V-%u"),
    ],
)
def test_form_is_found_from_all_times(cells: list[str], last: str, form: str) -> None:
    times, found = read(cells)
    assert (times[-1], found) == (pd.Timestamp(last), {"time_format": form})


def two_digits(*years: int) -> list[str]:
    """Dates that can be read in one way only."""
    return [f"{day}/02/{year % 100:02}" for year in years for day in (13, 14)]


NEXT = pd.Timestamp.now().year + 1
NOT_DATES = (
    "2001Q5",
    "Q0 2001",
    "2021-W53",
    "2023-W05-8",
    "30 Feb 2023",
    "Okto 2023",
    "19 Jun",
    "Q1",
)
ZONED = (
    "2024-01-05T10Z",
    "2024-01-05 10+02",
    "2024-01-05 10-05",
    "2024/1/5 10-05",
    "20240105 10-05",
    "2024-01-05 10:00 -0500",
    "2024-01-05 1000-05",
    "2024-01-05 10:00+1",
    "20240105T1000+02",
)
# Cells, a given form, and parts of the error.
REFUSED: list[tuple[list[object] | np.ndarray, str | None, list[str]]] = [
    # The first days of twelve months would be twelve days.
    (
        ["01.01.2024", "01.02.2024"],
        None,
        ["all 2 times", "time_format='%d.%m.%Y' or source.time_format='%m.%d.%Y'"],
    ),
    (["13.01.24", "31.01.24"], None, ["in 2 ways", "source.time_format='%d.%m.%y' or"]),
    *((["2001-01-01", cell], None, ["row 2"]) for cell in NOT_DATES),
    *(([cell], None, [cell]) for cell in NOT_DATES),
    (["2000-04-01", "2000.5", "2000-06-01"], None, ["row 2", "'2000.5'"]),
    (["spring", "summer"], None, ["column 'ds'", "none of its 2 cells"]),
    (["2024-01-05", "13.01.2024"], None, ["row 2", "'13.01.2024'"]),
    *((["2024-01-05", word], None, [repr(word)]) for word in ("now", "today", "TODAY", " now")),
    (["2024-01-05T00:00+02:00", "2024-01-06"], None, ["row 2", "'2024-01-06' has no time zone"]),
    *(([zoned, "2024-01-06 10:00"], None, ["row 2", "has no time zone"]) for zoned in ZONED),
    (["0000-01-01", "2024-01-01"], None, ["row 1", "1 to 9999", "'0000-01-01'"]),
    *(
        (np.array([0, seconds], "M8[s]"), None, ["row 2", "1 to 9999"])
        for seconds in (-(10**14), 10**14)
    ),
    ([1999.12, 2000.1], "%Y.%m", ["row 2", "'2000.1'"]),
    (["512024", "31012024"], "%d%m%Y", ["row 1", "'512024'"]),
    *(
        (two_digits(*years), None, ["years of two digits", "source.time_format='%d/%m/%y'"])
        for years in (
            (1968,),
            (1967, 1968, 1969, 1970),
            range(1940, 1950),
            (1910, 1920, 1970, 1975),
            range(1930, 2020),
            (2020, 2068),
        )
    ),
]


@pytest.mark.parametrize(("cells", "form", "parts"), REFUSED)
def test_times_are_refused_by_cell_or_form(
    cells: list[object], form: str | None, parts: list[str]
) -> None:
    with pytest.raises(SeriesError) as caught:
        parse_times(pd.Series(cells, name="ds"), "my.csv", form)
    assert [part for part in parts if part not in str(caught.value)] == []


@pytest.mark.parametrize(
    "cells", [["Jan-01", "Jan-08", "Jan-15", "Feb-05"], ["Jun-21", "Jun-22", "Jun-23"]], ids=str
)
def test_number_behind_a_month_may_be_a_day_or_a_year(cells: list[str]) -> None:
    assert "time_format='%b-%y'" in fail(cells)
    times, _ = parse_times(pd.Series(cells, name="ds"), "my.csv", "%b-%y")
    assert times.iloc[0] == pd.Timestamp(
        2000 + int(cells[0][-2:]), 1 if cells[0].startswith("Jan") else 6, 1
    )


def test_iso_8601_needs_no_form() -> None:
    assert read(["2024-01-05", "2024-01-06 12:00"])[1] == {}


def test_a_given_form_is_followed() -> None:
    cells = [f"2000.{month}" for month in range(1, 13)]
    times, _ = parse_times(pd.Series(cells, name="ds"), "my.csv", "%Y.%m")
    assert times.tolist() == list(pd.date_range("2000-01-01", periods=12, freq="MS"))


def test_zones_are_found_by_the_given_form() -> None:
    times = pd.Series(["05.01.2024 10 UTC", "05.01.2024 11 UTC"], name="ds")
    assert has_zone(times, "my.csv", "%d.%m.%Y %H %Z")
    assert not has_zone(times.str.replace("UTC", "-05"), "my.csv", "%d.%m.%Y %H -%M")


def test_a_long_cell_is_cut_in_the_error() -> None:
    assert len(fail(["x" * 5_000_000, "2024-01-01"])) < 400


@pytest.mark.parametrize(
    ("cells", "form"),
    [
        ([5012024, 31012024], "%d%m%Y"),
        (["5012024", "31012024"], "%d%m%Y"),
        ([5012024.0, 31012024.0], "%d%m%Y"),
        ([20240105.0, 20240131.0], "%Y%m%d"),
        ([1052024, 1312024], "%m%d%Y"),
        ([50124, 310124], "%d%m%y"),
    ],
)
def test_dates_that_have_become_numbers_are_read(cells: list[object], form: str) -> None:
    """Of 1012024, which has lost a zero, pandas makes 10 January."""
    times, _ = parse_times(pd.Series(cells, name="ds"), "my.csv", form)
    assert times.tolist() == [pd.Timestamp("2024-01-05"), pd.Timestamp("2024-01-31")]


@pytest.mark.parametrize(
    ("cells", "forms"),
    [
        (["2000.1", "2000.2"], ["%Y.%m"]),
        (["2000.01", "2000.02"], ["%Y.%m"]),
        (["10.2000", "11.2000"], ["%m.%Y"]),
        (["2000.0", "2000.25"], ["decimal_year"]),
        (["2000", "2000.5"], ["decimal_year"]),
        ([" 2000.5", "2000.75"], ["decimal_year"]),
        (["44562.5", "44563"], ["excel"]),
        (["0.5", "1.5"], []),
        ([Decimal("2000.5"), Decimal("2001.5")], ["%Y.%m"]),
    ],
    ids=str,
)
def test_decimal_numbers_are_refused_with_the_forms_that_they_can_have(
    cells: list[object], forms: list[str]
) -> None:
    with pytest.raises(
        SeriesError, match=r"all 2 cells are decimal numbers.* source\.time_format"
    ) as caught:
        parse_times(pd.Series(cells, name="ds"), "my.csv", None)
    assert re.findall("time_format='(.*?)'", str(caught.value)) == forms


@pytest.mark.parametrize("form", ["%Y.%m", "%y.%m"])
@pytest.mark.parametrize("kind", ["float64", "str"])
def test_october_that_has_lost_its_zero_is_no_january(kind: str, form: str) -> None:
    months = pd.date_range("2010-10-01", periods=15, freq="MS")
    cells = pd.Series(months.strftime(form), name="ds").astype("float64").astype(kind)
    assert parse_times(cells, "my.csv", form)[0].tolist() == list(months)


@pytest.mark.parametrize("years", [range(1969, 2021), (1998, 1999, 2000, 2001)], ids=str)
def test_years_of_two_digits_are_those_from_1969_on(years: Iterable[int]) -> None:
    times, found = read(two_digits(*years))
    assert ({time.year for time in times}, found) == (set(years), {"time_format": "%d/%m/%y"})


@pytest.mark.parametrize(
    ("years", "num_warnings"),
    [((1968, 1969), 1), ((1968,), 1), ((2020, NEXT), 1), ((2020, 2021), 0), ((), 0)],
)
def test_years_of_two_digits_in_a_given_form_are_followed_with_a_warning(
    caplog: pytest.LogCaptureFixture, years: tuple[int, ...], num_warnings: int
) -> None:
    times, _ = parse_times(pd.Series(two_digits(*years), name="ds"), "my.csv", "%d/%m/%y")
    warn_of_centuries(times.rename("ds"), "my.csv", "%d/%m/%y")
    warnings = [
        record.getMessage() for record in caplog.records if record.levelno == logging.WARNING
    ]
    assert len(warnings) == num_warnings
    assert all("source.time_format='%d/%m/%y'" in warning for warning in warnings)


@pytest.mark.parametrize("form", ["{}", "{}.0", "+{}", " {} "])
def test_steps_beyond_what_floats_hold_stay_exact(form: str) -> None:
    steps = [2**53 + 1, 2**53 + 2, 10**18 - 1]
    assert read_steps(pd.Series([form.format(step) for step in steps])).tolist() == steps


@pytest.mark.parametrize(
    "cells",
    [
        pd.Series([True, False]),
        pd.Series([0, 2**63], dtype="uint64"),
        pd.Series([0, 2**63 - 1]),
        pd.Series(["0", str(10**18)]),
        pd.Series(["0", "9007199254740993e0"]),
        pd.Series([0.0, np.nan]),
        pd.Series([0, 1], dtype=complex),
    ],
    ids=[
        "bools",
        "2**63",
        "2**63 - 1",
        "10**18",
        "exponents beyond 2**53",
        "NaN",
        "complex numbers",
    ],
)
def test_what_is_no_step_is_none(cells: pd.Series) -> None:
    assert read_steps(cells) is None
