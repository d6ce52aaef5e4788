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


def compute(
    time: str, cycle: str, calendar: CalendarSpec = ALL, harmonic: int = 1
) -> tuple[float, float]:
    """Sine and cosine of a cycle at one time."""
    features = compute_calendar(pd.Series([pd.Timestamp(time)]), "h", calendar)
    return features[f"{cycle}_sin_{harmonic}"][0], features[f"{cycle}_cos_{harmonic}"][0]


def name_cycles(freq: str | int) -> list[str]:
    features = compute_calendar(pd.Series([pd.Timestamp("2021-01-01")]), freq, CalendarSpec())
    return sorted({name.partition("_")[0] for name in features})


# Time, cycle, harmonic, and turns of the harmonic since the start of the cycle.
PHASES = [
    ("2021-01-01", "yearly", 1, 0.0),
    ("2020-01-01", "yearly", 1, 0.0),
    ("2021-01-04", "weekly", 1, 0.0),
    ("2021-06-17", "daily", 1, 0.0),
    ("2021-04-02 06:00", "yearly", 1, 0.25),
    ("2020-04-01 12:00", "yearly", 1, 0.25),
    ("2021-01-05 18:00", "weekly", 1, 0.25),
    ("2021-06-17 06:00", "daily", 1, 0.25),
    ("2021-01-01 00:30:15", "daily", 1, (30 * 60 + 15) / 86400),
    ("2021-02-01", "yearly", 2, 2 * 31 / 365),
    *(
        (f"{year}-12-31 23:00", "yearly", 1, -1 / hours)
        for year, hours in ((2020, 8784), (2021, 8760), (2000, 8784), (1900, 8760))
    ),
]


@pytest.mark.parametrize(("time", "cycle", "harmonic", "turns"), PHASES)
def test_phase_is_that_of_the_time_in_its_cycle(
    time: str, cycle: str, harmonic: int, turns: float
) -> None:
    calendar = ALL.model_copy(update={"yearly": 2})
    angle = 2 * np.pi * turns
    assert compute(time, cycle, calendar, harmonic) == pytest.approx(
        (np.sin(angle), np.cos(angle)), abs=1e-6
    )


def test_hours_move_the_phase_of_the_year() -> None:
    assert compute("2021-03-01 06:00", "yearly") != compute("2021-03-01 07:00", "yearly")


def test_harmonics_are_pairs_of_waves() -> None:
    features = compute_calendar(
        pd.Series([pd.Timestamp("2021-01-01")]), "D", CalendarSpec(yearly=3, weekly=0)
    )
    assert list(features) == [
        f"yearly_{wave}_{harmonic}" for harmonic in (1, 2, 3) for wave in ("sin", "cos")
    ]


def test_steps_have_no_calendar() -> None:
    assert compute_calendar(pd.Series([0, 1, 2]), 1, ALL) == {}


def test_features_are_float32_of_size_1() -> None:
    ds = pd.Series(pd.date_range("2019-12-01", periods=20_000, freq="h"))
    features = compute_calendar(ds, "h", ALL)
    assert all(
        feature.dtype == np.float32 and np.abs(feature).max() <= 1 for feature in features.values()
    )


def test_negative_harmonics_are_refused() -> None:
    with pytest.raises(ValidationError, match="yearly"):
        CalendarSpec(yearly=-1)


@pytest.mark.parametrize(
    ("freqs", "cycles"),
    [
        (["15min", "h", "12h"], ["daily", "weekly", "yearly"]),
        (["D", "B"], ["weekly", "yearly"]),
        (["2D", "W-SUN", "MS", "ME", "QS-JAN", "QE-DEC"], ["yearly"]),
        (["YS-JAN", 1], []),
    ],
)
def test_frequency_picks_the_cycles(freqs: list[str | int], cycles: list[str]) -> None:
    assert [name_cycles(freq) for freq in freqs] == [cycles] * len(freqs)


@pytest.mark.parametrize("cycle", ["yearly", "weekly", "daily"])
def test_0_leaves_a_cycle_out(cycle: str) -> None:
    features = compute_calendar(
        pd.Series([pd.Timestamp("2021-01-01")]), "h", CalendarSpec(**{cycle: 0})
    )
    assert not [name for name in features if name.startswith(cycle)]


@pytest.fixture
def features(prepare: Prepare, make_values: MakeValues) -> pd.DataFrame:
    return prepare({"a": make_values(50), "b": make_values(40)}).features.table


def test_table_ends_with_the_horizon(features: pd.DataFrame) -> None:
    ends = features.groupby("unique_id")["ds"].max().tolist()
    assert ends == [pd.Timestamp("2021-02-21"), pd.Timestamp("2021-02-11")]


def test_future_is_not_observed(features: pd.DataFrame) -> None:
    assert features["observed"].dtype == bool
    assert np.flatnonzero(~features["observed"]).tolist() == [50, 51, 92, 93]
    assert np.flatnonzero(features["y"].isna()).tolist() == [50, 51, 92, 93]


def test_future_of_steps_goes_on(prepare: Prepare, make_values: MakeValues) -> None:
    ds = prepare(make_values(50), freq=5, start=-10).features.table["ds"]
    assert (ds.dtype, ds.tolist()[-2:]) == ("int64", [240, 245])


def test_calendar_of_the_future_is_known(prepare: Prepare, make_values: MakeValues) -> None:
    """The future has the features that the same days have once they are past."""
    short, long = (prepare(make_values(size)).features.table for size in (50, 52))
    columns = short.columns.drop(["y", "observed"])
    pd.testing.assert_frame_equal(short[columns], long[columns][:52])


def test_series_is_not_changed(prepare: Prepare, make_values: MakeValues) -> None:
    prepared = prepare(make_values(50))
    before = prepared.series.copy()
    add_calendar(prepared.series, "D", CalendarSpec(), 3)
    pd.testing.assert_frame_equal(prepared.series, before)


def test_short_series_has_no_yearly_cycle_unless_asked(
    prepare: Prepare, make_values: MakeValues
) -> None:
    names = prepare(make_values(100)).features.calendar
    assert "weekly_sin_1" in names
    assert "yearly_sin_1" not in names
    assert (
        "yearly_sin_2"
        in prepare(make_values(100), calendar=CalendarSpec(yearly=2)).features.calendar
    )
