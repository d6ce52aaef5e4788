"""Newest values outside everything before are found, and the usual ones of real series are not."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.preparation.gross_values import (
    CHUNK_SERIES,
    NUM_BEFORE,
    NUM_NEWEST,
    GrossValuesTable,
    describe_gross_values,
    is_alarm,
    is_gross,
    list_gross_values,
)
from rnn_pipelines.forecast.preparation.schema import GapPolicy, repair_series
from rnn_pipelines.forecast.source.specs import SourceSpec

NUM_STEPS = 120


def make_panel(num_series: int, seed: int = 0) -> np.ndarray:
    """Return weeks with a trend and noise: float64[series, step]."""
    rng = np.random.default_rng(seed)
    week = np.resize([0.0, 1, 2, 3, 4, 9, 9], NUM_STEPS)
    level = rng.uniform(20, 500, (num_series, 1))
    trend = rng.uniform(0, 1, (num_series, 1)) * np.arange(NUM_STEPS)
    return level + week + trend + rng.normal(0, 3, (num_series, NUM_STEPS))


def make_table(values: np.ndarray) -> pd.DataFrame:
    """Return repaired series of days, one for each row of values."""
    tables = [
        pd.DataFrame(
            {
                "unique_id": f"s{number:05d}",
                "ds": pd.date_range("2024-01-01", periods=len(y)),
                "y": y,
                "observed": True,
            }
        )
        for number, y in enumerate(values)
    ]
    return pd.concat(tables, ignore_index=True)


@pytest.mark.parametrize("factor", [1000, 1 / 1000, 100, 10, -1, -1000])
@pytest.mark.parametrize("place", [-1, -2, -3])
def test_changed_newest_value_is_gross(factor: float, place: int) -> None:
    values = make_panel(200)
    values[:, place] *= factor
    expected = np.zeros((200, NUM_NEWEST), bool)
    expected[:, place] = True
    assert (is_gross(values)[:, place] == expected[:, place]).mean() >= 0.99


@pytest.mark.parametrize(
    "values",
    [
        make_panel(300),
        np.where(
            np.random.default_rng(0).random((300, 400)) < 0.1,
            1.0 + np.random.default_rng(1).poisson(3, 400),
            0,
        ),
        np.exp(np.cumsum(np.random.default_rng(2).normal(0.05, 0.1, (300, 100)), axis=1)),
        np.random.default_rng(3).normal(0, 5, (300, 200)),
        np.full((1, 50), 7.0),
    ],
    ids=["weeks", "intermittent", "launch", "both signs", "constant"],
)
def test_usual_values_are_not_gross(values: np.ndarray) -> None:
    assert is_gross(values).any(axis=1).mean() <= 0.01


@pytest.mark.parametrize("newest", [0.0, np.nan, np.inf], ids=["0", "none", "infinite"])
def test_no_size_is_no_gross_value(newest: float) -> None:
    values = make_panel(20)
    values[:, -1] = newest
    assert not is_gross(values).any()


def test_return_from_a_gross_value_is_not_gross() -> None:
    values = make_panel(200)
    values[:, -2] *= 1000
    assert not is_gross(values)[:, [0, 2]].any()


def test_first_sale_is_not_gross() -> None:
    values = np.zeros((1, 60))
    values[0, -1] = 4.0
    assert not is_gross(values).any()


def test_few_values_decide_nothing() -> None:
    values = make_panel(1)[:, :10]
    values[0, -1] *= 1000
    assert not is_gross(values).any()


def test_temperature_may_fall_below_0_by_a_small_step() -> None:
    values = 8 + 6 * np.random.default_rng(0).random((1, 60))
    values[0, -10:] = [7, 6, 5, 5, 4, 3, 2, 1, 0.5, -0.5]
    assert not is_gross(values).any()


def test_series_of_other_lengths_are_tested_as_one_alone() -> None:
    """More series than one chunk holds, some longer than the values that count."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 40, CHUNK_SERIES + 5)
    lengths[::1000] = NUM_BEFORE + 50
    values = [50 + rng.normal(size=length) for length in lengths]
    for y in values[::3]:
        y[-1] *= 1000
    found = GrossValuesTable.validate(list_gross_values(make_table(np.array(values, dtype=object))))
    alone = [number for number, y in enumerate(values) if len(list_gross_values(make_table([y])))]
    assert sorted(found["unique_id"]) == [f"s{number:05d}" for number in alone]


def test_imputed_value_is_not_gross() -> None:
    table = make_table(make_panel(1))
    table.loc[NUM_STEPS - 1, ["y", "observed"]] = [1e6, False]
    assert list_gross_values(table).empty


def test_farthest_value_comes_first() -> None:
    values = make_panel(3)
    values[:, -1] *= 1000
    values[1, -1] *= 1000
    assert list_gross_values(make_table(values))["unique_id"].iloc[0] == "s00001"


def test_message_names_ten_of_many() -> None:
    values = make_panel(30)
    values[:, -1] *= 1000
    message = describe_gross_values(list_gross_values(make_table(values)))
    assert message.count("series s") == 10
    assert message.startswith("30 newest values")


@pytest.mark.parametrize(
    ("num_found", "num_series", "expected"), [(1, 8, True), (50, 100_000, False), (0, 1, False)]
)
def test_some_of_very_many_series_are_no_alarm(
    num_found: int, num_series: int, expected: bool
) -> None:
    assert is_alarm(num_found, num_series) == expected


def test_reading_warns_of_series_with_date(caplog: pytest.LogCaptureFixture) -> None:
    values = make_panel(2)
    values[1, -1] *= 1000
    table = make_table(values).drop(columns="observed")
    with caplog.at_level(logging.WARNING):
        repair_series(table, SourceSpec(path="sales.csv"), GapPolicy("interpolate"))
    assert "s00001" in caplog.text
    assert "2024-04-29" in caplog.text


def read_real_nights(folder: Path) -> np.ndarray:
    """Return the ends of real series at some of their nights, float64[night, step]."""
    hourly = pd.read_csv(folder / "series/M4-Hourly-train.csv", index_col=0).to_numpy(float)
    monthly = pd.read_csv(folder / "series/tourism_monthly_long.csv")
    series = [y[np.isfinite(y)] for y in hourly]
    series += [group["value"].to_numpy(float) for _, group in monthly.groupby("series")]
    rng = np.random.default_rng(0)
    width = NUM_BEFORE + NUM_NEWEST
    nights = np.full((len(series) * 20, width), np.nan)
    for number, night in enumerate(nights):
        y = series[number // 20]
        end = int(rng.integers(24, len(y) + 1))
        shown = y[max(0, end - width) : end]
        night[width - len(shown) :] = shown
    return nights


@pytest.mark.real_data
def test_real_nights_ring_at_most_once_in_a_thousand(real_data: Path) -> None:
    assert is_gross(read_real_nights(real_data)).any(axis=1).mean() <= 0.001


@pytest.mark.real_data
@pytest.mark.parametrize("factor", [1000, 1 / 1000])
def test_real_newest_value_in_another_unit_is_found(real_data: Path, factor: float) -> None:
    nights = read_real_nights(real_data)
    nights = nights[nights[:, -1] != 0]
    nights[:, -1] *= factor
    assert is_gross(nights)[:, -1].mean() >= 0.99
