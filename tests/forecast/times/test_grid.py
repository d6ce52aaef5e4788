"""Steps are counted, timed and filled in for all series at once as pandas does it for one."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_pipelines.forecast.series.rows import find_rows, list_series_names, look_up
from rnn_pipelines.forecast.times.grid import count_steps_between, find_step_times, insert_steps

FREQUENCIES = [
    "D",
    "2D",
    "B",
    "3B",
    "h",
    "15min",
    "W",
    "W-WED",
    "2W",
    "MS",
    "2MS",
    "ME",
    "SMS",
    "QS-FEB",
    "YS",
    1,
    5,
]


def list_times(first: str, size: int, freq: str | int) -> np.ndarray:
    if isinstance(freq, int):
        return 7 + freq * np.arange(size)
    return pd.date_range(first, periods=size, freq=freq).to_numpy()


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
    lasts = np.array([last] * 2, "datetime64[us]")
    assert find_step_times(lasts, np.array([1, 2]), freq).tolist() == [
        pd.Timestamp(ds) for ds in following
    ]


@pytest.mark.parametrize(("freq", "following"), [(1, [8, 9, 10]), (5, [12, 17, 22])])
def test_next_steps_follow_the_last(freq: int, following: list[int]) -> None:
    assert find_step_times(np.array([7, 7, 7]), np.array([1, 2, 3]), freq).tolist() == following


# Series that begin at different times, in days after the first, and at different hours; steps that are there
PANELS = st.lists(
    st.tuples(
        st.integers(0, 800), st.sampled_from([0, 0, 9]), st.sets(st.integers(0, 40), min_size=1)
    ),
    min_size=1,
    max_size=4,
)


@given(PANELS, st.sampled_from(FREQUENCIES))
def test_steps_of_many_series_are_those_of_each_alone(panel: list, freq: str | int) -> None:
    each = [
        list_times(str(pd.Timestamp("2020-01-01") + pd.Timedelta(days=days, hours=hour)), 41, freq)
        for days, hour, _ in panel
    ]
    steps = np.concatenate([sorted(places) for _, _, places in panel])
    firsts = np.concatenate(
        [[times[0]] * len(places) for times, (_, _, places) in zip(each, panel, strict=True)]
    )
    ds = np.concatenate(
        [times[sorted(places)] for times, (_, _, places) in zip(each, panel, strict=True)]
    )
    np.testing.assert_array_equal(find_step_times(firsts, steps, freq), ds)
    found, is_on_step = count_steps_between(firsts, ds, freq)
    assert found.tolist() == steps.tolist()
    assert is_on_step.all()


@pytest.mark.parametrize(
    ("ds", "freq"),
    [
        ("2021-01-01 01:00", "D"),
        ("2021-01-02", "2D"),
        ("2021-01-15", "MS"),
        ("2021-02-01", "2MS"),
        ("2021-01-01 12:00", "MS"),
        ("2021-01-02", "B"),
    ],
)
def test_time_between_two_steps_is_on_none(ds: str, freq: str) -> None:
    first, time = (np.array([text], "datetime64[us]") for text in ("2021-01-01", ds))
    assert count_steps_between(first, time, freq)[1].tolist() == [False]


def test_first_time_off_the_grid_is_found_without_a_grid() -> None:
    first = np.array(["2021-01-01"], "datetime64[s]")
    last = np.array(["9021-01-01"], "datetime64[s]")
    assert count_steps_between(first, last, "s")[0] > 2e11
    # As pandas' own ranges do; the first time itself lies on no step.
    firsts = np.array(["2021-01-15"] * 2, "datetime64[us]")
    ds = np.array(["2021-01-15", "2021-03-01"], "datetime64[us]")
    steps, is_on_step = count_steps_between(firsts, ds, "MS")
    assert (steps.tolist(), is_on_step.tolist()) == ([-1, 1], [False, True])


@pytest.fixture
def table(make_table: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    return make_table({"b": [1.0, None, 3.0], "a": [4.0]}).assign(observed=True)


@pytest.fixture
def filled(table: pd.DataFrame) -> pd.DataFrame:
    """With a step within b, and one after a."""
    return insert_steps(table, find_rows(table), np.array([0, 2, 0]), np.array([3, 2]), "D")


def test_steps_are_inserted_at_their_times(filled: pd.DataFrame) -> None:
    assert filled["unique_id"].tolist() == ["b", "b", "b", "a", "a"]
    assert filled["ds"].dt.day.tolist() == [1, 2, 3, 1, 2]


def test_inserted_steps_are_empty(filled: pd.DataFrame) -> None:
    np.testing.assert_array_equal(filled["y"], [1, np.nan, 3, 4, np.nan])
    assert filled["observed"].tolist() == [True, False, True, True, False]


def test_inserted_steps_change_no_type(filled: pd.DataFrame, table: pd.DataFrame) -> None:
    pd.testing.assert_series_equal(filled.dtypes, table.dtypes)


def test_rows_of_the_series_are_found(table: pd.DataFrame) -> None:
    rows = find_rows(table)
    assert (rows.starts.tolist(), rows.stops.tolist()) == ([0, 2], [2, 3])
    assert (rows.numbers.tolist(), rows.places.tolist()) == ([0, 0, 1], [0, 1, 0])


def test_names_have_the_order_of_the_table(table: pd.DataFrame) -> None:
    assert list_series_names(table).tolist() == ["b", "a"]


def test_empty_table_has_no_series(table: pd.DataFrame) -> None:
    assert len(find_rows(table[:0]).starts) == 0


def test_values_by_series_are_looked_up(table: pd.DataFrame) -> None:
    by_series = pd.DataFrame({"unique_id": ["a", "b", "c"], "stop": [1, 2, 3]})
    assert look_up(table, by_series, "stop").tolist() == [2, 1]
