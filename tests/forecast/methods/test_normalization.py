"""Frames are left as they were entered, and take out of a window what must not matter: its unit and its level."""

import numpy as np
import pytest

from rnn_pipelines.forecast.methods.normalization import (
    LOG_OFFSET,
    NormalizationKind,
    Units,
    measure_units,
)

KINDS: tuple[NormalizationKind, ...] = ("series", "window", "log")
SEASON = 4


def draw_history(num_windows: int = 6, lookback: int = 12) -> np.ndarray:
    """Windows of their own level and spread, nowhere negative: float64[window, lookback]."""
    rng = np.random.default_rng(0)
    level = rng.uniform(5, 50, (num_windows, 1))
    spread = rng.uniform(0.5, 2, (num_windows, 1))
    return level + spread * rng.normal(size=(num_windows, lookback))


def measure(
    kind: NormalizationKind, history: np.ndarray, zero: float = 0.0, season_length: int = SEASON
) -> Units:
    return measure_units(kind, history, np.full(len(history), zero), season_length)


@pytest.mark.parametrize("kind", KINDS)
def test_history_is_denormalized_again(kind: NormalizationKind) -> None:
    history = draw_history()
    units = measure(kind, history, zero=-1.0)
    np.testing.assert_allclose(units.denormalize(units.normalize(history)), history, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_normalized_values_are_normalized_again(kind: NormalizationKind) -> None:
    normalized = np.random.default_rng(1).normal(size=(6, 3))
    units = measure(kind, draw_history())
    np.testing.assert_allclose(
        units.normalize(units.denormalize(normalized)), normalized, atol=1e-10
    )


@pytest.mark.parametrize("kind", KINDS)
def test_normalization_changes_no_history(kind: NormalizationKind) -> None:
    history = draw_history()
    before = history.copy()
    measure(kind, history).normalize(history)
    np.testing.assert_array_equal(history, before)


@pytest.mark.parametrize("kind", KINDS)
def test_windows_are_normalized_by_themselves(kind: NormalizationKind) -> None:
    history = draw_history()
    alone = measure(kind, history[2:3]).normalize(history[2:3])
    np.testing.assert_array_equal(measure(kind, history).normalize(history)[2:3], alone)


def test_series_keep_their_units() -> None:
    history = draw_history()
    np.testing.assert_array_equal(measure("series", history).normalize(history), history)


def test_spread_of_a_window_is_its_seasonal_change() -> None:
    units = measure("window", np.array([[1.0, 3.0, 2.0, 5.0]]), season_length=2)
    # |2 − 1| and |5 − 3|; the mean distance to 0 is 2.75.
    assert units.spread[0, 0] == pytest.approx(1.5 + 0.02 * 2.75)


def test_spread_of_less_than_two_seasons_is_that_of_steps() -> None:
    history = draw_history(lookback=7)
    np.testing.assert_array_equal(
        measure("window", history, season_length=4).spread,
        measure("window", history, season_length=1).spread,
    )


def test_equal_factors_are_equal_distances_of_logarithms() -> None:
    history = np.repeat([[10.0]], 8, axis=1)
    units = measure("log", history, season_length=1)
    # The offset of the logarithm is a part of the level.
    values = (np.array([[1.0, 2.0, 4.0]]) * (1 + LOG_OFFSET) - LOG_OFFSET) * 10
    first, second, third = units.normalize(values)[0]
    assert third - second == pytest.approx(second - first)


def test_values_below_0_have_the_logarithm_of_0() -> None:
    history = draw_history()
    units = measure("log", history)
    np.testing.assert_array_equal(
        units.normalize(np.full((6, 1), -5.0)), units.normalize(np.zeros((6, 1)))
    )


@pytest.mark.parametrize("kind", ["window", "log"])
@pytest.mark.parametrize("factor", [1000.0, 1e-3])
def test_unit_of_the_data_does_not_matter(kind: NormalizationKind, factor: float) -> None:
    history = draw_history()
    expected = measure(kind, history).normalize(history)
    np.testing.assert_allclose(
        measure(kind, factor * history).normalize(factor * history), expected, rtol=1e-9
    )


@pytest.mark.parametrize("kind", ["window", "log"])
def test_newest_season_has_the_mean_0_wherever_the_scaled_axis_begins(
    kind: NormalizationKind,
) -> None:
    """As long as 0 of the data moves with it."""
    history = draw_history()
    expected = measure(kind, history).normalize(history)
    np.testing.assert_allclose(
        measure(kind, history - 7, zero=-7.0).normalize(history - 7), expected, rtol=1e-8
    )
    normalized = measure(kind, history).normalize(history)
    np.testing.assert_allclose(normalized[:, -SEASON:].mean(axis=1), 0, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [0.0, 3.0])
def test_window_that_never_moves_has_a_frame(kind: NormalizationKind, value: float) -> None:
    history = np.full((2, 12), value)
    assert np.isfinite(measure(kind, history).normalize(history)).all()


def test_logarithms_of_a_series_with_values_below_zero_lie_above_another_zero() -> None:
    """A constant window is as far from it as from 0, and a window that changes is above it with all its values."""
    moving = np.linspace(10, -20, 12)
    history = np.stack([np.full(12, -30.0), moving, moving + 40])
    units = measure_units("log", history, np.zeros(3), SEASON, np.array([True, True, False]))
    assert units.zero[[0, 2], 0].tolist() == [-60, 0]
    assert units.zero[1, 0] < -20
    values = np.array([[-35.0, -30.0, -25.0]] * 2)
    np.testing.assert_allclose(
        units.select(np.arange(2)).denormalize(units.select(np.arange(2)).normalize(values)), values
    )
    mirrored = measure("log", np.full((1, 12), 30.0))
    np.testing.assert_allclose(
        units.select(np.arange(1)).normalize(values[:1]), mirrored.normalize(values[:1] + 60)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_window_of_one_step_has_a_frame(kind: NormalizationKind) -> None:
    history = np.array([[4.0], [0.0]])
    assert np.isfinite(measure(kind, history, season_length=7).normalize(history)).all()
