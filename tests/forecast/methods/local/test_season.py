"""The season of a local method: factors or terms, shrunk by their noise."""

import numpy as np
import pytest

from rnn_pipelines.forecast.methods.local.season import find_season

PATTERN = np.array([0.5, 1.5, 1.2, 0.8])
SEASON = len(PATTERN)


@pytest.mark.parametrize("size", [4 * SEASON, 4 * SEASON + 3])
def test_a_season_of_positive_values_is_a_factor(size: int) -> None:
    rising = np.exp(0.02 * np.arange(size + SEASON)) * np.resize(PATTERN, size + SEASON)
    season = find_season(rising[None, :size], SEASON)
    np.testing.assert_allclose(
        season.factors[0], np.resize(PATTERN, size + SEASON)[size:], rtol=0.05
    )
    assert not season.terms.any()


@pytest.mark.parametrize("season_length", [SEASON, 3])
def test_a_season_around_zero_is_a_term(season_length: int) -> None:
    shape = PATTERN[:season_length] - PATTERN[:season_length].mean()
    season = find_season(np.resize(shape, 10 * season_length)[None], season_length)
    np.testing.assert_allclose(season.terms[0], shape, atol=1e-9)
    assert (season.factors == 1).all()


def test_noise_has_nearly_no_season() -> None:
    """Over many series of pure noise, shrinkage removes most of the variance of the phases' means."""
    noise = 10 + np.random.default_rng(3).normal(size=(400, 60))
    deviations = find_season(noise, SEASON).factors - 1
    unshrunk = noise.reshape(400, -1, SEASON).mean(axis=1) / noise.mean(axis=1, keepdims=True) - 1
    assert (deviations**2).mean() < 0.4 * (unshrunk**2).mean()


def test_clear_season_is_kept() -> None:
    rng = np.random.default_rng(0)
    values = 10 * np.resize(PATTERN, 60) + rng.normal(size=60)
    np.testing.assert_allclose(find_season(values[None], SEASON).factors[0], PATTERN, atol=0.1)


def test_constant_has_no_season() -> None:
    assert (find_season(np.full((1, 20), 3.0), SEASON).factors == 1).all()


def test_two_seasons_of_noise_have_a_small_season() -> None:
    """With one value of each phase there are no residuals, so that the whole noise would be the season."""
    noise = 10 + np.random.default_rng(5).normal(size=(400, 2 * SEASON))
    deviations = find_season(noise, SEASON).factors - 1
    differences = noise[:, SEASON:] - noise.mean(axis=1, keepdims=True)
    assert (deviations**2).mean() < 0.5 * (differences**2).mean() / 100


@pytest.mark.parametrize("size", [2 * SEASON - 1, SEASON, 1])
def test_less_than_two_seasons_have_none(size: int) -> None:
    season = find_season(np.resize(PATTERN, size)[None], SEASON)
    assert (season.factors == 1).all()
    assert (season.terms == 0).all()


def test_season_needs_two_seasons() -> None:
    past = np.tile(np.resize(PATTERN, 5 * SEASON), (2, 1))
    past[1, : 3 * SEASON + 1] = np.nan
    factors = find_season(past, SEASON).factors
    assert (factors[1] == 1).all()
    assert (factors[0] != 1).all()


def test_removed_season_is_added_again() -> None:
    past = 10 * np.resize(PATTERN, 5 * SEASON)[None]
    season = find_season(past, SEASON)
    flat = season.remove(past)
    np.testing.assert_allclose(flat, flat[0, 0])
    np.testing.assert_allclose(season.add(flat[:, : 2 * SEASON]), past[:, : 2 * SEASON])
