"""The next values are written in few digits, with ids in their own type."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from golden import has_in_order
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.report.newest import summarize_forecasts
from rnn_pipelines.forecast.report.next_values import (
    MAX_ROWS,
    restore_numbers,
    tabulate_next_values,
    tabulate_used,
)
from rnn_pipelines.report.page import Table


def make_next_values(ids: tuple[str, ...] = ("a",), horizon: int = 3) -> Predictions:
    """Of the ensemble, 100, 101, ..., with an 80 % interval of ±2.5."""
    ds = pd.date_range("2026-01-30", periods=horizon)
    tables = [
        pd.DataFrame(
            {
                "unique_id": name,
                "cutoff": pd.Timestamp("2026-01-29"),
                "ds": ds,
                "horizon_step": np.arange(1, horizon + 1),
            }
        )
        for name in ids
    ]
    table = pd.concat(tables, ignore_index=True)
    forecasts = 99.0 + table["horizon_step"] + 1e-9
    bounds = {"ensemble-lo-80": forecasts - 2.5, "ensemble-hi-80": forecasts + 2.5}
    return Predictions(table.assign(ensemble=forecasts, **bounds), ("ensemble",), (80,))


def test_values_of_a_small_series_beside_large_ones_are_not_rounded_to_zero() -> None:
    next_values = make_next_values(("a", "b"), 2)
    table = next_values.table
    numbers = ["ensemble", "ensemble-lo-80", "ensemble-hi-80"]
    table.loc[table["unique_id"] == "a", numbers] *= 1e-9
    table.loc[table["unique_id"] == "b", numbers] *= 1e9
    rounded = tabulate_used(next_values)
    np.testing.assert_allclose(rounded["forecast"], table["ensemble"], rtol=1e-5)


def test_series_without_bounds_are_named() -> None:
    next_values = make_next_values(("a", "b"), 2)
    next_values.table.loc[:1, ["ensemble-lo-80", "ensemble-hi-80"]] = np.nan
    *_, note = tabulate_next_values(next_values)
    assert "bounds of a are empty" in str(note)


def test_columns_have_short_names() -> None:
    table = tabulate_used(make_next_values())
    assert list(table) == ["unique_id", "ds", "forecast", "lo-80", "hi-80"]
    assert table.iloc[0, 2:].tolist() == [100.0, 97.5, 102.5]


def test_series_that_ended_are_marked() -> None:
    table = tabulate_used(make_next_values(("a", "b"), 2), dead=["b"])
    assert table["is_dead"].tolist() == [False, False, True, True]


def test_series_are_not_marked_if_none_has_ended() -> None:
    assert "is_dead" not in tabulate_used(make_next_values(("a", "b"), 2), dead=[])


def test_report_shows_the_first_rows() -> None:
    table, _ = tabulate_next_values(make_next_values(("a", "b"), 40))
    assert isinstance(table, Table)
    assert table.rows[0] == ["2026-01-30", "100.0", "97.5", "102.5"]
    assert len(table.rows) == MAX_ROWS


def test_note_names_the_files_with_all_values() -> None:
    _, note = tabulate_next_values(make_next_values(("a", "b"), 40))
    assert all(
        text in str(note)
        for text in ("80 values", "2 series", "next_values.csv", "all_methods.csv")
    )


def test_note_of_one_value_is_in_the_singular() -> None:
    _, note = tabulate_next_values(make_next_values(horizon=1))
    assert "1 value " in str(note)


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (("1", "20"), [1, 20]),
        (("-3", "0"), [-3, 0]),
        (("007", "8"), ["007", "8"]),
        (("1", "b"), ["1", "b"]),
        (("9" * 30,), ["9" * 30]),
        (("+1",), ["+1"]),
    ],
)
def test_ids_that_are_numbers_are_written_as_numbers(
    ids: tuple[str, ...], expected: list[Any]
) -> None:
    assert tabulate_used(make_next_values(ids, 1))["unique_id"].tolist() == expected
    assert restore_numbers(make_next_values(ids, 1).table)["unique_id"].tolist() == expected


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    """Forecasts of the same steps by the versions v0 and v1, made on two days."""
    table = make_next_values(("a", "b")).table
    return pd.concat(
        table[["unique_id", "cutoff", "ds", "horizon_step"]].assign(
            y_hat=table["ensemble"] + day,
            lo_80=1.0,
            hi_80=200.0,
            lo_95=np.nan,
            hi_95=np.nan,
            lo_99=0.0,
            model_version=f"v{day}",
            recorded_at=time,
        )
        for day, time in enumerate(pd.date_range("2026-01-29", periods=2))
    )


def test_forecasts_of_a_run_are_counted(log: pd.DataFrame) -> None:
    made = log[log["model_version"] == "v1"]
    summary = summarize_forecasts(made, made, log)
    lines = summary.splitlines()
    assert all(fact in lines[2] for fact in ("6 forecasts", "2 series", "v1"))
    assert len(lines) == 8


def test_run_begins_with_the_first_forecast(log: pd.DataFrame) -> None:
    made = log[log["model_version"] == "v1"]
    first, _ = summarize_forecasts(made, made, log).split("\n", 1)
    assert first.startswith("Forecast of a on 2026-01-30: 101.0")


def test_forecasts_of_the_first_series_are_listed(log: pd.DataFrame) -> None:
    made = log[log["model_version"] == "v1"]
    summary = summarize_forecasts(made, made, log)
    lines = summary.splitlines()
    assert lines[4].split() == ["forecasts", "of", "a", "forecast", "lo", "80", "hi", "80"]
    assert lines[5].split() == ["2026-01-30", "101.0", "1.0", "200.0"]


def test_forecasts_of_an_earlier_day_are_not_new(log: pd.DataFrame) -> None:
    """Although the log has newer ones."""
    again = log[log["model_version"] == "v0"].assign(recorded_at=pd.Timestamp("2026-02-01"))
    lines = summarize_forecasts(again, again, log).splitlines()
    assert all(fact in lines[2] for fact in ("6 forecasts", "v0", "Nothing is new"))
    assert ["2026-01-30", "100.0", "1.0", "200.0"] in [line.split() for line in lines]


def test_new_forecasts_are_counted(log: pd.DataFrame) -> None:
    newest = log[log["model_version"] == "v1"]
    assert (
        "2 of them are new"
        in summarize_forecasts(newest, newest, pd.concat([log[:6], newest[:2]])).splitlines()[2]
    )


def test_a_suspect_series_is_not_the_first_one(log: pd.DataFrame) -> None:
    made = log[log["model_version"] == "v1"].assign(
        is_suspect=lambda rows: rows["unique_id"] == "a"
    )
    assert summarize_forecasts(made, made, log).startswith("Forecast of b on ")


def test_last_good_forecasts_are_named(log: pd.DataFrame) -> None:
    made = log[log["model_version"] == "v1"].assign(is_suspect=True)
    kept = made.assign(is_suspect=False, y_hat=55.0)
    assert has_in_order(summarize_forecasts(kept, made, log), "last good forecasts", "55.0")
