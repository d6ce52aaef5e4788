"""What people decide is done, whole and on record; a rollback leads back, step by step."""

from collections.abc import Callable

import pytest

from rnn_pipelines.champion.history import add_record, list_records
from rnn_pipelines.champion.manual import Change, find_version, promote_version, roll_back
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.errors import ChampionError

pytestmark = pytest.mark.usefixtures("no_wait_for_the_disk")

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
    first, second = promote("first"), promote("second")
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
    first, second = promote("first"), promote("second")
    promote("third")
    damage(store, second)
    assert roll_back(store, "forecast", "wrong").version == first


def test_what_was_left_behind_is_not_fallen_back_to(store: ChampionStore, promote: Promote) -> None:
    first, second, _ = promote("first"), promote("second"), promote("third")
    roll_back(store, "forecast", "wrong")
    damage(store, second)
    assert store.load().version == first


def test_history_knows_the_champion_after_a_rollback_too(store: ChampionStore, promote: Promote) -> None:
    """Where the pointer is lost."""
    first, second, _ = promote("first"), promote("second"), promote("third")
    roll_back(store, "forecast", "wrong")
    (store.folder / "champion.json").unlink()
    pointer = store.find_pointer()
    assert pointer is not None
    assert (pointer.version, pointer.previous) == (second, [first])


def test_rollback_is_on_record_with_its_reason(store: ChampionStore, promote: Promote) -> None:
    first, second = promote("first"), promote("second")
    roll_back(store, "forecast", "it was wrong")
    pointer, record = store.read_pointer(), list_records(store.folder)[-1]
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


def test_rollback_without_a_champion_before_changes_nothing(store: ChampionStore, promote: Promote) -> None:
    first = promote("first")
    with pytest.raises(ChampionError, match=r"There was none\. Run kedro champion retrain"):
        roll_back(store, "forecast", "wrong")
    assert store.load().version == first
    assert len(list_records(store.folder)) == 1


def test_rollback_says_what_is_wrong_with_the_champions_before(store: ChampionStore, promote: Promote) -> None:
    damage(store, promote("first"))
    second = promote("second")
    with pytest.raises(ChampionError, match="model changed after it was written"):
        roll_back(store, "forecast", "wrong")
    assert store.load().version == second


def test_version_that_was_kept_back_can_be_promoted(store: ChampionStore, promote: Promote) -> None:
    first, kept = promote("first"), store.add_version({"model": b"kept"})
    assert promote_version(store, "forecast", kept, "I know better") == Change(kept, first, "I know better")
    assert store.load().version == kept
    assert list_records(store.folder)[-1]["kind"] == "promote"


def test_first_champion_by_hand_has_none_before(store: ChampionStore) -> None:
    version = store.add_version({"model": b"first"})
    assert promote_version(store, "forecast", version, "the first").before is None


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


def test_version_is_known_by_its_last_letters(store: ChampionStore) -> None:
    first, _ = store.add_version({"model": b"first"}), store.add_version({"model": b"second"})
    assert find_version(store, first[-6:]) == first


def test_letters_of_two_versions_are_refused(store: ChampionStore) -> None:
    first, _ = store.add_version({"model": b"first"}), store.add_version({"model": b"second"})
    with pytest.raises(ChampionError, match="2 versions"):
        find_version(store, first[:4])


@pytest.mark.parametrize("name", ["nothing", "", "../first"])
def test_what_is_no_version_is_refused(store: ChampionStore, name: str) -> None:
    version = store.add_version({"model": b"first"})
    with pytest.raises(ChampionError, match=f"no such version. There are {version}"):
        find_version(store, name)
