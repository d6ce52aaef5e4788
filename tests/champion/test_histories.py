"""Random histories of a champion's store, each held against a plain model of what must be true of it.

Retrainings, promotions by hand, rollbacks and prunings, among clocks that jump, errors of the disk in the middle of
anything, files that are damaged, lost or planted. `RNN_FUZZ_HISTORIES` says how many; a failure names its seed.
"""

import errno
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fuzzing import list_seeds
from rnn_pipelines.champion import history, records
from rnn_pipelines.champion.changes import find_retraining, list_changes
from rnn_pipelines.champion.outcome import promote_version, record_failure, roll_back, save_outcome
from rnn_pipelines.champion.report import render_retraining_report
from rnn_pipelines.champion.store import RECORD, ChampionStore
from rnn_pipelines.champion.tables import describe_version, find_facts, tabulate_history
from rnn_pipelines.champion.verdict import check_task, read_champion
from rnn_pipelines.connectors.mlflow.facts import (
    find_times,
    list_metrics,
    list_parameters,
    make_tags,
)
from rnn_pipelines.errors import ChampionError, RnnPipelinesError
from rnn_pipelines.storage import names as storage_names

pytestmark = pytest.mark.slow

SEEDS = list_seeds("RNN_FUZZ_HISTORIES", 1000)
NUM_STEPS = 14
# To ask for all that anybody can takes longer than the step before it.
LOOKING = 0.15
# Of the processes that run at once.
NUM_PARTS = 4

ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    2**70,
    1.5,
    "",
    "..",
    "../../x",
    "a\0",
    "\x1b[2J",
    [],
    {},
    [[]],
    {"a": []},
    [None],
]
KEYS = [*records.Record.__annotations__, "other"]
POINTER_KEYS = ["version", "checksum", "since", "reasons", "previous", "other"]


class Clock(datetime):
    """In the place of `datetime`: it may be wrong."""

    days = 0.0

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return datetime.now(tz) + timedelta(days=cls.days)


class Disk:
    """Fails at one of the calls to come, from there on or once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left: int | None = None
        for name in ("fsync", "replace", "rename", "mkdir"):
            original = getattr(os, name) if name != "fsync" else lambda _: None
            monkeypatch.setattr(os, name, self._watch(original))

    def _watch(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            if self.left is not None:
                self.left -= 1
                if self.left < 0:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return original(*args, **options)

        return call

    @contextmanager
    def fail_after(self, num_calls: int) -> Iterator[None]:
        self.left = num_calls
        try:
            yield
        finally:
            self.left = None


class History:
    """A store, and what must be true of it.

    Attributes:
        champions: the champion and those before it, the newest first.
        broken: versions that were damaged, pruned or planted.
        numbers: of the records that must be there, in the order in which they were made.
        is_exact: whether the champions are known; not where the pointer and what it could be found from are lost.
        is_recorded: whether the records tell all promotions.
    """

    def __init__(self, folder: Path, seed: int, disk: Disk) -> None:
        self.random = random.Random(seed)
        self.store = ChampionStore(folder / "store" / "task")
        self.root = folder
        self.disk = disk
        self.champions: list[str] = []
        self.contents: dict[str, bytes] = {}
        self.order: list[str] = []
        self.broken: set[str] = set()
        self.numbers: list[int] = []
        self.count = 0
        self.is_exact = self.is_recorded = True
        self.is_damaged = False
        self.log: list[str] = []

    def step(self) -> None:
        # What the project does, more often than what befalls it.
        deeds = (
            [self.retrain] * 6
            + [self.promote, self.roll_back, self.prune] * 2
            + [self.fail, self.jump, self.jump]
        )
        harms = [self.break_off] * 3 + [
            self.damage_version,
            self.lose_pointer,
            self.spoil_pointer,
            self.spoil_record,
            self.plant_record,
            self.plant_version,
        ]
        deed = self.random.choice(deeds + harms)
        self.log.append(deed.__name__)
        deed()
        self.check()

    # What the project does

    def retrain(self) -> None:
        is_promoted = self.random.random() < 0.7
        number, record = self.make_record(is_promoted)
        content = str(number).encode() * 50
        version = save_outcome(
            self.store, {"model": content}, record, storage_names.make_timestamp()
        )
        self.contents[version] = content
        self.order.append(version)
        self.numbers.append(number)
        if is_promoted:
            self.take(version)

    def make_record(self, is_promoted: bool) -> tuple[int, Any]:
        self.count += 1
        outcome = "promoted" if is_promoted else "kept"
        made = {
            "kind": "retrain",
            "outcome": outcome,
            "is_promoted": is_promoted,
            "reasons": ["why"],
        }
        return self.count, {**made, "at": storage_names.make_timestamp(), "number": self.count}

    def promote(self) -> None:
        versions = self.store.list_versions()
        if not versions:
            return
        version = self.random.choice(versions)
        try:
            promote_version(self.store, "task", version, "by hand")
        except ChampionError:
            assert version in self.broken
        else:
            assert version not in self.broken
            self.take(version)

    def roll_back(self) -> None:
        before = [version for version in self.champions[1:] if self.is_whole(version)]
        try:
            change = roll_back(self.store, "task", "by hand")
        except ChampionError:
            assert not self.is_exact or not before
        else:
            if self.is_exact:
                assert change.version == before[0]
                self.champions = self.champions[self.champions.index(change.version) :]
            self.learn(change.version)

    def prune(self) -> None:
        num_kept = self.random.randrange(4)
        try:
            removed = self.store.prune(num_kept)
        except ChampionError:
            # Or a planted record says that there was a champion.
            assert self.is_damaged or not self.find_pointer_file().exists()
            return
        pointer = self.store.read_pointer()
        if pointer is not None:
            assert pointer.version not in removed
            whole = [version for version in pointer.previous if self.is_whole(version)]
            assert not set(whole[:1]) & set(removed)
        left = [version for version in self.order if version in self.store.list_versions()]
        gone = [version for version in self.order if version in removed]
        in_use = [] if pointer is None else [pointer.version, *pointer.previous]
        # One that somebody changed stays, however old it is.
        kept = [version for version in left if version not in in_use and self.is_whole(version)]
        assert all(
            self.order.index(one) < self.order.index(other) for one in gone for other in kept
        )
        self.broken |= set(removed)

    def fail(self) -> None:
        record_failure(self.store.folder, "task", ValueError("no such file"), None)
        failed = [record for record in self.store.list_records() if record.get("kind") == "retrain"]
        assert failed[-1].get("outcome") == "failed"

    # What befalls it

    def jump(self) -> None:
        Clock.days = self.random.choice([0, 0, 1e-9, -1e-3, 400, -400, 3000, -10_000])

    def break_off(self) -> None:
        """Any deed, with a full disk from some call on; the champion is the one before or the new one, whole."""
        before = self.find_champion()
        versions = set(self.store.list_versions())
        number, record = self.make_record(True)
        content = str(number).encode() * 50
        deed = self.random.choice(["retrain", "promote", "roll back", "prune"])
        self.log.append(deed)
        with self.disk.fail_after(self.random.randrange(18)), suppress(OSError, ChampionError):
            if deed == "retrain":
                save_outcome(self.store, {"model": content}, record, storage_names.make_timestamp())
                self.numbers.append(number)
            elif deed == "promote" and versions:
                promote_version(self.store, "task", self.random.choice(sorted(versions)), "by hand")
            elif deed == "roll back":
                roll_back(self.store, "task", "by hand")
            else:
                self.store.prune(self.random.randrange(4))
        after = set(self.store.list_versions())
        for version in after - versions:
            self.contents[version] = content
            self.order.append(version)
        self.broken |= versions - after
        # Each that is listed is as whole as it was.
        for version in after - self.broken:
            assert self.store.read_version(version)["model"] == self.contents[version]
        found = self.find_champion()
        if deed == "retrain" and self.is_exact:
            assert found in {before, *(after - versions)}
        # What was done may not be on record, or the pointer may be the one before; where it is lost, a version that was
        # written and not yet promoted may have been the champion.
        self.is_recorded = False
        self.is_exact = self.is_exact and not self.is_damaged
        if found is not None:
            self.learn(found)

    def damage_version(self) -> None:
        versions = self.store.list_versions()
        if versions:
            version = self.random.choice(versions)
            path = self.random.choice(sorted((self.store.find_folder(version)).iterdir()))
            damages: list[Callable[[], Any]] = [
                lambda: path.write_bytes(b""),
                lambda: path.write_bytes(self.random.randbytes(40)),
                path.mkdir,
                lambda: path.symlink_to(path),
                lambda: path.write_text(json.dumps(self.random.choice(ODD))),
                lambda: None,
            ]
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            self.random.choice(damages)()
            self.broken.add(version)

    def lose_pointer(self) -> None:
        self.find_pointer_file().unlink(missing_ok=True)
        self.is_damaged = True
        self.is_exact = self.is_exact and self.is_recorded

    def spoil_pointer(self) -> None:
        path = self.find_pointer_file()
        if not path.exists():
            return
        before = self.find_pointer()
        path.write_bytes(self.spoil(path.read_bytes(), POINTER_KEYS))
        try:
            after = self.store.read_pointer()
            is_same = None not in (before, after) and self.read_versions() == self.champions
            # Where the checksum is another one, the champion is not what was promoted, and the one before is in use.
            is_same = is_same and before.checksum == after.checksum
        except ChampionError:
            is_same = False
            self.is_exact = self.is_exact and self.is_recorded
        else:
            self.is_exact = self.is_exact and is_same
        self.is_damaged = self.is_damaged or not is_same

    def spoil_record(self) -> None:
        paths = sorted((self.store.folder / "history").glob("*.json"))
        if paths:
            path = self.random.choice(paths)
            path.write_bytes(self.spoil(path.read_bytes(), KEYS))
            self.is_recorded = False
            self.numbers = []
            self.is_exact = self.is_exact and not self.is_damaged

    def plant_record(self) -> None:
        folder = self.store.folder / "history"
        folder.mkdir(parents=True, exist_ok=True)
        name = self.random.choice(
            [
                "zzz",
                "2031-01-01T00.00.00.000000Z-ffffff",
                "0",
                "é",
                history.make_name(self.store.folder),
            ]
        )
        record = {"kind": "alarm", self.random.choice(KEYS): self.random.choice(ODD)}
        (folder / f"{name}.json").write_text(json.dumps(record))
        self.is_recorded = False
        self.numbers = []
        self.is_exact = self.is_exact and not self.is_damaged

    def plant_version(self) -> None:
        """Whole, with a record that says odd things."""
        number, record = self.make_record(True)
        record[self.random.choice(KEYS)] = self.random.choice(ODD)
        record["record"] = self.random.choice(
            ["../../../planted", str(self.root / "planted"), "planted"]
        )
        content = str(number).encode() * 50
        version = self.store.add_version({"model": content, RECORD: json.dumps(record).encode()})
        self.contents[version] = content
        self.order.append(version)
        # Where the pointer is lost, a version that is on record nowhere may have been the champion.
        self.is_recorded = False
        self.is_exact = self.is_exact and not self.is_damaged

    def spoil(self, content: bytes, keys: list[str]) -> bytes:
        with suppress(ValueError, RecursionError):
            found = json.loads(content)
            if isinstance(found, dict) and self.random.random() < 0.7:
                found[self.random.choice(keys)] = self.random.choice(ODD)
                return json.dumps(found).encode()
        place = self.random.randrange(len(content) + 1)
        ends = [b"", self.random.randbytes(3), content[place + 1 :], b"[" * 5000, b'"\\ud800"}']
        return content[:place] + self.random.choice(ends)

    # What must be true

    def take(self, version: str) -> None:
        self.champions = [version, *(name for name in self.champions if name != version)]
        self.learn(version)

    def learn(self, version: str) -> None:
        """After a pointer was written: whatever was lost, it names what is in use, and says what was before."""
        with suppress(ChampionError):
            versions = self.read_versions()
            if versions[:1] == [version]:
                assert not self.is_exact or not self.is_recorded or versions == self.champions
                # What a pointer says that was spoilt, and is still one, is not what the records say.
                self.is_recorded = self.is_recorded and versions == self.champions
                self.champions = versions
                self.is_exact = True
                self.is_damaged = False

    def read_versions(self) -> list[str]:
        pointer = self.store.read_pointer()
        return [] if pointer is None else [pointer.version, *pointer.previous]

    def find_pointer(self) -> Any:
        with suppress(ChampionError):
            return self.store.read_pointer()
        return None

    def find_champion(self) -> str | None:
        with suppress(ChampionError):
            return self.store.load().version
        return None

    def find_pointer_file(self) -> Path:
        return self.store.folder / "champion.json"

    def is_whole(self, version: str) -> bool:
        return version in self.contents and version not in self.broken

    def check(self) -> None:
        try:
            champion = self.store.load()
        except ChampionError:
            assert not self.is_exact or not any(map(self.is_whole, self.champions))
        else:
            assert champion.files["model"] == self.contents[champion.version]
            assert self.is_whole(champion.version)
            if self.is_exact:
                assert champion.version == next(filter(self.is_whole, self.champions))
            if self.is_exact and not self.is_damaged and self.is_whole(self.champions[0]):
                assert list(champion.alarms) == []
        listed = [version for version in self.store.list_versions() if version in self.order]
        assert listed == sorted(listed, key=self.order.index)
        numbers = [record.get("number") for record in self.store.list_records()]
        assert [number for number in numbers if number in self.numbers] == self.numbers
        if self.random.random() < LOOKING:
            self.look()
        assert {path.relative_to(self.root).as_posix() for path in self.root.glob("*/*")} <= {
            "store/task"
        }
        assert {path.name for path in self.root.iterdir()} <= {"store"}

    def look(self) -> None:
        """All that people and other commands ask of a store; no error but the project's own."""
        records = self.store.list_records()
        find_retraining(records)
        list_changes(self.store, {"data": "d", "parameters": "p", "code": "c"})
        checked = check_task(self.store, self.root / "no verdict")
        assert checked.verdict != "unmonitored" or self.champions
        tabulate_history(records, self.champions[0] if self.champions else None)
        for version in [None, *self.store.list_versions()]:
            with suppress(RnnPipelinesError):
                describe_version(find_facts(self.store, version))
        for record in records[-1:]:
            render_retraining_report(record)
        for record in records:
            (
                find_times(record),
                list(list_metrics(record)),
                list_parameters(record),
                make_tags(record),
            )
        with suppress(RnnPipelinesError):
            read_champion(self.store.folder)


@pytest.mark.parametrize("part", range(NUM_PARTS))
def test_random_histories_keep_a_whole_champion(
    part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL")
    monkeypatch.setattr(storage_names, "datetime", Clock)
    disk = Disk(monkeypatch)
    for seed in SEEDS[part::NUM_PARTS]:
        Clock.days = 0
        random_history = History(tmp_path / str(seed), seed, disk)
        random_history.root.mkdir()
        try:
            for _ in range(NUM_STEPS):
                random_history.step()
        except BaseException as error:
            error.add_note(f"seed {seed}: {', '.join(random_history.log)}")
            raise
        shutil.rmtree(random_history.root)
