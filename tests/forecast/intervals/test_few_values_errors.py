"""Intervals of series with few values: their size is that of errors on longer series that are cut to these."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.forecast.intervals.few_values_errors import cut_windows
from rnn_pipelines.forecast.windows.panel import WindowedPanel, gather_targets

SMALL: dict[str, Any] = {"lstm": {"units": 3}, "gru": {"units": 3}, "training": {"max_steps": 20}}
HORIZON, LENGTH = 7, 150
NUMBERS = (1, 2, 3, 5, 10)
DAYS = pd.date_range("2024-01-01", periods=LENGTH + HORIZON)


def make_series(rng: np.random.Generator, season: float) -> np.ndarray:
    steps = np.arange(LENGTH + HORIZON)
    values = 1 + season * np.sin(2 * np.pi * steps / 7) + 0.1 * rng.normal(size=len(steps))
    return np.asarray(200 * np.exp(rng.normal()) * values)


def tabulate(name: str, values: np.ndarray, number: int) -> pd.DataFrame:
    """The last values before the end, and the values after it."""
    rows = slice(LENGTH - number, None)
    return pd.DataFrame({"unique_id": name, "ds": DAYS[rows], "y": values[rows], "number": number})


@pytest.fixture(scope="module", params=[0.0, 0.3], ids=["noise", "week"])
def fitted(request: pytest.FixtureRequest) -> tuple[Forecaster, pd.DataFrame]:
    """A forecaster of 20 long series, and new series by their number of values."""
    rng = np.random.default_rng(12)
    old = pd.concat(
        [tabulate(f"old {number}", make_series(rng, request.param), LENGTH) for number in range(20)]
    )
    new = pd.concat(
        [
            tabulate(f"{size} {one}", make_series(rng, request.param), size)
            for size in NUMBERS
            for one in range(40)
        ]
    )
    past = old[old["ds"] < DAYS[LENGTH]].drop(columns="number")
    return Forecaster(h=HORIZON, level=[80], **SMALL).fit(past), new


@pytest.fixture(scope="module")
def by_number(fitted: tuple[Forecaster, pd.DataFrame]) -> pd.DataFrame:
    """By number of values, the share of actual values inside the 80 % interval of new series, and its width."""
    forecaster, new = fitted
    forecasts = forecaster.predict(new[new["ds"] < DAYS[LENGTH]].drop(columns="number")).merge(new)
    low = forecasts["ensemble-lo-80"]
    high = forecasts["ensemble-hi-80"]
    forecasts["inside"] = forecasts["y"].between(low, high)
    forecasts["width"] = (high - low) / forecasts["ensemble"].abs()
    return forecasts.groupby("number").agg({"inside": "mean", "width": "median"})


def test_intervals_of_few_values_hold(by_number: pd.DataFrame) -> None:
    """Of two values with a week, 8 % of the actual values were inside."""
    assert by_number["inside"].between(0.7, 0.97).all(), by_number


def test_more_values_make_no_wider_intervals(by_number: pd.DataFrame) -> None:
    assert by_number["width"].iloc[-1] < by_number["width"].iloc[0]
    assert (by_number["width"] < 1.2).all()


@pytest.mark.parametrize("fitted", [0.0], indirect=True, ids=["noise"])
def test_two_equal_values_have_the_width_of_the_panel(
    fitted: tuple[Forecaster, pd.DataFrame],
) -> None:
    new = pd.DataFrame({"unique_id": "new", "ds": DAYS[:2], "y": [505.0, 505.1]})
    found = fitted[0].predict(new)
    assert (found["ensemble-hi-80"] - found["ensemble-lo-80"]).between(50, 500).all()


@pytest.mark.parametrize("newest", [0, 3, -3])
def test_panel_with_zeros_alone_before_the_test_part_is_forecast(newest: int) -> None:
    values = np.zeros(LENGTH)
    values[-20:] = newest + np.random.default_rng(0).poisson(1, 20) * np.sign(newest)
    frame = pd.concat(
        [pd.DataFrame({"unique_id": name, "ds": DAYS[:LENGTH], "y": values}) for name in "abc"]
    )
    found = Forecaster(h=HORIZON, level=[80], **SMALL).fit(frame).predict()
    assert len(found) == 3 * HORIZON
    assert (np.sign(found["ensemble"]) == np.sign(newest)).all()


@pytest.fixture(scope="module")
def panel() -> WindowedPanel:
    """Two series of ten steps with one feature of the calendar, and two steps ahead."""
    values = np.stack(
        [np.r_[np.arange(10.0), np.nan, np.nan, 5 - np.arange(10.0), np.nan, np.nan]] * 2, axis=1
    )
    none = np.zeros((0, 2), np.int64)
    return WindowedPanel(
        values.astype(np.float32),
        **dict.fromkeys(("train", "validation", "test", "future"), none),
        series_starts=np.array([0, 12]),
        zeros=np.array([-1.0, 7.0], np.float32),
        lookback=4,
        horizon=2,
        stride=1,
    )


def test_windows_that_are_cut_out_are_series_of_their_own(panel: WindowedPanel) -> None:
    cut, _ = cut_windows(panel, np.array([5, 18]), 3, ratio=0.1)
    assert cut.series_starts.tolist() == [0, 5]
    assert cut.future.tolist() == [[3, 4], [8, 9]]


def test_short_windows_have_the_scale_of_their_values(panel: WindowedPanel) -> None:
    cut, actual = cut_windows(panel, np.array([5, 18]), 3, ratio=0.1)
    deviation = np.std([2, 3, 4])
    scaled = (np.array([2, 3, 4]) - 3) / deviation
    np.testing.assert_allclose(cut.values[:3, 0], scaled, rtol=1e-6)
    np.testing.assert_allclose(actual, np.array([[2, 3], [-2, -3]]) / deviation, rtol=1e-6)
    np.testing.assert_allclose(cut.zeros, [(-1 - 3) / deviation, (7 - 1) / deviation], rtol=1e-6)


def test_next_values_are_hidden_in_the_windows_alone(panel: WindowedPanel) -> None:
    cut, _ = cut_windows(panel, np.array([5, 18]), 3, ratio=0.1)
    assert np.isnan(gather_targets(cut, cut.future[:, 0])).all()
    assert not np.isnan(panel.values[5, 0])


def test_single_value_has_a_scale_relative_to_its_size(panel: WindowedPanel) -> None:
    cut, actual = cut_windows(panel, np.array([5]), 1, ratio=0.1)
    np.testing.assert_allclose(cut.zeros, [-10], rtol=1e-6)
    np.testing.assert_allclose(actual, [[1 / 0.5, 2 / 0.5]], rtol=1e-6)
