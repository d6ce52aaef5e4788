"""The page of the newest forecasts has small pictures and totals."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.model.nights import Night
from rnn_pipelines.forecast.report.newest import draw_series, show_newest, tabulate_totals
from rnn_pipelines.report.page import Table

NUM_PAST, HORIZON = 40, 3


def make_tables(num_series: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Series that rise by one a day, and forecasts of the next days with two intervals."""
    days = pd.date_range("2024-01-01", periods=NUM_PAST + HORIZON)
    series, made = [], []
    for number in range(num_series):
        values = np.arange(len(days), dtype=float) + 100 * number
        table = pd.DataFrame({"unique_id": f"s{number:02}", "ds": days, "y": values})
        series.append(table[:NUM_PAST].assign(observed=True))
        ahead = table[NUM_PAST:].rename(columns={"y": "y_hat"})
        bounds = {"lo_80": ahead["y_hat"] - 1, "hi_80": ahead["y_hat"] + 1}
        alarm = {"lo_99": ahead["y_hat"] - 9, "hi_99": ahead["y_hat"] + 9}
        steps = np.arange(1, HORIZON + 1)
        made.append(ahead.assign(horizon_step=steps, **bounds, **alarm))
    return pd.concat(series, ignore_index=True), pd.concat(made, ignore_index=True)


def test_totals_are_sums_over_series() -> None:
    _, made = make_tables(3)
    table = tabulate_totals(made)
    # 40, 140 and 240.
    assert table.rows[0] == ["2024-02-10", "420.0", "3"]


def test_a_series_that_ends_earlier_is_not_in_later_totals() -> None:
    _, made = make_tables(3)
    table = tabulate_totals(made[:-1])
    assert [row[-1] for row in table.rows] == ["3", "3", "2"]


def test_a_panel_has_at_most_twelve_pictures() -> None:
    series, made = make_tables(30)
    figure = draw_series(made, series)
    assert len(figure.layout.annotations) == 12


def test_a_picture_has_history_band_and_the_forecast_as_the_strongest_line() -> None:
    series, made = make_tables(1)
    traces = {trace.name: trace for trace in draw_series(made, series).data}
    assert list(traces) == ["history", "80 % interval", "forecast"]
    assert traces["forecast"].line.width > traces["history"].line.width


@pytest.mark.parametrize(("num_series", "num_parts"), [(1, 1), (2, 3)])
def test_only_a_panel_has_totals(num_series: int, num_parts: int) -> None:
    series, made = make_tables(num_series)
    forecaster: Any = None
    assert len(show_newest(made, Night(forecaster, series, None, "v1"))) == num_parts


def test_totals_that_were_asked_for_are_shown_with_their_intervals() -> None:
    series, made = make_tables(2)
    day = made["ds"].iloc[0]
    row = {"total": "all", "group": "all", "ds": day, "until": day, "num_series": 2, "num_steps": 1}
    totals = pd.DataFrame([row | {"is_whole": True, "forecast": 180.0, "lo-80": 170, "hi-80": 190}])
    forecaster: Any = None
    _, table, _ = show_newest(made, Night(forecaster, series, None, "v1"), totals=totals)
    assert isinstance(table, Table)
    assert list(table.rows[0]) == ["all", "2024-02-10", "180.0", "170.0", "190.0"]
