"""Covariates lie on the steps of their series, in columns of their own, and none is passed over without a word."""

from pathlib import Path

import pandas as pd
import pytest

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.source.covariates import (
    CovariateSpec,
    check_future_covariates,
    join_rows,
    read_future,
    read_series,
)
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.source.unread import report_off_steps

DAYS = pd.DataFrame({"ds": ["2024-01-01", "2024-01-02"], "y": [1.0, 2.0], "price": [3.0, 4.0]})
STEPS = DAYS.assign(ds=[1, 2])
CATALOG = SourceSpec(name="catalog")


@pytest.mark.parametrize(
    ("source", "covariates", "column"),
    [
        ({}, {"past": ["ds"]}, "ds"),
        ({"time": "day"}, {"past": ["day"]}, "day"),
        ({"time": "day"}, {"past": ["ds"]}, "ds"),
        ({"id": "shop"}, {"static": ["shop"]}, "shop"),
        ({"id": "shop"}, {"static": ["unique_id"]}, "unique_id"),
        ({}, {"future": ["y"]}, "y"),
    ],
)
def test_series_column_is_no_covariate(
    source: dict[str, str], covariates: dict[str, list[str]], column: str
) -> None:
    """Under the names that times and series have here, a covariate would take their place."""
    external = DAYS.assign(day=DAYS["ds"], shop="a", unique_id="b")
    spec = SourceSpec(name="catalog", **source)
    with pytest.raises(
        SeriesError,
        match=rf"expected columns other than .*, received \['{column}'\]\. Leave them out",
    ):
        read_series(spec, CovariateSpec(**covariates), external)


@pytest.mark.parametrize(
    ("table", "time", "message"),
    [
        (
            DAYS,
            "3",
            r"column 'ds': expected times like those of the series \(2024-01-01\), received steps \(3\)",
        ),
        (
            STEPS,
            "2024-01-03",
            r"column 'ds': expected steps like those of the series \(1\), received times \(2024",
        ),
    ],
    ids=["steps after times", "times after steps"],
)
def test_times_ahead_are_of_kind_of_the_series(
    tmp_path: Path, table: pd.DataFrame, time: str, message: str
) -> None:
    (tmp_path / "ahead.csv").write_text(f"ds,price\n{time},5\n")
    with pytest.raises(SeriesError, match=message):
        read_series(
            CATALOG, CovariateSpec(future=["price"], path=str(tmp_path / "ahead.csv")), table
        )


@pytest.mark.parametrize("table", [DAYS, STEPS], ids=["times", "steps"])
def test_nothing_ahead_changes_nothing(table: pd.DataFrame) -> None:
    _, known = read_series(CATALOG, CovariateSpec(future=["price"]), table)
    found = join_rows(known, read_future(known, CATALOG, ["price"], table[:0].astype({"ds": str})))
    assert found.astype({"price": float}).to_dict("list") == known.to_dict("list")


def lay_out(name: str, times: object, **columns: object) -> pd.DataFrame:
    return pd.DataFrame({"unique_id": name, "ds": times, **columns})


def look_ahead(times: object, freq: int | str, ahead: object, horizon: int = 2) -> None:
    """Whether the covariates of a series, and those of some times after it, are enough."""
    covariates = lay_out("a", pd.Index(times).append(pd.Index(ahead)), price=1.0)
    check_future_covariates(
        lay_out("a", times, y=1.0), covariates, {"future": ("price",)}, horizon, freq
    )


FEBRUARY = pd.date_range("2024-01-31", periods=20)
MONTHS = pd.date_range("2022-01-01", periods=20, freq="MS")


@pytest.mark.parametrize(
    ("times", "freq", "ahead"),
    [
        (FEBRUARY, "D", pd.date_range("2024-02-20", periods=2)),
        (
            FEBRUARY,
            "D",
            [*pd.date_range("2024-02-20", periods=2), pd.Timestamp("2024-02-22 12:00")],
        ),
        (MONTHS, "MS", pd.to_datetime(["2023-09-01", "2023-10-01"])),
        (range(5, 55, 5), 5, [55, 60]),
    ],
    ids=["days", "beyond the horizon", "months", "steps"],
)
def test_a_row_at_each_step_of_the_horizon_is_enough(
    times: object, freq: int | str, ahead: object
) -> None:
    look_ahead(times, freq, ahead)


@pytest.mark.parametrize(
    ("times", "freq", "ahead", "message"),
    [
        (
            FEBRUARY,
            "D",
            pd.date_range("2024-02-21", periods=9),
            "lacks 1 of 2 steps, the first at 2024-02-20",
        ),
        (
            FEBRUARY,
            "D",
            pd.date_range("2024-02-20 12:00", periods=9),
            "lacks 2 of 2 steps.*each step of 'D'",
        ),
        (
            FEBRUARY,
            "D",
            pd.to_datetime(["2024-02-20", "2024-02-22"]),
            "lacks 1 of 2 steps, the first at 2024-02-21",
        ),
        (
            MONTHS,
            "MS",
            pd.date_range("2023-08-02", periods=40),
            "lacks 1 of 2 steps, the first at 2023-10-01",
        ),
        (range(5, 55, 5), 5, [51, 52, 55], "lacks 1 of 2 steps, the first at 60"),
    ],
    ids=["a day late", "at noon", "a gap", "days of months", "steps"],
)
def test_step_of_the_horizon_without_row_is_told(
    times: object, freq: int | str, ahead: object, message: str
) -> None:
    with pytest.raises(
        SeriesError, match=rf"missing over the horizon, in 1 of 1 series: 'a' {message}"
    ):
        look_ahead(times, freq, ahead)


def test_missing_hours_are_told_in_local_time_for_columns_of_any_name() -> None:
    """Such as those that joined tables get."""
    table = lay_out("a", FEBRUARY, y=1.0, origin=1.0, _merge=1.0)
    table.loc[18:, "y"] = None
    check_future_covariates(
        table, table.drop(columns="y"), {"future": ("origin", "_merge")}, 2, "D"
    )
    # What would be missing after its last value is not its fault.
    look_ahead([*FEBRUARY, pd.Timestamp("2024-02-20 07:00")], "D", FEBRUARY[:0])
    hours = pd.date_range("2024-07-01", periods=5, freq="h")
    covariates = lay_out("a", hours, price=1.0)
    covariates.attrs["tz"] = "Europe/Berlin"
    with pytest.raises(SeriesError, match=r"the first at 2024-07-01 07:00:00\+02:00\. Add"):
        check_future_covariates(
            lay_out("a", hours, y=1.0), covariates, {"future": ("price",)}, 2, "h"
        )


def test_rows_between_steps_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    steps = pd.concat([lay_out("a", FEBRUARY), lay_out("b", FEBRUARY)])
    noon = FEBRUARY[3:5] + pd.Timedelta(hours=12)
    report_off_steps(steps, pd.concat([lay_out("a", FEBRUARY), lay_out("b", noon)]))
    assert caplog.messages == [
        "covariates: rows between steps are not read: series 'b' at 2 times from 2024-02-03 12:00:00 to "
        "2024-02-04 12:00:00"
    ]


def test_rows_before_the_first_step_or_of_other_series_are_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    noon = FEBRUARY + pd.Timedelta(hours=12)
    covariates = pd.concat(
        [lay_out("a", [FEBRUARY[0] - pd.Timedelta(hours=12), noon[-1]]), lay_out("b", noon)]
    )
    report_off_steps(lay_out("a", FEBRUARY), covariates)
    assert caplog.messages == []


def test_large_numbers_between_steps_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    far = [2**60, 2**60 + 2]
    report_off_steps(lay_out("a", far), lay_out("a", [*far, 2**60 + 1]))
    assert f"series 'a' at {2**60 + 1}" in caplog.text


@pytest.mark.parametrize(
    ("given", "columns"),
    [("price", ("price",)), ("price+promo", ("price", "promo")), (["a+b"], ("a+b",))],
)
def test_columns_of_the_command_line_are_joined_by_a_sign(
    given: object, columns: tuple[str, ...]
) -> None:
    assert CovariateSpec.model_validate({"future": given}).future == columns
