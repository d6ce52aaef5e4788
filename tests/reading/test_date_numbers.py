"""Whole numbers that can only be days, minutes or months are dates, and other numbers are steps."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.reading.date_numbers import find_date_form, warn_of_times
from rnn_pipelines.reading.times import read_times

DAYS = pd.date_range("2024-01-01", periods=60)
HOURS = pd.date_range("2024-01-01", periods=48, freq="h")
MONTHS = pd.date_range("2020-01-01", periods=30, freq="MS")
SECONDS = (HOURS - pd.Timestamp(0)) // pd.Timedelta("1s")
DAYS_OF_EXCEL = (DAYS - pd.Timestamp("1899-12-30")).days
MONTHS_OF_EXCEL = (MONTHS - pd.Timestamp("1899-12-30")).days


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
def test_numbers_that_can_be_months_or_others_are_refused_with_both_ways_out(
    numbers: object,
) -> None:
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
        np.cumsum(np.arange(30)) * 60 + 1_704_067_200,
        np.arange(30) + 30_000,
        np.arange(30) * 86_400,
    ],
    ids=str,
)
def test_other_numbers_are_steps(steps: object) -> None:
    assert find(steps) is None


@pytest.mark.parametrize(
    ("steps", "form"),
    [
        (SECONDS, "unix_s"),
        (SECONDS * 1000, "unix_ms"),
        (DAYS_OF_EXCEL, "excel"),
        (MONTHS_OF_EXCEL, "excel"),
    ],
    ids=["seconds", "milliseconds", "days of Excel", "months of Excel"],
)
def test_equally_spaced_counts_are_times(steps: Sequence[int], form: str) -> None:
    numbers = pd.Series(steps, name="ds")
    assert find_date_form(numbers, numbers, "my.csv") == form


@pytest.mark.parametrize("name", ["timestamp", "Date", "created_time"])
def test_counts_with_gaps_are_times_in_a_column_of_that_name(name: str) -> None:
    numbers = pd.Series(SECONDS).drop([3, 4, 9]).rename(name)
    assert find_date_form(numbers, numbers, "my.csv") == "unix_s"


@pytest.mark.parametrize(("name", "form"), [("Year", "%Y"), ("Jahr", "%Y"), ("step", None)])
def test_column_named_a_year_holds_years_of_any_century(name: str, form: str | None) -> None:
    steps = pd.Series(range(1550, 1650))
    assert find_date_form(steps, steps.rename(name), "my.csv") == form


@pytest.mark.parametrize(
    ("numbers", "form", "times"),
    [
        (MONTHS.strftime("%m%Y"), "'%m%Y'", MONTHS),
        (DAYS.strftime("%d%m%Y"), "'%d%m%Y'", DAYS),
        (DAYS[:31].strftime("%d%m%Y"), "'%d%m%Y'", DAYS[:31]),
        (SECONDS, "unix_s", HOURS),
        (SECONDS * 1000, "unix_ms", HOURS),
        (DAYS_OF_EXCEL, "excel", DAYS),
    ],
    ids=["months", "days", "days of January", "seconds", "milliseconds", "Excel"],
)
def test_steps_that_may_be_times_are_named_once_with_the_parameter_that_reads_them(
    numbers: Sequence, form: str, times: pd.DatetimeIndex, caplog: pytest.LogCaptureFixture
) -> None:
    steps = pd.Series(numbers).astype("int64").rename("ds")
    warn_of_times(steps, "my.csv")
    (message,) = caplog.messages
    assert (
        f"steps such as {steps[0]} may be times such as {times[0].date()}. source.time_format={form} "
        in message
    )
    assert read_times(steps, form.strip("'")).tolist() == times.tolist()


@pytest.mark.parametrize(
    "steps",
    [
        range(30),
        range(2000),
        range(1950, 2000),
        range(20_000, 60_000, 100),
        range(1, 13),
        [12020, 12021],
        [10**9, 10**12],
    ],
    ids=str,
)
def test_steps_that_are_no_times_have_no_warning(
    steps: Sequence[int], caplog: pytest.LogCaptureFixture
) -> None:
    warn_of_times(pd.Series(steps, name="ds"), "my.csv")
    assert not caplog.messages


def test_fractions_of_a_day_are_times_to_the_second() -> None:
    days = pd.Series((HOURS - pd.Timestamp("1899-12-30")) / pd.Timedelta("1D")).round(10)
    assert read_times(days.astype(str), "excel").tolist() == HOURS.tolist()
