"""Files as people have them go through the whole pipeline, by parameters alone."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from whole_runs import ROOT, run_well

pytestmark = pytest.mark.slow


def forecast(path: Path, **source: str) -> SimpleNamespace:
    """Runs `forecast` with the parameters of the source; what it says, and what it has written."""
    given = {"path": path, **source}
    run = run_well(
        "forecast", *(f"forecast.source.{name}={value}" for name, value in given.items())
    )
    return SimpleNamespace(
        said=run.stderr,
        summary=run.stdout,
        next_values=pd.read_parquet(ROOT / "07_model_output/forecast/next_values.parquet"),
        predictions=pd.read_parquet(ROOT / "07_model_output/forecast/predictions.parquet"),
        report=(ROOT / "08_reporting/forecast/report.html").read_text(encoding="utf-8"),
    )


def make_week(size: int, seed: int, period: int = 7) -> np.ndarray:
    """A cycle with noise, whose deviation is a tenth of the cycle's height."""
    noise = np.random.default_rng(seed).normal(scale=10, size=size)
    return 1500 + 100 * np.sin(2 * np.pi * np.arange(size) / period) + noise


def is_near(found: SimpleNamespace, expected: Callable[[pd.DataFrame], np.ndarray]) -> bool:
    """Whether the next values are within five deviations of the noise of the cycle."""
    return bool((np.abs(found.next_values["ensemble"] - expected(found.next_values)) < 50).all())


def test_german_spreadsheet_is_forecast(tmp_path_factory: pytest.TempPathFactory) -> None:
    # As a spreadsheet program saves it in Germany.
    days = pd.date_range("2023-01-05", periods=300)
    values = make_week(300, seed=0)
    signs = str.maketrans({",": ".", ".": ","})
    rows = [
        f"{day:%d.%m.%Y};{f'{value:,.1f}'.translate(signs)}"
        for day, value in zip(days, values, strict=True)
    ]
    path = tmp_path_factory.mktemp("german") / "umsatz.csv"
    path.write_bytes("\r\n".join(["Datum;Umsätze", *rows]).encode("cp1252"))
    german = forecast(path, time="Datum", target="Umsätze")
    assert is_near(
        german, lambda rows: 1500 + 100 * np.sin(2 * np.pi * np.arange(300, 300 + len(rows)) / 7)
    )
    found = "sep=semicolon, encoding=cp1252, time_format='%d.%m.%Y', decimal=comma, thousands=point"
    assert f"read with {found}" in german.said
    assert "\ntimes from 'Datum' (days), values from 'Umsätze'\n" in german.summary
    assert found.replace("'", "&#39;") in german.report


def test_hours_over_both_clock_changes_are_local(tmp_path_factory: pytest.TempPathFactory) -> None:
    # Consumption that follows the clock on the wall, over both of its changes, each hour without a zone.
    hours = pd.date_range("2024-03-01", "2024-11-10 23:00", freq="h", tz="Europe/Berlin")
    noise = np.random.default_rng(0).normal(scale=10, size=len(hours))
    table = pd.DataFrame(
        {
            "hour": hours.tz_localize(None),
            "load": 1500 + 100 * np.sin(hours.hour * np.pi / 12) + noise,
        }
    )
    path = tmp_path_factory.mktemp("energy") / "energy.csv"
    table.to_csv(path, index=False)
    energy = forecast(path, time="hour", target="load", tz="Europe/Berlin")
    assert "without a value" not in energy.said
    assert "none needed" in energy.report
    assert is_near(energy, lambda rows: 1500 + 100 * np.sin(rows["ds"].dt.hour * np.pi / 12))
    assert str(energy.next_values["ds"].iloc[0]) == "2024-11-11 00:00:00+01:00"
    assert "2024-03-01 00:00:00+01:00 to 2024-11-10 23:00:00+01:00" in energy.report


def test_60_months_are_forecast(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("months") / "months.csv"
    days = pd.date_range("2019-01-01", periods=60, freq="MS")
    pd.DataFrame({"month": days, "guests": make_week(60, seed=0, period=12)}).to_csv(
        path, index=False
    )
    months = forecast(path, time="month", target="guests")
    assert is_near(
        months, lambda rows: 1500 + 100 * np.sin(2 * np.pi * (rows["ds"].dt.month - 1) / 12)
    )
    assert "lookback 12 steps, horizon 12 steps" in months.said
    assert "12 steps back, 12 ahead" in months.report
    assert np.isfinite(months.next_values[["ensemble-lo-80", "ensemble-hi-80"]]).all().all()


def test_stores_that_opened_last_month_are_forecast(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    days = pd.date_range("2023-01-05", periods=400)
    tables = [
        pd.DataFrame({"store": f"s{n:02}", "day": days, "sales": make_week(400, seed=n)})
        for n in range(20)
    ]
    tables = [table if number < 18 else table[-28:] for number, table in enumerate(tables)]
    path = tmp_path_factory.mktemp("stores") / "stores.parquet"
    pd.concat(tables).to_parquet(path)
    stores = forecast(path, time="day", target="sales", id="store")
    assert stores.next_values["unique_id"].nunique() == 20
    young = stores.next_values[stores.next_values["unique_id"] >= "s18"]
    assert (
        np.abs(
            young["ensemble"] - 1500 - 100 * np.sin(2 * np.pi * (399 + young["horizon_step"]) / 7)
        )
        < 50
    ).all()
    # 28 days are a horizon for the test part, and two weeks before it.
    assert stores.predictions["unique_id"].nunique() == 20
