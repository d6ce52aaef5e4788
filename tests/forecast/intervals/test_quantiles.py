"""Weighted quantiles, the factor for few origins, and the growth of errors with the step."""

import numpy as np
import pytest

from rnn_pipelines.forecast.intervals.quantiles import count_freedom, find_growth, weigh_quantiles


def test_quantiles_of_equal_weights_are_those_of_numpy() -> None:
    errors = np.random.default_rng(0).exponential(size=(2000, 2)) * [1, 3]
    lows, highs = weigh_quantiles(errors, np.ones(2000), np.array([80]), freedom=1e9)
    np.testing.assert_allclose(
        [lows[0], highs[0]], np.quantile(errors, [0.1, 0.9], axis=0), rtol=0.01
    )


def test_errors_with_little_weight_hardly_count() -> None:
    errors = np.concatenate([np.linspace(-1, 1, 100), np.linspace(-10, 10, 100)])[:, None]
    weights = np.repeat([0.001, 1.0], 100)
    _, highs = weigh_quantiles(errors, weights, np.array([80]), freedom=1e9)
    assert highs[0, 0] == pytest.approx(8, rel=0.02)


@pytest.fixture(scope="module")
def freedom() -> tuple[float, float]:
    """The freedom of errors of six blocks, whose spread is alike, and different."""
    errors = np.random.default_rng(0).normal(size=(600, 3))
    blocks = np.repeat(np.arange(6), 100)
    spreads = np.repeat([0.5, 1, 2, 0.5, 1, 2], 100)[:, None]
    return count_freedom(errors, blocks, 3, 50), count_freedom(errors * spreads, blocks, 3, 50)


def test_blocks_of_different_spread_have_little_freedom(freedom: tuple[float, float]) -> None:
    alike, different = freedom
    assert different < 20
    assert alike > 100


def test_little_freedom_makes_wide_bounds(freedom: tuple[float, float]) -> None:
    errors = np.random.default_rng(0).normal(size=(600, 3))
    narrow, wide = (
        weigh_quantiles(errors, np.ones(600), np.array([95]), number)[1] for number in freedom
    )
    assert (wide > 1.05 * narrow).all()


def test_one_origin_of_few_series_has_little_freedom() -> None:
    """The mean error of an origin varies by chance, which one origin does not show."""
    errors = np.random.default_rng(0).normal(size=(40, 3))
    blocks = np.zeros(40, int)
    of_two, of_many = (count_freedom(errors, blocks, 1, num_series) for num_series in (2, 200))
    assert of_two < 5
    assert of_many > 15


def test_errors_of_one_step_grow_like_the_root() -> None:
    assert find_growth(np.ones(1)) == 0.5


@pytest.mark.parametrize(
    ("exponent", "expected"), [(0.5, 0.5), (0.0, 0.0), (-0.3, 0.0), (1.4, 1.0)]
)
def test_growth_is_the_exponent_of_the_step(exponent: float, expected: float) -> None:
    assert find_growth(np.arange(1.0, 13) ** exponent) == pytest.approx(expected, abs=1e-9)
