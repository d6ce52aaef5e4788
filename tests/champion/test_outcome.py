"""What was decided is on record with the version, whatever breaks off after its promotion."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rnn_pipelines.champion import outcome
from rnn_pipelines.champion.changes import find_retraining, list_damages
from rnn_pipelines.champion.history import add_record, find_origin, list_records
from rnn_pipelines.champion.outcome import (
    Change,
    find_version,
    promote_version,
    record_failure,
    roll_back,
    save_outcome,
)
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


def break_off(
    store: ChampionStore, monkeypatch: pytest.MonkeyPatch, loss: float, step: str = "add_record"
) -> str:
    """Saves, but for what comes from a step on; returns the name of the version."""

    def fail(*_: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(outcome if step == "add_record" else store, step, fail)
        with pytest.raises(OSError, match="No space"):
            save(store, loss)
    return store.list_versions()[-1]


def find_losses(records: list[dict[str, Any]]) -> list[float]:
    return [
        record["metrics"]["challenger"]["loss"] for record in records if record["kind"] == "retrain"
    ]


def test_the_record_of_a_version_is_that_of_the_history(store: ChampionStore) -> None:
    save(store, 1.0)
    (record,) = store.list_records()
    assert record == list_records(store.folder)[0]


def test_the_record_of_a_version_is_one_of_its_files(store: ChampionStore) -> None:
    version = save(store, 1.0)
    (record,) = store.list_records()
    assert (record["record"], record["version"], RECORD in store.load().files) == (
        version,
        version,
        True,
    )


def test_challenger_that_is_kept_is_no_champion(store: ChampionStore) -> None:
    first = save(store, 1.0)
    save(store, 2.0, is_promoted=False)
    assert (store.load().version, find_losses(store.list_records())) == (first, [1.0, 2.0])


@pytest.fixture
def unrecorded(store: ChampionStore, monkeypatch: pytest.MonkeyPatch) -> str:
    """The version of a champion whose process ended before it was recorded."""
    save(store, 1.0)
    return break_off(store, monkeypatch, 2.0)


def test_an_unrecorded_champion_is_in_use(store: ChampionStore, unrecorded: str) -> None:
    assert store.load().version == unrecorded
    assert read_champion(store.folder)["versions"][unrecorded]["loss"] == 2.0


@pytest.mark.usefixtures("unrecorded")
def test_the_record_of_an_unrecorded_champion_is_that_of_its_version(store: ChampionStore) -> None:
    assert find_losses(store.list_records()) == [1.0, 2.0]
    assert find_losses(list_records(store.folder)) == [1.0]


def test_an_unrecorded_champion_is_the_newest_retraining(
    store: ChampionStore, unrecorded: str
) -> None:
    retraining = find_retraining(store.list_records())
    assert retraining is not None
    assert retraining["version"] == unrecorded


@pytest.mark.usefixtures("unrecorded")
def test_an_unrecorded_champion_is_no_damage(store: ChampionStore) -> None:
    assert list_damages(store) == []


def test_an_unrecorded_champion_outlives_its_pointer(store: ChampionStore, unrecorded: str) -> None:
    (store.folder / "champion.json").unlink()
    assert store.load().version == unrecorded


@pytest.mark.parametrize("change", ["retrain", "rollback", "promote"])
def test_next_change_adds_the_record(
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


def test_version_before_its_promotion_is_not_on_record(
    store: ChampionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else nothing would be new, and it would never be."""
    for _ in range(2):
        break_off(store, monkeypatch, 1.0, "promote")
        assert store.list_records() == []
    with pytest.raises(ChampionError, match="None was promoted yet"):
        store.load()


def test_unrecorded_version_is_recorded_once_promoted(
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
def test_record_of_a_planted_version_is_named_by_its_folder(
    store: ChampionStore, tmp_path: Path, name: str
) -> None:
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
    "content",
    [
        b"[]",
        b"1",
        b"",
        b'{"format": 1, "reasons": true}',
        b'{"format": 1, "metrics": [1]}',
        b"[" * 100_000,
    ],
)
def test_odd_record_of_a_version_is_left_out_with_a_word(
    store: ChampionStore, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    version = store.add_version({"model": b"1", RECORD: content})
    store.promote(version, [], SINCE)
    assert store.list_records() == []
    assert caplog.messages[0].startswith(
        f"{version}: left out of the history, because its record is damaged ("
    )


def test_the_error_of_a_failure_is_one_short_line(store: ChampionStore) -> None:
    """What ended a retraining may hold a cell of any length, and the history is for ever."""
    record_failure(store.folder, "forecast", ValueError("a\nERROR \x1b" + "x" * 5_000_000), None)
    (record,) = (json.loads(path.read_text()) for path in (store.folder / "history").glob("*.json"))
    assert len(record["error"]) <= MAX_MESSAGE
    assert record["error"].isprintable()


Promote = Callable[[str], str]


@pytest.fixture
def promote(store: ChampionStore) -> Promote:
    """Adds a version and promotes it, as a retraining does."""

    def promote_new(content: str) -> str:
        version = store.add_version({"model": content.encode()})
        store.promote(version, ["it is better"], "2026-01-31T02:00:00+00:00")
        add_record(store.folder, {"kind": "retrain", "is_promoted": True, "version": version})
        return version

    return promote_new


def damage(store: ChampionStore, version: str) -> None:
    (store.folder / "versions" / version / "model").write_bytes(b"else")


def test_rollback_goes_to_the_champion_before(store: ChampionStore, promote: Promote) -> None:
    first = promote("first")
    second = promote("second")
    assert roll_back(store, "forecast", "it was wrong") == Change(first, second, "it was wrong")
    assert store.load().version == first


def test_second_rollback_goes_two_back(store: ChampionStore, promote: Promote) -> None:
    """And not to the one that was left behind."""
    first = promote("first")
    promote("second")
    promote("third")
    roll_back(store, "forecast", "wrong")
    assert roll_back(store, "forecast", "wrong too").version == first


def test_rollback_passes_over_a_damaged_champion(store: ChampionStore, promote: Promote) -> None:
    first = promote("first")
    second = promote("second")
    promote("third")
    damage(store, second)
    assert roll_back(store, "forecast", "wrong").version == first


def test_what_was_left_behind_is_not_fallen_back_to(store: ChampionStore, promote: Promote) -> None:
    first = promote("first")
    second = promote("second")
    _ = promote("third")
    roll_back(store, "forecast", "wrong")
    damage(store, second)
    assert store.load().version == first
    # Where the pointer is lost.
    (store.folder / "champion.json").unlink()
    pointer = store.find_pointer()
    assert pointer is not None
    assert (pointer.version, pointer.previous) == (second, [first])


def test_rollback_is_on_record_with_its_reason(store: ChampionStore, promote: Promote) -> None:
    first = promote("first")
    second = promote("second")
    roll_back(store, "forecast", "it was wrong")
    pointer = store.read_pointer()
    record = list_records(store.folder)[-1]
    assert pointer is not None
    assert {key: value for key, value in record.items() if key not in ("format", "record")} == {
        "kind": "rollback",
        "task": "forecast",
        "at": pointer.since,
        "is_promoted": True,
        "version": first,
        "champion": second,
        "reasons": ["it was wrong"],
    }


def test_rollback_without_a_champion_before_changes_nothing(
    store: ChampionStore, promote: Promote
) -> None:
    first = promote("first")
    with pytest.raises(ChampionError, match=r"There was none\. Run kedro champion retrain"):
        roll_back(store, "forecast", "wrong")
    assert store.load().version == first
    assert len(list_records(store.folder)) == 1


def test_rollback_says_what_is_wrong_with_the_champions_before(
    store: ChampionStore, promote: Promote
) -> None:
    damage(store, promote("first"))
    second = promote("second")
    with pytest.raises(ChampionError, match="model changed after it was written"):
        roll_back(store, "forecast", "wrong")
    assert store.load().version == second


def test_the_first_promotion_has_no_champion_before(store: ChampionStore) -> None:
    version = store.add_version({"model": b"first"})
    assert promote_version(store, "forecast", version, "the first").before is None


def test_a_version_that_was_kept_back_can_be_promoted(
    store: ChampionStore, promote: Promote
) -> None:
    first = promote("first")
    kept = store.add_version({"model": b"kept"})
    assert promote_version(store, "forecast", kept, "I know better") == Change(
        kept, first, "I know better"
    )
    assert store.load().version == kept


def test_a_promotion_by_hand_is_recorded(store: ChampionStore, promote: Promote) -> None:
    first = promote("first")
    kept = store.add_version({"model": b"kept"})
    assert promote_version(store, "forecast", kept, "I know better") == Change(
        kept, first, "I know better"
    )
    assert list_records(store.folder)[-1]["kind"] == "promote"


def test_damaged_version_is_not_promoted(store: ChampionStore, promote: Promote) -> None:
    promote("first")
    kept = store.add_version({"model": b"kept"})
    damage(store, kept)
    with pytest.raises(ChampionError):
        promote_version(store, "forecast", kept, "I know better")
    assert len(list_records(store.folder)) == 1


def test_reason_goes_into_the_history_as_one_short_line(store: ChampionStore) -> None:
    reason = "it is\nforged \x1b[2J" + 9_000 * "x"
    change = promote_version(store, "forecast", store.add_version({"model": b"first"}), reason)
    assert change.reason.startswith("it is forged \\x1b[2Jxx")
    assert change.reason == list_records(store.folder)[-1]["reasons"][0]
    assert len(change.reason) == 2_000


@pytest.mark.parametrize("num_versions", [1, 30])
def test_message_on_an_unknown_version_is_short(store: ChampionStore, num_versions: int) -> None:
    versions = [store.add_version({"model": b"any"}) for _ in range(num_versions)]
    with pytest.raises(ChampionError, match="no such version") as raised:
        find_version(store, 3_000 * "x")
    assert versions[-1] in str(raised.value)
    assert len(str(raised.value)) < 900


def test_a_version_is_known_by_its_last_letters(store: ChampionStore) -> None:
    first = store.add_version({"model": b"first"})
    _ = store.add_version({"model": b"second"})
    assert find_version(store, first[-6:]) == first


def test_letters_of_two_versions_are_refused(store: ChampionStore) -> None:
    first = store.add_version({"model": b"first"})
    _ = store.add_version({"model": b"second"})
    with pytest.raises(ChampionError, match="2 versions"):
        find_version(store, first[:4])


@pytest.mark.parametrize("name", ["nothing", "", "../first"])
def test_what_is_no_version_is_refused(store: ChampionStore, name: str) -> None:
    version = store.add_version({"model": b"first"})
    with pytest.raises(ChampionError, match=f"no such version. There are {version}"):
        find_version(store, name)
