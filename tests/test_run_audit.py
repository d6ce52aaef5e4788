"""Nights by the commands of the project, their audit, and what it says after somebody changed the log."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from authority import Authority, serve

PROJECT = Path(__file__).parents[1]
NUM_DAYS = 120
NUM_NIGHTS = 4
HORIZON = 3
FORECAST = {
    "source": {"path": "sales.csv", "time": "day", "target": "sales", "id": "shop"},
    "window": {"lookback": 7, "horizon": HORIZON},
    "split": {"validation": 20, "test": 20},
    "lstm": {"units": 2, "members": 1},
    "gru": {"units": 2, "members": 1},
    "training": {"max_steps": 1},
}

pytestmark = pytest.mark.slow


def write_sales(folder: Path, num_days: int) -> None:
    """Days of two shops; a longer table begins like a shorter one."""
    noise = np.random.default_rng(0).normal(size=(NUM_DAYS + NUM_NIGHTS, 2))[:num_days]
    days = pd.date_range("2024-01-01", periods=num_days)
    week = np.resize([0, 1, 2, 3, 4, 9, 9], num_days)
    tables = [
        pd.DataFrame({"shop": shop, "day": days, "sales": 40 + week + noise[:, number]})
        for number, shop in enumerate("ab")
    ]
    pd.concat(tables).to_csv(folder / "sales.csv", index=False)


def run_kedro(folder: Path, *words: str, code: int = 0) -> str:
    command = [sys.executable, "-m", "kedro", *words, "--env=test"]
    finished = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    assert finished.returncode == code, finished.stdout + finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a champion and the forecasts of some nights, with a new day each."""
    folder = tmp_path_factory.mktemp("audit")
    shutil.copy(PROJECT / "pyproject.toml", folder)
    shutil.copytree(PROJECT / "conf", folder / "conf", ignore=shutil.ignore_patterns("local"))
    (folder / "src").mkdir()
    (folder / "conf/test/parameters_forecast.yml").write_text(json.dumps({"forecast": FORECAST}))
    write_sales(folder, NUM_DAYS)
    run_kedro(folder, "champion", "retrain", "forecast")
    for night in range(NUM_NIGHTS):
        write_sales(folder, NUM_DAYS + night)
        run_kedro(folder, "run", "--pipelines=predict_forecast")
    return folder


def read_log(folder: Path) -> Path:
    return folder / ".test_data/07_model_output/predict_forecast/forecasts.parquet"


def audit(folder: Path, *options: str, code: int = 0) -> dict[str, Any]:
    return json.loads(
        run_kedro(folder, "champion", "audit", "forecast", "--json", *options, code=code)
    )


# In their order: the log is changed by the last ones.


@pytest.fixture(scope="module")
def stamped(elsewhere: Path) -> dict[str, Any]:
    return audit(elsewhere, "--stamp", "stamp.json")


def test_nights_are_verified(stamped: dict[str, Any]) -> None:
    assert (stamped["verdict"], stamped["num_nights"], stamped["num_rows"]) == (
        "ok",
        NUM_NIGHTS,
        2 * HORIZON * NUM_NIGHTS,
    )


def test_replayed_nights_prove_nothing(stamped: dict[str, Any]) -> None:
    # Three nights have a later value of the first step, two of the second, one of the third; and two shops. They are
    # replays, after the time of their targets by the clock.
    assert (stamped["num_proven"], stamped["mae"], stamped["by_step"]) == (0, None, [])


def test_replayed_nights_are_measured_apart(stamped: dict[str, Any]) -> None:
    assert (stamped["after_target"]["num_forecasts"], stamped["num_open"], stamped["num_late"]) == (
        12,
        12,
        0,
    )
    assert set(stamped["after_target"]["coverage"]) == {"80", "95", "99"}


def test_no_night_is_missing(stamped: dict[str, Any]) -> None:
    assert stamped["num_missing_nights"] == 0


def test_the_stamp_has_the_checksum(elsewhere: Path, stamped: dict[str, Any]) -> None:
    stamp = json.loads((elsewhere / "stamp.json").read_text())
    assert stamp["sha256"] == stamped["sha256"]


def test_a_stamp_overwrites_no_other_file(elsewhere: Path) -> None:
    before = (elsewhere / "sales.csv").read_bytes()
    run_kedro(elsewhere, "champion", "audit", "forecast", "--stamp", "sales.csv", code=1)
    assert (elsewhere / "sales.csv").read_bytes() == before


def test_errors_are_those_of_the_table(elsewhere: Path) -> None:
    log = pd.read_parquet(read_log(elsewhere))
    sales = pd.read_csv(elsewhere / "sales.csv", parse_dates=["day"])
    joined = log.merge(sales, left_on=["unique_id", "ds"], right_on=["shop", "day"])
    errors = (joined["sales"] - joined["y_hat"]).abs().groupby(joined["unique_id"]).mean()
    text = run_kedro(elsewhere, "champion", "audit", "forecast")
    assert text.startswith("forecast: 0 forecasts, each written before its value\n")
    assert (
        f"12 more: after their time by the clock, before a night knew the value: MAE {errors.mean():.4g},"
        in text
    )


def test_doubled_night_leaves_the_chain(elsewhere: Path) -> None:
    run_kedro(elsewhere, "run", "--pipelines=predict_forecast")
    assert audit(elsewhere, "--against", "stamp.json")["num_nights"] == NUM_NIGHTS


def test_forecasts_with_hindsight_are_not_counted(elsewhere: Path) -> None:
    """The night of an earlier day, made when the values were known."""
    run_kedro(
        elsewhere,
        "run",
        "--pipelines=predict_forecast",
        "--params",
        "predict_forecast.as_of=2024-04-20",
    )
    found = audit(elsewhere, "--against", "stamp.json")
    assert (found["after_target"]["num_forecasts"], found["num_late"]) == (12, 2 * HORIZON)
    assert found["num_nights"] == NUM_NIGHTS + 1


@pytest.fixture
def log_path(elsewhere: Path) -> Iterator[Path]:
    """The log of forecasts, which is as before after the test."""
    path = read_log(elsewhere)
    before = path.read_bytes()
    yield path
    path.write_bytes(before)


@pytest.fixture
def without_count(elsewhere: Path) -> Iterator[None]:
    """A champion that does not know how many nights there were, as of an earlier version of the project."""
    path = elsewhere / ".test_data/06_models/champion/forecast/log.json"
    before = path.read_bytes()
    path.unlink()
    yield
    path.write_bytes(before)


def remove_newest_nights(path: Path) -> None:
    log = pd.read_parquet(path)
    log.attrs = {"format": 1}
    log[: 2 * HORIZON].to_parquet(path)


def test_newest_night_that_was_removed_is_counted_by_the_champion(
    elsewhere: Path, log_path: Path
) -> None:
    remove_newest_nights(log_path)
    assert "the log of forecasts has lost rows" in audit(elsewhere, code=30)["reason"]


@pytest.mark.usefixtures("without_count")
def test_newest_night_that_was_removed_needs_the_stamp(elsewhere: Path, log_path: Path) -> None:
    remove_newest_nights(log_path)
    assert audit(elsewhere)["num_nights"] == 1
    found = audit(elsewhere, "--against", "stamp.json", code=30)
    assert "no night has the hash of the stamp" in found["reason"]


@pytest.mark.usefixtures("without_count")
def test_log_of_before_the_chain_gets_no_stamp(elsewhere: Path, log_path: Path) -> None:
    log = pd.read_parquet(log_path).drop(columns=["previous_sha256", "row_check"])
    log.attrs = {"format": 1}
    log.to_parquet(log_path)
    assert audit(elsewhere, "--stamp", "none.json")["sha256"] is None
    assert not (elsewhere / "none.json").exists()


def test_code_of_the_page_returns_what_was_believed_on_a_day(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The forecasts of the second night, and of the first one the target that the second no longer has."""
    (code,) = re.findall(
        r"```py\n(.*?)```", (PROJECT / "docs/how-to/audit.md").read_text(), re.DOTALL
    )
    log = pd.read_parquet(read_log(elsewhere))
    first, second, *_ = log["recorded_at"].unique()
    monkeypatch.chdir(elsewhere)
    code = code.replace("2024-02-03 00:00:00+00:00", str(second)).replace('"data/', '".test_data/')
    names: dict[str, Any] = {}
    exec(compile(code, "audit.md", "exec"), names)
    believed = names["believed"]
    assert believed.groupby("recorded_at").size().to_dict() == {first: 2, second: 2 * HORIZON}
    assert {"target_time", "available_at", "recorded_at", "model_version"} <= set(believed)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority") / "clock", "clock")


@pytest.fixture(scope="module")
def timed(elsewhere: Path, authority: Authority) -> dict[str, Any]:
    """The audit that requests a time stamp of four nights, and reads the certificate beside it."""
    folder = elsewhere / ".test_data/06_models/champion/forecast/time_stamps"
    folder.mkdir()
    shutil.copy(authority.certificate, folder)
    with serve(authority.reply) as url:
        return audit(elsewhere, "--tsa", url)


def test_time_stamp_names_time_and_authority(timed: dict[str, Any]) -> None:
    (stamp,) = timed["time_stamps"]
    assert stamp["authority"] == "CN=clock"
    assert timed["last_recorded_at"] < stamp["time"]


def test_time_stamp_without_network(
    elsewhere: Path, timed: dict[str, Any], authority: Authority
) -> None:
    """The fifth night; the first four have a time stamp already."""
    write_sales(elsewhere, NUM_DAYS + NUM_NIGHTS)
    run_kedro(elsewhere, "run", "--pipelines=predict_forecast")
    audit(elsewhere, "--query", "log.tsq")
    (elsewhere / "log.tsr").write_bytes(authority.reply((elsewhere / "log.tsq").read_bytes()))
    stamps = audit(elsewhere, "--reply", "log.tsr")["time_stamps"]
    first = timed["num_nights"]
    assert [stamp["num_nights"] for stamp in stamps] == [first, first + 1]
    text = run_kedro(elsewhere, "champion", "audit", "forecast")
    assert f"entries up to night {first + 1}, " in text
    assert "by the clock of CN=clock" in text


def test_time_stamp_of_a_stranger_is_refused(elsewhere: Path, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "stranger", "stranger").certificate
    run_kedro(elsewhere, "champion", "audit", "forecast", "--authority", str(stranger), code=1)


@pytest.mark.usefixtures("timed", "without_count")
def test_newest_night_that_was_removed_is_known_to_the_authority(
    elsewhere: Path, log_path: Path
) -> None:
    remove_newest_nights(log_path)
    reason = audit(elsewhere, code=30)["reason"]
    assert "no night has the hash of the time stamp" in reason


def test_changed_row_is_named(elsewhere: Path) -> None:
    path = read_log(elsewhere)
    log = pd.read_parquet(path)
    row = 2 * HORIZON + 1
    log.loc[row, "y_hat"] += 1e-9
    log.to_parquet(path)
    found = audit(elsewhere, code=30)
    assert found["verdict"] == "broken"
    assert found["row"] == {
        "unique_id": "a",
        "available_at": "2024-04-30",
        "target_time": "2024-05-02",
        "model_version": log.loc[row, "model_version"],
        "recorded_at": str(log.loc[row, "recorded_at"]),
    }
    assert "broken: unique_id a, available_at 2024-04-30, target_time 2024-05-02" in run_kedro(
        elsewhere, "champion", "audit", "forecast", code=30
    )
