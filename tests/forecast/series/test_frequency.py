"""The spacing of a series, what follows its last step, and the season that goes with it."""

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.series.frequency import (
    continue_grid,
    count_steps,
    format_time,
    get_season_length,
    infer_frequency,
    make_grid,
)

# Alias, as pandas writes it in full, steps in a season
FREQUENCIES = [
    ("D", "D", 7),
    ("B", "B", 5),
    ("h", "h", 24),
    ("15min", "15min", 96),
    ("W", "W-SUN", 52),
    ("W-WED", "W-WED", 52),
    ("MS", "MS", 12),
    ("ME", "ME", 12),
    ("QS", "QS-JAN", 4),
    ("QS-FEB", "QS-FEB", 4),
    ("YS", "YS-JAN", 1),
    ("2D", "2D", 1),
    (1, 1, 1),
    (5, 5, 1),
]
GAPS = {"whole": [], "with gaps": [3, 4, 17, 40]}


def make_table(freq: str | int, missing: list[int], size: int = 60) -> pd.DataFrame:
    ds = freq * np.arange(size) if isinstance(freq, int) else pd.date_range("2021-01-01", periods=size, freq=freq)
    return pd.DataFrame({"unique_id": "a", "ds": ds}).drop(index=missing)


@pytest.mark.parametrize("missing", GAPS.values(), ids=GAPS)
@pytest.mark.parametrize(("freq", "inferred", "_season"), FREQUENCIES)
def test_frequency_is_inferred(freq: str | int, inferred: str | int, _season: int, missing: list[int]) -> None:
    assert infer_frequency(make_table(freq, missing)) == inferred


def test_frequency_of_most_stretches_wins() -> None:
    """Ten days by the hour, then five by the day."""
    hours = pd.date_range("2021-01-01", periods=240, freq="h")
    days = pd.date_range("2021-01-11", periods=15, freq="D")
    table = pd.DataFrame({"unique_id": "a", "ds": hours.append(days)})
    assert infer_frequency(table) == "h"


def test_frequency_is_inferred_from_every_series_alone() -> None:
    """The step from the end of one series to the start of the next is none."""
    tables = [make_table("MS", [], size=6).assign(unique_id=name) for name in "abc"]
    assert infer_frequency(pd.concat(tables)) == "MS"


def test_three_timestamps_show_a_frequency() -> None:
    assert infer_frequency(make_table("D", [], size=3)) == "D"


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("freq", ["D", 1])
def test_too_few_timestamps_are_counted_in_the_error(freq: str | int, size: int) -> None:
    with pytest.raises(SeriesError, match=f"has {size} of the 3 timestamps that show a frequency. Give .*source.freq"):
        infer_frequency(make_table(freq, [], size))


def test_irregular_timestamps_ask_for_the_frequency() -> None:
    days = pd.Timestamp("2021-01-01") + pd.to_timedelta(np.cumsum([1, 2, 4, 1, 7, 3] * 5), unit="D")
    with pytest.raises(SeriesError, match=r"irregular spacing: no 12 timestamps .* give source.freq"):
        infer_frequency(pd.DataFrame({"unique_id": "a", "ds": days}))


@pytest.mark.parametrize(("freq", "_inferred", "season"), FREQUENCIES)
def test_season_length_goes_with_the_frequency(freq: str | int, _inferred: str | int, season: int) -> None:
    assert get_season_length(freq) == season


@pytest.mark.parametrize(
    ("freq", "season"), [("30min", 48), ("2h", 12), ("12h", 2), ("3MS", 4), ("7D", 1), ("BME", 12), ("YE", 1), ("s", 1)]
)
def test_season_length_counts_long_steps(freq: str, season: int) -> None:
    assert get_season_length(freq) == season


@pytest.mark.parametrize("freq", ["2D", "5h", "5MS", "10D"])
def test_season_that_is_no_whole_number_of_steps_is_none(freq: str) -> None:
    assert get_season_length(freq) == 1


@pytest.mark.parametrize(
    ("last", "freq", "following"),
    [
        ("2020-02-28", "D", ["2020-02-29", "2020-03-01"]),
        ("2021-01-01", "B", ["2021-01-04", "2021-01-05"]),
        ("2020-12-31 23:00", "h", ["2021-01-01 00:00", "2021-01-01 01:00"]),
        ("2021-01-01 23:45", "15min", ["2021-01-02 00:00", "2021-01-02 00:15"]),
        ("2021-01-03", "W-SUN", ["2021-01-10", "2021-01-17"]),
        ("2020-12-01", "MS", ["2021-01-01", "2021-02-01"]),
        ("2020-01-31", "ME", ["2020-02-29", "2020-03-31"]),
        ("2020-10-01", "QS-JAN", ["2021-01-01", "2021-04-01"]),
        ("2020-01-01", "YS-JAN", ["2021-01-01", "2022-01-01"]),
        ("2021-01-01", "2D", ["2021-01-03", "2021-01-05"]),
    ],
)
def test_next_timestamps_follow_the_last(last: str, freq: str, following: list[str]) -> None:
    assert continue_grid(pd.Timestamp(last), 2, freq).tolist() == [pd.Timestamp(ds) for ds in following]


@pytest.mark.parametrize(("freq", "following"), [(1, [8, 9, 10]), (5, [12, 17, 22])])
def test_next_steps_follow_the_last(freq: int, following: list[int]) -> None:
    assert continue_grid(7, 3, freq).tolist() == following


@pytest.mark.parametrize(("freq", "_inferred", "_season"), FREQUENCIES)
def test_grid_runs_from_first_to_last(freq: str | int, _inferred: str | int, _season: int) -> None:
    ds = make_table(freq, [])["ds"]
    assert make_grid(ds.iloc[0], ds.iloc[-1], freq).tolist() == ds.tolist()


@pytest.mark.parametrize(("freq", "_inferred", "_season"), FREQUENCIES)
def test_steps_are_counted_as_the_grid_has_them(freq: str | int, _inferred: str | int, _season: int) -> None:
    ds = make_table(freq, [])["ds"]
    assert count_steps(ds.iloc[0], ds.iloc[-1], freq) == 60


@pytest.mark.parametrize(
    ("ds", "text"),
    [
        (pd.Timestamp("2021-01-01"), "2021-01-01"),
        (pd.Timestamp("2021-01-01 06:30"), "2021-01-01 06:30:00"),
        (np.int64(7), "7"),
    ],
)
def test_midnight_is_left_out_of_messages(ds: object, text: str) -> None:
    assert format_time(ds) == text
