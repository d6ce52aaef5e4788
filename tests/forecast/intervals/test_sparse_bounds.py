"""Bounds of series without negative values, and of series with many zeros."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.intervals.past_errors import pool_past
from rnn_pipelines.forecast.intervals.sparse_bounds import round_bounds
from rnn_pipelines.forecast.intervals.ways import MethodErrors
from rnn_pipelines.forecast.windows.panel import WindowedPanel

DAYS = pd.date_range("2024-01-01", periods=150)
SMALL = {
    "lstm": {"members": 1, "units": 2},
    "gru": {"members": 1, "units": 2},
    "training": {"max_steps": 5},
}


def make_counts(num_series: int, share: float, unit: float = 1.0) -> pd.DataFrame:
    """Demand on some of the days, of 1 and a Poisson number."""
    random = np.random.default_rng(0)
    demand = np.where(
        random.random((num_series, 150)) < share, 1 + random.poisson(2, (num_series, 150)), 0
    )
    tables = [
        pd.DataFrame({"unique_id": f"s{n}", "ds": DAYS, "y": unit * y})
        for n, y in enumerate(demand)
    ]
    return pd.concat(tables, ignore_index=True)


def list_bounds(forecaster: Forecaster) -> np.ndarray:
    """The bounds of the ensemble at 80 %, float64[row, 2]."""
    return forecaster.predict()[["ensemble-lo-80", "ensemble-hi-80"]].to_numpy()


def test_bounds_of_counts_are_whole_numbers_within_the_values() -> None:
    frame = make_counts(6, 0.3)
    bounds = list_bounds(Forecaster(h=7, **SMALL).fit(frame))
    np.testing.assert_array_equal(bounds, np.round(bounds))
    assert bounds[:, 0].max() == 0
    assert 1 <= bounds[:, 1].min() <= bounds[:, 1].max() <= frame["y"].max()


def test_bound_next_to_0_is_rounded_to_0_without_a_sign() -> None:
    _, highs = round_bounds(np.zeros(1), np.array([1e-7]), np.array([True]))
    assert highs[0] == 0
    assert not np.signbit(highs[0])


def test_bounds_of_amounts_are_no_whole_numbers() -> None:
    bounds = list_bounds(Forecaster(h=7, **SMALL).fit(make_counts(6, 0.3, unit=0.37)))
    assert (bounds[:, 1] % 1 > 0.01).any()


def test_bounds_of_values_below_0_are_below_0() -> None:
    values = np.random.default_rng(0).normal(size=150)
    found = Forecaster(h=7, **SMALL).fit(pd.DataFrame({"ds": DAYS, "y": values})).predict()
    assert (found["ensemble-lo-80"] < 0).all()


@pytest.mark.parametrize(("non_negative", "is_cut"), [("auto", True), (True, True), (False, False)])
@pytest.mark.parametrize("num_series", [1, 3])
def test_numbers_are_cut_at_0_unless_the_parameter_forbids_it(
    num_series: int, non_negative: str | bool, is_cut: bool
) -> None:
    frame = make_counts(num_series, 0.75)
    # A trend that ends at 0, so that forecasts of the drift are below it.
    frame["y"] *= np.tile(np.linspace(1, 0, 150), num_series)
    training = {**SMALL["training"], "non_negative": non_negative}
    found = Forecaster(h=7, **{**SMALL, "training": training}).fit(frame).predict(methods="all")
    numbers = found.drop(columns=["unique_id", "ds"])
    assert bool((numbers >= 0).all(axis=None)) is is_cut


@pytest.mark.parametrize("num_series", [1, 3])
def test_explanation_of_a_forecast_that_was_cut_sums_to_it(num_series: int) -> None:
    frame = make_counts(num_series, 0.75)
    frame["y"] *= np.tile(np.linspace(1, 0, 150), num_series)
    forecaster = Forecaster(h=7, **SMALL).fit(frame)
    sums = forecaster.explain(forecaster="drift").groupby(["unique_id", "ds"])["contribution"].sum()
    expected = forecaster.predict(methods=["drift"]).set_index(["unique_id", "ds"])["drift"]
    assert (expected == 0).any()
    np.testing.assert_allclose(sums.loc[expected.index], expected, atol=1e-5)


def pool_of_values(panel: WindowedPanel, *values: float) -> MethodErrors:
    """The errors of a series with these values alone."""
    none = np.zeros((0, 2), np.int64)
    known = panel.values[: len(values) + panel.horizon].copy()
    known[: len(values), 0] = values
    known[len(values) :, 0] = np.nan
    short = replace(
        panel,
        values=known,
        train=none,
        validation=none,
        test=none,
        series_starts=np.zeros(1, int),
    )
    return pool_past(short, np.array([80]))


@pytest.fixture(scope="module")
def panel(
    prepare: Callable[..., SimpleNamespace], make_values: Callable[..., list[float | None]]
) -> WindowedPanel:
    return prepare(make_values(60)).windows


def test_bounds_of_two_values_contain_their_change(panel: WindowedPanel) -> None:
    pool = pool_of_values(panel, 1.0, 3.0)
    assert pool.sizes.usual[0] == pytest.approx(2)
    assert pool.highs[0, 0] >= 1
    assert pool.lows[0, 0] <= -1


def test_bounds_of_two_values_grow_like_the_root_of_the_step(panel: WindowedPanel) -> None:
    pool = pool_of_values(panel, 1.0, 3.0)
    root = np.sqrt(np.arange(1, panel.horizon + 1))
    np.testing.assert_allclose(pool.highs[0], pool.highs[0, 0] * root)


def test_one_value_has_no_bounds(panel: WindowedPanel) -> None:
    pool = pool_of_values(panel, float(panel.values[0, 0]))
    assert np.isnan(pool.sizes.usual[0])
