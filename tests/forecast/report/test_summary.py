"""The summary of a run: what comes, how sure, better than what, and no more than a screen of it."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from golden import has_in_order
from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.report.advice import Program
from rnn_pipelines.forecast.report.next_values import tabulate_used
from rnn_pipelines.forecast.report.summary import (
    MAX_VALUES,
    list_next_values,
    rank,
    summarize_forecast,
)
from rnn_pipelines.report.terminal import WIDTH

NUMBERS = {
    "mse": 4.0,
    "rmse": 2.0,
    "mae": 1.5,
    "mase": 0.9,
    "bias": -0.051,
    "coverage_80": 0.7912,
    "difference": 0.1,
    "difference_low": -0.05,
    "difference_high": 0.25,
}


def make_metrics(**mse: float | None) -> ForecastMetrics:
    return ForecastMetrics({name: {**NUMBERS, "mse": number} for name, number in mse.items()}, None)


METRICS = make_metrics(lstm=4.2, gru=3.5, ensemble=3.4, ridge=3.7, last_value=9.0)


def make_next_values(num_series: int = 1, horizon: int = 3, freq: str = "D") -> Predictions:
    ds = pd.date_range("2026-01-30", periods=horizon, freq=freq)
    steps = np.arange(1, horizon + 1)
    tables = [
        pd.DataFrame(
            {
                "unique_id": f"shop {number}",
                "cutoff": ds[0] - pd.Timedelta(1, "D"),
                "ds": ds,
                "horizon_step": steps,
                "ensemble": 100.0 + steps,
                "ensemble-lo-80": 90.25 + steps,
                "ensemble-hi-80": 110.0 + steps,
            }
        )
        for number in range(num_series)
    ]
    return Predictions(pd.concat(tables, ignore_index=True), ("ensemble",), (80,))


PROFILE: Any = {
    "columns": {"time": "day", "id": "shop", "series": [], "unread": ["price"]},
    "target": "sales",
    "freq": "D",
    "season_length": 7,
    "horizon": 3,
}


def summarize(metrics: ForecastMetrics = METRICS, program: Program = "kedro") -> str:
    return summarize_forecast(metrics, make_next_values(), PROFILE, program=program)


def test_summary_begins_with_the_next_values() -> None:
    assert summarize().startswith("sales on 2026-01-30: 101.0 (80 % interval 91.2 to 111.0)")


def test_columns_follow_the_next_values() -> None:
    line = "times from 'day' (days), values from 'sales', series by 'shop', not read: 'price'"
    assert has_in_order(summarize(), "next values", line, "on the test part")


def test_console_has_printed_the_columns_before() -> None:
    assert "times from" not in summarize(program="console")


def test_networks_follow_the_ranking() -> None:
    assert has_in_order(
        summarize(), "on the test part", "Do networks help here? The best network, GRU"
    )


def test_forecast_in_use_stands_first() -> None:
    names = [line.split("  ")[0] for line in rank(replace(METRICS, use="ridge")).splitlines()[1:]]
    assert names == ["ridge", "ensemble", "GRU", "LSTM", "last value"]


def test_unknown_error_is_a_dash_at_the_end() -> None:
    lines = rank(make_metrics(lstm=None, gru=3.5, ridge=3.7)).splitlines()
    assert lines[-1].split()[:2] == ["LSTM", "–"]
    assert has_in_order(lines[-1], "2.000", "1.500", "+10.0 (−5.0 to +25.0)", "79.1")


def test_bias_is_left_out_if_the_table_is_too_wide() -> None:
    coverages = {f"coverage_{level}": 0.5 for level in (50, 60, 70, 80, 90, 95)}
    narrow = METRICS.add({name: {"difference": None} for name in METRICS.forecasters})
    assert "bias" in rank(narrow)
    assert "bias" not in rank(METRICS.add(dict.fromkeys(METRICS.forecasters, coverages)))


def test_sparse_series_are_compared_with_constants() -> None:
    metrics = replace(make_metrics(gru=3.5, ensemble=3.4, zero=3.4, mean=3.6), zero_fraction=0.618)
    warning = next(part for part in summarize(metrics).split("\n\n") if part.startswith("62 %"))
    assert has_in_order(" ".join(warning.split()), "MSE", "constant", "zero", "MSE", "same")


def test_dense_series_are_not_compared_with_constants() -> None:
    assert "constant" not in summarize(make_metrics(gru=3.5, ensemble=3.4, mean=3.6))


def test_bounds_follow_the_next_values() -> None:
    lines = list_next_values(make_next_values()).splitlines()
    assert lines[0].split("  ")[0] == "next values"
    assert lines[0].split()[2:] == ["ensemble", "lo", "80", "hi", "80"]
    assert lines[1].split() == ["2026-01-30", "101.0", "91.2", "111.0"]


def test_next_values_of_hours_have_a_time() -> None:
    assert "2026-01-30 01:00:00" in list_next_values(make_next_values(freq="h"))


def test_next_values_of_a_panel_are_those_of_the_first_series() -> None:
    assert list_next_values(make_next_values(2)).startswith("next values of shop 0 ")


def test_missing_bounds_are_dashes() -> None:
    values = make_next_values()
    empty = replace(
        values, table=values.table.assign(**{"ensemble-lo-80": np.nan, "ensemble-hi-80": np.nan})
    )
    assert list_next_values(empty).splitlines()[1].split() == ["2026-01-30", "101.0", "–", "–"]


@pytest.mark.parametrize(
    ("num_series", "horizon", "rest"),
    [
        (1, MAX_VALUES, None),
        (1, MAX_VALUES + 5, "… and 5 more steps"),
        (3, MAX_VALUES, "… and 2 more series"),
        (3, MAX_VALUES + 1, "… and 1 more step, 2 more series"),
    ],
)
def test_what_is_left_out_is_counted(num_series: int, horizon: int, rest: str | None) -> None:
    lines = list_next_values(make_next_values(num_series, horizon)).splitlines()
    assert len(lines) == 1 + MAX_VALUES + (rest is not None)
    assert rest is None or lines[-1] == rest


def test_summary_of_a_real_run_fits_a_screen(make_results: Callable[..., SimpleNamespace]) -> None:
    results = make_results(num_series=3, horizon=20)
    values = results.next_values
    combined = replace(
        values,
        table=values.table.assign(ensemble=1.0),
        forecasters=(*values.forecasters, "ensemble"),
    )
    lines = summarize_forecast(METRICS, combined, PROFILE).splitlines()
    assert len(lines) < 30
    assert max(map(len, lines)) <= WIDTH


def test_columns_of_next_values_have_one_order() -> None:
    bounds = {
        f"ensemble-{side}-{level}": [float(level)] for level in (80, 95) for side in ("lo", "hi")
    }
    table = pd.DataFrame(
        {
            "unique_id": ["a"],
            "cutoff": pd.to_datetime(["2024-01-01"]),
            "ds": pd.to_datetime(["2024-01-02"]),
            "horizon_step": [1],
            "ensemble": [1.0],
            **bounds,
        }
    )
    predictions = Predictions(table, ("ensemble",), (80, 95))
    assert list(tabulate_used(predictions))[2:] == ["forecast", "lo-80", "hi-80", "lo-95", "hi-95"]
    heading = " ".join(list_next_values(predictions).split("\n")[0].split())
    assert heading == "next values ensemble lo 80 hi 80 lo 95 hi 95"
