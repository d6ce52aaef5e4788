"""Random histories of runs among files of a user, of which no byte is ever lost, changed or recorded as a run's own.

Runs end well, leave nodes out, fail or are killed at any call, as pruning and repair are. The user adds notes, links
and hidden folders, edits and removes files, and copies the data folder through its links. `RNN_FUZZ_HISTORIES` says how
many histories; a failure names its seed.
"""

import hashlib
import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from fuzzing import list_seeds
from rnn_pipelines.errors import RunError
from rnn_pipelines.runs.links import repair_links
from rnn_pipelines.runs.run_store import FAILED, RECORD, RunStore
from rnn_pipelines.runs.writing import OpenRun, publish_run, put_aside
from rnn_pipelines.versions.folder import UNFINISHED
from small_runs import (
    FILES,
    KINDS,
    LAYERS,
    METRICS,
    SOURCE,
    begin,
    do_run,
    list_tree,
    read_shown,
    write,
)

SEEDS = list_seeds("RNN_FUZZ_HISTORIES", 40)
NUM_STEPS = 14
CALLS = ("rename", "replace", "mkdir", "symlink", "unlink", "rmdir", "open", "chmod")
HIDDEN = "2026-01-01T00.00.00.000000Z-abcdef"


class Killed(BaseException):
    """In the place of a signal."""


class Disk:
    """Kills the process at one of the calls to come: nothing is done from there on, as after a signal."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left: int | None = None
        monkeypatch.setattr(os, "fsync", lambda _: None)
        for name in CALLS:
            monkeypatch.setattr(os, name, self._watch(name, getattr(os, name)))

    def _watch(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            if self.left is not None and (name != "open" or args[1] & os.O_CREAT):
                self.left -= 1
                if self.left < 0:
                    raise Killed
            return original(*args, **options)

        return call

    @contextmanager
    def kill_after(self, num_calls: int) -> Iterator[None]:
        self.left = num_calls
        try:
            yield
        except Killed:
            pass
        finally:
            self.left = None


class History:
    """A data folder, and what a user has put there.

    Attributes:
        mine: contents of files and targets of links that are the user's; each is there once only.
        log: what happened.
        counts: of what happened.
    """

    def __init__(self, folder: Path, seed: int, disk: Disk) -> None:
        self.random = random.Random(seed)
        self.folder, self.disk = folder, disk
        self.store = RunStore(folder / "data0", "forecast")
        self.store.root.mkdir(parents=True)
        self.mine: set[str] = set()
        self.log: list[str] = []
        self.number = 0

    def step(self) -> None:
        deeds = [
            self.run,
            self.run,
            self.run_some,
            self.run_some,
            self.fail,
            self.prune,
            self.repair,
            self.break_off,
        ]
        others = [
            self.put_note,
            self.put_note,
            self.edit,
            self.put_link,
            self.put_folder,
            self.remove_own,
            self.copy,
        ]
        deed = self.random.choice(deeds * 2 + others)
        self.log.append(deed.__name__)
        before = self.count_mine()
        deed()
        if deed in deeds:
            assert self.count_mine() == before
        self.check_records()

    # What the project does

    def run(self) -> None:
        self.number += 1
        with suppress(RunError):
            do_run(self.store, self.number)
            assert read_shown(self.store) == self.number
            self.store.prune(2)

    def run_some(self) -> None:
        """It goes on from a run, and changes one of the files."""
        self.number += 1
        with suppress(RunError):
            run = begin(self.store, needed=[self.random.choice(FILES)])
            name = self.random.choice(FILES)
            (run.folder / name).parent.mkdir(exist_ok=True)
            (run.folder / name).write_text(json.dumps({"number": self.number}))
            self.random.choice([self.publish, self.publish, put_aside])(run)

    def publish(self, run: OpenRun) -> None:
        publish_run(run, {"run": run.name, "ended": "2026-01-01T00:00:00+00:00"})
        self.store.prune(2)

    def fail(self) -> None:
        self.number += 1
        with suppress(RunError):
            run = begin(self.store)
            write(run, self.number)
            put_aside(run)

    def prune(self) -> None:
        num_kept = self.random.randrange(4)
        before = list_tree(self.store.root)
        dry = [self.store.versions.remove_unfinished(True), self.store.prune(num_kept, True)]
        assert list_tree(self.store.root) == before
        done = [self.store.versions.remove_unfinished(), self.store.prune(num_kept)]
        assert done == dry
        assert not any(
            os.path.lexists(self.store.folder / name) for one in done for name in one.removed
        )

    def repair(self) -> None:
        repair_links(self.store, LAYERS)
        self.run()
        assert self.store.find_current() is not None

    def break_off(self) -> None:
        deed = self.random.choice([self.run, self.run_some, self.fail, self.prune, self.repair])
        self.log.append(f"  {deed.__name__}")
        with self.disk.kill_after(self.random.randrange(60)):
            deed()

    # What the user does

    def put_note(self) -> None:
        folders = [
            path for path in self.store.root.rglob("*") if path.is_dir() and not path.is_symlink()
        ]
        folder = self.random.choice([*folders, self.store.root])
        name = self.random.choice(
            ["note.md", ".note", "run.json", "metrics.json", ".run.json.part", "x.part"]
        )
        self.write_mine(folder / name)

    def edit(self) -> None:
        """A file of a run that has ended, or failed."""
        folders = [
            *map(self.store.folder.joinpath, self.store.list_runs()),
            *self.store.versions.list_hidden(FAILED),
        ]
        paths = [folder / name for folder in folders for name in FILES if (folder / name).is_file()]
        if paths:
            self.write_mine(self.random.choice(paths), is_new=False)

    def put_link(self) -> None:
        """A link to nothing: a note's bytes are its target."""
        self.number += 1
        path = self.random.choice(
            [self.store.find_shown(layer) for layer in LAYERS]
            + [self.store.folder / name / "link" for name in self.store.list_runs()]
            + [self.store.folder / f".{HIDDEN}{ending}" for ending in (UNFINISHED, FAILED)]
        )
        if path.parent.is_dir() and not os.path.lexists(path):
            path.symlink_to(f"mine {self.number}")
            self.mine.add(f"→ mine {self.number}")

    def put_folder(self) -> None:
        """One that looks like something of ours, or stands in the place of a link."""
        places = [self.store.folder / f".{HIDDEN}{ending}" for ending in (UNFINISHED, FAILED)]
        places += [
            self.store.folder / HIDDEN,
            self.store.folder / "current",
            *map(self.store.find_shown, LAYERS),
        ]
        places += [path.with_name(f".{path.name}.copied.part") for path in places[3:]]
        folder = self.random.choice(places)
        if os.path.lexists(folder):
            return
        if self.random.choice(KINDS) != "file":
            folder = folder / self.random.choice([METRICS, SOURCE, "note", "deep/note"])
        folder.parent.mkdir(parents=True, exist_ok=True)
        self.write_mine(folder)

    def remove_own(self) -> None:
        """A file of a run, a record, or a link of ours."""
        names = [path / name for path in self.store.folder.glob("*") for name in (*FILES, RECORD)]
        links = [self.store.folder / "current", *map(self.store.find_shown, LAYERS)]
        path = self.random.choice(names + links)
        if (path.is_symlink() or path.is_file()) and self.read_mine(path) not in self.mine:
            path.unlink()

    def copy(self) -> None:
        """The data folder through its links, or without them; the user goes on in the copy."""
        to = self.folder / f"data{len(self.log)}"
        without_links = self.random.random() < 0.3
        shutil.copytree(
            self.store.root,
            to,
            ignore=(
                lambda folder, names: [
                    name for name in names if os.path.islink(os.path.join(folder, name))
                ]
            )
            if without_links
            else None,
            ignore_dangling_symlinks=True,
        )
        shutil.rmtree(self.store.root)
        self.store = RunStore(to, "forecast")

    def write_mine(self, path: Path, is_new: bool = True) -> None:
        if is_new and os.path.lexists(path):
            return
        self.number += 1
        path.write_text(f"mine {self.number}")
        self.mine.add(f"mine {self.number}")

    # What must be true

    def read_mine(self, path: Path) -> str:
        return f"→ {path.readlink()}" if path.is_symlink() else path.read_bytes().decode()

    def count_mine(self) -> Counter[str]:
        """How often each thing of the user is there, in whatever place."""
        there = (path for path in self.store.root.rglob("*") if path.is_symlink() or path.is_file())
        return Counter(content for path in there if (content := self.read_mine(path)) in self.mine)

    def check_records(self) -> None:
        checksums = {hashlib.sha256(content.encode()).hexdigest() for content in self.mine}
        for path in self.store.folder.rglob(RECORD):
            with suppress(ValueError):
                files = json.loads(path.read_bytes())["files"]
                assert checksums.isdisjoint(facts["sha256"] for facts in files.values())


@pytest.mark.parametrize("part", range(2))
def test_random_histories_leave_the_files_of_a_user(
    part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL")
    disk = Disk(monkeypatch)
    deeds: Counter[str] = Counter()
    for seed in SEEDS[part::2]:
        history = History(tmp_path / str(seed), seed, disk)
        try:
            for _ in range(NUM_STEPS):
                history.step()
        except BaseException as error:
            error.add_note(f"seed {seed}: {history.log}")
            raise
        deeds.update(history.log)
        shutil.rmtree(tmp_path / str(seed))
    # So that the test does not pass because a deed never came.
    assert len(deeds) >= 15
    print(dict(deeds))
