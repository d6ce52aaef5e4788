"""The champion is one that was promoted, whole, or its loss is told; what is in use is never removed."""

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest

from damages import flip_bit, truncate
from rnn_pipelines.champion import history
from rnn_pipelines.champion.history import add_record
from rnn_pipelines.champion.pointer import Pointer
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.errors import ChampionError, LockedError, LockError
from rnn_pipelines.storage.files import name_temporary
from rnn_pipelines.versions.checksums import CHECKSUMS

pytestmark = pytest.mark.usefixtures("no_wait_for_the_disk")

SINCE = "2026-01-31T02:00:00+00:00"
NAMES = ("model.keras", "scaler.json")
Promote = Callable[[str], str]
Damage = Callable[[Path], object]


@pytest.fixture
def store(tmp_path: Path) -> ChampionStore:
    return ChampionStore(tmp_path / "store" / "forecast")


def make_files(content: str) -> dict[str, bytes]:
    return {name: f"{content} {name}".encode() for name in NAMES}


@pytest.fixture
def promote(store: ChampionStore) -> Promote:
    """Adds a version, promotes it, puts that on record, and returns its name."""

    def promote_new(content: str) -> str:
        version = store.add_version(make_files(content))
        store.promote(version, [f"{content} is better"], SINCE)
        add_record(store.folder, {"is_promoted": True, "version": version})
        return version

    return promote_new


def find_folder(store: ChampionStore, version: str) -> Path:
    return store.folder / "versions" / version


def find_pointer_file(store: ChampionStore) -> Path:
    return store.folder / "champion.json"


def write(content: str | bytes) -> Damage:
    return lambda path: path.write_bytes(content.encode() if isinstance(content, str) else content)


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def read_files(folder: Path) -> dict[str, bytes]:
    """All files below a folder, by their path in it."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def leave_unfinished(store: ChampionStore, version: str) -> Path:
    """What a process leaves that is killed when its version has one file of two."""
    left = find_folder(store, f".{history.make_name(store.folder)}.part")
    shutil.copytree(find_folder(store, version), left)
    (left / NAMES[1]).unlink()
    return left


def test_champion_has_the_files_that_were_added(store: ChampionStore, promote: Promote) -> None:
    promote("first")
    assert store.load().files == make_files("first")


def test_a_second_champion_raises_no_alarm(store: ChampionStore, promote: Promote) -> None:
    promote("first")
    promote("second")
    assert store.load().alarms == []


def test_a_version_that_is_added_is_not_the_champion(
    store: ChampionStore, promote: Promote
) -> None:
    first = promote("first")
    store.add_version(make_files("second"))
    assert store.load().version == first


def test_no_version_is_listed_before_the_first(store: ChampionStore) -> None:
    assert store.list_versions() == []


def test_an_unfinished_version_is_not_listed(store: ChampionStore) -> None:
    find_folder(store, ".killed.part").mkdir(parents=True)
    assert store.list_versions() == []


def test_versions_are_listed_in_the_order_of_their_addition(store: ChampionStore) -> None:
    added = [store.add_version(make_files(content)) for content in "abc"]
    assert store.list_versions() == added


def test_versions_of_the_same_files_have_different_names(store: ChampionStore) -> None:
    assert store.add_version(make_files("first")) != store.add_version(make_files("first"))


def test_version_can_be_read_by_other_users(store: ChampionStore) -> None:
    """Who predicts may be another user than who trains."""
    folder = find_folder(store, store.add_version(make_files("first")))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "deep/model", "../model", "/model", CHECKSUMS]
)
def test_name_that_is_not_plain_is_refused(store: ChampionStore, name: str) -> None:
    with pytest.raises(ValueError, match=rf"expected plain names.*received \['{name}'\]"):
        store.add_version({"model.keras": b"", name: b"1"})


def test_version_without_files_is_refused(store: ChampionStore) -> None:
    with pytest.raises(ValueError, match="received no file"):
        store.add_version({})


@pytest.mark.parametrize("name", ["add", "prune"])
def test_unfinished_version_of_a_killed_process_is_removed(
    store: ChampionStore, promote: Promote, name: str
) -> None:
    """With every file that it can have left: the list, whole files, and one that was being written."""
    left = leave_unfinished(store, promote("first"))
    (left / name_temporary(NAMES[1])).write_bytes(b"half of")
    find_folder(store, f".{history.make_name(store.folder)}.part").mkdir()
    store.prune(1) if name == "prune" else store.add_version(make_files("second"))
    assert [path for path in left.parent.iterdir() if path.name.startswith(".")] == []


def test_temporary_files_of_killed_processes_are_removed(
    store: ChampionStore, promote: Promote
) -> None:
    """Of the pointer and of records; and nothing else that looks like them."""
    name = promote("first")
    folder = store.folder
    records = store.folder / "history"
    records.mkdir(exist_ok=True)
    ours = [folder / name_temporary("champion.json"), records / name_temporary(f"{name}.json")]
    others = [
        *(
            folder / other
            for other in (
                ".champion.json.abcd1234.part",
                name_temporary("notes.json"),
                ours[0].name[1:],
            )
        ),
        *(
            records / other
            for other in (
                f".{name}.json.abcd1234.part",
                name_temporary(f"{name}.txt"),
                name_temporary("x"),
            )
        ),
    ]
    for path in (*ours, *others):
        path.write_bytes(b"half of")
    link = folder / name_temporary("champion.json")
    link.symlink_to(others[0])
    promote("second")
    history.add_record(folder, {"kind": "alarm"})
    assert [path for path in ours if path.exists()] == []
    assert [path for path in others if not path.exists()] == []
    assert link.is_symlink()


@pytest.mark.parametrize("name", ["add_version", "promote", "prune"])
@pytest.mark.parametrize("wrong", ["link to itself", "folder"])
def test_unusable_lock_is_an_error_of_ours(
    store: ChampionStore, promote: Promote, name: str, wrong: str
) -> None:
    first = promote("first")
    lock = store.folder / "pointer.lock"
    lock.unlink()
    lock.symlink_to(lock) if wrong == "link to itself" else lock.mkdir()
    arguments = {
        "add_version": (make_files("second"),),
        "promote": (first, [], SINCE),
        "prune": (0,),
    }[name]
    with pytest.raises(LockError, match="the lock can't be held") as caught:
        getattr(store, name)(*arguments)
    assert str(caught.value).startswith(f"{lock}: ")


@pytest.mark.parametrize("name", ["add_version", "promote", "prune"])
def test_one_process_at_a_time_changes_the_store(
    store: ChampionStore, promote: Promote, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """So that none removes the unfinished version of another."""
    first = promote("first")
    monkeypatch.setattr(history, "LOCK_SECONDS", 0)
    arguments = {
        "add_version": (make_files("second"),),
        "promote": (first, [], SINCE),
        "prune": (0,),
    }[name]
    hold = "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, store.folder / "pointer.lock"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(LockedError):
            getattr(store, name)(*arguments)
        other.kill()


def test_pointer_describes_the_champion_with_those_before(
    store: ChampionStore, promote: Promote
) -> None:
    first = promote("first")
    second = promote("second")
    third = promote("third")
    listed = (find_folder(store, third) / CHECKSUMS).read_bytes()
    assert store.read_pointer() == Pointer(
        third, hashlib.sha256(listed).hexdigest(), SINCE, ["third is better"], [second, first]
    )


def test_pointer_lists_a_champion_once_after_a_rollback(
    store: ChampionStore, promote: Promote
) -> None:
    first = promote("first")
    second = promote("second")
    third = promote("third")
    store.promote(second, ["rolled back"], SINCE)
    pointer = store.read_pointer()
    assert pointer is not None
    assert (pointer.version, pointer.previous) == (second, [third, first])


def test_promotion_returns_the_pointer(store: ChampionStore) -> None:
    assert (
        store.promote(store.add_version(make_files("first")), ["why"], SINCE)
        == store.read_pointer()
    )


def test_damaged_version_is_not_promoted(store: ChampionStore, promote: Promote) -> None:
    first = promote("first")
    flip_bit(find_folder(store, first) / NAMES[1])
    second = promote("second")
    with pytest.raises(ChampionError, match=first):
        store.promote(first, ["rolled back"], SINCE)
    assert store.load().version == second


@pytest.mark.parametrize(
    "version", ["", ".", "..", "none", ".killed.part", "../versions/VERSION", "/ROOT/VERSION"]
)
def test_what_is_no_version_is_not_promoted(
    store: ChampionStore, promote: Promote, version: str
) -> None:
    first = promote("first")
    shutil.copytree(find_folder(store, first), find_folder(store, ".killed.part"))
    version = version.replace("VERSION", first).replace("/ROOT", str(store.folder / "versions"))
    with pytest.raises(ChampionError):
        store.promote(version, [], SINCE)
    assert store.load().version == first


def test_failed_promotion_is_undone(
    store: ChampionStore, promote: Promote, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError

    first = promote("first")
    second = store.add_version(make_files("second"))
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError):  # noqa: PT011
        store.promote(second, [], SINCE)
    assert (store.load().version, store.load().alarms) == (first, [])


@pytest.mark.parametrize("name", [NAMES[1], CHECKSUMS])
@pytest.mark.parametrize("damage", [flip_bit, truncate, write(b""), Path.unlink, replace_by_folder])
def test_damaged_file_falls_back_a_champion(
    store: ChampionStore, promote: Promote, damage: Damage, name: str
) -> None:
    """With an alarm that tells what is damaged and what is in use."""
    first = promote("first")
    second = promote("second")
    damage(find_folder(store, second) / name)
    loaded = store.load()
    damaged, instead = loaded.alarms
    assert loaded.files == make_files("first")
    assert damaged.startswith(f"{second}: ")
    assert instead == f"{first} is in use instead."


def test_alarm_names_the_file_that_changed(store: ChampionStore, promote: Promote) -> None:
    promote("first")
    second = promote("second")
    flip_bit(find_folder(store, second) / NAMES[1])
    assert store.load().alarms[0] == f"{second}: {NAMES[1]} changed after it was written."


@pytest.mark.parametrize("content", ["null", "[]", "{}", "5", '"a"', '["model.keras"]', b"\xff"])
def test_list_of_another_form_falls_back(
    store: ChampionStore, promote: Promote, content: str | bytes
) -> None:
    """Also of a champion before, whose list nothing else vouches for."""
    first = promote("first")
    second = promote("second")
    third = promote("third")
    for version in (second, third):
        write(content)(find_folder(store, version) / CHECKSUMS)
    assert store.load().version == first


def test_missing_folder_falls_back(store: ChampionStore, promote: Promote) -> None:
    promote("first")
    shutil.rmtree(find_folder(store, promote("second")))
    assert store.load().files == make_files("first")


def test_other_files_with_their_own_checksums_fall_back(
    store: ChampionStore, promote: Promote
) -> None:
    """They are whole, but not those that were evaluated and promoted."""
    first = promote("first")
    second = promote("second")
    other = store.add_version(make_files("other"))
    shutil.rmtree(find_folder(store, second))
    shutil.copytree(find_folder(store, other), find_folder(store, second))
    loaded = store.load()
    assert (loaded.version, loaded.alarms[0]) == (
        first,
        f"{second}: its files are not those that were promoted.",
    )


def test_two_damaged_champions_fall_back_to_the_third(
    store: ChampionStore, promote: Promote
) -> None:
    first = promote("first")
    second = promote("second")
    third = promote("third")
    for version in (second, third):
        flip_bit(find_folder(store, version) / NAMES[0])
    loaded = store.load()
    assert (loaded.version, len(loaded.alarms)) == (first, 3)


def test_without_a_whole_champion_all_that_is_wrong_is_told(
    store: ChampionStore, promote: Promote
) -> None:
    versions = [promote("first"), promote("second")]
    for version in versions:
        flip_bit(find_folder(store, version) / NAMES[0])
    with pytest.raises(ChampionError) as caught:
        store.load()
    assert all(f"{version}: model.keras changed" in str(caught.value) for version in versions)
    assert str(caught.value).endswith("Run kedro champion retrain.")


def test_a_store_without_promotion_has_no_champion(store: ChampionStore) -> None:
    with pytest.raises(ChampionError, match="None was promoted yet"):
        store.load()


def test_a_version_that_was_never_promoted_is_no_champion(store: ChampionStore) -> None:
    store.add_version(make_files("first"))
    assert (store.read_pointer(), store.find_pointer()) == (None, None)


def test_a_version_that_was_never_promoted_is_no_fallback(
    store: ChampionStore, promote: Promote
) -> None:
    store.add_version(make_files("worse"))
    flip_bit(find_folder(store, promote("first")) / NAMES[0])
    store.add_version(make_files("worse"))
    with pytest.raises(ChampionError):
        store.load()


def test_checksum_that_leads_elsewhere_is_not_followed(
    store: ChampionStore, promote: Promote, tmp_path: Path
) -> None:
    first = promote("first")
    second = promote("second")
    third = promote("third")
    (tmp_path / "secret").write_bytes(b"secret")
    checksum = hashlib.sha256(b"secret").hexdigest()
    for version, name in ((second, "../../../../secret"), (third, str(tmp_path / "secret"))):
        (find_folder(store, version) / CHECKSUMS).write_text(json.dumps({name: checksum}))
    assert store.load().version == first


POINTER_DAMAGES = {
    "missing": Path.unlink,
    "empty": write(""),
    "truncated": truncate,
    "no JSON": write("champion"),
    "no UTF-8": write(b"\xff\xfe"),
    "null": write("null"),
    "a list": write("[]"),
    "an empty object": write("{}"),
    "another field": lambda path: path.write_text(
        json.dumps({**json.loads(path.read_text()), "more": 1})
    ),
    "no field": lambda path: path.write_text(
        json.dumps({"format": 1, "version": json.loads(path.read_text())["version"]})
    ),
    "no list": lambda path: path.write_text(
        json.dumps({**json.loads(path.read_text()), "previous": None})
    ),
    "a folder": replace_by_folder,
}


@pytest.fixture(params=POINTER_DAMAGES)
def damage_pointer(request: pytest.FixtureRequest, store: ChampionStore) -> Callable[[], None]:
    return lambda: (POINTER_DAMAGES[request.param](find_pointer_file(store)), None)[1]


def test_champion_of_a_damaged_pointer_is_what_the_history_says(
    store: ChampionStore, promote: Promote, damage_pointer: Callable[[], None]
) -> None:
    """With an alarm that names the pointer."""
    promote("first")
    promote("second")
    damage_pointer()
    loaded = store.load()
    assert loaded.files == make_files("second")
    assert loaded.alarms[0].startswith(f"{find_pointer_file(store)}: it is ")
    with pytest.raises(ChampionError):
        store.read_pointer()


def test_damaged_pointer_is_found_from_the_history(store: ChampionStore, promote: Promote) -> None:
    first = promote("first")
    second = promote("second")
    store.promote(first, ["rolled back"], SINCE)
    add_record(store.folder, {"is_promoted": True, "version": first})
    add_record(store.folder, {"is_promoted": False, "version": "worse"})
    truncate(find_pointer_file(store))
    pointer = store.find_pointer()
    assert pointer is not None
    assert (pointer.version, pointer.previous) == (first, [second])


def test_a_damaged_pointer_to_a_damaged_champion_falls_back(
    store: ChampionStore, promote: Promote
) -> None:
    first = promote("first")
    second = promote("second")
    truncate(find_pointer_file(store))
    flip_bit(find_folder(store, second) / NAMES[0])
    loaded = store.load()
    assert (loaded.version, len(loaded.alarms)) == (first, 3)


def test_promotion_after_a_damaged_pointer_keeps_the_champions_before(
    store: ChampionStore, promote: Promote
) -> None:
    first = promote("first")
    second = promote("second")
    find_pointer_file(store).write_bytes(b"")
    promote("third")
    pointer = store.read_pointer()
    assert pointer is not None
    assert pointer.previous == [second, first]


def test_any_flipped_bit_of_the_pointer_leaves_a_champion(
    store: ChampionStore, promote: Promote
) -> None:
    promote("first")
    promote("second")
    path = find_pointer_file(store)
    content = path.read_bytes()
    wholes = [make_files("first"), make_files("second")]
    for position in range(len(content)):
        path.write_bytes(
            content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]
        )
        assert store.load().files in wholes


def test_damaged_record_does_not_hide_the_others(store: ChampionStore, promote: Promote) -> None:
    promote("first")
    for name, content in (
        ("a.json", b""),
        ("y.json", b"[]"),
        ("z.json", b'{"format": 1, "is_promoted": true, "version": []}'),
    ):
        (store.folder / "history" / name).write_bytes(content)
    find_pointer_file(store).unlink()
    assert store.load().files == make_files("first")


def test_pointer_to_a_version_that_never_was_falls_back(
    store: ChampionStore, promote: Promote
) -> None:
    first = promote("first")
    pointer = store.promote(promote("second"), [], SINCE)
    fields = {"format": 1, **asdict(pointer), "version": "2026-never-was", "previous": [first]}
    find_pointer_file(store).write_text(json.dumps(fields))
    loaded = store.load()
    assert loaded.files == make_files("first")
    assert loaded.alarms[0].startswith("2026-never-was: ")


ODD_FIELDS = [
    *(
        {"version": version}
        for version in (
            "",
            "..",
            ".killed.part",
            "../elsewhere",
            "/elsewhere",
            "a\0",
            5,
            None,
            [],
            {},
        )
    ),
    *(
        {"since": since}
        for since in (
            "2026-01-31",
            "2026-01-31T02:00:00",
            "yesterday",
            "",
            20260131,
            None,
            True,
            [],
        )
    ),
    *({"reasons": reasons} for reasons in (True, None, "why", 1, {}, [1], [None], [["why"]])),
    *(
        {"previous": previous}
        for previous in (True, None, "2026", 1, {}, [1], [None], [[]], ["../elsewhere"])
    ),
    *({"checksum": checksum} for checksum in (True, None, 1, [], {})),
    {"other": 1},
    {"reasons": ["\ud800"]},
]


@pytest.mark.parametrize("fields", ODD_FIELDS, ids=str)
def test_history_replaces_a_pointer_of_odd_values(
    store: ChampionStore, promote: Promote, fields: dict[str, object]
) -> None:
    """It is well-formed, and whoever used a value later would fail."""
    promote("first")
    promote("second")
    pointer = json.loads(find_pointer_file(store).read_text())
    shutil.copytree(store.folder / "versions", store.folder / "elsewhere")
    find_pointer_file(store).write_text(json.dumps(pointer | fields))
    loaded = store.load()
    assert loaded.files == make_files("second")
    assert loaded.alarms[0].startswith(f"{find_pointer_file(store)}: it is damaged")


@pytest.fixture
def promoted_at_once(store: ChampionStore, promote: Promote) -> list[str]:
    """Versions that four threads promoted."""
    with ThreadPoolExecutor(4) as threads:
        return list(threads.map(promote, "abcdefgh"))


def test_threads_promote_one_after_the_other(
    store: ChampionStore, promoted_at_once: list[str]
) -> None:
    pointer = store.read_pointer()
    assert pointer is not None
    assert sorted([pointer.version, *pointer.previous]) == sorted(promoted_at_once)


def test_threads_list_the_versions_in_order(
    store: ChampionStore, promoted_at_once: list[str]
) -> None:
    assert store.list_versions() == sorted(promoted_at_once)


@pytest.mark.usefixtures("promoted_at_once")
def test_threads_lose_no_record(store: ChampionStore) -> None:
    assert len(store.list_records()) == 8


@pytest.mark.usefixtures("promoted_at_once")
def test_promotions_at_once_raise_no_alarm(store: ChampionStore) -> None:
    assert store.load().alarms == []


def test_prune_leaves_the_champion_with_the_one_before(
    store: ChampionStore, promote: Promote
) -> None:
    """Whatever their age: here both are older than what is removed."""
    first = promote("first")
    second = promote("second")
    for content in "abc":
        store.add_version(make_files(content))
    store.prune(0)
    assert store.list_versions() == [first, second]


@pytest.mark.parametrize("num_kept", [0, 3, 4, 5])
def test_prune_leaves_the_newest_besides(
    store: ChampionStore, promote: Promote, num_kept: int
) -> None:
    """Never fewer than asked for, also where there are not so many."""
    others = [store.add_version(make_files(content)) for content in "abcd"]
    in_use = [promote("first"), promote("second")]
    store.prune(num_kept)
    assert store.list_versions() == [*others[max(0, 4 - num_kept) :], *in_use]


def test_prune_that_is_dry_lists_what_would_be_removed(
    store: ChampionStore, promote: Promote
) -> None:
    others = [store.add_version(make_files(content)) for content in "abc"]
    promote("first")
    assert store.prune(1, is_dry=True) == others[:2]
    assert store.prune(1) == others[:2]


def test_prune_that_is_dry_changes_nothing(store: ChampionStore, promote: Promote) -> None:
    for content in "abc":
        store.add_version(make_files(content))
    promote("first")
    before = {path: path.stat().st_mtime_ns for path in store.folder.rglob("*")}
    assert {path: path.stat().st_mtime_ns for path in store.folder.rglob("*")} == before


def test_prune_leaves_a_whole_champion_to_fall_back_to(
    store: ChampionStore, promote: Promote
) -> None:
    """Where the one before the champion is damaged, the one before that."""
    first = promote("first")
    second = promote("second")
    third = promote("third")
    flip_bit(find_folder(store, second) / NAMES[0])
    store.prune(0)
    flip_bit(find_folder(store, third) / NAMES[0])
    assert store.load().version == first


def test_prune_leaves_all_where_the_pointer_is_damaged(
    store: ChampionStore, promote: Promote
) -> None:
    versions = [promote(content) for content in "abc"]
    truncate(find_pointer_file(store))
    with pytest.raises(ChampionError):
        store.prune(0)
    assert store.list_versions() == versions


@pytest.mark.parametrize("is_hidden", [False, True])
def test_prune_does_not_remove_a_link_to_a_version(
    store: ChampionStore, promote: Promote, tmp_path: Path, is_hidden: bool
) -> None:
    """Hidden, as what a process leaves that ends midway."""
    promote("first")
    linked, other = (store.add_version(make_files(content)) for content in "ab")
    moved = find_folder(store, linked).rename(tmp_path / "another disk")
    link = find_folder(store, f".{linked}.part" if is_hidden else linked)
    link.symlink_to(moved)
    assert store.prune(0) == [other]
    assert (link.is_symlink(), (moved / "checksums.json").exists()) == (True, True)


@pytest.mark.parametrize("is_hidden", [False, True])
def test_a_linked_version_can_be_read(
    store: ChampionStore, promote: Promote, tmp_path: Path, is_hidden: bool
) -> None:
    """Hidden, as what a process leaves that ends midway."""
    promote("first")
    linked, _other = (store.add_version(make_files(content)) for content in "ab")
    moved = find_folder(store, linked).rename(tmp_path / "another disk")
    link = find_folder(store, f".{linked}.part" if is_hidden else linked)
    link.symlink_to(moved)
    assert is_hidden or store.read_version(linked)
