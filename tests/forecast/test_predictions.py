"""The long table of forecasts says when, how far ahead, and in the data's own unit."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.predictions import Forecasts, tabulate_forecasts

Prepare = Callable[..., SimpleNamespace]
MakeValues = Callable[..., list[float | None]]


def make_perfect(prepared: SimpleNamespace) -> Forecasts:
    """Forecasts that are the targets themselves; 0 for the future."""
    panel = prepared.windows
    origins = np.concatenate(list(panel.index("test").batches(9)))
    targets = panel.values[origins[:, None] + np.arange(panel.horizon), 0]
    return Forecasts(test=targets, future=np.zeros((len(panel.series_starts), panel.horizon), np.float32))


def tabulate(prepared: SimpleNamespace, part: str) -> pd.DataFrame:
    forecasts = {"perfect": make_perfect(prepared)}
    return tabulate_forecasts(prepared.windows, prepared.features, prepared.scaler, forecasts, part)


@pytest.fixture(scope="module")
def prepared(prepare: Prepare, make_values: MakeValues) -> SimpleNamespace:
    return prepare({"a": make_values(50, seed=1), "b": [100 * v for v in make_values(40, seed=2)]})


def test_columns_are_in_the_stated_order(prepared: SimpleNamespace) -> None:
    assert list(tabulate(prepared, "test")) == ["unique_id", "cutoff", "ds", "horizon_step", "y", "perfect"]


def test_one_row_for_each_window_and_step(prepared: SimpleNamespace) -> None:
    assert len(tabulate(prepared, "test")) == 2 * 9 * 2


def test_cutoff_is_the_last_time_that_the_forecast_sees(prepared: SimpleNamespace) -> None:
    table = tabulate(prepared, "test")
    first = table.groupby("unique_id")["cutoff"].min().tolist()
    assert first == [pd.Timestamp("2021-02-09"), pd.Timestamp("2021-01-30")]


def test_ds_is_horizon_step_days_after_the_cutoff(prepared: SimpleNamespace) -> None:
    table = tabulate(prepared, "test")
    assert (table["ds"] == table["cutoff"] + pd.to_timedelta(table["horizon_step"], unit="D")).all()


def test_horizon_step_counts_from_1(prepared: SimpleNamespace) -> None:
    assert tabulate(prepared, "test")["horizon_step"].tolist()[:4] == [1, 2, 1, 2]


def test_y_is_the_value_of_the_series_at_ds(prepared: SimpleNamespace) -> None:
    table = tabulate(prepared, "test")
    joined = table.merge(prepared.series, on=["unique_id", "ds"], suffixes=("", "_of_series"))
    assert (len(joined), joined["y"].equals(joined["y_of_series"])) == (len(table), True)


def test_forecast_is_in_the_unit_of_y(prepared: SimpleNamespace) -> None:
    table = tabulate(prepared, "test")
    np.testing.assert_allclose(table["perfect"], table["y"], rtol=1e-5)


def test_forecast_of_0_is_the_training_mean_of_its_series(prepared: SimpleNamespace) -> None:
    table = tabulate(prepared, "future")
    np.testing.assert_allclose(table["perfect"], np.repeat(prepared.scaler["mean"], 2))


def test_future_follows_the_last_observation(prepared: SimpleNamespace) -> None:
    table = tabulate(prepared, "future")
    last = prepared.series.groupby("unique_id")["ds"].max()
    assert table["cutoff"].tolist() == np.repeat(last, 2).tolist()


def test_future_has_no_y(prepared: SimpleNamespace) -> None:
    assert "y" not in tabulate(prepared, "future")


def test_y_is_empty_where_nothing_was_observed(prepare: Prepare, make_values: MakeValues) -> None:
    """The panel holds the filled value there, and no forecast is judged by it."""
    prepared = prepare(make_values(50, missing=[44]))
    table = tabulate(prepared, "test")
    empty = set(table.loc[table["y"].isna(), "ds"])
    assert empty == {pd.Timestamp("2021-02-14")}


def test_signal_comes_along_where_it_is_known(prepared: SimpleNamespace) -> None:
    table = prepared.features.table
    features = replace(prepared.features, table=table.assign(signal=np.arange(float(len(table)))))
    table = tabulate_forecasts(prepared.windows, features, prepared.scaler, {}, "test")
    assert table["signal"].tolist()[:4] == [40, 41, 41, 42]


def test_integer_steps_stay_integers(prepare: Prepare, make_values: MakeValues) -> None:
    table = tabulate(prepare(make_values(50), freq=5, start=0), "future")
    assert table[["cutoff", "ds"]].to_numpy().tolist() == [[245, 250], [245, 255]]


def test_inputs_are_not_changed(prepared: SimpleNamespace) -> None:
    before = (prepared.windows.values.copy(), prepared.features.table.copy(), prepared.scaler.copy())
    tabulate(prepared, "test")
    np.testing.assert_array_equal(prepared.windows.values, before[0])
    pd.testing.assert_frame_equal(prepared.features.table, before[1])
    pd.testing.assert_frame_equal(prepared.scaler, before[2])
