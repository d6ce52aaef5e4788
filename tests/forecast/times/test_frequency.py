"""The spacing of a series, and the season that goes with it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.times.frequency import (
    get_season_length,
    get_usual_window,
    infer_frequency,
)
from rnn_pipelines.forecast.times.grid import count_steps_between, find_step_times
from rnn_pipelines.forecast.times.offsets import add_steps, find_offset
from rnn_pipelines.reading.times import format_time

# Alias, and as pandas writes it in full
FREQUENCIES = [
    ("D", "D"),
    ("B", "B"),
    ("h", "h"),
    ("15min", "15min"),
    ("W", "W-SUN"),
    ("W-WED", "W-WED"),
    ("MS", "MS"),
    ("ME", "ME"),
    ("QS", "QS-JAN"),
    ("QS-FEB", "QS-FEB"),
    ("YS", "YS-JAN"),
    ("2D", "2D"),
    (1, 1),
    (5, 5),
]
GAPS = {"whole": [], "with gaps": [3, 4, 17, 40]}


def make_table(freq: str | int, missing: list[int], size: int = 60) -> pd.DataFrame:
    ds = (
        freq * np.arange(size)
        if isinstance(freq, int)
        else pd.date_range("2021-01-01", periods=size, freq=freq)
    )
    return pd.DataFrame({"unique_id": "a", "ds": ds}).drop(index=missing)


@pytest.mark.parametrize("missing", GAPS.values(), ids=GAPS)
@pytest.mark.parametrize(("freq", "inferred"), FREQUENCIES)
def test_frequency_is_inferred(freq: str | int, inferred: str | int, missing: list[int]) -> None:
    assert infer_frequency(make_table(freq, missing)) == inferred


def test_frequency_is_that_of_most_stretches() -> None:
    """Ten days by the hour, then five by the day."""
    hours = pd.date_range("2021-01-01", periods=240, freq="h")
    days = pd.date_range("2021-01-11", periods=15, freq="D")
    table = pd.DataFrame({"unique_id": "a", "ds": hours.append(days)})
    assert infer_frequency(table) == "h"


def test_step_between_series_does_not_count() -> None:
    tables = [make_table("MS", [], size=6).assign(unique_id=name) for name in "abc"]
    assert infer_frequency(pd.concat(tables)) == "MS"


def test_months_that_end_early_keep_their_frequency() -> None:
    """Each ninth month ends a day earlier, such as on a holiday."""
    times = [
        end - pd.offsets.BDay() if number % 9 == 0 else end
        for number, end in enumerate(pd.date_range("2015-01-01", periods=60, freq="BME"))
    ]
    assert infer_frequency(pd.DataFrame({"unique_id": "a", "ds": times})) == "BME"


def test_one_sunday_makes_days_of_all() -> None:
    days = pd.date_range("2024-01-01", periods=90)
    table = pd.DataFrame(
        {"unique_id": "a", "ds": days[(days.day_of_week != 6) | (days == "2024-03-17")]}
    )
    assert infer_frequency(table) == "D"


def test_three_days_are_days() -> None:
    assert infer_frequency(make_table("D", [], size=3)) == "D"


def list_days(freq: str, num_days: int = 0, size: int = 60) -> pd.DatetimeIndex:
    return pd.date_range("2013-01-01", periods=size, freq=find_offset(freq)) + pd.Timedelta(
        days=num_days
    )


SHIFTED: dict[str, tuple[pd.DatetimeIndex, str, int]] = {
    "15th": (list_days("MS", 14), "MS+14D", 12),
    "28th": (list_days("MS", 27), "MS+27D", 12),
    "middle": (list_days("QS-FEB", 14), "QS-FEB+14D", 4),
    "july": (list_days("YS-JUL", 1), "YS-JUL+1D", 1),
    "dekads": (list_days("DEK"), "DEK", 36),
    "dekads-5th": (list_days("DEK", 4), "DEK+4D", 36),
    "twice": (list_days("SMS-15"), "SMS-15", 24),
    "twice-5th": (list_days("SMS-16", 4), "SMS-16+4D", 24),
    "15th-last": (list_days("SME-15"), "SME-15", 24),
    "9h": (list_days("MS", 14) + pd.Timedelta(hours=9), "MS+14D", 12),
}


@pytest.mark.parametrize(("times", "freq", "season"), SHIFTED.values(), ids=SHIFTED)
@pytest.mark.parametrize("missing", GAPS.values(), ids=GAPS)
def test_frequency_of_late_days_is_a_shift(
    times: pd.DatetimeIndex, freq: str, season: int, missing: list[int]
) -> None:
    table = pd.DataFrame({"unique_id": "a", "ds": times}).drop(index=missing)
    assert infer_frequency(table) == freq
    assert get_season_length(freq) == season


def check_steps(times: pd.DatetimeIndex, freq: str) -> None:
    """The times are the steps from the first one, and are counted as such."""
    firsts = np.repeat(times[:1].to_numpy(), len(times))
    assert (find_step_times(firsts, np.arange(len(times)), freq) == times).all()
    steps, is_on_step = count_steps_between(firsts, times.to_numpy(), freq)
    assert steps.tolist() == list(range(len(times)))
    assert is_on_step.all()
    moved = [add_steps(times[30], number, freq) for number in (-30, 0, 29)]
    assert moved == [times[0], times[30], times[59]]


@pytest.mark.parametrize("case", SHIFTED)
def test_series_of_late_days_go_on_on_the_same_days(case: str) -> None:
    times, freq, _ = SHIFTED[case]
    check_steps(times, freq)


def list_last_days(day: int) -> pd.DatetimeIndex:
    months = pd.date_range("2013-01-01", periods=60, freq="MS")
    return pd.DatetimeIndex([month.replace(day=min(day, month.days_in_month)) for month in months])


@pytest.mark.parametrize("missing", GAPS.values(), ids=GAPS)
@pytest.mark.parametrize("day", [29, 30])
def test_days_that_short_months_lack_are_their_last_day(day: int, missing: list[int]) -> None:
    table = pd.DataFrame({"unique_id": "a", "ds": list_last_days(day)}).drop(index=missing)
    assert infer_frequency(table) == f"MS+{day - 1}D"


@pytest.mark.parametrize("day", [29, 30])
def test_series_of_last_days_go_on_on_the_same_days(day: int) -> None:
    check_steps(list_last_days(day), f"MS+{day - 1}D")


@pytest.mark.parametrize("day", [29, 30])
def test_day_after_a_last_day_is_between_steps(day: int) -> None:
    times = list_last_days(day)
    firsts = np.repeat(times[:1].to_numpy(), len(times))
    after = (times + pd.Timedelta(days=1)).to_numpy()
    assert not count_steps_between(firsts, after, f"MS+{day - 1}D")[1].any()


@pytest.mark.parametrize(
    ("closed", "freq", "season", "window"),
    [
        ((6,), "D-SUN", 6, (48, 12)),
        ((0, 6), "D-MON+SUN", 5, (40, 10)),
        ((4, 5), "D-FRI+SAT", 5, (40, 10)),
    ],
)
@pytest.mark.parametrize("missing", GAPS.values(), ids=GAPS)
def test_weekdays_without_rows_are_no_steps(
    closed: tuple[int, ...], freq: str, season: int, window: tuple[int, int], missing: list[int]
) -> None:
    days = pd.date_range("2024-01-01", periods=90)
    table = pd.DataFrame({"unique_id": "a", "ds": days[~days.day_of_week.isin(closed)]}).drop(
        index=missing
    )
    assert infer_frequency(table) == freq
    assert get_season_length(freq) == season
    assert get_usual_window(freq) == window


@pytest.mark.parametrize(
    ("freq", "season", "num_days"), [("B-DE", 5, 252), ("D-DE-BY", 7, 354), ("B-NYSE", 5, 251)]
)
def test_holidays_of_a_country_are_no_steps(freq: str, season: int, num_days: int) -> None:
    first = np.datetime64("2023-12-28", "us")
    times = pd.DatetimeIndex(find_step_times(np.repeat(first, 3), np.arange(3), freq))
    assert times.strftime("%m-%d").tolist() == (
        ["12-28", "12-29", "12-30"] if freq.startswith("D") else ["12-28", "12-29", "01-02"]
    )
    assert (
        count_steps_between(np.array([first]), np.array([first + np.timedelta64(366, "D")]), freq)[
            0
        ]
        == num_days
    )
    assert get_season_length(freq) == season


NO_FREQUENCIES = (
    "B-XX",
    "B-20261399",
    "D-MON+TUE+WED+THU+FRI+SAT+SUN",
    "MS+30D",
    "DEK+28D",
    "D+3D",
    "h+1D",
    "DEK+30D",
    "dek",
    "2DEK",
    "MS+",
    "MS+1M",
)


@pytest.mark.parametrize("freq", NO_FREQUENCIES)
def test_other_shifts_do_not_exist(freq: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        find_offset(freq)


IRREGULAR = pd.DataFrame(
    {"unique_id": "a", "ds": pd.to_datetime(np.cumsum([1, 2, 4, 1, 7, 3] * 5), unit="D")}
)


@pytest.mark.parametrize(
    ("table", "part"),
    [
        *(
            (make_table(freq, [], size), f"{size} of the 3 timestamps")
            for freq in ("D", 1)
            for size in (1, 2)
        ),
        (IRREGULAR, "no 12 timestamps"),
    ],
)
def test_table_without_a_frequency_is_refused(table: pd.DataFrame, part: str) -> None:
    with pytest.raises(SeriesError, match=rf"{part} .*source\.freq"):
        infer_frequency(table)


# Alias, steps in a season, and usual lookback and horizon.
USUAL: list[tuple[str | int, int, tuple[int, int]]] = [
    ("D", 7, (56, 14)),
    ("2D", 1, (28, 7)),
    ("7D", 1, (8, 2)),
    ("10D", 1, (5, 1)),
    ("B", 5, (40, 10)),
    ("s", 1, (30, 7)),
    ("min", 1440, (336, 96)),
    ("15min", 96, (336, 96)),
    ("30min", 48, (336, 48)),
    ("h", 24, (168, 24)),
    ("2h", 12, (84, 12)),
    ("5h", 1, (30, 7)),
    ("7h", 1, (30, 7)),
    ("12h", 2, (14, 2)),
    ("W", 52, (52, 8)),
    ("W-MON", 52, (52, 8)),
    ("W-WED", 52, (52, 8)),
    ("MS", 12, (24, 12)),
    ("ME", 12, (24, 12)),
    ("BME", 12, (24, 12)),
    ("3MS", 4, (8, 4)),
    ("5MS", 1, (4, 2)),
    ("QS", 4, (8, 4)),
    ("QS-FEB", 4, (8, 4)),
    ("QS-OCT", 4, (8, 4)),
    ("YS", 1, (10, 3)),
    ("YE", 1, (10, 3)),
    ("YE-DEC", 1, (10, 3)),
    (1, 1, (30, 7)),
    (5, 1, (30, 7)),
]


@pytest.mark.parametrize(("freq", "season", "window"), USUAL)
def test_season_goes_with_the_frequency(
    freq: str | int, season: int, window: tuple[int, int]
) -> None:
    assert get_season_length(freq) == season
    assert get_usual_window(freq) == window


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


def test_threads_infer_frequencies_at_once() -> None:
    """Though an option of pandas, which is one for all threads, is set meanwhile."""
    table = make_table("D", [], size=200)
    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(infer_frequency, [table] * 60)) == {"D"}
