"""Errors of totals on the test part: of sums of forecasts, of forecasts of sums, and of both reconciled."""

import logging
from functools import partial

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.forecast.source.frames import ID
from rnn_pipelines.forecast.totals import levels
from rnn_pipelines.forecast.totals.levels import compare_level, find_borders, summarize_level
from rnn_pipelines.forecast.totals.reconciling import Hierarchy
from rnn_pipelines.forecast.totals.specs import Total

NUM_DAYS = 60
# 2024-01-03 is a Wednesday.
DAYS = pd.date_range("2024-01-03", periods=NUM_DAYS)
WEEK = Total("week", (), "week")


@pytest.fixture
def hierarchy() -> Hierarchy:
    """Two series of days, and their total."""
    values = np.random.default_rng(0).uniform(5, 15, (NUM_DAYS, 2))
    table = pd.DataFrame(values, DAYS, ["a", "b"])
    axis = {"horizon": 14, "freq": "D", "tz": None}
    return Hierarchy(table, np.array(["", ID, ID]), np.ones((1, 2)), axis)


def forecast(hierarchy: Hierarchy, error: float, steps_back: int):
    """Return forecasts with an error of each series, and paths on both sides of the actual values."""
    begin = NUM_DAYS - steps_back
    actual = hierarchy.values.to_numpy().T[:, begin : begin + 14]
    by_method = {name: hierarchy.add(actual + error) for name in (levels.SUMS, levels.OWN)}
    paths = actual[:, None] + np.linspace(-1, 1, 21)[None, :, None]
    return by_method, hierarchy.add(paths)


def test_borders_are_those_of_whole_weeks(hierarchy: Hierarchy) -> None:
    borders = find_borders(hierarchy, "week")
    assert {day.day_name() for day in DAYS[borders[:-1]]} == {"Monday"}


def test_periods_of_the_horizon_end_with_the_series(hierarchy: Hierarchy) -> None:
    assert find_borders(hierarchy, "horizon").tolist() == [4, 18, 32, 46, 60]


def test_weeks_are_compared_with_the_sums_of_their_days(hierarchy: Hierarchy) -> None:
    compared = compare_level(WEEK, hierarchy, 28, partial(forecast, hierarchy, 0.0))
    by_week = hierarchy.values.sum(axis=1).resample("W-MON", closed="left", label="left").sum()
    assert set(compared["y"].round(6)) <= set(by_week.round(6))


def test_the_error_of_a_total_is_that_of_the_sum(hierarchy: Hierarchy) -> None:
    total = Total("all", (), None)
    compared = compare_level(total, hierarchy, 28, partial(forecast, hierarchy, 1.0))
    metrics = summarize_level(total, compared).set_index("method")
    assert metrics["wape"]["bottom_up"] == pytest.approx(2 / compared["y"].mean())


def test_coverage_is_that_of_the_paths(hierarchy: Hierarchy) -> None:
    total = Total("all", (), None)
    compared = compare_level(total, hierarchy, 28, partial(forecast, hierarchy, 0.0))
    assert summarize_level(total, compared)["coverage_80"][0] == 1.0


def test_unobserved_values_are_no_errors(hierarchy: Hierarchy) -> None:
    hierarchy.values.iloc[-1, 0] = np.nan
    total = Total("all", (), None)
    compared = compare_level(total, hierarchy, 14, partial(forecast, hierarchy, 0.0))
    assert summarize_level(total, compared)["num_forecasts"][0] == 13


def test_a_period_beyond_the_horizon_has_no_errors(hierarchy: Hierarchy) -> None:
    month = Total("month", (), "month")
    assert compare_level(month, hierarchy, 28, partial(forecast, hierarchy, 0.0)).empty


@pytest.fixture(scope="module")
def forecaster() -> Forecaster:
    """A forecaster of four shops in two regions."""
    rng = np.random.default_rng(2)
    days = pd.date_range("2024-01-01", periods=120)
    rows = []
    for number in range(4):
        week = 3 * np.sin(2 * np.pi * np.arange(120) / 7)
        sales = 10 + number + week + rng.normal(0, 1, 120)
        shop = {"unique_id": f"{number}", "region": "NS"[number % 2], "ds": days, "y": sales}
        rows.append(pd.DataFrame(shop))
    frame = pd.concat(rows, ignore_index=True)
    return Forecaster(h=14, networks="pretrained", split={"test": 42}).fit(frame)


def test_the_leaderboard_of_totals_has_each_level(forecaster: Forecaster) -> None:
    board = forecaster.leaderboard(totals=["all", "region", "region × week"])
    assert list(board["level"].unique()) == ["series", "all", "region", "region × week"]


def test_each_level_of_totals_has_forecasts_of_its_own(forecaster: Forecaster) -> None:
    board = forecaster.leaderboard(totals=["all", "region × week"])
    assert board.loc[board["method"] == "own", "wape"].between(0, 0.3).tolist() == [True] * 2


def test_own_forecasts_of_weeks_are_of_the_same_group(forecaster: Forecaster) -> None:
    board = forecaster.leaderboard(totals="series × week").set_index(["level", "method"])
    assert board["wape"]["series × week", "own"] < 0.1


def test_reconciled_forecasts_are_a_way_of_each_level(forecaster: Forecaster) -> None:
    board = forecaster.leaderboard(totals="all", reconcile="wls_var")
    assert board["level"][board["method"] == "reconciled"].tolist() == ["series", "all"]


def test_a_reconciliation_that_is_worse_for_the_series_is_a_warning(
    forecaster: Forecaster, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def worse(_method, _hierarchy, _own, leaves, steps_back):
        return leaves.forecast(steps_back) + 5.0

    monkeypatch.setattr(levels, "reconcile_series", worse)
    with caplog.at_level(logging.WARNING):
        forecaster.leaderboard(totals="all", reconcile="ols")
    assert "ols makes the forecasts of the series worse" in caplog.text
