"""Errors for series with too few windows: their size is that of the pretrained network's intervals."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.forecast.intervals.past_errors import pool_expected
from rnn_pipelines.forecast.pretrained.files import load_network
from rnn_pipelines.forecast.pretrained.network import LEVELS, PretrainedNetwork
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec
from rnn_pipelines.forecast.windows.panel import WindowSpec

HORIZON = 3
LOW = LEVELS.index(0.1)
HIGH = LEVELS.index(0.9)


@pytest.fixture(scope="module")
def network() -> PretrainedNetwork:
    return load_network(PretrainedSpec())


def make_frame(values: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"ds": pd.date_range("1990", periods=len(values), freq="YS"), "y": values})


def make_walk(size: int = 22, seed: int = 0) -> np.ndarray:
    return 100 + np.cumsum(np.random.default_rng(seed).normal(0.5, 3, size))


def find_widths(values: np.ndarray, **options: object) -> np.ndarray:
    found = Forecaster(HORIZON, level=[80], **options).fit(make_frame(values)).predict()
    return (found["ensemble-hi-80"] - found["ensemble-lo-80"]).to_numpy()


@pytest.mark.parametrize(
    "values", [make_walk(), 100 * 1.1 ** np.arange(23.0) + make_walk(23)], ids=["walk", "growth"]
)
def test_widths_of_a_short_series_are_those_of_the_network(
    network: PretrainedNetwork, values: np.ndarray
) -> None:
    """In the mean over the steps, because the widths grow with a power of the step; also far from earlier values."""
    quantiles = network.forecast(values[None], 1, HORIZON)[0]
    ratios = find_widths(values) / (quantiles[:, HIGH] - quantiles[:, LOW])
    assert np.log(ratios).mean() == pytest.approx(0, abs=0.01)


def test_errors_on_the_own_past_count_in_the_unit_of_the_data() -> None:
    values = make_walk()
    assert find_widths(values, pretrained=False) != pytest.approx(find_widths(values), rel=0.01)
    np.testing.assert_allclose(
        find_widths(1000 * make_walk()), 1000 * find_widths(make_walk()), rtol=1e-3
    )


def test_test_bounds_do_not_depend_on_it(
    prepare: Callable[..., SimpleNamespace], network: PretrainedNetwork
) -> None:
    panel = prepare(make_walk(40).tolist(), window=WindowSpec(lookback=4, horizon=HORIZON)).windows
    first = int(panel.test[:, 0].min())
    other = panel.values.copy()
    other[first : len(other) - HORIZON, 0] += np.linspace(1, 3, len(other) - HORIZON - first)
    pools = [
        pool_expected(one, np.array([80, 95]), network)
        for one in (panel, replace(panel, values=other))
    ]
    of_test = [pool.sizes.usual * pool.evaluated for pool in pools]
    np.testing.assert_allclose(of_test[0], of_test[1], rtol=1e-9)
    ahead = [pool.sizes.usual * pool.highs for pool in pools]
    assert not np.allclose(ahead[0], ahead[1], rtol=0.01)


@pytest.mark.parametrize("use", ["ensemble", "theta"])
def test_a_saved_forecaster_has_the_same_bounds(use: str, tmp_path: Path) -> None:
    fitted = Forecaster(HORIZON, level=[80], use=use).fit(make_frame(make_walk()))
    fitted.save(tmp_path / "model")
    again = Forecaster.load(tmp_path / "model").predict(make_frame(make_walk()))
    pd.testing.assert_frame_equal(again, fitted.predict())
