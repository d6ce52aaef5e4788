"""Sample paths: their shape and repeatability, and the coverage of sums over the horizon."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.errors import ParameterError
from rnn_pipelines.forecast.interface import Forecaster

SMALL = {"lstm": {"members": 1, "units": 2}, "gru": {"members": 1, "units": 2}, "training": {"max_steps": 5}}
HORIZON = 6


def draw_walks(num_series: int, num_steps: int, seed: int, decay: float = 1.0) -> pd.DataFrame:
    """Autoregressive series of order 1; random walks by default."""
    noise = np.random.default_rng(seed).normal(size=(num_series, num_steps))
    values = np.zeros_like(noise)
    for step in range(1, num_steps):
        values[:, step] = decay * values[:, step - 1] + noise[:, step]
    days = pd.date_range("2024-01-01", periods=num_steps)
    tables = [pd.DataFrame({"unique_id": f"s{n}", "ds": days, "y": 100 + y}) for n, y in enumerate(values)]
    return pd.concat(tables, ignore_index=True)


@pytest.fixture(scope="module")
def fitted() -> Forecaster:
    return Forecaster(h=HORIZON, lookback=20, **SMALL).fit(draw_walks(3, 120, seed=0))


def test_paths_have_a_row_for_each_step(fitted: Forecaster) -> None:
    found, next_values = fitted.predict(paths=50), fitted.predict()
    assert list(found) == ["unique_id", "ds", "path", "y"]
    assert len(found) == 3 * 50 * HORIZON
    means = found.groupby(["unique_id", "ds"])["y"].mean()
    expected = next_values.set_index(["unique_id", "ds"])
    assert (means.index == expected.index).all()
    assert means.between(expected["ensemble-lo-80"], expected["ensemble-hi-80"]).all()


def test_paths_repeat_with_their_seed(fitted: Forecaster) -> None:
    one, again, other = (fitted.predict(paths=5, seed=seed)["y"].to_numpy() for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_saved_forecaster_draws_the_same_paths(fitted: Forecaster, tmp_path: Path) -> None:
    frame = draw_walks(3, 120, seed=0)
    fitted.save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model")
    pd.testing.assert_frame_equal(loaded.predict(frame, paths=5), fitted.predict(frame, paths=5), check_exact=True)


@pytest.mark.parametrize("given", [{"paths": 0}, {"paths": 2.5}, {"paths": 5, "h": HORIZON + 1}])
def test_paths_that_cannot_be_drawn_are_refused(fitted: Forecaster, given: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match="paths"):
        fitted.predict(**given)


def test_sums_over_the_horizon_are_covered() -> None:
    """Added bounds would cover more, and independent steps less: the errors of a random walk move together."""
    table = draw_walks(300, 120 + HORIZON, seed=1)
    is_past = table.groupby("unique_id").cumcount() < 120
    found = Forecaster(h=HORIZON, lookback=20, **SMALL).fit(table[is_past]).predict(paths=200)
    sums = found.groupby(["unique_id", "path"])["y"].sum().unstack()
    low, high = sums.quantile(0.1, axis=1), sums.quantile(0.9, axis=1)
    actual = table[~is_past].groupby("unique_id")["y"].sum()
    assert 0.72 < actual.between(low, high).mean() < 0.88


@pytest.mark.parametrize("decay", [1.0, 0.7])
def test_bounds_beyond_the_horizon_cover_the_actuals(decay: float) -> None:
    table = draw_walks(300, 120 + 4 * HORIZON, seed=2, decay=decay)
    is_past = table.groupby("unique_id").cumcount() < 120
    found = Forecaster(h=HORIZON, lookback=20, **SMALL).fit(table[is_past]).predict(h=4 * HORIZON)
    beyond = found[found["is_recursive"]].merge(table, on=["unique_id", "ds"])
    assert len(beyond) == 300 * 3 * HORIZON
    assert 0.72 < beyond["y"].between(beyond["ensemble-lo-80"], beyond["ensemble-hi-80"]).mean() < 0.9
