"""Weighted quantiles, the factor for few origins, and the growth of errors with the step."""

import numpy as np
import pytest

from rnn_pipelines.forecast.intervals.quantiles import count_freedom, find_growth, weigh_quantiles


def test_weights_origins_and_series_make_the_quantiles() -> None:
    errors = np.random.default_rng(0).exponential(size=(2000, 2)) * [1, 3]
    lows, highs = weigh_quantiles(errors, np.ones(2000), np.array([80]), freedom=1e9)
    np.testing.assert_allclose(
        [lows[0], highs[0]], np.quantile(errors, [0.1, 0.9], axis=0), rtol=0.01
    )
    errors = np.concatenate([np.linspace(-1, 1, 100), np.linspace(-10, 10, 100)])[:, None]
    weights = np.repeat([0.001, 1.0], 100)
    _, highs = weigh_quantiles(errors, weights, np.array([80]), freedom=1e9)
    assert highs[0, 0] == pytest.approx(8, rel=0.02)
    random = np.random.default_rng(0)
    errors = random.normal(size=(600, 3))
    blocks = np.repeat(np.arange(6), 100)
    alike = count_freedom(errors, blocks, 3, 50)
    different = count_freedom(
        errors * np.repeat([0.5, 1, 2, 0.5, 1, 2], 100)[:, None], blocks, 3, 50
    )
    assert different < 20
    assert alike > 100
    narrow, wide = (
        weigh_quantiles(errors, np.ones(600), np.array([95]), found)[1]
        for found in (alike, different)
    )
    assert (wide > 1.05 * narrow).all()
    # The mean error of an origin varies by chance, which one origin does not show.
    errors = np.random.default_rng(0).normal(size=(40, 3))
    blocks = np.zeros(40, int)
    of_two, of_many = (count_freedom(errors, blocks, 1, num_series) for num_series in (2, 200))
    assert of_two < 5
    assert of_many > 15
    assert find_growth(np.ones(1)) == 0.5


@pytest.mark.parametrize(
    ("exponent", "expected"), [(0.5, 0.5), (0.0, 0.0), (-0.3, 0.0), (1.4, 1.0)]
)
def test_growth_is_the_exponent_of_the_step(exponent: float, expected: float) -> None:
    assert find_growth(np.arange(1.0, 13) ** exponent) == pytest.approx(expected, abs=1e-9)
