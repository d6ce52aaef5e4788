"""Whole numbers that can only be days, minutes or months are dates, and other numbers are steps."""

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.reading.date_numbers import find_date_form

DAYS = pd.date_range("2024-01-01", periods=60)


def find(cells: object) -> str | None:
    steps = pd.Series(cells).astype("int64")
    return find_date_form(steps, steps.rename("ds"), "my.csv")


@pytest.mark.parametrize(
    ("times", "form"),
    [
        (DAYS, "%Y%m%d"),
        (DAYS[:31], "%Y%m%d"),
        (pd.date_range("2020", periods=30, freq="YS"), "%Y%m%d"),
        (pd.date_range("2023-01-01", periods=24, freq="MS"), "%Y%m"),
        (pd.date_range("2023-01-01", periods=20, freq="QS"), "%Y%m"),
        (pd.date_range("2024-01-01", periods=1440, freq="min"), "%Y%m%d%H%M"),
        (pd.date_range("1949-01-01", periods=60, freq="YS"), "%Y"),
    ],
)
def test_numbers_that_can_only_be_dates_are(times: pd.DatetimeIndex, form: str) -> None:
    assert find(times.strftime(form)) == form


@pytest.mark.parametrize(
    "numbers",
    [
        pd.date_range("2001-01-01", periods=12, freq="MS").strftime("%Y%m"),
        [year * 100 + quarter for year in range(2004, 2024) for quarter in range(1, 5)],
        [202001],
    ],
    ids=["months of a year", "quarters", "one month"],
)
def test_numbers_that_can_be_months_or_others_are_refused_with_both_ways_out(numbers: object) -> None:
    with pytest.raises(SeriesError, match=r"'ds'.*source\.time_format='%Y%m'.*source\.freq=\d+"):
        find(numbers)


@pytest.mark.parametrize(
    "steps",
    [
        [0, 1, 2, 4, 5],
        range(1440),
        range(1699, 2024),
        range(1950, 2124),
        range(200100, 200400),
        range(20240101, 20240133),
        range(202300, 202313),
        DAYS.strftime("%d%m%Y"),
        DAYS.strftime("%y%m%d"),
        DAYS.strftime("%Y%j"),
        [-20240101, 20240101],
        [18991231, 19000101],
        [20240101, 10**18],
        np.arange(30) * 86_400 + 1_704_067_200,
    ],
    ids=str,
)
def test_other_numbers_are_steps(steps: object) -> None:
    assert find(steps) is None


@pytest.mark.parametrize(("name", "form"), [("Year", "%Y"), ("Jahr", "%Y"), ("step", None)])
def test_column_named_a_year_holds_years_of_any_century(name: str, form: str | None) -> None:
    steps = pd.Series(range(1550, 1650))
    assert find_date_form(steps, steps.rename(name), "my.csv") == form
