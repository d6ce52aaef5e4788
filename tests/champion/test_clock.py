"""A clock that was ahead once: what comes later is later, whatever the clock says then."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.champion.changes import list_changes
from rnn_pipelines.champion.outcome import promote_version, record_failure, roll_back, save_outcome
from rnn_pipelines.champion.records import Record
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.champion.verdict import check_task, read_findings
from rnn_pipelines.storage import names as storage_names

pytestmark = pytest.mark.usefixtures("no_wait_for_the_disk")

NOW = {"data": "d1", "parameters": "p1", "code": "c1"}
DAYS_AHEAD = 2000
SetClock = Callable[[float], None]


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Sets the clock of everything on record, in days from now."""
    days = 0.0

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(days=days)

    monkeypatch.setattr(storage_names, "datetime", Clock)

    def set_days(number: float) -> None:
        nonlocal days
        days = number

    return set_days


def retrain(store: ChampionStore, is_promoted: bool = True, data: str = "d1") -> str:
    record: Record = {
        "kind": "retrain",
        "at": storage_names.make_timestamp(),
        "outcome": "promoted" if is_promoted else "kept",
        "is_promoted": is_promoted,
        "reasons": ["why"],
        "fingerprints": {"data": data, "parameters": "p1", "code": "c1"},
    }
    return save_outcome(store, {"model": b"1"}, record, storage_names.make_timestamp())


@pytest.fixture
def ahead(store: ChampionStore, set_clock: SetClock) -> str:
    """The version of a night on which the clock was ahead, after one on which it was right; it is right again."""
    retrain(store, data="d0")
    set_clock(DAYS_AHEAD)
    version = retrain(store, data="d0")
    set_clock(0)
    return version


@pytest.mark.usefixtures("ahead")
def test_next_night_finds_nothing_new(store: ChampionStore) -> None:
    retrain(store)
    assert list_changes(store, {**NOW}) == []


@pytest.mark.usefixtures("ahead")
def test_later_failure_is_seen(store: ChampionStore, tmp_path: Path) -> None:
    record_failure(store.folder, "forecast", ValueError("no such file"), None)
    reasons = check_task(store, tmp_path / "none").reasons
    assert "the last retraining failed: ValueError: no such file" in reasons


def test_champion_of_a_lost_pointer_is_the_latest(store: ChampionStore, ahead: str) -> None:
    latest = retrain(store)
    (store.folder / "champion.json").unlink()
    assert store.load().version == latest


def test_without_pointer_or_history_the_order_of_the_versions_is_left(
    store: ChampionStore, ahead: str
) -> None:
    latest = retrain(store)
    (store.folder / "champion.json").write_bytes(b"damaged")
    shutil.rmtree(store.folder / "history")
    pointer = store.find_pointer()
    assert pointer is not None
    assert [pointer.version, *pointer.previous][:2] == [latest, ahead]


def test_what_people_decided_later_counts_where_the_pointer_is_lost(
    store: ChampionStore, ahead: str
) -> None:
    first = store.list_versions()[0]
    latest = retrain(store)
    promote_version(store, "forecast", first, "I know better")
    roll_back(store, "forecast", "I did not")
    (store.folder / "champion.json").unlink()
    assert store.load().version == latest


def test_newest_versions_stay_where_others_are_pruned(store: ChampionStore, ahead: str) -> None:
    newest = [retrain(store, is_promoted=False) for _ in range(2)]
    store.prune(2)
    assert store.list_versions()[-2:] == newest


@pytest.mark.parametrize("days", [-4000, 0, DAYS_AHEAD, 2_900_000])
def test_names_never_go_back(
    store: ChampionStore, ahead: str, set_clock: SetClock, days: float
) -> None:
    """Even where the clock is ahead by as much as can be written."""
    set_clock(days)
    versions = [retrain(store) for _ in range(3)]
    assert store.list_versions()[-3:] == versions
    assert [record["version"] for record in store.list_records()][-3:] == versions


def test_champion_from_the_future_is_as_if_it_were_new() -> None:
    promoted_at = (datetime.now(UTC) + timedelta(days=DAYS_AHEAD)).isoformat()
    assert LoadedChampion("v", None, promoted_at, (), {}).age_days == 0


@pytest.mark.parametrize("promoted_at", ["2026-01-31", "2026-01-31T02:00:00", "yesterday"])
def test_time_without_its_zone_is_no_age(promoted_at: str) -> None:
    assert LoadedChampion("v", None, promoted_at, (), {}).age_days is None


def test_verdict_from_the_future_is_an_alarm(tmp_path: Path) -> None:
    """It would be believed for years, though no monitor looked again."""
    at = datetime.now(UTC) + timedelta(days=DAYS_AHEAD)
    found = {
        "verdict": "ok",
        "reasons": ["well"],
        "at": at.isoformat(),
        "valid_until": at.isoformat(),
    }
    path = tmp_path / "verdict.json"
    path.write_text(json.dumps(found))
    assert [finding.level for finding in read_findings(path)] == ["ok", "alarm"]
