"""Whole runs of a panel that is divided, from files of several kinds."""

import json
import os
import re
import shutil
import signal
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf

from dask_cluster import open_cluster
from rnn_pipelines.forecast.partitions.parts import forecast_part, join_parts
from whole_runs import (
    ROOT,
    copy_configuration,
    read_json,
    run_command,
    run_here,
    run_well,
    take_checksums,
)

pytestmark = pytest.mark.slow
NUM_SERIES = 60
NUM_STEPS = 150
HORIZON = 14
# Of all series. The summary has the name of the run, too.
RESULTS = (
    "07_model_output/forecast/all_next_values.parquet",
    "08_reporting/forecast/all_metrics_by_series.parquet",
)
DIVIDED = [
    "forecast.partitions.training_rows=3000",
    "forecast.partitions.rows=1500",
    "parallel.workers=2",
]


def make_table() -> pd.DataFrame:
    """Return daily sales with a price that is known ahead; the values of the last days are missing."""
    random = np.random.default_rng(0)
    steps = np.arange(NUM_STEPS + HORIZON)
    tables = []
    for number in range(NUM_SERIES):
        price = np.where(random.random(len(steps)) < 0.2, 0.8, 1.0)
        sales = 20 * (number + 1) * (
            1 + 0.3 * np.sin(2 * np.pi * steps / 7)
        ) / price + random.normal(0, 2, len(steps))
        days = pd.date_range("2024-01-01", periods=len(steps))
        tables.append(
            pd.DataFrame({"shop": number, "day": days, "sales": sales.round(2), "price": price})
        )
        tables[-1].loc[NUM_STEPS:, "sales"] = np.nan
    return pd.concat(tables, ignore_index=True)


def write(folder: Path, kind: str) -> list[str]:
    """Write the table, and return the parameters that read it."""
    table = make_table()
    columns = [
        "forecast.source.time=day",
        "forecast.source.target=sales",
        "forecast.source.id=shop",
    ]
    path = folder / kind
    match kind:
        case "folder of days":
            path.mkdir()
            for month, rows in table.groupby(table["day"].dt.strftime("%Y-%m")):
                rows.to_parquet(path / f"{month}.parquet", index=False)
        case "european.csv":
            text = table.assign(day=table["day"].dt.strftime("%d.%m.%Y"))
            text.to_csv(path, sep=";", decimal=",", index=False, encoding="cp1252")
        case "second table":
            path = path.with_suffix(".parquet")
            table.dropna().to_parquet(path, index=False)
            prices = folder / "prices.csv"
            table.drop(columns="sales").to_csv(prices, index=False)
            columns.append(f"forecast.covariates.path={prices}")
    return [f"forecast.source.path={path}", *columns, "forecast.covariates.future=price"]


@pytest.fixture(scope="module", params=["folder of days", "european.csv", "second table"])
def found(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """The results of a run of each kind of file."""
    given = write(tmp_path_factory.mktemp("panel"), request.param)
    printed = run_well("forecast", *given, *DIVIDED).stdout
    return {
        "printed": printed,
        "report": (ROOT / "08_reporting/forecast/report.html").read_text(),
        "summary": read_json("08_reporting/forecast/all_series.json"),
        "next_values": pd.read_parquet(ROOT / "07_model_output/forecast/all_next_values.parquet"),
        "by_series": pd.read_parquet(ROOT / "08_reporting/forecast/all_metrics_by_series.parquet"),
        "fitted": pd.read_parquet(ROOT / "02_intermediate/forecast/series.parquet"),
    }


def test_all_series_are_forecast(found: dict[str, Any]) -> None:
    assert found["next_values"].groupby("unique_id").size().eq(HORIZON).sum() == NUM_SERIES
    assert found["next_values"].drop(columns=["unique_id", "ds"]).notna().all(axis=None)


def test_some_series_are_fitted(found: dict[str, Any]) -> None:
    assert 1 < found["fitted"]["unique_id"].nunique() < NUM_SERIES / 2


def test_forecasts_begin_after_the_last_day(found: dict[str, Any]) -> None:
    assert found["next_values"]["ds"].min() == pd.Timestamp("2024-01-01") + pd.Timedelta(
        days=NUM_STEPS
    )


def test_forecasts_are_near_the_mean_of_their_series(found: dict[str, Any]) -> None:
    means = found["next_values"].groupby("unique_id")["forecast"].mean()
    sales = make_table().dropna().groupby("shop")["sales"].mean()
    assert (means / means.index.astype(int).map(sales)).between(0.8, 1.25).all()


def test_all_series_are_evaluated(found: dict[str, Any]) -> None:
    summary = found["summary"]
    by_series = found["by_series"]
    assert (
        summary["num_series"]
        == summary["num_evaluated"]
        == by_series["unique_id"].nunique()
        == NUM_SERIES
    )


def test_the_error_over_all_series_is_a_mean(found: dict[str, Any]) -> None:
    summary = found["summary"]
    by_series = found["by_series"]
    own = by_series[by_series["forecaster"] == "ensemble"]
    assert summary["forecasters"]["ensemble"]["mase"] == pytest.approx(own["mase"].mean(), rel=1e-5)


def test_the_ensemble_is_better_than_seasonal_naive(found: dict[str, Any]) -> None:
    summary = found["summary"]
    assert (
        summary["forecasters"]["ensemble"]["mase"]
        < summary["forecasters"]["seasonal_naive"]["mase"]
    )


def test_the_report_is_of_all_series(found: dict[str, Any]) -> None:
    assert "All series" in found["report"]


def test_the_summary_is_of_all_series(found: dict[str, Any]) -> None:
    assert f"{NUM_SERIES} series have next values" in found["printed"]
    assert all(
        len(line) <= 100
        for line in found["printed"].splitlines()
        if "INFO" not in line and "/" not in line
    )


def test_smaller_panel_leaves_no_results_of_a_divided_one(found: dict[str, Any]) -> None:
    run_well("forecast")
    assert not (ROOT / "07_model_output/forecast/all_next_values.parquet").exists()
    assert "num_series" not in read_json("08_reporting/forecast/all_series.json")
    assert "All series" not in (ROOT / "08_reporting/forecast/report.html").read_text()


def test_parts_are_the_results_of_the_run(tmp_path: Path) -> None:
    """And the run that stops after the fit ends well, and publishes nothing."""
    given = write(tmp_path, "european.csv")
    run_well("forecast", *given, *DIVIDED)
    expected = {name: (ROOT / name).read_bytes() for name in RESULTS}
    before = take_checksums(part="forecast")
    stopped = run_well("forecast", *given, *DIVIDED, "forecast.partitions.stop=fit").stdout
    assert take_checksums(part="forecast") == before
    last = int(re.search(r"from 0 to (\d+)", stopped)[1])
    partitions = str(ROOT / "01_raw/forecast_partitions")
    results = json.loads((ROOT / "01_raw/forecast_partitions/parts.json").read_text())["results"]
    for folder in (ROOT / "01_raw/forecast_partitions" / results).glob("0*"):
        shutil.rmtree(folder)
    for index in range(last, -1, -1):
        forecast_part(partitions, index)
    joined = Path(join_parts(partitions))
    assert {name: (joined / Path(name).name).read_bytes() for name in RESULTS} == expected


def test_column_that_a_divided_panel_lacks_is_named(tmp_path: Path) -> None:
    *given, _ = write(tmp_path, "european.csv")
    finished = run_command("forecast", *given, "forecast.covariates.future=promo", *DIVIDED)
    assert finished.returncode != 0
    assert "promo" in finished.stdout + finished.stderr


def test_champion_of_a_divided_panel_forecasts_all_series(tmp_path: Path) -> None:
    """A night, and the next one with a day more: the sample decides and is monitored, and all series are forecast."""
    *given, _ = write(tmp_path, "folder of days")
    conf = copy_configuration(tmp_path)
    first, *others = DIVIDED[:2], DIVIDED[2]
    nights = []
    for as_of in ("2024-05-15", "2024-05-16"):
        for pipeline in ("retrain_forecast", "predict_forecast", "monitor_forecast"):
            workers = others if pipeline == "predict_forecast" else []
            finished = run_well(
                pipeline, *given, *first, *workers, f"{pipeline}.as_of={as_of}", conf=conf
            )
            if pipeline == "predict_forecast":
                assert f"All {NUM_SERIES} series" in finished.stdout
        nights.append(
            pd.read_parquet(
                tmp_path / "data/07_model_output/predict_forecast/all_next_values.parquet"
            )
        )
    for day, found in zip(("2024-05-16", "2024-05-17"), nights, strict=True):
        assert found["ds"].min() == pd.Timestamp(day)
        assert found.groupby("unique_id").size().eq(HORIZON).sum() == NUM_SERIES
        assert found.drop(columns=["unique_id", "ds"]).notna().all(axis=None)
    log = pd.read_parquet(tmp_path / "data/07_model_output/predict_forecast/forecasts.parquet")
    assert 1 < log["unique_id"].nunique() < NUM_SERIES / 2
    verdict = json.loads((tmp_path / "data/08_reporting/monitor_forecast/verdict.json").read_text())
    assert verdict["error"]["num_forecasts"] == log["unique_id"].nunique()
    assert verdict["coverage"]["unknown_series"] == []


@pytest.mark.parametrize("found", ["second table"], indirect=True)
def test_workers_that_are_killed_before_the_forecasts_change_no_result(
    found: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One while the panel is divided, and one in the first training; the third one makes all forecasts."""

    def kill_first(place: str, worker: int) -> None:
        module, _, name = place.rpartition(".")
        original: Any = getattr(import_module(module), name)

        def kill_and_call(*given: Any, **options: Any) -> Any:
            os.kill(worker, signal.SIGKILL)
            return original(*given, **options)

        monkeypatch.setattr(place, kill_and_call)

    with open_cluster(tmp_path) as start:
        cluster = start("--no-nanny", num_workers=3)
        kill_first("rnn_pipelines.forecast.partitions.surveys.scatter_rows", cluster.pids[0])
        kill_first(
            "rnn_pipelines.forecast.methods.training.side_by_side.train_network", cluster.pids[1]
        )
        settings = [*write(tmp_path, "second table"), *DIVIDED[:2]]
        settings += ["parallel.backend=dask", f"parallel.scheduler={cluster.parallel.scheduler}"]
        run_here("forecast", OmegaConf.to_container(OmegaConf.from_dotlist(settings)))
        ended = [os.waitpid(pid, os.WNOHANG)[1] for pid in cluster.pids]
    assert ended == [signal.SIGKILL, signal.SIGKILL, 0]
    next_values = pd.read_parquet(ROOT / "07_model_output/forecast/all_next_values.parquet")
    pd.testing.assert_frame_equal(next_values, found["next_values"])
