"""No table is refused because it is short: from one value on there are forecasts, evaluated if they can be."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.errors import SeriesError, SeriesTooShortError
from rnn_pipelines.forecast.experiments.tuning import cut_test_part

TRAINING = {"max_steps": 20}


def draw_frame(sizes: list[int], freq: str = "MS") -> pd.DataFrame:
    """Series with a trend, a season of 12 steps and noise; without an id if there is only one."""
    rng = np.random.default_rng(0)
    frames = []
    for number, size in enumerate(sizes):
        steps = np.arange(size)
        values = (
            100
            + 0.3 * steps
            + 10 * np.sin(2 * np.pi * steps / 12 + number)
            + rng.normal(0, 3, size)
        )
        ds = pd.date_range("2000-01-01", periods=size, freq=freq)
        frames.append(pd.DataFrame({"unique_id": f"s{number}", "ds": ds, "y": values}))
    frame = pd.concat(frames, ignore_index=True)
    return frame if len(sizes) > 1 else frame.drop(columns="unique_id")


def fit(
    sizes: list[int], horizon: int | None = 12, freq: str = "MS", level: tuple[int, ...] = (80,)
) -> Forecaster:
    return Forecaster(h=horizon, freq=freq, level=level, training=TRAINING).fit(
        draw_frame(sizes, freq)
    )


SIZES = {
    108: True,
    60: True,
    48: True,
    36: True,
    30: False,
    12: False,
    3: False,
    2: False,
    1: False,
}
CASES = [(num_series, size) for num_series in (1, 3) for size in SIZES]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def short(request: pytest.FixtureRequest) -> tuple[int, int, Forecaster]:
    """A number of series, their size and a forecaster of them."""
    num_series, size = request.param
    return num_series, size, fit([size] * num_series)


def test_short_table_is_forecast(short: tuple[int, int, Forecaster]) -> None:
    num_series, _, forecaster = short
    forecasts = forecaster.predict()
    assert len(forecasts) == 12 * num_series
    assert np.isfinite(forecasts["ensemble"]).all()


def test_leaderboard_is_empty_without_a_test_part(short: tuple[int, int, Forecaster]) -> None:
    _, size, forecaster = short
    leaderboard = forecaster.leaderboard()
    assert {"forecaster", "mse", "mae", "mase"} <= set(leaderboard)
    assert (len(leaderboard) > 0) == SIZES[size]


def test_holdout_is_empty_without_a_test_part(short: tuple[int, int, Forecaster]) -> None:
    _, size, forecaster = short
    holdout = forecaster.holdout()
    assert {"unique_id", "cutoff", "ds", "y", "ensemble"} <= set(holdout)
    assert (len(holdout) > 0) == SIZES[size]


def test_long_horizon_is_evaluated() -> None:
    assert len(fit([144], 24).leaderboard())


def test_few_years_are_forecast() -> None:
    assert len(fit([10], None, "YS").predict()) == 2


def test_few_values_are_forecast_by_network_with_rule() -> None:
    forecasts = fit([30]).predict(methods="all")
    mean = (forecasts["pretrained"] + forecasts["short_series_rule"]) / 2
    np.testing.assert_allclose(forecasts["ensemble"], mean, rtol=1e-6)


def test_short_series_of_a_panel_are_forecast() -> None:
    forecasts = fit([80, 80, 80, 20, 5, 2, 1], 6).predict()
    assert forecasts.groupby("unique_id", sort=False).size().tolist() == [6] * 7
    assert np.isfinite(forecasts["ensemble"]).all()


def test_constant_series_of_a_panel_goes_on() -> None:
    frame = draw_frame([60, 60, 60])
    frame.loc[frame["unique_id"] == "s1", "y"] = 5.0
    forecasts = Forecaster(h=6, level=None, training=TRAINING).fit(frame).predict()
    np.testing.assert_allclose(
        forecasts.loc[forecasts["unique_id"] == "s1", "ensemble"], 5.0, atol=1e-3
    )


def test_test_part_of_a_short_table_can_not_be_cut() -> None:
    forecaster = Forecaster(h=12, freq="MS")
    frame = draw_frame([24])
    table = frame.assign(unique_id="y")[["unique_id", "ds", "y"]]
    with pytest.raises(SeriesTooShortError):
        cut_test_part(table, forecaster.spec)


def test_parts_of_a_short_table_are_refused() -> None:
    with pytest.raises(SeriesError, match="train"):
        Forecaster(h=12, split={"validation": 12, "test": 12}).fit(draw_frame([30]))


@pytest.fixture(scope="module", params=[[30], [40] * 5, [10], [3]], ids=str)
def shortest(request: pytest.FixtureRequest) -> tuple[pd.DataFrame, Forecaster]:
    return draw_frame(request.param), fit(request.param, 2)


def test_short_model_is_explained(shortest: tuple[pd.DataFrame, Forecaster]) -> None:
    _, forecaster = shortest
    explained = forecaster.explain().groupby(["unique_id", "ds"], sort=False)["contribution"]
    np.testing.assert_allclose(explained.sum(), forecaster.predict()["ensemble"], rtol=1e-3)


def test_short_model_is_saved(shortest: tuple[pd.DataFrame, Forecaster], tmp_path: Path) -> None:
    frame, forecaster = shortest
    forecaster.save(tmp_path / "model")
    forecasts = Forecaster.load(tmp_path / "model").predict(frame)["ensemble"]
    np.testing.assert_allclose(forecasts, forecaster.predict()["ensemble"], rtol=1e-5)


def test_short_model_is_cross_validated(shortest: tuple[pd.DataFrame, Forecaster]) -> None:
    frame, forecaster = shortest
    validated = forecaster.cross_validation(frame, n_windows=1)
    assert len(validated) == 2 * len(forecaster.predict()) // 2
    assert np.isfinite(validated["ensemble"]).all()


@pytest.mark.parametrize("level", [None, (80,)])
@pytest.mark.parametrize("value", [0.0, 7.0])
def test_panel_of_one_value_is_forecast_as_this_value(
    value: float, level: tuple[int, ...] | None
) -> None:
    frame = draw_frame([40, 40]).assign(y=value)
    forecasts = (
        Forecaster(h=2, level=level, lookback=4, training=TRAINING)
        .fit(frame)
        .predict(methods="ensemble")
    )
    np.testing.assert_allclose(forecasts["ensemble"], value, atol=1e-6)
