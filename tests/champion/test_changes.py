"""A retraining is left out only where it would come to the same decision again."""

from pathlib import Path
from typing import Any

import pytest

from rnn_pipelines.champion.changes import find_retraining, list_changes, list_damages
from rnn_pipelines.champion.history import add_record
from rnn_pipelines.champion.manifest import describe_loader
from rnn_pipelines.champion.store import ChampionStore

NOW = {"data": "d1", "parameters": "p1", "code": "c1"}


@pytest.fixture
def store(tmp_path: Path) -> ChampionStore:
    return ChampionStore(tmp_path / "forecast")


def retrain(store: ChampionStore, outcome: str = "kept", **fingerprints: str) -> None:
    record: dict[str, Any] = {
        "kind": "retrain",
        "outcome": outcome,
        "is_promoted": False,
        "version": None,
    }
    add_record(store.folder, record | {"fingerprints": NOW | fingerprints})


def promote(store: ChampionStore) -> str:
    version = store.add_version({"model": b"model"})
    store.promote(version, ["the first"], "2026-01-31T02:00:00+00:00")
    return version


def test_the_first_retraining_is_a_change(store: ChampionStore) -> None:
    assert list_changes(store, NOW) == ["the first retraining"]


def test_the_first_retraining_is_no_damage(store: ChampionStore) -> None:
    assert list_damages(store) == []


def test_a_failed_retraining_is_none() -> None:
    assert find_retraining([{"kind": "alarm"}, {"kind": "retrain", "outcome": "failed"}]) is None


def test_a_whole_champion_is_no_change(store: ChampionStore) -> None:
    promote(store)
    retrain(store)
    assert list_changes(store, NOW) == []


def test_a_damaged_champion_is_a_change(store: ChampionStore) -> None:
    version = promote(store)
    retrain(store)
    (store.folder / "versions" / version / "model").write_bytes(b"else")
    assert "model changed after it was written" in list_changes(store, NOW)[0]


@pytest.mark.parametrize("kind", NOW)
def test_other_data_parameters_or_code_are_a_change(store: ChampionStore, kind: str) -> None:
    retrain(store, **{kind: "else"})
    assert list_changes(store, NOW) == [f"other {kind}"]


def test_failed_retraining_is_tried_again(store: ChampionStore) -> None:
    retrain(store)
    retrain(store, "failed", code="broken")
    assert list_changes(store, NOW) == ["the last retraining failed"]
    retrain(store)
    assert list_changes(store, NOW) == []
    # What failed decided nothing, even where it got to know the newest data.
    retrain(store, data="older")
    retrain(store, "failed")
    assert list_changes(store, NOW) == ["other data"]


def test_a_rollback_by_hand_is_no_change(store: ChampionStore) -> None:
    """Else the model that was rolled back would come back the next night."""
    retrain(store)
    add_record(store.folder, {"kind": "rollback", "is_promoted": True, "version": promote(store)})
    assert list_changes(store, NOW) == []


def test_only_the_newest_retraining_counts(store: ChampionStore) -> None:
    retrain(store)
    retrain(store, data="else")
    assert list_changes(store, NOW) == ["other data"]


def find_unreadable_champion(store: ChampionStore, **loader: object) -> None:
    """As whoever loads it records it."""
    version = promote(store)
    record = {
        "kind": "alarm",
        "unreadable": {version: "it can't be loaded"},
        "loader": describe_loader() | loader,
    }
    add_record(store.folder, record)


def test_champion_that_this_loader_could_not_load_is_a_change(store: ChampionStore) -> None:
    retrain(store)
    find_unreadable_champion(store)
    assert "it can't be loaded" in list_changes(store, NOW)[0]
    (version,) = store.list_versions()
    add_record(
        store.folder, {"kind": "recovery", "readable": [version], "loader": {"code": "else"}}
    )
    assert "it can't be loaded" in list_changes(store, NOW)[0]
    add_record(
        store.folder, {"kind": "recovery", "readable": [version], "loader": describe_loader()}
    )
    assert list_changes(store, NOW) == []


@pytest.mark.parametrize(
    "loader", [{"code": "else"}, {"versions": {"keras": "2.0"}}], ids=["code", "libraries"]
)
def test_what_another_loader_could_not_load_is_no_change(
    store: ChampionStore, loader: dict[str, object]
) -> None:
    """After an upgrade that was taken back, all is well again."""
    retrain(store)
    find_unreadable_champion(store, **loader)
    assert list_changes(store, NOW) == []


def test_next_champion_ends_the_alarm(store: ChampionStore) -> None:
    retrain(store)
    find_unreadable_champion(store)
    promote(store)
    assert list_changes(store, NOW) == []


def test_record_without_fingerprints_is_a_change(store: ChampionStore) -> None:
    add_record(store.folder, {"kind": "retrain", "outcome": "kept", "fingerprints": None})
    assert list_changes(store, NOW) == ["other data", "other parameters", "other code"]
