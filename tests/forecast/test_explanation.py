"""The parts of a forecast sum up to it, and are those that are known where they are known."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.errors import ParameterError
from rnn_pipelines.forecast.explanation import explain_next
from rnn_pipelines.forecast.recipe import Panel
from rnn_pipelines.forecast.series.calendar import CalendarSpec
from rnn_pipelines.forecast.series.windows import WindowSpec

Prepare = Callable[..., SimpleNamespace]
KEY = ["unique_id", "ds"]


def sum_up(explained: pd.DataFrame) -> np.ndarray:
    return explained.groupby(KEY, sort=False)["contribution"].sum().to_numpy()


@pytest.fixture(scope="module")
def daily(make_table: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """A week's cycle with noise, two and a half years long."""
    random, days = np.random.default_rng(0), np.arange(900)
    values = 20 + 3 * np.sin(2 * np.pi * days / 7) + 8 * np.sin(2 * np.pi * days / 365) + random.normal(size=900)
    return make_table({"a": values.tolist()}).reset_index(drop=True)


@pytest.fixture(scope="module")
def fitted(daily: pd.DataFrame) -> Forecaster:
    small = {"lstm": {"units": 4}, "gru": {"units": 4}, "training": {"max_steps": 100}}
    return Forecaster(h=4, level=None, lookback=14, **small).fit(daily)


@pytest.mark.parametrize(
    "name", ["best", "lstm", "gru", "ridge", "mix", "last_value", "seasonal_naive", "climatology", "theta"]
)
def test_parts_sum_up_to_the_forecast(fitted: Forecaster, name: str) -> None:
    np.testing.assert_allclose(sum_up(fitted.explain(name)), fitted.predict()[name], rtol=1e-5)


@pytest.mark.parametrize("frame", ["series", "window", "log"])
@pytest.mark.parametrize("lookback", [4, 7])
def test_parts_of_strong_networks_sum_up_too(
    prepare: Prepare, make_values: Callable[..., list], make_forecaster: Callable, frame: str, lookback: int
) -> None:
    """Of two series, whose networks have an embedding, and of one, in every frame, with networks of random weights."""
    for values in ({"a": make_values(80, seed=1), "b": make_values(60, seed=2)}, {"a": make_values(80, seed=3)}):
        window = WindowSpec(lookback=lookback, horizon=3)
        prepared = prepare(values, window, calendar=CalendarSpec(weekly=1))
        blend = make_forecaster(prepared, "lstm", "gru", window=window).model
        blend = type(blend)(**{**vars(blend), "frame": frame})
        panel = Panel(**{name: getattr(prepared, name) for name in Panel.__dataclass_fields__})
        index = panel.windows.index("future")
        scaled = blend.forecast(panel.windows, index.origins(np.arange(len(index))))
        scaler = panel.scaler[["mean", "deviation"]].to_numpy()
        expected = scaled * scaler[:, 1:] + scaler[:, :1]
        np.testing.assert_allclose(sum_up(explain_next(blend, panel)), expected.ravel(), rtol=1e-4)


def test_the_last_value_hangs_on_the_last_value(fitted: Forecaster) -> None:
    found = fitted.explain("last_value")
    moved = found[(found["contribution"].abs() > 1e-9) & (found["input"] != "baseline")]
    assert set(zip(moved["input"], moved["lag"], strict=True)) == {("y", 1)}


def test_seasonal_naive_hangs_on_the_value_a_week_before_each_step(fitted: Forecaster) -> None:
    found = fitted.explain("seasonal_naive")
    moved = found[(found["contribution"].abs() > 1e-9) & (found["input"] == "y")]
    assert (moved["lag"] + moved["horizon_step"] - 1 == 7).all()
    assert moved["horizon_step"].tolist() == [4, 3, 2, 1]


def test_climatology_hangs_on_the_calendar_alone(fitted: Forecaster) -> None:
    found = fitted.explain("climatology").groupby("input")["contribution"].apply(lambda parts: parts.abs().max())
    assert found["y"] == 0
    assert found["calendar"] > 1


def test_theta_is_a_part_as_a_whole(fitted: Forecaster) -> None:
    found = fitted.explain("theta")
    assert set(found.loc[found["contribution"].abs() > 1e-9, "input"]) <= {"baseline", "theta"}


def test_every_lag_is_there_once(fitted: Forecaster) -> None:
    found = fitted.explain()
    assert not found.duplicated([*KEY, "input", "lag"]).any()
    lags = found.loc[found["input"] == "y", "lag"]
    assert set(range(1, 15)) <= set(lags)
    assert (found.loc[found["input"] != "y", "lag"] == 0).all()


def test_a_forecaster_that_there_is_not_is_refused(fitted: Forecaster) -> None:
    with pytest.raises(ParameterError, match=r"expected one of .* received 'rnn'"):
        fitted.explain("rnn")
