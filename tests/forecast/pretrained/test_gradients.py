"""Gradients of a pretrained network's forecast equal finite differences, and sum to the forecast."""

import numpy as np
import pytest

from rnn_pipelines.forecast.pretrained.files import load_network
from rnn_pipelines.forecast.pretrained.gradients import differentiate_forecast
from rnn_pipelines.forecast.pretrained.network import MIDDLE, PretrainedNetwork
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec
from rnn_pipelines.networks.specs import Seed

# Number of values, season length and horizon: fewer than a season, none, a long season, more values than are read.
CASES = [(1, 1, 2), (3, 1, 4), (10, 12, 14), (30, 7, 10), (120, 12, 6), (400, 24, 3)]


@pytest.fixture(params=("gru", "lstm"))
def network(request: pytest.FixtureRequest) -> PretrainedNetwork:
    return load_network(PretrainedSpec(network=request.param))


def draw(size: int, season: int, seed: Seed = 0) -> np.ndarray:
    steps = np.arange(size)
    return np.random.default_rng(seed).normal(size=size).cumsum() + 3 * np.sin(
        2 * np.pi * steps / season
    )


@pytest.mark.parametrize(("size", "season", "horizon"), CASES)
def test_gradients_are_finite_differences(
    network: PretrainedNetwork, size: int, season: int, horizon: int
) -> None:
    past = draw(size, season)
    slopes = differentiate_forecast(network, past[None], season, horizon, np.zeros(1, bool))[1][0]
    # The network computes in float32, so that smaller steps have larger rounding errors.
    step = 1e-3 * (np.abs(np.diff(past)).mean() if size > 1 else 1)
    up, down = (
        network._forecast(past + sign * step * np.eye(size), season, horizon, False)
        for sign in (1, -1)
    )
    expected = (up - down)[:, :, MIDDLE] / (2 * step)
    np.testing.assert_allclose(slopes, expected, atol=0.02)


@pytest.mark.parametrize("is_log", [False, True])
@pytest.mark.parametrize(("size", "season", "horizon"), CASES)
def test_gradients_times_distances_sum_to_the_forecast(
    network: PretrainedNetwork, size: int, season: int, horizon: int, is_log: bool
) -> None:
    """From any level, for constant stretches and counts too."""
    windows = np.stack([draw(size, season), np.round(draw(size, season)), np.full(size, 7.0)])
    forecasts, slopes, zeros = differentiate_forecast(
        network, windows, season, horizon, np.full(3, is_log)
    )
    expected = network._forecast(windows, season, horizon, is_log)[:, :, MIDDLE]
    np.testing.assert_allclose(forecasts, expected, rtol=1e-4, atol=1e-4)
    for level in (zeros[:, None], zeros[:, None] + 100):
        found = level + np.einsum("wt,wth->wh", windows - level, slopes)
        np.testing.assert_allclose(found, forecasts, rtol=1e-6, atol=1e-6)
