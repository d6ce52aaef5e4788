"""The long memory: to what forecasts revert, how far, and that the pretrained network forecasts any horizon."""

import numpy as np
import pytest

from rnn_pipelines.forecast.pretrained.files import load_network
from rnn_pipelines.forecast.pretrained.memory import (
    NARROWING,
    find_memory_length,
    fit_weight,
    revert,
    revert_quantiles,
    revert_to_course,
    revert_to_year,
)
from rnn_pipelines.forecast.pretrained.network import MIDDLE
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec

HOURS = 24
WEEK = 7
YEAR = 365


def draw_hours(rng: np.random.Generator, num_steps: int, persistence: float = 0.98) -> np.ndarray:
    """A stationary series of hours with a daily profile: float64[time]."""
    level = np.zeros(num_steps)
    noise = rng.normal(size=num_steps)
    for step in range(1, num_steps):
        level[step] = persistence * level[step - 1] + 0.3 * noise[step]
    profile = rng.normal(size=HOURS) * 2
    return level + profile[np.arange(num_steps) % HOURS] + rng.normal(size=num_steps) * 0.5


def draw_years(rng: np.random.Generator, num_days: int) -> np.ndarray:
    """Days with a yearly course: float64[1, time]."""
    return 10 * np.sin(2 * np.pi * np.arange(num_days) / YEAR)[None] + rng.normal(
        size=(1, num_days)
    )


@pytest.mark.parametrize("seed", range(10))
def test_stationary_hours_are_forecast_ten_times_the_learnt_horizon(seed: int) -> None:
    """Errors were up to 4 times those of the seasonal naive forecast."""
    horizon = 480
    values = draw_hours(np.random.default_rng(seed), 5 * 480 + 1500)
    network = load_network(PretrainedSpec())
    errors = []
    for origin in range(1500, len(values) - horizon + 1, horizon):
        past = values[None, :origin]
        actual = values[origin : origin + horizon]
        naive = past[0, -HOURS:][np.arange(horizon) % HOURS]
        forecast = network.extend(past, HOURS, horizon)[0]
        errors.append([np.abs(actual - one).mean() for one in (forecast, naive)])
    of_network, of_naive = np.mean(errors, axis=0)
    assert of_network < 1.1 * of_naive


def test_hours_revert_to_the_course_of_a_week() -> None:
    """A level far from the usual one closed before."""
    rng = np.random.default_rng(1)
    past = draw_hours(rng, 1500)[None]
    past[:, -HOURS:] += 2
    reversion = revert_to_course(past, HOURS, 240)
    assert (reversion.weight[:, : HOURS // 2] == 0).all()
    assert 0.5 < reversion.weight[0, -1] <= 1


@pytest.mark.parametrize("kind", ["walk", "trend", "shift"])
def test_series_whose_gaps_did_not_close_do_not_revert(kind: str) -> None:
    rng = np.random.default_rng(2)
    noise = rng.normal(size=(20, 1500))
    past = {
        "walk": noise.cumsum(axis=1),
        "trend": noise + 0.1 * np.arange(1500),
        "shift": noise + 20 * (np.arange(1500) > 1500 - 4 * HOURS),
    }[kind]
    assert revert_to_course(past, HOURS, 240).weight.mean() < (0.2 if kind == "walk" else 0.02)


def test_days_revert_to_the_level_of_earlier_years() -> None:
    days = draw_years(np.random.default_rng(3), 4 * YEAR + 30)
    horizon = 120
    known = days[:, :-horizon]
    actual = days[:, -horizon:]
    flat = np.repeat(known[:, -WEEK:].mean(axis=1), horizon)[None]
    reverted = revert(known, WEEK, flat)
    np.testing.assert_array_equal(reverted[:, :WEEK], flat[:, :WEEK])
    assert np.abs(actual - reverted).mean() < 0.4 * np.abs(actual - flat).mean()


def test_days_revert_to_earlier_years() -> None:
    days = draw_years(np.random.default_rng(4), 1200)
    assert revert_to_year(days, 1, 60).weight[0, -1] > 0.5


def test_too_few_days_do_not_revert_to_earlier_years() -> None:
    days = draw_years(np.random.default_rng(4), 1200)
    assert (revert_to_year(days[:, -899:], 1, 60).weight == 0).all()


def test_a_break_of_level_does_not_revert_to_earlier_years() -> None:
    days = draw_years(np.random.default_rng(4), 1200)
    days[:, -60:] += 200
    assert revert_to_year(days, 1, 60).weight.max() < 0.1


def test_hours_revert_to_the_level_of_earlier_years_by_the_mean_of_each_day() -> None:
    rng = np.random.default_rng(5)
    horizon = 20 * HOURS
    level = np.repeat(draw_years(rng, 3 * YEAR), HOURS, axis=1)
    hours = level + np.tile(rng.normal(size=HOURS), 3 * YEAR)
    flat = np.repeat(hours[:, -HOURS:].mean(), horizon)[None] + np.tile(np.arange(HOURS), 20)
    reversion = revert_to_year(hours.reshape(1, -1, HOURS).mean(axis=2), HOURS, horizon)
    changed = (reversion.apply(flat) - flat).reshape(20, HOURS)
    np.testing.assert_allclose(changed, np.repeat(changed[:, :1], HOURS, axis=1), atol=1e-9)
    assert np.abs(changed[-1]).min() > 0.1


@pytest.mark.parametrize(("season", "horizon"), [(HOURS, 240), (WEEK, 60)])
def test_a_forecast_does_not_depend_on_the_units(season: int, horizon: int) -> None:
    rng = np.random.default_rng(6)
    past = np.stack([draw_hours(rng, 1500) for _ in range(4)])
    starts = [0, 520, 1300, 1450]
    for number, start in enumerate(starts):
        past[number, :start] = np.nan
    forecast = rng.normal(size=(4, horizon))
    together = revert(past, season, forecast)
    np.testing.assert_allclose(
        revert(5 * past - 3, season, 5 * forecast - 3), 5 * together - 3, atol=1e-9
    )
    assert np.isfinite(together).all()


@pytest.mark.parametrize(("season", "horizon"), [(HOURS, 240), (WEEK, 60)])
def test_a_forecast_does_not_depend_on_other_windows(season: int, horizon: int) -> None:
    rng = np.random.default_rng(6)
    past = np.stack([draw_hours(rng, 1500) for _ in range(4)])
    starts = [0, 520, 1300, 1450]
    for number, start in enumerate(starts):
        past[number, :start] = np.nan
    forecast = rng.normal(size=(4, horizon))
    together = revert(past, season, forecast)
    for number, start in enumerate(starts):
        alone = revert(past[number : number + 1, start:], season, forecast[number : number + 1])
        np.testing.assert_allclose(alone[0], together[number], atol=1e-9)


@pytest.mark.parametrize(
    ("season", "horizon"), [(12, 240), (4, 40), (1, 30), (52, 104), (WEEK, WEEK), (HOURS, HOURS)]
)
def test_forecasts_without_memory_are_not_changed(season: int, horizon: int) -> None:
    """Of other seasons, and of short horizons."""
    rng = np.random.default_rng(7)
    forecast = rng.normal(size=(2, horizon))
    np.testing.assert_array_equal(revert(rng.normal(size=(2, 1500)), season, forecast), forecast)
    assert find_memory_length(season, horizon) == 0


@pytest.mark.parametrize(("season", "horizon"), [(HOURS, 48), (HOURS, 240), (WEEK, 60)])
@pytest.mark.parametrize("size", [1, 5, HOURS, 100])
def test_few_values_do_not_revert(season: int, horizon: int, size: int) -> None:
    rng = np.random.default_rng(10)
    forecast = rng.normal(size=(3, horizon))
    np.testing.assert_array_equal(revert(rng.normal(size=(3, size)), season, forecast), forecast)


def test_no_value_before_the_memory_counts() -> None:
    rng = np.random.default_rng(8)
    for season, horizon in ((HOURS, 48), (HOURS, 240), (WEEK, 60)):
        longest = find_memory_length(season, horizon)
        past = rng.normal(size=(1, longest + 100)).cumsum(axis=1)
        forecast = rng.normal(size=(1, horizon))
        np.testing.assert_allclose(
            revert(past, season, forecast), revert(past[:, -longest:], season, forecast)
        )


def test_quantiles_move_with_the_median() -> None:
    network = load_network(PretrainedSpec())
    past = draw_hours(np.random.default_rng(9), 1500)[None]
    quantiles = network.forecast(past, HOURS, 240)
    without = network.forecast(past[:, -500:], HOURS, 240)
    moved = quantiles - quantiles[:, :, MIDDLE : MIDDLE + 1]
    np.testing.assert_allclose(moved, without - without[:, :, MIDDLE : MIDDLE + 1], atol=1e-9)


def test_reversion_to_earlier_years_narrows_the_quantiles() -> None:
    days = draw_years(np.random.default_rng(11), 1200)
    horizon = 60
    median = np.zeros((1, horizon))
    quantiles = revert_quantiles(days, WEEK, np.stack([median - 1, median, median + 1], axis=2), 1)
    weight = revert_to_year(days, 1, horizon).weight
    np.testing.assert_allclose(quantiles[:, :, 1], revert(days, WEEK, median))
    np.testing.assert_allclose(quantiles[:, :, 2] - quantiles[:, :, 1], 1 - NARROWING * weight)


def test_the_weight_is_a_slope_from_0_to_1() -> None:
    gaps = np.array([[1.0, -2, 3, np.nan], [1, 1, 1, 1], [0, 0, 0, 0]])
    changes = np.array([[0.5, -1, 1.5, 9], [-1, -1, -1, -1], [0, 0, 0, 0]])
    np.testing.assert_allclose(fit_weight(gaps, changes, np.zeros(3), 1), [0.5, 0, 0])
    np.testing.assert_allclose(
        fit_weight(gaps[:1], changes[:1], np.full(1, np.sqrt(14)), 1), [0.25]
    )
