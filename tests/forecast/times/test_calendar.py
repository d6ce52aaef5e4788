"""Calendar features follow the calendar, and are known for every step, past or future."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from rnn_pipelines.forecast.times.calendar import CalendarSpec, add_calendar, compute_calendar

Prepare = Callable[..., SimpleNamespace]
MakeValues = Callable[..., list[float | None]]

ALL = CalendarSpec(yearly=1, weekly=1, daily=1)


def compute(time: str, cycle: str, calendar: CalendarSpec = ALL, harmonic: int = 1) -> tuple[float, float]:
    """Sine and cosine of a cycle at one time."""
    features = compute_calendar(pd.Series([pd.Timestamp(time)]), "h", calendar)
    return features[f"{cycle}_sin_{harmonic}"][0], features[f"{cycle}_cos_{harmonic}"][0]


def name_cycles(freq: str | int) -> list[str]:
    features = compute_calendar(pd.Series([pd.Timestamp("2021-01-01")]), freq, CalendarSpec())
    return sorted({name.partition("_")[0] for name in features})


@pytest.mark.parametrize(
    ("cycle", "time"),
    [
        ("yearly", "2021-01-01"),
        ("yearly", "2020-01-01"),
        ("weekly", "2021-01-04"),
        ("daily", "2021-06-17"),
    ],
)
def test_phase_is_0_at_the_start_of_the_cycle(cycle: str, time: str) -> None:
    assert compute(time, cycle) == (0, 1)


@pytest.mark.parametrize(
    ("cycle", "time"),
    [
        ("yearly", "2021-04-02 06:00"),
        ("yearly", "2020-04-01 12:00"),
        ("weekly", "2021-01-05 18:00"),
        ("daily", "2021-06-17 06:00"),
    ],
)
def test_sine_peaks_a_quarter_into_the_cycle(cycle: str, time: str) -> None:
    assert compute(time, cycle) == pytest.approx((1, 0), abs=1e-6)


@pytest.mark.parametrize("year", [2020, 2021, 2000, 1900])
def test_last_hour_of_every_year_is_an_hour_before_its_start(year: int) -> None:
    hours = 8784 if pd.Timestamp(f"{year}-01-01").is_leap_year else 8760
    angle = -2 * np.pi / hours
    assert compute(f"{year}-12-31 23:00", "yearly") == pytest.approx((np.sin(angle), np.cos(angle)), abs=1e-6)


def test_yearly_phase_moves_with_the_hour() -> None:
    assert compute("2021-03-01 06:00", "yearly") != compute("2021-03-01 07:00", "yearly")


def test_minutes_and_seconds_count() -> None:
    angle = 2 * np.pi * (30 * 60 + 15) / 86400
    assert compute("2021-01-01 00:30:15", "daily") == pytest.approx((np.sin(angle), np.cos(angle)), abs=1e-6)


def test_second_harmonic_is_twice_as_fast() -> None:
    calendar = CalendarSpec(yearly=2, weekly=0, daily=0)
    angle = 2 * 2 * np.pi * 31 / 365
    assert compute("2021-02-01", "yearly", calendar, 2) == pytest.approx((np.sin(angle), np.cos(angle)), abs=1e-6)


@pytest.mark.parametrize(
    ("freq", "cycles"),
    [
        ("15min", ["daily", "weekly", "yearly"]),
        ("h", ["daily", "weekly", "yearly"]),
        ("12h", ["daily", "weekly", "yearly"]),
        ("D", ["weekly", "yearly"]),
        ("B", ["weekly", "yearly"]),
        ("2D", ["yearly"]),
        ("W-SUN", ["yearly"]),
        ("MS", ["yearly"]),
        ("ME", ["yearly"]),
        ("QS-JAN", ["yearly"]),
        ("QE-DEC", ["yearly"]),
        ("YS-JAN", []),
        (1, []),
    ],
)
def test_frequency_picks_the_cycles(freq: str | int, cycles: list[str]) -> None:
    assert name_cycles(freq) == cycles


@pytest.mark.parametrize("cycle", ["yearly", "weekly", "daily"])
def test_0_leaves_a_cycle_out(cycle: str) -> None:
    features = compute_calendar(pd.Series([pd.Timestamp("2021-01-01")]), "h", CalendarSpec(**{cycle: 0}))
    assert not [name for name in features if name.startswith(cycle)]


def test_number_of_harmonics_can_be_chosen() -> None:
    features = compute_calendar(pd.Series([pd.Timestamp("2021-01-01")]), "D", CalendarSpec(yearly=3, weekly=0))
    assert list(features) == [f"yearly_{wave}_{harmonic}" for harmonic in (1, 2, 3) for wave in ("sin", "cos")]


def test_integer_steps_have_no_calendar() -> None:
    assert compute_calendar(pd.Series([0, 1, 2]), 1, ALL) == {}


def test_features_are_float32_between_minus_1_and_1() -> None:
    ds = pd.Series(pd.date_range("2019-12-01", periods=20_000, freq="h"))
    features = compute_calendar(ds, "h", ALL)
    assert all(feature.dtype == np.float32 and np.abs(feature).max() <= 1 for feature in features.values())


def test_negative_number_of_harmonics_is_refused() -> None:
    with pytest.raises(ValidationError, match="yearly"):
        CalendarSpec(yearly=-1)


def test_future_steps_follow_each_series(prepare: Prepare, make_values: MakeValues) -> None:
    features = prepare({"a": make_values(50), "b": make_values(40)}).features.table
    last = features.groupby("unique_id")["ds"].max().tolist()
    assert last == [pd.Timestamp("2021-02-21"), pd.Timestamp("2021-02-11")]


def test_future_steps_are_not_observed(prepare: Prepare, make_values: MakeValues) -> None:
    features = prepare(make_values(50)).features.table
    assert np.flatnonzero(~features["observed"]).tolist() == [50, 51]


def test_future_steps_have_no_value(prepare: Prepare, make_values: MakeValues) -> None:
    assert np.flatnonzero(prepare(make_values(50)).features.table["y"].isna()).tolist() == [50, 51]


def test_features_are_known_in_advance(prepare: Prepare, make_values: MakeValues) -> None:
    """The future of a series has the features that the same days have once they are past."""
    short, long = (prepare(make_values(size)).features.table for size in (50, 52))
    columns = short.columns.drop(["y", "observed"])
    pd.testing.assert_frame_equal(short[columns], long[columns][:52])


def test_future_of_integer_steps_is_integer(prepare: Prepare, make_values: MakeValues) -> None:
    ds = prepare(make_values(50), freq=5, start=-10).features.table["ds"]
    assert (ds.dtype, ds.tolist()[-2:]) == ("int64", [240, 245])


def test_observed_stays_boolean(prepare: Prepare, make_values: MakeValues) -> None:
    assert prepare(make_values(50)).features.table["observed"].dtype == bool


def test_series_is_not_changed(prepare: Prepare, make_values: MakeValues) -> None:
    prepared = prepare(make_values(50))
    before = prepared.series.copy()
    add_calendar(prepared.series, "D", CalendarSpec(), 3)
    pd.testing.assert_frame_equal(prepared.series, before)


def test_a_cycle_that_no_series_has_seen_once_through_is_left_out(prepare: Callable, make_values: Callable) -> None:
    names = prepare(make_values(100)).features.calendar
    assert "weekly_sin_1" in names
    assert "yearly_sin_1" not in names


def test_a_cycle_that_is_asked_for_is_never_left_out(prepare: Callable, make_values: Callable) -> None:
    assert "yearly_sin_2" in prepare(make_values(100), calendar=CalendarSpec(yearly=2)).features.calendar
