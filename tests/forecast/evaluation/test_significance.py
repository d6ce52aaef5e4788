"""The test of equal accuracy is the published one, keeps its size, and finds a difference where there is one."""

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.evaluation.significance import (
    compare_losses,
    compute_interval,
    compute_p_value,
)
from rnn_pipelines.report.numbers import format_p_value


def compute_again(differences: list[float], horizon: int) -> float:
    """With loops over all pairs of cut-offs that are less than a horizon apart."""
    from scipy.stats import t

    num, mean = len(differences), sum(differences) / len(differences)
    total = 0.0
    for i in range(num):
        for j in range(num):
            if abs(i - j) < horizon:
                total += (differences[i] - mean) * (differences[j] - mean)
    statistic = mean / (total / num**2) ** 0.5
    statistic *= ((num + 1 - 2 * horizon + horizon * (horizon - 1) / num) / num) ** 0.5
    return 2 * float(t.cdf(-abs(statistic), num - 1))


def draw(num: int, horizon: int, random: np.random.Generator, mean: float = 0.0) -> np.ndarray:
    """A moving average over `horizon` shocks, as losses of overlapping forecasts are."""
    shocks = random.normal(size=num + horizon - 1)
    return mean + np.convolve(shocks, np.ones(horizon) / horizon**0.5, "valid")


@pytest.mark.parametrize("horizon", [1, 2, 7])
def test_p_value_is_that_of_an_independent_computation(horizon: int) -> None:
    differences = draw(60, horizon, np.random.default_rng(horizon), mean=0.3)
    assert compute_p_value(differences, horizon) == pytest.approx(compute_again(differences.tolist(), horizon))


def test_one_step_ahead_it_is_students_test_of_the_mean() -> None:
    """Its statistic has n - 1 below the root: the correction makes Student's of Diebold and Mariano's."""
    from scipy.stats import ttest_1samp

    differences = np.random.default_rng(0).normal(0.2, 1, 30)
    assert compute_p_value(differences, 1) == pytest.approx(ttest_1samp(differences, 0).pvalue)


@pytest.mark.parametrize(("horizon", "num"), [(1, 30), (3, 60), (7, 290)])
def test_equal_forecasters_differ_as_often_as_the_level_says(horizon: int, num: int) -> None:
    """Within 3 standard errors of 2,000 draws, and 2 points that the kernel costs on short samples."""
    random = np.random.default_rng(1)
    rejected = np.mean([compute_p_value(draw(num, horizon, random), horizon) <= 0.05 for _ in range(2000)])
    assert rejected == pytest.approx(0.05, abs=0.015 + 0.02 * (horizon > 1))


def test_without_autocovariances_the_level_would_be_missed_by_far() -> None:
    """What the horizon is for."""
    random = np.random.default_rng(1)
    rejected = np.mean([compute_p_value(draw(290, 7, random), 1) <= 0.05 for _ in range(500)])
    assert rejected > 0.3


def test_a_difference_is_found() -> None:
    random = np.random.default_rng(2)
    found = np.mean([compute_p_value(draw(290, 7, random, mean=0.6), 7) <= 0.05 for _ in range(200)])
    assert found > 0.9


@pytest.mark.parametrize(
    ("differences", "horizon", "expected"),
    [([], 1, 1.0), ([3.0], 1, 1.0), ([3.0, 2.0, 4.0], 3, 1.0), ([0.0] * 9, 2, 1.0), ([2.0] * 9, 2, 0.0)],
    ids=["none", "one", "no more than the horizon", "equal forecasts", "always the same difference"],
)
def test_limits(differences: list[float], horizon: int, expected: float) -> None:
    assert compute_p_value(np.array(differences), horizon) == expected


def test_variance_that_would_be_negative_is_weighed_by_bartletts_kernel() -> None:
    """Alternating differences: γ_0 = 1, γ_1 = -9/10, and 1 - 2 · 9/10 < 0."""
    from scipy.stats import t

    differences = np.tile([1.0, -1.0], 5) + 0.1
    variance = (1 - 2 * 0.5 * 0.9) / 10
    statistic = 0.1 / variance**0.5 * ((10 + 1 - 4 + 2 / 10) / 10) ** 0.5
    assert compute_p_value(differences, 2) == pytest.approx(2 * t.sf(statistic, 9))


# The interval


@pytest.mark.parametrize(("horizon", "num"), [(1, 8), (1, 30), (3, 60), (7, 290)])
def test_interval_covers_the_mean_as_often_as_its_level_says(horizon: int, num: int) -> None:
    """Within 3 standard errors of 2,000 draws, and 2 points that the kernel costs on short samples."""
    random = np.random.default_rng(1)
    covered = []
    for _ in range(2000):
        low, high = compute_interval(draw(num, horizon, random, mean=3.0), horizon)
        covered.append(low <= 3 <= high)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015 + 0.02 * (horizon > 1))


@pytest.mark.parametrize("horizon", [1, 2, 7])
def test_interval_holds_0_exactly_where_the_test_finds_nothing(horizon: int) -> None:
    random = np.random.default_rng(2)
    found = set()
    for mean in np.linspace(-1, 1, 201):
        differences = draw(40, horizon, random, mean)
        low, high = compute_interval(differences, horizon)
        is_outside = not low <= 0 <= high
        assert is_outside == (compute_p_value(differences, horizon) < 0.05)
        found.add(is_outside)
    assert found == {True, False}


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_one_step_ahead_it_is_students_interval(level: float) -> None:
    from scipy.stats import t

    differences = np.random.default_rng(0).normal(0.2, 1, 30)
    expected = t.interval(level, 29, differences.mean(), differences.std(ddof=1) / 30**0.5)
    assert compute_interval(differences, 1, level) == pytest.approx(expected)


@pytest.mark.parametrize(("differences", "horizon"), [([], 1), ([3.0], 1), ([3.0, 2.0, 4.0], 3)])
def test_interval_of_too_few_is_endless(differences: list[float], horizon: int) -> None:
    assert compute_interval(np.array(differences), horizon) == (-np.inf, np.inf)


@pytest.mark.parametrize("value", [0.0, 2.0])
def test_interval_of_a_difference_that_never_varies_is_the_difference(value: float) -> None:
    assert compute_interval(np.full(9, value), 2) == (value, value)


def test_interval_moves_with_the_mean_and_grows_with_the_unit() -> None:
    differences = draw(60, 3, np.random.default_rng(3))
    low, high = compute_interval(differences, 3)
    assert compute_interval(10 * differences + 5, 3) == pytest.approx((10 * low + 5, 10 * high + 5))


# Panels


def make_losses(one: dict[str, list[float]], other: dict[str, list[float]]) -> pd.DataFrame:
    """Of two forecasters, by series."""
    tables = [
        pd.DataFrame({"unique_id": name, "cutoff": range(len(one[name])), "one": one[name], "other": other[name]})
        for name in one
    ]
    return pd.concat(tables, ignore_index=True)


def test_panel_is_compared_by_its_means_over_series() -> None:
    random = np.random.default_rng(3)
    a, b, c, d = (random.random(20).tolist() for _ in range(4))
    losses = make_losses({"x": a, "y": b}, {"x": c, "y": d})
    mean = [(a - c + b - d) / 2 for a, b, c, d in zip(a, b, c, d, strict=True)]
    assert compare_losses(losses, "one", "other", 3) == pytest.approx(compute_p_value(np.array(mean), 3))


def test_series_that_all_say_the_same_count_once() -> None:
    random = np.random.default_rng(4)
    one, other = random.random(20).tolist(), random.random(20).tolist()
    single, three = (
        compare_losses(make_losses(dict.fromkeys(names, one), dict.fromkeys(names, other)), "one", "other", 2)
        for names in ("a", "abc")
    )
    assert three == pytest.approx(single)


def test_order_of_rows_and_sides_does_not_matter() -> None:
    random = np.random.default_rng(5)
    losses = make_losses({"a": random.random(20).tolist()}, {"a": random.random(20).tolist()})
    p_value = compare_losses(losses, "one", "other", 3)
    assert compare_losses(losses.sample(frac=1, random_state=0), "one", "other", 3) == p_value
    assert compare_losses(losses, "other", "one", 3) == p_value


@pytest.mark.parametrize(
    ("p_value", "text"), [(0.0339, "p = 0.034"), (1.0, "p = 1"), (0.0001, "p = 0.0001"), (9.9e-5, "p < 0.0001")]
)
def test_small_p_values_are_given_by_their_bound(p_value: float, text: str) -> None:
    assert format_p_value(p_value) == text
