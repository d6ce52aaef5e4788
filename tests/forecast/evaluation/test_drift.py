"""A season, a trend and a memory are no drift; a shift is one."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from rnn_pipelines.forecast.evaluation.drift import (
    DriftSpec,
    compare_with_past,
    is_outside,
    measure_distance,
)

NUM, LEARNT = 800, 640


def make_series(
    values: np.ndarray, name: str = "a", observed: np.ndarray | None = None
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "unique_id": name,
            "ds": pd.date_range("2020-01-01", periods=len(values)),
            "y": values,
            "observed": np.ones(len(values), bool) if observed is None else observed,
        }
    )


def measure(
    values: np.ndarray, season_length: int = 7, observed: np.ndarray | None = None
) -> pd.Series:
    series = make_series(values, observed=observed)
    return compare_with_past(
        series, {"a": series["ds"][LEARNT - 1].isoformat()}, season_length, 30
    ).iloc[0]


def has_drifted(found: pd.Series) -> bool:
    spec = DriftSpec()
    return bool(found["distance"] >= spec.min_distance and found["p_value"] <= spec.significance)


def make_yearly(seed: int) -> np.ndarray:
    return (
        20
        + 10 * np.sin(2 * np.pi * (np.arange(NUM) + 91 * seed) / 365)
        + np.random.default_rng(seed).normal(0, 2, NUM)
    )


def make_trend(seed: int) -> np.ndarray:
    week = np.resize([0, 1, 2, 3, 4, 8, 8], NUM)
    return 0.02 * np.arange(NUM) + week + np.random.default_rng(seed).normal(0, 1, NUM)


def make_memory(seed: int) -> np.ndarray:
    values = np.random.default_rng(seed).normal(0, 1, NUM)
    for place in range(1, NUM):
        values[place] += 0.8 * values[place - 1]
    return values


@pytest.mark.parametrize("make", [make_yearly, make_trend, make_memory])
def test_ordinary_course_is_no_drift(make: Callable[[int], np.ndarray]) -> None:
    assert sum(has_drifted(measure(make(seed))) for seed in range(12)) == 0


@pytest.mark.parametrize("make", [make_yearly, make_trend])
def test_kolmogorov_smirnov_test_would_take_the_ordinary_course_for_a_drift(
    make: Callable[[int], np.ndarray],
) -> None:
    p_values = [ks_2samp(make(seed)[-30:], make(seed)[:LEARNT]).pvalue for seed in range(12)]
    assert sum(p_value <= DriftSpec().significance for p_value in p_values) >= 10


@pytest.mark.parametrize("make", [make_yearly, make_trend])
def test_shift_of_the_level_is_a_drift(make: Callable[[int], np.ndarray]) -> None:
    drifts = []
    for seed in range(12):
        values = make(seed)
        values[-30:] += 2 * values.std()
        drifts.append(measure(values))
    assert sum(map(has_drifted, drifts)) >= 10
    assert all(row["shift"] > 1 for row in drifts)


@given(
    one=st.lists(st.integers(-5, 5), min_size=1, max_size=30),
    other=st.lists(st.integers(-5, 5), min_size=1, max_size=60),
)
def test_distance_is_that_of_scipy(one: list[int], other: list[int]) -> None:
    """With ties within and between the samples."""
    ours = measure_distance(np.array(one, float), np.sort(np.array(other, float)))
    assert ours == pytest.approx(ks_2samp(one, other, method="asymp").statistic)


def test_numbers_are_those_of_an_independent_computation() -> None:
    """On a short series, with a loop and scipy."""
    values = np.random.default_rng(3).normal(size=70)
    series = make_series(values)
    found = compare_with_past(series, {"a": series["ds"][49].isoformat()}, 4, 10).iloc[0]
    windows = [[values[s + k] - values[s - 4 + k % 4] for k in range(10)] for s in range(4, 41)]
    newest = [values[60 + k] - values[56 + k % 4] for k in range(10)]
    pool = np.concatenate(windows)
    distance = ks_2samp(newest, pool).statistic
    num_as_far = sum(ks_2samp(window, pool).statistic >= distance - 1e-12 for window in windows)
    expected = [
        10,
        37,
        (np.mean(newest) - pool.mean()) / pool.std(),
        distance,
        (num_as_far + 1) / 38,
    ]
    names = ["num_values", "num_windows", "shift", "distance", "p_value"]
    assert found[names].to_numpy(float) == pytest.approx(expected)


def test_values_that_were_filled_or_came_later_do_not_change_the_past() -> None:
    one = make_yearly(0)
    other = make_yearly(0)
    other[LEARNT:-37] += 1000
    pd.testing.assert_series_equal(measure(one), measure(other))
    values = make_yearly(0)
    observed = np.ones(NUM, bool)
    observed[-10:-5] = False
    one = measure(values, observed=observed)
    values[-10:-5] = 1e6
    pd.testing.assert_series_equal(one, measure(values, observed=observed))
    assert one["num_values"] == 25


@pytest.mark.parametrize("num", [20, 36, 37, 60])
def test_short_series_are_compared_or_said_to_be_too_short(num: int) -> None:
    """A season and a stretch of steps are needed, now and in what was learnt."""
    series = make_series(np.random.default_rng(0).normal(size=num))
    found = compare_with_past(series, {"a": series["ds"].iloc[-1].isoformat()}, 7, 30).iloc[0]
    assert np.isnan(found["distance"]) == (num < 37)
    assert np.isnan(found["p_value"]) == (num < 37)


def test_series_that_training_did_not_know_are_left_out() -> None:
    series = pd.concat(
        [make_series(make_yearly(0)), make_series(make_yearly(1), "b")], ignore_index=True
    )
    drift = compare_with_past(series, {"b": "2021-06-01T00:00:00"}, 7, 30)
    assert drift["unique_id"].tolist() == ["b"]
    assert compare_with_past(series, {}, 7, 30).empty


def test_steps_are_compared_as_dates_are() -> None:
    dates = make_series(make_yearly(0))
    steps = dates.assign(ds=np.arange(NUM))
    by_date = compare_with_past(dates, {"a": dates["ds"][LEARNT - 1].isoformat()}, 7, 30)
    pd.testing.assert_frame_equal(by_date, compare_with_past(steps, {"a": LEARNT - 1}, 7, 30))


def has_left_its_range(found: pd.Series) -> bool:
    return is_outside(found["level"], found["lowest_level"], found["highest_level"])


@pytest.mark.parametrize("make", [make_yearly, make_memory])
def test_old_shift_of_the_level_leaves_its_range_without_a_drift(
    make: Callable[[int], np.ndarray],
) -> None:
    """The season before the newest steps has shifted too, so that their residuals are small."""
    for seed in range(12):
        values = make(seed)
        assert not has_left_its_range(measure(values))
        values[-90:] += 4 * (values.max() - values.min())
        assert has_left_its_range(measure(values))
        assert not has_drifted(measure(values))


def test_levels_are_means_of_observed_values_in_windows_of_the_training_part() -> None:
    values = make_yearly(0)
    observed = np.ones(NUM, bool)
    observed[100:105] = observed[-3] = False
    found = measure(np.where(observed, values, 1e6), observed=observed)
    kept = np.where(observed, values, np.nan)
    means = [np.nanmean(kept[start : start + 30]) for start in range(LEARNT - 29)]
    expected = [np.nanmean(kept[-30:]), min(means), max(means)]
    assert found[["level", "lowest_level", "highest_level"]].to_numpy(float) == pytest.approx(
        expected
    )
    values = np.full(NUM, 0.1)
    assert not has_left_its_range(measure(values))
    values[-30:] = 0.2
    assert has_left_its_range(measure(values))


@pytest.mark.parametrize(
    ("level", "expected"),
    [(12.4, False), (12.6, True), (-2.4, False), (-2.6, True), (np.nan, False)],
)
def test_range_has_a_margin_of_a_quarter(level: float, expected: bool) -> None:
    assert is_outside(level, 0.0, 10.0) == expected


@pytest.mark.parametrize(("num", "has_range"), [(119, False), (120, True)])
def test_range_needs_four_stretches_of_training(num: int, has_range: bool) -> None:
    series = make_series(np.random.default_rng(0).normal(size=num))
    found = compare_with_past(series, {"a": series["ds"].iloc[-1].isoformat()}, 7, 30).iloc[0]
    assert np.isfinite(found["level"]) == has_range
