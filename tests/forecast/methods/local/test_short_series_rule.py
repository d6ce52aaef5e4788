"""The rule for short series: unbiased on trends, and the same at past origins as at the end."""

import numpy as np
import pytest

from rnn_pipelines.forecast.methods.local.exponential_smoothing import (
    extend_by_damped_trend,
    trace_damped_trend,
    trace_level,
)
from rnn_pipelines.forecast.methods.local.short_series_rule import (
    LEVEL_AND_TREND,
    TRENDS,
    Trace,
    extend_by_rule,
    list_rules,
)

HORIZON = 3
GROWTHS = (0.01, 0.03, 0.05)
NOISES = (0.1, 0.3, 1.0, 3.0)


def draw_trends(
    num_values: int, noise: float, num_series: int = 400
) -> tuple[np.ndarray, np.ndarray]:
    """Return series whose values grow by 1 a step, half with white noise and half random walks, and their means."""
    rng = np.random.default_rng(num_values)
    line = 100.0 + np.arange(num_values + HORIZON)
    noises = rng.normal(0, noise, (num_series, num_values + HORIZON))
    walks = noises[num_series // 2 :].cumsum(axis=1)
    values = line + np.concatenate([noises[: num_series // 2], walks])
    expected = np.tile(line[num_values:], (num_series, 1))
    expected[num_series // 2 :] += walks[:, [num_values - 1]]
    return values[:, :num_values], expected


def test_forecasts_of_trends_are_off_by_less_than_a_tenth_of_the_step() -> None:
    """The bias of all together, and by noise; as large as three steps, it hides a part of the trend."""
    steps = np.arange(1, HORIZON + 1)
    found = {}
    for noise in NOISES:
        drawn = [draw_trends(num_values, noise) for num_values in (8, 12, 16, 24, 32, 40)]
        found[noise] = [
            ((extend_by_rule(past, 1, HORIZON) - expected) / steps).mean()
            for past, expected in drawn
        ]
    assert abs(np.mean(list(found.values()))) < 0.1
    assert all(abs(np.mean(found[noise])) < 0.1 for noise in NOISES if noise < 3)
    assert abs(np.mean(found[3.0])) < 0.25


@pytest.mark.parametrize("growth", GROWTHS)
def test_growth_of_thirty_years_goes_on(growth: float) -> None:
    values = 1000 * (1 + growth) ** np.arange(33)
    forecasts = extend_by_rule(values[None, :30], 1, HORIZON)[0]
    steps = np.diff(values[29:])
    np.testing.assert_array_less(
        np.abs(forecasts - values[30:]), 0.2 * steps * np.arange(1, HORIZON + 1)
    )


def test_short_trend_goes_on() -> None:
    forecasts = extend_by_rule(np.array([[12.0, 15, 14, 18, 21, 19, 24, 22, 26]]), 12, 2)[0]
    assert 25 < forecasts[0] < forecasts[1] < 30


def test_constant_goes_on() -> None:
    for season_length, num_values in [(1, 10), (12, 8), (12, 20), (12, 40)]:
        np.testing.assert_allclose(
            extend_by_rule(np.full((1, num_values), 5.0), season_length, HORIZON), 5.0
        )


def test_damped_trend_is_that_of_the_method() -> None:
    values = np.random.default_rng(2).normal(0.5, 1, (2, 30)).cumsum(axis=1)
    np.testing.assert_allclose(
        trace_damped_trend(values, 5, 3)[:, -1], extend_by_damped_trend(values, 1, 5)
    )


def test_level_is_constant() -> None:
    levels = trace_level(np.random.default_rng(3).normal(size=(1, 12)), HORIZON, 1)
    np.testing.assert_array_equal(levels[..., 0], levels[..., -1])


@pytest.mark.parametrize("num_values", [20, 30, 40])
def test_growth_over_seasons_goes_on(num_values: int) -> None:
    months = np.arange(num_values + HORIZON)
    values = 100 + months + 10 * np.sin(2 * np.pi * months / 12)
    forecasts = extend_by_rule(values[None, :num_values], 12, HORIZON)[0]
    assert abs((forecasts - values[num_values:]).mean()) < 2.5


@pytest.mark.parametrize("season_length", [1, 4, 12])
@pytest.mark.parametrize("num_values", [1, 2, 5, 7, 9, 20, 50])
def test_missing_values_before_the_first_one_change_nothing(
    season_length: int, num_values: int
) -> None:
    values = 50 + np.random.default_rng(0).normal(0.5, 1, (3, num_values)).cumsum(axis=1)
    padded = np.concatenate([np.full((3, 13), np.nan), values], axis=1)
    np.testing.assert_allclose(
        extend_by_rule(padded, season_length, HORIZON),
        extend_by_rule(values, season_length, HORIZON),
    )


@pytest.mark.parametrize("trace", [*TRENDS, *LEVEL_AND_TREND])
def test_forecasts_at_past_origins_read_nothing_after_them(trace: Trace) -> None:
    values = np.random.default_rng(1).normal(0.5, 1, (2, 30)).cumsum(axis=1)
    found = trace(values, HORIZON, 20)
    assert found.shape == (2, 20, HORIZON)
    for num_known in (11, 20, 30):
        np.testing.assert_allclose(
            found[:, num_known - 11], trace(values[:, :num_known], HORIZON, 1)[:, 0]
        )


@pytest.mark.parametrize(
    ("season_length", "least"),
    [(1, [0, 6]), (4, [0, 4, 8, 12]), (12, [0, 6, 12, 24, 36]), (52, [0, 6, 104, 156])],
)
def test_rules_are_chosen_by_the_number_of_values(season_length: int, least: list[int]) -> None:
    assert [rule.least for rule in list_rules(season_length)] == least
