"""What was decided is on record with the version, whatever breaks off after its promotion."""

import json
from pathlib import Path
from typing import Any

import pytest

from rnn_pipelines.champion import outcome
from rnn_pipelines.champion.changes import find_retraining, list_damages
from rnn_pipelines.champion.history import find_origin, list_records
from rnn_pipelines.champion.manual import promote_version, roll_back
from rnn_pipelines.champion.outcome import record_failure, save_outcome
from rnn_pipelines.champion.store import RECORD, ChampionStore
from rnn_pipelines.champion.verdict import read_champion
from rnn_pipelines.errors import MAX_MESSAGE, ChampionError

pytestmark = pytest.mark.usefixtures("no_wait_for_the_disk")

SINCE = "2026-01-31T02:00:00+00:00"


def save(store: ChampionStore, loss: float, is_promoted: bool = True) -> str:
    record = {
        "kind": "retrain",
        "outcome": "promoted" if is_promoted else "kept",
        "is_promoted": is_promoted,
        "reasons": ["it is better"],
        "metrics": {"challenger": {"loss": loss}},
    }
    return save_outcome(store, {"model": str(loss).encode()}, record, SINCE)


def break_off(store: ChampionStore, monkeypatch: pytest.MonkeyPatch, loss: float, step: str = "add_record") -> str:
    """Saves, but for what comes from a step on; returns the name of the version."""

    def fail(*_: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(outcome if step == "add_record" else store, step, fail)
        with pytest.raises(OSError, match="No space"):
            save(store, loss)
    return store.list_versions()[-1]


def find_losses(records: list[dict[str, Any]]) -> list[float]:
    return [record["metrics"]["challenger"]["loss"] for record in records if record["kind"] == "retrain"]


def test_record_is_the_same_in_version_and_history(store: ChampionStore) -> None:
    version = save(store, 1.0)
    (record,) = store.list_records()
    assert record == list_records(store.folder)[0]
    assert (record["record"], record["version"], RECORD in store.load().files) == (version, version, True)


def test_challenger_that_is_kept_is_no_champion(store: ChampionStore) -> None:
    first = save(store, 1.0)
    save(store, 2.0, is_promoted=False)
    assert (store.load().version, find_losses(store.list_records())) == (first, [1.0, 2.0])


def test_what_the_champion_promised_is_known_though_its_record_was_never_written(
    store: ChampionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(store, 1.0)
    version = break_off(store, monkeypatch, 2.0)
    assert store.load().version == version
    assert read_champion(store.folder)["versions"][version]["loss"] == 2.0
    assert find_losses(store.list_records()) == [1.0, 2.0]
    assert find_losses(list_records(store.folder)) == [1.0]
    found = find_retraining(store.list_records())
    assert found is not None
    assert found["version"] == version
    assert list_damages(store) == []


@pytest.mark.parametrize("change", ["retrain", "rollback", "promote"])
def test_next_change_of_the_champion_adds_the_record(
    store: ChampionStore, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Under the version's name, at its place."""
    first = save(store, 1.0)
    version = break_off(store, monkeypatch, 2.0)
    known = find_origin(store.list_records(), version)
    match change:
        case "retrain":
            save(store, 3.0)
        case "rollback":
            roll_back(store, "forecast", "wrong")
        case "promote":
            promote_version(store, "forecast", first, "wrong")
    assert list_records(store.folder)[1] == known


def test_champion_without_a_record_outlives_its_pointer(store: ChampionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    save(store, 1.0)
    version = break_off(store, monkeypatch, 2.0)
    (store.folder / "champion.json").unlink()
    assert store.load().version == version


def test_version_that_was_not_promoted_yet_is_not_on_record(
    store: ChampionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else nothing would be new, and it would never be."""
    for _ in range(2):
        break_off(store, monkeypatch, 1.0, "promote")
        assert store.list_records() == []
    with pytest.raises(ChampionError, match="None was promoted yet"):
        store.load()


def test_kept_version_without_a_record_has_one_once_it_is_promoted_by_hand(
    store: ChampionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(store, 1.0)
    version = break_off(store, monkeypatch, 2.0, "promote")
    promote_version(store, "forecast", version, "by hand")
    assert find_losses(store.list_records()) == [1.0, 2.0]


def test_damaged_record_of_the_champion_is_told_by_its_version(store: ChampionStore) -> None:
    version = save(store, 1.0)
    (store.folder / "history" / f"{version}.json").write_text("{")
    assert find_losses(store.list_records()) == [1.0]


def test_version_of_before_has_no_record_in_it(store: ChampionStore) -> None:
    store.promote(store.add_version({"model": b"model"}), ["why"], SINCE)
    assert store.list_records() == []


@pytest.mark.parametrize("name", ["../../elsewhere", "../elsewhere", "ROOT/elsewhere", "elsewhere"])
def test_record_of_a_planted_version_is_named_by_its_folder(store: ChampionStore, tmp_path: Path, name: str) -> None:
    """What it says of its own name would be written wherever that leads."""
    planted: dict[str, Any] = {
        "format": 1,
        "kind": "retrain",
        "is_promoted": True,
        "reasons": [],
        "record": name.replace("ROOT", str(tmp_path)),
    }
    version = store.add_version({"model": b"1", RECORD: json.dumps(planted).encode()})
    store.promote(version, [], SINCE)
    latest = save(store, 1.0)
    assert [record["record"] for record in list_records(store.folder)] == [version, latest]
    assert [record["version"] for record in list_records(store.folder)] == [version, latest]
    assert {path.name for path in tmp_path.rglob("*elsewhere*")} == set()


@pytest.mark.parametrize(
    "content", [b"[]", b"1", b"", b'{"format": 1, "reasons": true}', b'{"format": 1, "metrics": [1]}', b"[" * 100_000]
)
def test_odd_record_of_a_version_is_left_out_with_a_word(
    store: ChampionStore, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    version = store.add_version({"model": b"1", RECORD: content})
    store.promote(version, [], SINCE)
    assert store.list_records() == []
    assert caplog.messages[0].startswith(f"{version}: left out of the history, because its record is damaged (")


def test_failure_is_recorded_on_one_line_and_cut(store: ChampionStore) -> None:
    """What ended a retraining may hold a cell of any length, and the history is for ever."""
    record_failure(store.folder, "forecast", ValueError("a\nERROR \x1b" + "x" * 5_000_000), None)
    (record,) = (json.loads(path.read_text()) for path in (store.folder / "history").glob("*.json"))
    assert len(record["error"]) <= MAX_MESSAGE
    assert record["error"].isprintable()
