"""Whole retrainings and predictions under `--env=test`: what they leave behind, whatever happens."""

import fcntl
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.champion.changes import list_damages
from rnn_pipelines.champion.history import list_records
from rnn_pipelines.champion.store import RECORD, ChampionStore
from rnn_pipelines.datasets import ChampionDataset
from rnn_pipelines.errors import ChampionError, LockedError, SeriesError
from rnn_pipelines.forecast.datasets import ForecastLogDataset
from rnn_pipelines.forecast.model.packing import unpack
from rnn_pipelines.runs.run_store import WAIT_SECONDS
from rnn_pipelines.storage.chain import LINKS
from whole_runs import MANIFEST, PROJECT, ROOT, find_newest, load_champion, make_command, run_here

FOLDER = ROOT / "06_models/champion/forecast"
FORECASTS = ROOT / "07_model_output/predict_forecast/forecasts.parquet"
HOLDOUT = ROOT / "06_models/retrain_forecast/holdout.parquet"
LAST = pd.Timestamp("2024-08-31")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def make_sales(last: pd.Timestamp = LAST) -> pd.DataFrame:
    """Two shops whose sales swing in nine days, up to a day: nothing for whoever repeats the last value or week."""
    days = pd.date_range("2024-01-01", "2024-12-31")
    random = np.random.default_rng(0)
    tables = []
    for shop, level in (("a", 10.0), ("b", 100.0)):
        sales = (
            level
            + level / 3 * np.sin(2 * np.pi * np.arange(len(days)) / 9)
            + level / 30 * random.normal(size=366)
        )
        tables.append(pd.DataFrame({"shop": shop, "day": days, "sales": sales}))
    table = pd.concat(tables)
    return table[table["day"] <= last]


def merge(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    merged = {
        key: merge(value, other.get(key, {})) if isinstance(value, dict) else value
        for key, value in one.items()
    }
    return merged | {
        key: value for key, value in other.items() if not isinstance(merged.get(key), dict)
    }


Run = Callable[..., None]


@pytest.fixture(scope="module")
def sales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sales") / "sales.parquet"
    make_sales().to_parquet(path)
    return path


@pytest.fixture(scope="module")
def run(sales: Path) -> Run:
    """Runs a pipeline in this process, with settings beside those that make it fast."""
    for path in (FOLDER, HOLDOUT.parent, FORECASTS.parent):
        shutil.rmtree(path, ignore_errors=True)
    source = {"path": str(sales), "time": "day", "target": "sales", "id": "shop"}
    shared = {
        "source": source,
        "window": {"lookback": 10, "horizon": 3},
        "split": {"validation": 40, "test": 60},
        "training": {"learning_rate": 0.02},
    }
    retrain = {
        "policy": {"must_beat": ["last_value", "seasonal_naive"]},
        "budget": {"max_steps": 100},
    }

    def run_pipeline(name: str, **settings: Any) -> None:
        linear = {"forecast": shared, "retrain_forecast": retrain}
        if name == "predict_forecast":
            linear = {"forecast": {"source": source}}
        parameters = merge(linear, settings)
        run_here(name, parameters)

    return run_pipeline


@pytest.fixture(scope="module")
def first(run: Run) -> dict[str, Any]:
    """The record of the first retraining, with the holdout that it was decided on."""
    run("retrain_forecast")
    return find_newest("forecast") | {"holdout": pd.read_parquet(HOLDOUT)}


@pytest.fixture(scope="module")
def second(run: Run, first: dict[str, Any]) -> dict[str, Any]:
    """That of a second one on the same data."""
    run("retrain_forecast")
    return find_newest("forecast")


def test_first_challenger_becomes_the_champion(first: dict[str, Any]) -> None:
    assert (first["outcome"], first["reasons"][0]) == ("promoted", "there is no champion yet")
    assert json.loads((FOLDER / "champion.json").read_text())["version"] == first["version"]


def test_the_record_of_a_retraining_is_complete(first: dict[str, Any]) -> None:
    assert set(first) >= MANIFEST
    assert set(first["fingerprints"]) == {"data", "parameters", "code"}


def test_the_record_of_a_retraining_describes_its_data(first: dict[str, Any]) -> None:
    assert first["data"] == {
        "source": first["parameters"]["forecast"]["source"]["path"],
        "num_series": 2,
        "num_steps": 488,
        "first": "2024-01-01",
        "last": "2024-08-31",
    }


def test_the_record_of_a_retraining_has_metrics_of_all(first: dict[str, Any]) -> None:
    assert set(first["metrics"]) == {"challenger", "champion", "baselines"}


def test_training_takes_a_part_of_the_time(first: dict[str, Any]) -> None:
    assert first["seconds"]["training"] <= first["seconds"]["total"]


def test_the_loss_is_the_mean_over_series(first: dict[str, Any]) -> None:
    holdout = first["holdout"]
    squared = (holdout["y"] - holdout["challenger"]) ** 2
    metrics = first["metrics"]["challenger"]
    assert metrics["loss"] == pytest.approx(squared.groupby(holdout["unique_id"]).mean().mean())


def test_losses_by_step_are_means_over_series(first: dict[str, Any]) -> None:
    holdout = first["holdout"]
    squared = (holdout["y"] - holdout["challenger"]) ** 2
    metrics = first["metrics"]["challenger"]
    by_step = (
        squared.groupby([holdout["unique_id"], holdout["horizon_step"]])
        .mean()
        .groupby("horizon_step")
        .mean()
    )
    assert metrics["by_step"] == pytest.approx(by_step.tolist())


def test_the_record_has_the_simple_methods(first: dict[str, Any]) -> None:
    baselines = first["metrics"]["baselines"]
    assert set(baselines) == {
        "last_value",
        "drift",
        "seasonal_naive",
        "ridge",
        "baseline_ensemble",
        "theta",
        "damped_trend",
        "holt_winters",
    }


def test_the_challenger_is_better_than_naive_methods(first: dict[str, Any]) -> None:
    baselines = first["metrics"]["baselines"]
    assert first["metrics"]["challenger"]["loss"] < min(
        baselines["last_value"], baselines["seasonal_naive"]
    )


@pytest.mark.usefixtures("first")
def test_checkpoints_are_removed() -> None:
    assert list((HOLDOUT.parent / "checkpoints").glob("*")) == []


def test_the_ensemble_is_in_use(first: dict[str, Any]) -> None:
    training = first["training"]
    assert training["chosen"] == "ensemble"


def test_every_method_has_its_loss_on_validation(first: dict[str, Any]) -> None:
    training = first["training"]
    candidates = {"baseline_ensemble", "theta", "damped_trend", "holt_winters", "lstm", "gru"}
    assert set(training["validation_losses"]) >= candidates | {"ensemble"}


def test_the_challenger_has_the_loss_of_what_is_in_use(first: dict[str, Any]) -> None:
    training = first["training"]
    assert (
        first["metrics"]["challenger"]["validation_loss"]
        == training["validation_losses"]["ensemble"]
    )


def test_promoted_artefact_is_the_one_that_was_evaluated(first: dict[str, Any]) -> None:
    """After loading, its evaluated model gives the forecasts of the holdout."""
    from rnn_pipelines.forecast.model.artefact import forecast_cutoffs

    series = (
        make_sales()
        .rename(columns={"shop": "unique_id", "day": "ds", "sales": "y"})
        .assign(observed=True)
    )
    holdout = first["holdout"]
    champion = ChampionDataset(path=str(FOLDER), task="forecast").store.read_version(
        first["version"]
    )
    artefact = unpack(champion)
    found = forecast_cutoffs(
        artefact.as_evaluated(), series, holdout[["unique_id", "cutoff"]].drop_duplicates()
    )
    assert found["ds"].tolist() == holdout["ds"].tolist()
    np.testing.assert_allclose(found["y_hat"], holdout["challenger"], rtol=1e-6)


def test_second_retraining_says_why(second: dict[str, Any]) -> None:
    assert second["outcome"] in ("kept", "promoted")
    assert "the champion's" in second["reasons"][0]
    assert 0 <= second["p_value"] <= 1


def test_champion_is_measured_as_it_was_when_it_was_promoted(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    """On the same holdout, with the same loss."""
    assert second["champion"] == first["version"]
    assert second["metrics"]["champion"]["loss"] == pytest.approx(
        first["metrics"]["challenger"]["loss"], rel=1e-6
    )
    # But for the code, which others may be at.
    for kind in ("data", "parameters"):
        assert second["fingerprints"][kind] == first["fingerprints"][kind]


@pytest.mark.slow
def test_crippled_challenger_is_never_promoted(run: Run, second: dict[str, Any]) -> None:
    before = load_champion("forecast").version
    lame = {"policy": {"must_beat": [], "max_age_days": 1e-9}}
    run("retrain_forecast", forecast={"window": {"lookback": 1}}, retrain_forecast=lame)
    assert find_newest("forecast")["outcome"] == "kept"
    assert "it is worse" in find_newest("forecast")["reasons"][0]
    assert load_champion("forecast").version == before


@pytest.fixture(scope="module")
def early(
    run: Run, second: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, Any]]:
    """Two retrainings as of a day: one with wild rows after it, one that has none."""
    day = pd.Timestamp("2024-07-31")
    wild = make_sales()
    is_late = wild["day"] > day
    wild.loc[is_late, "sales"] = -1e6 * np.arange(is_late.sum())
    records = []
    for name, table in (("wild", wild), ("none", make_sales(day))):
        path = tmp_path_factory.mktemp(name) / "sales.parquet"
        table.to_parquet(path)
        run(
            "retrain_forecast",
            forecast={"source": {"path": str(path)}},
            retrain_forecast={"as_of": "2024-07-31"},
        )
        records.append(find_newest("forecast") | {"holdout": pd.read_parquet(HOLDOUT)})
    return records


@pytest.mark.slow
def test_nothing_later_than_as_of_is_seen(early: list[dict[str, Any]]) -> None:
    """Not a digit differs."""
    wild, none = early
    assert wild["metrics"] == none["metrics"]
    assert wild["fingerprints"]["data"] == none["fingerprints"]["data"]
    pd.testing.assert_frame_equal(wild["holdout"], none["holdout"], check_exact=True)


@pytest.mark.slow
def test_the_holdout_ends_as_of_the_day(early: list[dict[str, Any]]) -> None:
    wild, _none = early
    assert wild["holdout"]["ds"].max() == pd.Timestamp("2024-07-31")


@pytest.mark.slow
def test_a_champion_that_saw_the_holdout_stays(early: list[dict[str, Any]]) -> None:
    assert early[0]["outcome"] == "kept"
    assert "part of the holdout" in early[0]["reasons"][0]


def test_retraining_that_fails_leaves_a_record(run: Run, second: dict[str, Any]) -> None:
    before = load_champion("forecast").version
    with pytest.raises(SeriesError, match="no such file"):
        run(
            "retrain_forecast",
            forecast={"source": {"path": "nowhere.csv"}},
            retrain_forecast={"as_of": "2024-07-31"},
        )
    record = find_newest("forecast")
    assert (record["outcome"], record["is_promoted"], record["version"]) == ("failed", False, None)
    assert (record["as_of"], record["error"].partition(":")[0]) == ("2024-07-31", "SeriesError")
    assert load_champion("forecast").version == before


def test_only_one_retraining_runs_at_a_time(run: Run, second: dict[str, Any]) -> None:
    """The other leaves no record, because it did nothing."""
    num_records = len(list_records(FOLDER))
    token = WAIT_SECONDS.set(0)
    with (FOLDER / "retrain.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(LockedError, match=r"retrain\.lock"):
            run("retrain_forecast")
    WAIT_SECONDS.reset(token)
    assert len(list_records(FOLDER)) == num_records


@pytest.fixture(scope="module")
def predicted(run: Run, second: dict[str, Any]) -> pd.DataFrame:
    run("predict_forecast")
    return pd.read_parquet(FORECASTS)


def test_every_series_has_its_steps(predicted: pd.DataFrame) -> None:
    assert predicted["unique_id"].tolist() == ["a"] * 3 + ["b"] * 3
    assert predicted["ds"].tolist() == 2 * list(pd.date_range(LAST, periods=4)[1:])
    assert predicted["horizon_step"].tolist() == [1, 2, 3, 1, 2, 3]


def test_forecasts_follow_the_end_of_the_series(predicted: pd.DataFrame) -> None:
    assert set(predicted["cutoff"]) == {LAST}


@pytest.fixture(scope="module")
def kinds(predicted: pd.DataFrame) -> dict[str, str]:
    return {name: str(kind) for name, kind in predicted.dtypes.items()}


def test_the_log_of_forecasts_has_its_columns(kinds: dict[str, str]) -> None:
    fixed = ["unique_id", "cutoff", "ds", "horizon_step", "y_hat", "model_version", "recorded_at"]
    marks = ["is_suspect", "suspect_reason"]
    bounds = [f"{side}_{level}" for level in (80, 95, 99) for side in ("lo", "hi")]
    assert list(kinds) == [*fixed, *marks, *bounds, *LINKS]


def test_the_log_of_forecasts_has_its_types(kinds: dict[str, str]) -> None:
    assert (kinds["horizon_step"], kinds["y_hat"]) == ("int64", "float64")
    assert kinds["recorded_at"].endswith("UTC]")


def test_forecasts_are_near_what_comes(predicted: pd.DataFrame) -> None:
    actual = make_sales(pd.Timestamp("2024-12-31")).rename(
        columns={"shop": "unique_id", "day": "ds"}
    )
    joined = predicted.merge(actual)
    assert (
        (joined["y_hat"] - joined["sales"]).abs() < joined["unique_id"].map({"a": 4.0, "b": 40.0})
    ).all()


def test_forecasting_twice_changes_nothing(run: Run, predicted: pd.DataFrame) -> None:
    run("predict_forecast")
    pd.testing.assert_frame_equal(pd.read_parquet(FORECASTS), predicted)


def test_forecasting_needs_neither_tensorflow_nor_keras(
    sales: Path, predicted: pd.DataFrame
) -> None:
    source = f"forecast.source.path={sales},forecast.source.time=day,forecast.source.target=sales"
    command = [
        sys.executable, "-X", "importtime", "-m", "kedro", "run", "--pipelines=predict_forecast", "--env=test",
        f"--params={source},forecast.source.id=shop",
    ]  # fmt: skip
    finished = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True)
    assert "rnn_pipelines.forecast.model.artefact" in finished.stderr
    assert re.findall(r"\| +(tensorflow|keras)\b", finished.stderr) == []


@pytest.mark.slow
def test_two_predictions_at_once_lose_nothing(sales: Path, predicted: pd.DataFrame) -> None:
    source = f"forecast.source.path={sales},forecast.source.time=day,forecast.source.target=sales"
    commands = [
        make_command(
            "predict_forecast", source, "forecast.source.id=shop", f"predict_forecast.as_of={day}"
        )
        for day in ("2024-08-29", "2024-08-30")
    ]
    running = [
        subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL) for command in commands
    ]
    assert [process.wait() for process in running] == [0, 0]
    found = ForecastLogDataset(filepath=str(FORECASTS)).load()
    assert (
        len(found)
        == len(found.drop_duplicates(["unique_id", "cutoff", "ds", "model_version"]))
        == 18
    )


def test_without_a_champion_the_error_says_what_to_do(
    run: Run, predicted: pd.DataFrame, tmp_path: Path
) -> None:
    away = tmp_path / "forecast"
    shutil.move(FOLDER, away)
    try:
        with pytest.raises(ChampionError, match="kedro champion retrain forecast"):
            run("predict_forecast")
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
        shutil.move(away, FOLDER)


@pytest.mark.slow
def test_champion_that_cannot_be_loaded_is_replaced(run: Run, predicted: pd.DataFrame) -> None:
    """By a night of retraining and prediction, as after an upgrade of NumPy; the alarm is on record before it."""
    store = ChampionStore(FOLDER)
    before = load_champion("forecast").version
    made = {name: read for name, read in store.load().files.items() if name != RECORD}
    files = {name: b"no model" if name == "model.npz" else read for name, read in made.items()}
    shutil.rmtree(FOLDER)
    unreadable = store.add_version(files)
    store.promote(unreadable, ["why"], "2024-01-01T00:00:00+00:00")
    run("retrain_forecast")
    alarm, *_, record = list_records(FOLDER)
    assert (alarm["kind"], unreadable in alarm["reasons"][0]) == ("alarm", True)
    assert (record["outcome"], record["champion"]) == ("promoted", None)
    assert load_champion("forecast").version == record["version"] != before
    assert list_damages(store) == []
    run("predict_forecast")
    assert record["version"] in set(pd.read_parquet(FORECASTS)["model_version"])
