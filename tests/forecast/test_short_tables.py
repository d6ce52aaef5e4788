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


@pytest.mark.parametrize("num_series", [1, 3])
@pytest.mark.parametrize(
    ("size", "has_test_part"),
    [
        (108, True),
        (60, True),
        (48, True),
        (36, True),
        (30, False),
        (12, False),
        (3, False),
        (2, False),
        (1, False),
    ],
)
def test_short_table_is_forecast_and_evaluated_if_it_can_be(
    num_series: int, size: int, has_test_part: bool
) -> None:
    forecaster = fit([size] * num_series)
    forecasts = forecaster.predict()
    assert len(forecasts) == 12 * num_series
    assert np.isfinite(forecasts["ensemble"]).all()
    leaderboard = forecaster.leaderboard()
    holdout = forecaster.holdout()
    assert {"forecaster", "mse", "mae", "mase"} <= set(leaderboard)
    assert {"unique_id", "cutoff", "ds", "y", "ensemble"} <= set(holdout)
    assert (len(leaderboard) > 0, len(holdout) > 0) == (has_test_part, has_test_part)


def test_few_values_are_forecast_by_the_rule_for_short_series() -> None:
    assert len(fit([144], 24).leaderboard())
    assert len(fit([10], None, "YS").predict()) == 2
    forecasts = fit([30]).predict(methods="all")
    mean = (forecasts["pretrained"] + forecasts["short_series_rule"]) / 2
    np.testing.assert_allclose(forecasts["ensemble"], mean, rtol=1e-6)
    forecasts = fit([80, 80, 80, 20, 5, 2, 1], 6).predict()
    assert forecasts.groupby("unique_id", sort=False).size().tolist() == [6] * 7
    assert np.isfinite(forecasts["ensemble"]).all()
    frame = draw_frame([60, 60, 60])
    frame.loc[frame["unique_id"] == "s1", "y"] = 5.0
    forecasts = Forecaster(h=6, level=None, training=TRAINING).fit(frame).predict()
    np.testing.assert_allclose(
        forecasts.loc[forecasts["unique_id"] == "s1", "ensemble"], 5.0, atol=1e-3
    )
    forecaster = Forecaster(h=12, freq="MS")
    frame = draw_frame([24])
    table = frame.assign(unique_id="y")[["unique_id", "ds", "y"]]
    with pytest.raises(SeriesTooShortError):
        cut_test_part(table, forecaster.spec)
    with pytest.raises(SeriesError, match="train"):
        Forecaster(h=12, split={"validation": 12, "test": 12}).fit(draw_frame([30]))


@pytest.mark.parametrize("sizes", [[30], [40] * 5, [10], [3]])
def test_short_model_is_saved_explained_and_cross_validated(
    tmp_path: Path, sizes: list[int]
) -> None:
    forecaster = fit(sizes, 2)
    frame = draw_frame(sizes)
    forecasts = forecaster.predict()["ensemble"]
    explained = forecaster.explain().groupby(["unique_id", "ds"], sort=False)["contribution"].sum()
    np.testing.assert_allclose(explained, forecasts, rtol=1e-3)
    forecaster.save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model")
    np.testing.assert_allclose(loaded.predict(frame)["ensemble"], forecasts, rtol=1e-5)
    validated = forecaster.cross_validation(frame, n_windows=1)
    assert len(validated) == 2 * len(sizes)
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
