"""Generated series are finite, reproducible and of every kind that the generator names."""

import numpy as np
import pytest

from rnn_pipelines.forecast.pretrained.kinds import KINDS, PARTS
from rnn_pipelines.lab.pretraining.generator import draw_kind, generate

SEASON, NUM_STEPS = 12, 120


def draw(seed: int = 0, parts: tuple[str, ...] = PARTS, num_series: int = 200) -> np.ndarray:
    return generate(np.random.default_rng(seed), num_series, SEASON, NUM_STEPS, parts)


@pytest.mark.parametrize("season", [1, 2, 4, 7, 12, 24, 48, 96])
@pytest.mark.parametrize("num_steps", [2, 5, 60])
def test_series_are_finite(season: int, num_steps: int) -> None:
    values = generate(np.random.default_rng(season), 50, season, num_steps)
    assert values.shape == (50, num_steps)
    assert np.isfinite(values).all()


def test_series_follow_from_the_seed() -> None:
    np.testing.assert_array_equal(draw(), draw())
    assert (draw() != draw(seed=1)).any()


def test_long_seasons_move_the_days_of_a_week() -> None:
    rng = np.random.default_rng(0)
    values = generate(rng, 200, 24, 4 * 168, ("season", "long_season"))
    weeks = values.reshape(200, 4, 7, 24).mean(axis=3)
    days = weeks.mean(axis=1).std(axis=1)
    rng = np.random.default_rng(0)
    plain = (
        generate(rng, 200, 24, 4 * 168, ("season",))
        .reshape(200, 4, 7, 24)
        .mean(axis=3)
        .mean(axis=1)
        .std(axis=1)
    )
    assert (days > 3 * plain).mean() > 0.2


def test_series_without_parts_are_noise() -> None:
    values = draw(parts=())
    scaled = (values - values.mean(axis=1, keepdims=True)) / values.std(axis=1, keepdims=True)
    assert np.abs((scaled[:, 1:] * scaled[:, :-1]).mean(axis=1)).mean() < 0.15


def test_series_are_of_all_signs() -> None:
    values = draw()
    assert (values > 0).all(axis=1).any()
    assert (values < 0).all(axis=1).any()
    assert ((values == 0).mean(axis=1) > 0.2).any()


def test_kinds_have_all_seasons() -> None:
    rng = np.random.default_rng(0)
    kinds = [draw_kind(rng) for _ in range(500)]
    assert {kind.season_length for kind in kinds} >= {season for season in KINDS if season}


def test_kinds_have_enough_known_values() -> None:
    rng = np.random.default_rng(0)
    kinds = [draw_kind(rng) for _ in range(500)]
    assert all(
        KINDS[kind.season_length][1] <= kind.num_known
        for kind in kinds
        if kind.season_length in KINDS
    )
    assert min(kind.num_known for kind in kinds) == 2


@pytest.mark.parametrize("part", sorted(set(PARTS) - {"long_season"}))
def test_every_part_changes_some_series(part: str) -> None:
    others = tuple(other for other in PARTS if other != part)
    assert (draw() != draw(parts=others)).any()


def measure_excursion(season: int, num_steps: int, parts: tuple[str, ...] = PARTS) -> float:
    """Return the third quartile of the excursions of fitted lines, in deviations of their residuals."""
    values = generate(np.random.default_rng(0), 1000, season, num_steps, parts)
    steps = np.arange(num_steps)
    slope, zero = np.polyfit(steps, values.T, 1)
    residuals = values - zero[:, None] - slope[:, None] * steps
    return float(
        np.percentile(np.abs(slope) * (num_steps - 1) / (residuals.std(axis=1) + 1e-9), 75)
    )


@pytest.mark.parametrize("season", [1, 4])
def test_slow_series_have_stronger_trends_than_others(season: int) -> None:
    """Years and quarters."""
    assert measure_excursion(season, 40) > 1.5 * measure_excursion(5, 40)


@pytest.mark.parametrize("season", [7, 24, 48])
def test_long_series_of_fast_steps_have_trends_like_short_ones(season: int) -> None:
    """Days and parts of a day."""
    growth = measure_excursion(season, 480, ("trend",)) / measure_excursion(season, 60, ("trend",))
    assert growth < 0.8 * measure_excursion(12, 480, ("trend",)) / measure_excursion(
        12, 60, ("trend",)
    )
