"""Ten and more nights of a feed that goes wrong: each night's exit code is the one that a person would set.

Every night begins with the same champion and log, after three ordinary nights. The table of
`docs/explanation/guarantees.md` lists the nights with their codes.
"""

import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.champion.verdict import Verdict, check_task
from rnn_pipelines.cli.champion import CHECK_CODES
from rnn_pipelines.forecast.datasets import FORMAT, ForecastLogDataset
from rnn_pipelines.forecast.methods.predictions import keep_first_record, keep_last_record
from whole_runs import PROJECT, call_command, copy_configuration, run_here

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

SHOPS = ["a", "b", "c", "d"]
# By default, the nights retrain whose champion must stay in use; the others then keep theirs, which saves a minute.
EVERY_NIGHT_RETRAINS = os.environ.get("RNN_NIGHTS") == "all"
# Of the last ordinary night.
NUM_DAYS = 240
LAST = pd.Timestamp("2024-01-01") + pd.Timedelta(days=NUM_DAYS - 1)
FORECAST = {
    "window": {"lookback": 14, "horizon": 7},
    "split": {"validation": 40, "test": 40},
    "lstm": {"units": 2, "members": 1},
    "gru": {"units": 2, "members": 1},
    "training": {"max_steps": 1},
    "covariates": {"past": ["price"]},
}


def make_table(num_days: int) -> pd.DataFrame:
    """Days of four shops, with a week and noise; a longer table begins like a shorter one. Sales of d are near 0."""
    tables = []
    for number, shop in enumerate(SHOPS):
        noise = np.random.default_rng(100 + number).normal(size=(300, 2))[:num_days]
        week = np.resize([0, 1, 2, 3, 4, 9, 9], num_days)
        sales = (
            5 + np.abs(noise[:, 0]) if shop == "d" else 40 + 10 * number + week + 2 * noise[:, 0]
        )
        days = pd.date_range("2024-01-01", periods=num_days)
        tables.append(
            pd.DataFrame({"shop": shop, "day": days, "sales": sales, "price": 10 + noise[:, 1]})
        )
    return pd.concat(tables, ignore_index=True)


def change(
    table: pd.DataFrame, rows: pd.Series, change: Callable[[pd.Series], Any], column: str = "sales"
) -> pd.DataFrame:
    return table.assign(**{column: table[column].mask(rows, change(table[column]))})


def add_days(num_days: int = 1) -> pd.DataFrame:
    return make_table(NUM_DAYS + num_days)


def is_new(table: pd.DataFrame) -> pd.Series:
    return table["day"] > LAST


def is_of(*shops: str) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda table: table["shop"].isin(shops)


@dataclass(frozen=True)
class Night:
    """A night after the ordinary ones.

    Attributes:
        make: makes its table.
        code: that a person would set.
        reason: a part of a reason of the check.
        is_kept: whether the champion must stay in use.
    """

    make: Callable[[], pd.DataFrame]
    code: int
    reason: str = ""
    is_kept: bool = False


def take(rows: Callable[[pd.DataFrame], pd.Series], num_days: int = 1) -> pd.DataFrame:
    table = add_days(num_days)
    return table[rows(table)]


def set_sales(
    rows: Callable[[pd.DataFrame], pd.Series],
    to: Callable[[pd.Series], Any],
    num_days: int = 1,
    column: str = "sales",
) -> pd.DataFrame:
    table = add_days(num_days)
    return change(table, rows(table), to, column)


# By their rows in the table of the guarantees.
NIGHTS = {
    "the next day": Night(add_days, 0),
    "late corrections: the last three days 5 % higher": Night(
        lambda: set_sales(lambda t: t["day"] > LAST - pd.Timedelta(days=3), lambda y: 1.05 * y, 0),
        0,
    ),
    "a gap of five days": Night(
        lambda: take(lambda t: ~is_new(t) | (t["day"] == t["day"].max()), 6), 0
    ),
    "old rows leave the table, as many as come": Night(
        lambda: take(lambda t: t["day"] > "2024-01-01"), 0
    ),
    "the history is revised: all values 1.5 times as large": Night(
        lambda: set_sales(lambda t: t["day"] > "2000", lambda y: 1.5 * y),
        20,
        "and was",
        is_kept=True,
    ),
    "another unit: all values 1,000 times as large, the history too": Night(
        lambda: set_sales(lambda t: t["day"] > "2000", lambda y: 1000 * y),
        20,
        "and was",
        is_kept=True,
    ),
    "another unit from this day on: 1,000 times as large": Night(
        lambda: set_sales(is_new, lambda y: 1000 * y), 20, "above 16"
    ),
    "the same in one of four series": Night(
        lambda: set_sales(lambda t: is_new(t) & is_of("a")(t), lambda y: 1000 * y), 20, "above 16"
    ),
    "one newest value 1,000 times as large": Night(
        lambda: set_sales(lambda t: is_new(t) & is_of("b")(t), lambda y: 1000 * y), 20, "2024-08-28"
    ),
    "all times six hours later": Night(
        lambda: add_days().assign(day=lambda t: t["day"] + pd.Timedelta(hours=6)),
        20,
        "one of the training",
    ),
    "the newest 60 days vanish": Night(
        lambda: take(lambda t: t["day"] <= LAST - pd.Timedelta(days=60), 0), 20, "", is_kept=True
    ),
    "the first half of the rows vanishes": Night(
        lambda: take(lambda t: t["day"] > LAST - pd.Timedelta(days=NUM_DAYS // 2)),
        20,
        "had",
        is_kept=True,
    ),
    "one of four series vanishes": Night(lambda: take(is_of("a", "b", "c")), 20, "no values"),
    "one of four series ends, the others go on for eight days": Night(
        lambda: take(lambda t: ~is_new(t) | is_of("a", "b", "d")(t), 8), 20, "ended"
    ),
    "a series repeats its last value for twelve days": Night(
        lambda: set_sales(lambda t: is_new(t) & is_of("a")(t), lambda y: 47.0, 12), 20, "equal"
    ),
    "a series falls below 0 for five days, for the first time": Night(
        lambda: set_sales(lambda t: is_new(t) & is_of("d")(t), lambda y: 4 - y, 5), 10, "below 0"
    ),
    "a covariate in another unit for six days": Night(
        lambda: set_sales(is_new, lambda x: 100 * x, 6, "price"), 10, "covariate price"
    ),
}


UNIT = "another unit: all values 1,000 times as large, the history too"
CODES = {name: night.code for name, night in NIGHTS.items()}
CODES |= {"nothing new": 0, "nothing new for eight days": 20, "the night after a repair": 0}
CODES |= {"the night after its correction": 0, "a lost log of forecasts": 20}


@dataclass(frozen=True)
class Place:
    """A configuration with its data."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log_path(self) -> Path:
        return self.data / "07_model_output/predict_forecast/forecasts.parquet"

    @property
    def log(self) -> pd.DataFrame:
        return ForecastLogDataset(filepath=str(self.log_path)).load()

    def configure(self) -> "Place":
        source = {
            "path": str(self.folder / "sales.csv"),
            "time": "day",
            "target": "sales",
            "id": "shop",
        }
        settings = {"forecast": FORECAST | {"source": source}}
        (self.folder / "conf/test/parameters_forecast.yml").write_text(json.dumps(settings))
        (self.folder / "conf/test/globals.yml").write_text(f"data_root: {self.data}\n")
        return self

    def find_version(self) -> str:
        pointer = ChampionStore(self.data / "06_models/champion/forecast").find_pointer()
        assert pointer is not None
        return pointer.version

    def sleep(self, table: pd.DataFrame, *, is_new: bool = True) -> Verdict:
        """Run the commands of a night, and return the verdict of the check."""
        path = self.folder / "sales.csv"
        table.to_csv(path, index=False)
        # Without news, `kedro champion retrain` ends at once.
        for pipeline in ["retrain_forecast"] * is_new + ["predict_forecast", "monitor_forecast"]:
            run_here(pipeline, {}, self.folder / "conf")
        store = ChampionStore(self.data / "06_models/champion/forecast")
        return check_task(store, self.data / "08_reporting/monitor_forecast/verdict.json")


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, list[int]]:
    """Three ordinary nights, and their exit codes."""
    folder = tmp_path_factory.mktemp("nights")
    copy_configuration(folder)
    place = Place(folder).configure()
    return place, [
        CHECK_CODES[place.sleep(make_table(NUM_DAYS - back)).verdict] for back in (2, 1, 0)
    ]


@pytest.fixture(scope="module")
def sleep(
    ordinary: tuple[Place, list[int]], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], tuple[Place, Verdict]]:
    """Runs a night once, on a copy of the place after the ordinary ones."""

    @cache
    def sleep_once(name: str) -> tuple[Place, Verdict]:
        place = copy_place(ordinary[0], tmp_path_factory.mktemp("night"))
        night = NIGHTS[name]
        return place, place.sleep(night.make(), is_new=night.is_kept or EVERY_NIGHT_RETRAINS)

    return sleep_once


def copy_place(place: Place, folder: Path) -> Place:
    shutil.copytree(place.folder, folder, symlinks=True, dirs_exist_ok=True)
    return Place(folder).configure()


def test_ordinary_nights_are_ok(ordinary: tuple[Place, list[int]]) -> None:
    assert ordinary[1] == [0, 0, 0]


@pytest.mark.parametrize("name", NIGHTS)
def test_night_has_the_code_that_a_person_would_set(
    ordinary: tuple[Place, list[int]], sleep: Callable[[str], tuple[Place, Verdict]], name: str
) -> None:
    night = NIGHTS[name]
    place, verdict = sleep(name)
    assert (CHECK_CODES[verdict.verdict], verdict.reasons) == (night.code, verdict.reasons)
    assert any(night.reason in reason for reason in verdict.reasons)
    before = ordinary[0]
    if night.is_kept:
        assert place.find_version() == before.find_version()
    # Whatever happens, the log only grows.
    pd.testing.assert_frame_equal(place.log.head(len(before.log)), before.log)


def test_night_after_a_repair_is_ok(sleep: Callable[[str], tuple[Place, Verdict]]) -> None:
    """Although the log has the wrong forecasts of one night."""
    place, _ = sleep(UNIT)
    assert CHECK_CODES[place.sleep(add_days(2)).verdict] == CODES["the night after a repair"]


@pytest.fixture(scope="module")
def corrected(sleep: Callable[[str], tuple[Place, Verdict]]) -> Verdict:
    place, _ = sleep("one newest value 1,000 times as large")
    return place.sleep(add_days(2), is_new=False)


def test_night_after_a_correction_is_ok(corrected: Verdict) -> None:
    assert CHECK_CODES[corrected.verdict] == CODES["the night after its correction"]


def test_correction_is_told(corrected: Verdict) -> None:
    assert any(reason.startswith("ok again since") for reason in corrected.reasons)


def test_lost_log_is_an_alarm(ordinary: tuple[Place, list[int]], tmp_path: Path) -> None:
    place = copy_place(ordinary[0], tmp_path)
    place.log_path.unlink()
    verdict = place.sleep(add_days(), is_new=False)
    assert CHECK_CODES[verdict.verdict] == CODES["a lost log of forecasts"]


def test_run_with_a_gross_value_ends_with_the_code_of_an_alarm(
    ordinary: tuple[Place, list[int]], tmp_path: Path
) -> None:
    place = copy_place(ordinary[0], tmp_path)
    night = NIGHTS["one newest value 1,000 times as large"]
    night.make().to_csv(place.folder / "sales.csv", index=False)
    result = call_command("predict_forecast", arguments=[f"--conf-source={place.folder / 'conf'}"])
    assert result.exit_code == CHECK_CODES["alarm"]
    newest = pd.read_parquet(place.data / "07_model_output/predict_forecast/next_values.parquet")
    assert newest.loc[newest["is_suspect"], "unique_id"].unique().tolist() == ["b"]


def test_corrected_values_give_forecasts_beside_the_first_ones(
    ordinary: tuple[Place, list[int]], sleep: Callable[[str], tuple[Place, Verdict]]
) -> None:
    before = ordinary[0].log
    place, _ = sleep("late corrections: the last three days 5 % higher")
    num_new = len(place.log) - len(before)
    assert num_new == 7 * len(SHOPS)
    pd.testing.assert_frame_equal(keep_first_record(place.log), before)
    newest = pd.read_parquet(place.data / "07_model_output/predict_forecast/next_values.parquet")
    last = keep_last_record(place.log).tail(num_new)
    assert (
        newest["y_hat"].tolist()
        == last["y_hat"].tolist()
        == place.log["y_hat"].tail(num_new).tolist()
    )


# Last, because it goes on in the place of the ordinary nights.


def test_night_without_anything_new_is_ok_for_a_week(ordinary: tuple[Place, list[int]]) -> None:
    """Then the feed has stopped. The log holds nothing twice."""
    place = ordinary[0]
    table = add_days(0)
    before = ordinary[0].log
    assert CHECK_CODES[place.sleep(table, is_new=False).verdict] == CODES["nothing new"]
    pd.testing.assert_frame_equal(place.log, before)
    before.attrs = {"format": FORMAT}
    before.assign(recorded_at=before["recorded_at"] - pd.Timedelta(days=8)).to_parquet(
        place.log_path
    )
    verdict = place.sleep(table, is_new=False)
    assert CHECK_CODES[verdict.verdict] == CODES["nothing new for eight days"]
    # The changed log is an alarm of its own.
    assert any("8 days" in reason for reason in verdict.reasons)


def test_table_of_the_guarantees_lists_the_nights_with_their_codes() -> None:
    page = (PROJECT / "docs/explanation/guarantees.md").read_text()
    rows = re.findall(r"^\| (.+?) \| (0|10|20) \|", page, re.MULTILINE)
    assert {name: int(code) for name, code in rows} == CODES
