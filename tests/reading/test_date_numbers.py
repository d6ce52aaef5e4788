"""Whole numbers that can be dates are never taken for steps without a word, and steps are never refused for nothing."""

import logging
import re

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.reading.date_numbers import find_date_form, log_steps

DAYS = pd.date_range("2024-01-01", periods=60)


def refuse(cells: object) -> str:
    steps = pd.Series(cells).astype("int64")
    with pytest.raises(SeriesError) as caught:
        find_date_form(steps, steps.rename("ds"), "my.csv")
    return str(caught.value)


@pytest.mark.parametrize(
    ("times", "form"),
    [
        (DAYS, "%Y%m%d"),
        (DAYS[:31], "%Y%m%d"),
        (pd.date_range("2020", periods=30, freq="YS"), "%Y%m%d"),
        (pd.date_range("2023-01-01", periods=24, freq="MS"), "%Y%m"),
        (pd.date_range("2023-01-01", periods=20, freq="QS"), "%Y%m"),
        (pd.date_range("2024-01-01", periods=50, freq="h"), "%Y%m%d%H"),
        (pd.date_range("2024-01-01", periods=1440, freq="min"), "%Y%m%d%H%M"),
        (pd.date_range("2024-01-01", periods=100, freq="s"), "%Y%m%d%H%M%S"),
    ],
)
def test_numbers_that_can_only_be_dates_are(times: pd.DatetimeIndex, form: str) -> None:
    steps = pd.Series(times.strftime(form)).astype("int64")
    assert find_date_form(steps, steps, "my.csv") == form


@pytest.mark.parametrize(
    ("times", "form"),
    [
        (DAYS, "%d%m%Y"),
        (DAYS[:31], "%d%m%Y"),
        (DAYS[13:], "%m%d%Y"),
        (DAYS, "%y%m%d"),
        (DAYS[:31], "%d%m%y"),
        (pd.date_range("2001-01-01", periods=12, freq="MS"), "%Y%m"),
        (pd.date_range("2023-01-01", periods=12, freq="MS"), "%Y%m"),
        (pd.date_range("2023-01-01", periods=731), "%Y%j"),
    ],
)
def test_numbers_that_can_be_other_dates_are_refused_with_both_ways_out(times: pd.DatetimeIndex, form: str) -> None:
    message = refuse(times.strftime(form))
    assert f"forecast.source.time_format='{form}'" in message
    assert "or forecast.source.freq=" in message


@pytest.mark.parametrize(
    ("numbers", "forms"),
    [
        (["012020", "022020", "032020"], ["%m%Y", "%m%d%y"]),
        (["102020", "112020", "122020", "012021"], ["%m%Y", "%m%d%y"]),
        (["032020", "062020", "092020", "122020", "032021"], ["%m%Y", "%m%d%y"]),
        (["012005", "022005", "032005"], ["%m%Y", "%m%d%y"]),
        (["202001", "202002", "202003"], ["%Y%m"]),
        (["200113", "200114", "200115"], ["%y%m%d"]),
        (["130120", "140120", "150120"], ["%d%m%y"]),
        (["011320", "011420", "011520"], ["%m%d%y"]),
        (["13012020", "14012020", "15012020"], ["%d%m%Y"]),
        (["01132020", "01142020", "01152020"], ["%m%d%Y"]),
        (["01012020", "01042020", "01072020", "01102020"], ["%d%m%Y", "%m%d%Y"]),
        (["01012020", "04012020", "07012020", "10012020"], ["%d%m%Y", "%m%d%Y"]),
        (["2020001", "2020002", "2020003"], ["%Y%j"]),
    ],
    ids=lambda cells: cells[0],
)
def test_all_forms_that_numbers_can_have_are_proposed(numbers: list[str], forms: list[str]) -> None:
    assert re.findall("time_format='(.*?)'", refuse(numbers)) == forms


def test_message_says_what_was_received_and_what_to_give() -> None:
    assert refuse(DAYS[13:31].strftime("%d%m%Y")) == (
        "my.csv: column 'ds': all 18 whole numbers, as '14012024', can be dates or steps. Give "
        "forecast.source.time_format='%d%m%Y' (quotes included), or forecast.source.freq=1000000 for steps."
    )


def test_all_ways_to_read_dates_are_told() -> None:
    assert "time_format='%d%m%Y' or forecast.source.time_format='%m%d%Y' (" in refuse(DAYS[:12].strftime("%d%m%Y"))


@pytest.mark.parametrize(
    "numbers",
    [
        [year * 100 + quarter for year in range(2004, 2024) for quarter in range(1, 5)],
        [year * 1000 + lot for year in (2023, 2024) for lot in range(1, 251)],
    ],
    ids=["quarters", "running numbers of a year"],
)
def test_numbers_that_begin_with_a_year_are_not_taken_for_dates_unasked(numbers: list[int]) -> None:
    assert "can be dates or steps" in refuse(numbers)


@pytest.mark.parametrize("num_weeks", [52, 156])
def test_numbers_of_weeks_are_refused(num_weeks: int) -> None:
    weeks = pd.date_range("2022-01-03", periods=num_weeks, freq="W-MON").strftime("%G%V")
    assert refuse(weeks) == (
        f"my.csv: column 'ds': all {num_weeks} whole numbers, as '202201', can be weeks or steps. Write times such as "
        "2024-03-31 12:00, or give forecast.source.freq=1 for steps."
    )


@pytest.mark.parametrize("minutes", [1, 15])
def test_times_of_day_are_refused_where_steps_would_have_gaps(minutes: int) -> None:
    times = pd.date_range("2024-01-01", periods=1440 // minutes, freq=f"{minutes}min").strftime("%H%M")
    assert "can be times of day or steps. Write times such as" in refuse(times)
    assert "can be times of day or steps. Write times such as" in refuse(times.delete([5, 7, 30]))


@pytest.mark.parametrize(
    "steps",
    [
        range(1440),
        [0, 1, 2, 4, 5],
        [*range(50), *range(100, 131)],
        range(101, 132),
        range(1950, 2024),
        range(10100, 10151),
        range(12000, 12050),
        range(11900, 122100, 1),
        range(110100, 110151),
        range(200100, 200400),
        range(110100, 110800),
        range(20240101, 20240133),
        range(202300, 202313),
        [-20240101, 20240101],
        [18991231, 19000101],
        [20240101, 10**18],
        np.arange(30) * 86_400 + 1_704_067_200,
    ],
    ids=str,
)
def test_steps_are_no_dates(steps: object) -> None:
    numbers = pd.Series(steps)
    assert find_date_form(numbers, numbers, "my.csv") is None


@pytest.mark.parametrize(
    ("steps", "level", "told"),
    [
        (range(100), logging.INFO, "0 to 99, without a calendar"),
        (
            range(45292, 45382),
            logging.WARNING,
            "45292 to 45381, without a calendar; as days that Excel counts they are 2024-01-01 to 2024-03-30: "
            "if dates are meant, write times such as 2024-03-31 12:00",
        ),
        (
            np.arange(3) * 3600 + 1_704_067_200,
            logging.WARNING,
            "as seconds since 1970 they are 2024-01-01 to 2024-01-01 02",
        ),
        (
            np.arange(3) * 86_400_000 + 1_704_067_200_000,
            logging.WARNING,
            "as milliseconds since 1970 they are 2024-01-01",
        ),
    ],
    ids=["steps", "Excel", "Unix", "Unix in milliseconds"],
)
def test_steps_are_told(caplog: pytest.LogCaptureFixture, steps: object, level: int, told: str) -> None:
    with caplog.at_level(logging.INFO, "rnn_pipelines"):
        log_steps(pd.Series(steps, name="ds"), "my.csv")
    (record,) = caplog.records
    assert record.levelno == level
    assert record.getMessage().startswith("my.csv: column 'ds' is read as steps from ")
    assert told in record.getMessage()
