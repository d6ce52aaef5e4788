"""Forecasts beyond the trained horizon: the same as horizon by horizon, each on a series that goes on."""

import logging
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.methods.linear.models import LinearModel
from rnn_pipelines.forecast.model.artefact import FORECAST, forecast_cutoffs
from rnn_pipelines.forecast.model.newest import find_ends
from rnn_pipelines.forecast.model.recursion import forecast_recursively, lay_out_recursive

NUM_DAYS, NUM_AHEAD = 160, 12
SMALL: dict[str, Any] = {
    "level": [50],
    "lookback": 8,
    "lstm": {"units": 2},
    "gru": {"units": 2},
    "training": {"max_steps": 20},
    "split": {"validation": 15, "test": 20},
    "covariates": {"future": ["promo", "kind"], "static": ["size"], "holidays": "DE"},
}


def make_frame(num_series: int) -> pd.DataFrame:
    """Series with different ends, whose covariates are known for `NUM_AHEAD` days after them."""
    tables = []
    for number in range(num_series):
        random = np.random.default_rng(number)
        size = NUM_DAYS + 5 * number + NUM_AHEAD
        promo = random.integers(0, 2, size)
        kind = random.choice(["a", "b", "c"], size)
        y = 20 + 5 * number + 3 * promo + 2 * (kind == "b") + random.normal(0, 0.5, size)
        y[size - NUM_AHEAD :] = np.nan
        ds = pd.date_range("2024-01-01", periods=size)
        own = {
            "unique_id": str(number),
            "ds": ds,
            "y": y,
            "promo": promo,
            "kind": kind,
            "size": number,
        }
        tables.append(pd.DataFrame(own))
    return pd.concat(tables, ignore_index=True)


@pytest.fixture(
    scope="module", params=[(1, 3), (3, 3), (2, 1)], ids=["one series", "a panel", "a horizon of 1"]
)
def fitted(request: pytest.FixtureRequest) -> Forecaster:
    num_series, horizon = request.param
    return Forecaster(h=horizon, **SMALL).fit(make_frame(num_series))


def forecast_step_by_step(fitted: Forecaster, name: str, num_steps: int) -> pd.Series:
    """As if each horizon had happened before the next one is forecast."""
    artefact = fitted._artefacts[name]
    series = fitted._fitted.panel.series
    found: list[pd.DataFrame] = []
    while sum(len(one) for one in found) < num_steps * series["unique_id"].nunique():
        found.append(forecast_cutoffs(artefact, series, find_ends(series), fitted._covariates))
        newest = (
            found[-1]
            .rename(columns={FORECAST: "y"})[["unique_id", "ds", "y"]]
            .assign(observed=True)
        )
        series = pd.concat([series, newest]).sort_values(
            ["unique_id", "ds"], kind="stable", ignore_index=True
        )
    return pd.concat(found).set_index(["unique_id", "ds"])[FORECAST]


def test_forecasts_are_those_of_horizon_after_horizon(fitted: Forecaster) -> None:
    num_steps = 4 * fitted._artefacts["ensemble"].settings.horizon - 1
    forecasts = fitted.predict(h=num_steps, methods="all").set_index(["unique_id", "ds"])
    for name in ("ensemble", "lstm", "ridge", "theta"):
        expected = forecast_step_by_step(fitted, name, num_steps)
        np.testing.assert_allclose(forecasts[name], expected.loc[forecasts.index], rtol=1e-6)


def test_first_horizon_is_that_of_a_short_forecast(fitted: Forecaster) -> None:
    horizon = fitted._artefacts["ensemble"].settings.horizon
    long, first = (fitted.predict(h=h, methods="all") for h in (3 * horizon, horizon))
    steps = long.groupby("unique_id").cumcount()
    is_first = steps < horizon
    assert (long["is_recursive"] == ~is_first).all()
    pd.testing.assert_frame_equal(long[is_first].reset_index(drop=True)[list(first)], first)


def test_intervals_grow_after_the_first_horizon(fitted: Forecaster) -> None:
    horizon = fitted._artefacts["ensemble"].settings.horizon
    long, _ = (fitted.predict(h=h, methods="all") for h in (3 * horizon, horizon))
    steps = long.groupby("unique_id").cumcount()
    widths = (long["last_value-hi-50"] - long["last_value-lo-50"]).groupby(long["unique_id"])
    beyond = widths.diff()[steps > horizon]
    assert (beyond > -1e-9).all()


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_forecast_that_grows_without_bound_is_refused() -> None:
    days = pd.DataFrame(
        {
            "ds": pd.date_range("2024-01-01", periods=100),
            "y": np.random.default_rng(0).normal(size=100),
        }
    )
    settings = {name: value for name, value in SMALL.items() if name != "covariates"}
    fitted = Forecaster(h=2, **settings).fit(days)
    ridge = fitted._artefacts["ridge"]
    model: Any = ridge.model
    wild = replace(ridge, model=replace(model, model=LinearModel(1e9 * model.model.matrix)))
    series = fitted._fitted.panel.series
    with pytest.raises(SeriesError, match="series 'y' at 2024-04-"):
        forecast_recursively(*lay_out_recursive(wild, series, 40), 40)


def list_warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_covariates_that_a_forecast_does_not_read_are_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    frame = make_frame(2)
    fitted = Forecaster(h=3, **SMALL).fit(frame)
    ahead = frame[frame["y"].isna()].drop(columns="y")
    rows = ahead.groupby("unique_id").cumcount()
    stranger = ahead[ahead["unique_id"] == "1"].assign(unique_id="shop 9").head(3)
    caplog.clear()
    fitted.predict(pd.concat([ahead[rows < 4], stranger]))
    ids, days = list_warnings(caplog)
    assert all(told in ids for told in ("3 rows", "1 other series", "shop 9"))
    # One of each series lies on the day after the horizon.
    assert all(told in days for told in ("2 rows", "'0' at 2024-06-12", "'1' at 2024-06-17"))


def test_covariates_beyond_the_horizon_of_newer_values_are_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    frame = make_frame(1)
    fitted = Forecaster(h=3, **SMALL).fit(frame[: -NUM_AHEAD + 3])
    caplog.clear()
    for use in (fitted.predict, fitted.explain):
        caplog.clear()
        use(frame)
        assert [f"{NUM_AHEAD - 3} rows" in told for told in list_warnings(caplog)] == [True]
    caplog.clear()
    fitted.predict(frame, h=NUM_AHEAD)
    fitted.predict(frame[: -NUM_AHEAD + 3])
    assert list_warnings(caplog) == []
