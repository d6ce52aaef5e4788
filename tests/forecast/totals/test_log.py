"""The log of totals, and the errors of past totals."""

from typing import Any

import pandas as pd
import pytest

from rnn_pipelines.champion.verdict import KnownChampion
from rnn_pipelines.forecast.totals.adding import TotalsTable
from rnn_pipelines.forecast.totals.groups import select_groups
from rnn_pipelines.forecast.totals.log import TotalsLogTable, log_totals, measure_totals
from rnn_pipelines.forecast.totals.specs import TotalsSpec

NOBODY: KnownChampion = {"versions": {}, "settings": {}}
SPEC = TotalsSpec(("region × horizon",))
GROUPS = pd.DataFrame({"unique_id": ["a", "b", "c"], "region": ["N", "N", "S"]})
DAYS = pd.date_range("2024-01-01", periods=4)
CUTOFF = DAYS[0] - pd.Timedelta(days=1)


def make_series() -> pd.DataFrame:
    """Four days: 1, 2, 3, 4 of a, tenfold of b, and a hundredfold of c."""
    tables = [
        pd.DataFrame(
            {"unique_id": name, "ds": DAYS, "y": [1.0 * size, 2 * size, 3 * size, 4 * size]}
        )
        for name, size in (("a", 1), ("b", 10), ("c", 100))
    ]
    return pd.concat(tables, ignore_index=True).assign(observed=True)


def make_log(**columns: Any) -> pd.DataFrame:
    """A total of the first three days of N, which is 66, and was forecast as 60."""
    row = {
        "unique_id": "region × horizon: N",
        "cutoff": CUTOFF,
        "ds": DAYS[0],
        "horizon_step": 1,
        "y_hat": 60.0,
        "model_version": "v1",
        "recorded_at": CUTOFF.tz_localize("UTC"),
        "is_suspect": False,
        "suspect_reason": "",
        "until": DAYS[2],
        "num_series": 2,
        "num_steps": 3,
        "lo_80": 59.0,
        "hi_80": 65.0,
    }
    return TotalsLogTable.validate(pd.DataFrame([row | columns]))


def measure(
    log: pd.DataFrame | None, series: pd.DataFrame, champion: KnownChampion = NOBODY
) -> list[dict[str, Any]]:
    return [dict(row) for row in measure_totals(log, series, champion, GROUPS, SPEC)]


def test_errors_are_those_of_the_sum_of_the_actuals() -> None:
    (row,) = measure(make_log(), make_series())
    assert row == {
        "total": "region × horizon",
        "num_totals": 1,
        "error_percent": pytest.approx(100 * 6 / 66),
        "mae": pytest.approx(6),
        "coverage": {"80": 0.0},
    }


@pytest.mark.parametrize(
    ("columns", "missing"),
    [
        ({"until": DAYS[2] + pd.Timedelta(days=30)}, []),
        ({"num_series": 3}, []),
        ({"num_steps": 2}, []),
        ({"is_suspect": True}, []),
        ({"unique_id": "region × horizon: W"}, []),
        # The second day of a.
        ({}, [1]),
    ],
    ids=["future", "another series", "other steps", "suspect", "unknown group", "missing value"],
)
def test_a_total_that_cannot_be_judged_does_not_count(
    columns: dict[str, Any], missing: list[int]
) -> None:
    series = make_series()
    series.loc[missing, "observed"] = False
    assert measure(make_log(**columns), series) == []


def test_a_value_of_another_group_may_be_missing() -> None:
    series = make_series()
    series.loc[series["unique_id"] == "c", "observed"] = False
    assert len(measure(make_log(), series)) == 1


@pytest.mark.parametrize(("name", "num_rows"), [("b", 0), ("c", 1)])
def test_a_model_that_has_learnt_a_series_of_the_total_does_not_count(
    name: str, num_rows: int
) -> None:
    trained = {"a": "2023-12-31", name: "2024-01-02"}
    champion: KnownChampion = {"versions": {"v1": {"trained_until": trained}}, "settings": {}}
    assert len(measure(make_log(), make_series(), champion)) == num_rows


def test_steps_without_a_calendar_count_alike() -> None:
    log = make_log().assign(cutoff=-1, ds=0, until=2)
    series = make_series().assign(ds=[0, 1, 2, 3] * 3)
    assert measure(log, series)[0]["mae"] == pytest.approx(6)


@pytest.mark.parametrize("log", [None, TotalsLogTable.make_empty()], ids=["none", "empty"])
def test_without_a_log_there_is_no_error(log: pd.DataFrame | None) -> None:
    assert measure(log, make_series()) == []


def make_night(tz: str | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The total of two series of N, one of which ends a step earlier, and their forecasts."""
    hours = pd.date_range("2024-06-01", periods=3, freq="h")
    tables = [
        pd.DataFrame({"unique_id": name, "cutoff": hours[last], "ds": hours[last + 1 :]})
        for name, last in (("a", 0), ("b", 1))
    ]
    made = pd.concat(tables, ignore_index=True).assign(
        y_hat=1.0,
        model_version="v1",
        recorded_at=pd.Timestamp("2024-07-01", tz="UTC"),
        is_suspect=[False, False, True],
        suspect_reason=["", "", "gross"],
    )
    times = pd.Series(hours[2:])
    shown = times.dt.tz_localize("UTC").dt.tz_convert(tz) if tz else times
    row = {"total": "region × horizon", "group": "N", "num_series": 2, "num_steps": 1}
    totals = pd.DataFrame([row | {"is_whole": True, "forecast": 2.0, "lo-80": 1.0, "hi-80": 3.0}])
    return TotalsTable.validate(totals.assign(ds=shown, until=shown)), made


@pytest.mark.parametrize("tz", [None, "Europe/Berlin"])
def test_the_log_names_the_group_in_the_times_of_the_log_of_forecasts(tz: str | None) -> None:
    totals, made = make_night(tz)
    groups = select_groups(GROUPS, SPEC.columns, ["a", "b"])
    log = TotalsLogTable.validate(log_totals(totals, made, groups, SPEC))
    assert log.iloc[0].to_dict() == {
        "unique_id": "region × horizon: N",
        "cutoff": pd.Timestamp("2024-06-01 01:00"),
        "ds": pd.Timestamp("2024-06-01 02:00"),
        "horizon_step": 1,
        "y_hat": 2.0,
        "model_version": "v1",
        "recorded_at": pd.Timestamp("2024-07-01", tz="UTC"),
        "is_suspect": True,
        "suspect_reason": "gross",
        "until": pd.Timestamp("2024-06-01 02:00"),
        "num_series": 2,
        "num_steps": 1,
        "lo_80": 1.0,
        "hi_80": 3.0,
    }


def test_without_totals_there_is_no_row() -> None:
    _, made = make_night(None)
    assert log_totals(TotalsTable.make_empty(), made, GROUPS, SPEC).empty
