"""The synthetic series follow their formulas."""

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.source.synthetic import (
    GENERATORS,
    generate_noisy_sine,
    generate_sine,
    generate_temperature,
)

SIGNALS = {
    "temperature": 20 + 10 * np.sin(2 * np.pi * np.arange(1000) / 365),
    "sine": np.sin(np.arange(100) / 10),
    "noisy_sine": np.sin(np.arange(1000) / 10),
}


def sample_noise(name: str) -> np.ndarray:
    """The noise of 40 seeds, in one row."""
    tables = [GENERATORS[name](seed) for seed in range(40)]
    return np.concatenate([table["y"] - table["signal"] for table in tables])


@pytest.mark.parametrize("name", SIGNALS)
def test_signal_follows_its_formula(name: str) -> None:
    np.testing.assert_allclose(GENERATORS[name](0)["signal"], SIGNALS[name], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", SIGNALS)
def test_series_follows_from_its_seed(name: str) -> None:
    pd.testing.assert_frame_equal(GENERATORS[name](3), GENERATORS[name](3))


@pytest.mark.parametrize(("name", "variance"), [("temperature", 4.0), ("noisy_sine", 0.01)])
def test_noise_has_the_stated_variance(name: str, variance: float) -> None:
    assert np.var(sample_noise(name)) == pytest.approx(variance, rel=0.03)


@pytest.mark.parametrize(("name", "deviation"), [("temperature", 2.0), ("noisy_sine", 0.1)])
def test_noise_has_mean_0(name: str, deviation: float) -> None:
    assert abs(np.mean(sample_noise(name))) < 4 * deviation / np.sqrt(40_000)


def test_noise_has_no_autocorrelation() -> None:
    noise = sample_noise("temperature")
    assert abs(np.corrcoef(noise[:-1], noise[1:])[0, 1]) < 0.02


def test_sine_has_no_noise() -> None:
    table = generate_sine(0)
    np.testing.assert_array_equal(table["y"], table["signal"])
    pd.testing.assert_frame_equal(generate_sine(0), generate_sine(1))


def test_temperatures_are_of_days() -> None:
    assert set(generate_temperature(0)["ds"].diff().dropna()) == {pd.Timedelta(days=1)}


def test_signal_of_temperatures_is_that_of_the_day_of_the_year() -> None:
    table = generate_temperature(0)
    by_date = 20 + 10 * np.sin(2 * np.pi * (table["ds"].dt.day_of_year - 1) / 365)
    np.testing.assert_allclose(table["signal"], by_date, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["temperature", "noisy_sine"])
def test_another_seed_gives_another_series(name: str) -> None:
    assert not np.allclose(GENERATORS[name](0)["y"], GENERATORS[name](1)["y"])


@pytest.mark.parametrize("generate", [generate_sine, generate_noisy_sine])
def test_sines_have_whole_numbered_steps(generate) -> None:
    assert generate(0)["ds"].tolist()[:3] == [0, 1, 2]
