"""Bounds of any forecast: finite, ordered, around the forecast, wider with the level, and near the known values."""

import logging
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from any_panels import KINDS, draw_any_panel
from fuzzing import list_seeds
from rnn_pipelines import Forecaster
from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.intervals.finishing import KnownValues, finish_bounds, measure_known
from rnn_pipelines.forecast.windows.panel import WindowedPanel

NUM_SERIES, HORIZON = 10_000, 3
LEVELS = np.array([50, 80, 95])
SEEDS = list_seeds("RNN_FUZZ_BOUNDS", 200)


@pytest.fixture(scope="module")
def known() -> KnownValues:
    """Those of one window at the end of each of 10,000 series of all kinds, lengths and levels."""
    random = np.random.default_rng(0)
    kinds = list(KINDS.values())
    parts = []
    for number in range(NUM_SERIES):
        size = int(random.integers(1, 40))
        values = kinds[number % len(kinds)](random, size)
        parts.append(values * 10.0 ** random.integers(-6, 7))
    ends = np.cumsum([len(part) for part in parts])
    none = np.zeros((0, 2), np.int64)
    panel = WindowedPanel(
        np.concatenate(parts).astype(np.float32)[:, None],
        **dict.fromkeys(("train", "validation", "test", "future"), none),
        series_starts=np.append(0, ends[:-1]),
        zeros=np.zeros(NUM_SERIES, np.float32),
        lookback=7,
        horizon=HORIZON,
        stride=1,
    )
    return measure_known(panel, ends)


@pytest.fixture(scope="module")
def forecasts(known: KnownValues) -> np.ndarray:
    """Within or outside the known values, by up to 10 ranges."""
    random = np.random.default_rng(1)
    share = random.choice([0.0, 0.5, 1.0, 1.3, 10.0, -4.0], (NUM_SERIES, HORIZON))
    found: np.ndarray = known.lowest + share * (known.highest - known.lowest)
    return found


@pytest.fixture(scope="module")
def bounds(known: KnownValues, forecasts: np.ndarray) -> np.ndarray:
    """From errors of any size and sign, which may be 0, equal at all levels or missing: [side, level, window, step]."""
    random = np.random.default_rng(2)
    shape = (len(LEVELS), NUM_SERIES, HORIZON)
    sizes = (
        np.abs(forecasts)
        * 10.0 ** random.uniform(-12, 12, shape)
        * random.choice([0.0, 1.0, np.nan], shape)
    )
    lows = forecasts + random.normal(size=shape) * sizes
    highs = forecasts + random.normal(size=shape) * sizes
    lows, highs = np.minimum(lows, highs), np.maximum(lows, highs)
    return np.stack(
        finish_bounds(
            forecasts, lows, highs, LEVELS, known, known.measure_reach(forecasts, 1, HORIZON)
        )
    )


def test_any_forecast_lies_inside(bounds: np.ndarray, forecasts: np.ndarray) -> None:
    is_there = ~np.isnan(bounds).any(axis=0)
    assert (bounds[0] <= forecasts)[is_there].all()
    assert (bounds[1] >= forecasts)[is_there].all()


def test_any_width_is_positive(bounds: np.ndarray) -> None:
    is_there = ~np.isnan(bounds).any(axis=0)
    assert is_there.mean() > 0.1
    assert (bounds[1] > bounds[0])[is_there].all()


def test_any_bounds_are_finite_or_both_empty(bounds: np.ndarray) -> None:
    assert not np.isinf(bounds).any()
    np.testing.assert_array_equal(np.isnan(bounds[0]), np.isnan(bounds[1]))


def test_any_higher_level_is_wider(bounds: np.ndarray) -> None:
    widths = bounds[1] - bounds[0]
    for lower, higher in pairwise(widths):
        is_there = ~np.isnan(lower + higher)
        assert (higher > lower)[is_there].all()


def test_any_bounds_are_within_five_ranges_of_the_known_values(
    bounds: np.ndarray, known: KnownValues
) -> None:
    reach = 5.001 * (known.highest - known.lowest)
    is_there = ~np.isnan(bounds).any(axis=0)
    assert (bounds[0] >= known.lowest - reach)[is_there].all()
    assert (bounds[1] <= known.highest + reach)[is_there].all()


def list_faults(
    frame: pd.DataFrame, forecasts: pd.DataFrame, levels: list[int], reasons: str
) -> list[str]:
    """Return what is wrong with the bounds of the method in use, by series."""
    faults = []
    method = forecasts.columns[2]
    for name, table in forecasts.groupby("unique_id"):
        values = frame.loc[frame["unique_id"] == name, "y"].to_numpy()
        lowest = values.min()
        highest = values.max()
        if len(values) < 5 or lowest == highest:
            lowest = min(lowest, 0.0)
            highest = max(highest, 0.0)
        reach = 5.001 * (highest - lowest)
        for level in levels:
            low, high = (table[f"{method}-{side}-{level}"].to_numpy() for side in ("lo", "hi"))
            is_empty = np.isnan(low) & np.isnan(high)
            # A message names five series.
            told = (f"level {level}:", str(name), "…")
            if is_empty.any() and not any(text in reasons for text in told):
                faults.append(f"{name}, {level}: empty without a reason")
            low = low[~is_empty]
            high = high[~is_empty]
            forecast = table[method].to_numpy()[~is_empty]
            if not np.isfinite([low, high]).all():
                faults.append(f"{name}, {level}: not finite")
            if not (low < high).all():
                faults.append(f"{name}, {level}: no positive width")
            if not ((low <= forecast) & (forecast <= high)).all():
                faults.append(f"{name}, {level}: the forecast is outside")
            if not ((low >= lowest - reach) & (high <= highest + reach)).all():
                faults.append(f"{name}, {level}: beyond five ranges")
    return faults


def fit_any(seed: int, caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the faults of a fit on a generated panel, a refusal counts as none."""
    frame, arguments = draw_any_panel(seed)
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        try:
            forecasts = Forecaster(networks="pretrained", **arguments).fit(frame).predict()
        except SeriesError:
            return []
    reasons = " ".join(text for text in caplog.messages if "no intervals of" in text)
    return list_faults(frame, forecasts, arguments["level"], reasons)


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_bounds_of_a_whole_fit_can_be_used(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    assert fit_any(seed, caplog) == []


@pytest.mark.parametrize("num_series", [1, len(KINDS)])
def test_bounds_of_a_saved_forecaster_are_those_of_the_fit(num_series: int, tmp_path: Path) -> None:
    """A saved one has another level, for which there can be too few errors of dense windows."""
    random = np.random.default_rng(0)
    tables = [
        pd.DataFrame(
            {
                "unique_id": name,
                "ds": pd.date_range("2024-01-01", periods=120),
                "y": draw(random, 120),
            }
        )
        for name, draw in list(KINDS.items())[:num_series]
    ]
    frame = pd.concat(tables, ignore_index=True)
    fitted = Forecaster(h=7, networks="pretrained").fit(frame)
    fitted.save(tmp_path / "model")
    again = Forecaster.load(tmp_path / "model").predict(frame)
    pd.testing.assert_frame_equal(again, fitted.predict(), rtol=1e-6)


@pytest.mark.slow
def test_bounds_of_many_whole_fits_can_be_used(caplog: pytest.LogCaptureFixture) -> None:
    faults = {seed: fit_any(seed, caplog) for seed in SEEDS}
    assert {seed: found for seed, found in faults.items() if found} == {}


def fit_next(
    values: np.ndarray, num_series: int = 1, freq: str = "D", **arguments: Any
) -> tuple[Any, pd.DataFrame]:
    """Fit float64[series, step] without the last 14 steps; return the forecaster, and its forecasts with the truth."""
    times = pd.date_range("1920-01-01", periods=values.shape[1], freq=freq)
    names = np.repeat([f"s{number}" for number in range(num_series)], len(times))
    frame = pd.DataFrame(
        {"unique_id": names, "ds": np.tile(times, num_series), "y": values.ravel()}
    )
    forecaster = Forecaster(networks="pretrained", **arguments).fit(frame[frame["ds"] < times[-14]])
    return forecaster, forecaster.predict().merge(frame)


@pytest.mark.parametrize("num_series", [1, 3])
@pytest.mark.parametrize("before", [0.0, 20.0])
@pytest.mark.parametrize("share", [0.86, 0.97])
def test_bounds_after_a_launch_hold(num_series: int, before: float, share: float) -> None:
    """All validation windows were constant, so that all errors were 0, and no actual value was inside."""
    values = 50 + 8 * np.random.default_rng(0).normal(size=(num_series, 134))
    values[:, : int(120 * share)] = before
    _, found = fit_next(values, num_series)
    assert found["y"].between(found["ensemble-lo-95"], found["ensemble-hi-95"]).mean() > 0.7


def test_test_part_after_a_launch_has_no_bounds() -> None:
    values = 50 + 8 * np.random.default_rng(0).normal(size=(1, 134))
    values[:, :112] = 0
    forecaster, _ = fit_next(values)
    assert forecaster.holdout()["ensemble-lo-80"].isna().all()


def test_constant_series_has_empty_bounds_with_the_reason(caplog: pytest.LogCaptureFixture) -> None:
    _, found = fit_next(np.full((1, 100), 5.0))
    assert found["ensemble-lo-95"].isna().all()
    assert "all known values of each are equal" in caplog.text


def test_first_years_of_a_series_that_grew_make_no_wide_bounds() -> None:
    """Errors were in multiples of a size of the first years, and 80 % bounds more than two ranges apart."""
    random = np.random.default_rng(4)
    random.choice([80, 86, 92])
    values = np.exp(np.cumsum(np.log(1608 / 6) / 92 + random.normal(0, 0.07, 92)))
    values[:10] *= random.uniform(0.1, 1.6, 10)
    values[3] = 0
    values = values * 1608 / values.max()
    values[3] = -0.3
    frame = pd.DataFrame({"ds": pd.date_range("1929-01-01", periods=92, freq="YS"), "y": values})
    found = Forecaster(networks="pretrained").fit(frame).predict()
    assert (found["ensemble-hi-80"] - found["ensemble-lo-80"]).max() < 1000


def test_forecast_of_exponential_growth_lies_inside_its_bounds() -> None:
    _, found = fit_next(np.exp(0.12 * np.arange(114))[None], freq="YS")
    assert found["ensemble"].between(found["ensemble-lo-80"], found["ensemble-hi-80"]).all()


def test_forecast_of_counts_lies_inside_its_bounds() -> None:
    random = np.random.default_rng(0)
    values = np.where(
        random.random((6, 164)) < 0.3, random.poisson(3, (6, 164)) * np.arange(164), 0.0
    )
    _, found = fit_next(values, 6)
    assert found["ensemble"].between(found["ensemble-lo-80"], found["ensemble-hi-80"]).all()
