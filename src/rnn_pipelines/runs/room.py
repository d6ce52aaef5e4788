"""The results of a pipeline, of which all are those of one run: a folder for each run, and one link to the newest.

<data root>/runs/forecast/2026-11-26T12.15.36.123456Z-a1b2c3/08_reporting/metrics.json     what a run wrote
<data root>/runs/forecast/current              → 2026-11-26T12.15.36.123456Z-a1b2c3         the one that counts
<data root>/08_reporting/forecast              → ../runs/forecast/current/08_reporting      where people look
"""

import logging
import os
import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath

from rnn_pipelines.champion.files import sync_folder
from rnn_pipelines.champion.history import give_order, is_name, make_later_name
from rnn_pipelines.errors import NewerFormatError, RunError, show_all
from rnn_pipelines.runs.records import RECORD, RunRecord, list_files, read_record, write_record

logger = logging.getLogger(__name__)

FOLDER = "runs"
CURRENT = "current"
FAILED = ".failed"
# Here lie a user's own files, too; a run writes but this one.
RAW = "01_raw"
SOURCE = "source.parquet"


@dataclass(frozen=True)
class Room:
    """The results of one pipeline in one data root. Who changes anything holds its lock.

    Attributes:
        root: the data root.
        pipeline: its name, which is that of its folder in each layer.
    """

    root: Path
    pipeline: str

    @property
    def folder(self) -> Path:
        """Of its runs."""
        return self.root / FOLDER / self.pipeline

    @property
    def lock(self) -> Path:
        """The lock's file."""
        return self.folder / ".lock"

    def find_shown(self, layer: str) -> Path:
        """Where people look for the results in a layer: a link, once there is a run."""
        return self.root / layer / self.pipeline

    def find_current(self) -> str | None:
        """The name of the run whose results are shown; None where there is none."""
        try:
            return os.readlink(self.folder / CURRENT)
        except OSError:
            return None

    def list_runs(self) -> list[str]:
        """All that are complete, the oldest first."""
        found = self.folder.iterdir() if self.folder.is_dir() else ()
        return sorted((path.name for path in found if is_name(path.name) and _is_folder(path)), key=give_order)

    def read_record(self, name: str) -> RunRecord:
        """What is known of a run.

        Raises:
            RunError: there is no such run, or its record is damaged.
        """
        return read_record(self.folder / name)


@dataclass(frozen=True)
class OpenRun:
    """A run that writes, and that nobody sees yet.

    Attributes:
        room: where it will be seen.
        name: that it will have.
        continues: the run from whose results it goes on; None of one that makes all of them.
    """

    room: Room
    name: str
    continues: str | None = None

    @property
    def folder(self) -> Path:
        """Where it writes."""
        return self.room.folder / f".{self.name}.part"


def open_run(room: Room, layers: Iterable[str], needed: Collection[PurePath] | None) -> OpenRun:
    """Makes the folder in which a run writes, and removes what runs left that were killed.

    Args:
        room: its lock is held.
        layers: in which the run writes.
        needed: files that it reads of the results before it, because it leaves nodes out; None where it runs them all.
            It begins with a copy of those results: of a run that failed since, if all that is needed is among them,
            else of those that are shown.
    Raises:
        RunError: where results would be shown, there are files that no run wrote.
        OSError: it could not be written; all is as it was.
    """
    room.folder.mkdir(parents=True, exist_ok=True)
    for path in room.folder.glob(".*.part"):
        path.unlink() if path.is_symlink() else shutil.rmtree(path)
    _take_in(room, layers)
    before = None if needed is None else _find_before(room, needed)
    run = OpenRun(room, make_later_name(room.list_runs()), None if before is None else before.name.removeprefix("."))
    if before is None:
        run.folder.mkdir()
    else:
        logger.info("goes on from the results of run %s", run.continues)
        shutil.copytree(before, run.folder, ignore=shutil.ignore_patterns(RECORD))
    return run


def publish(run: OpenRun, record: RunRecord) -> None:
    """Shows a run's results instead of those before it, all of them at one moment.

    Whatever ends this midway, the results before are shown, or those of the run, whole: one link says what is shown,
    and is replaced when all else is on disk.

    Args:
        run: that has ended well; its room's lock is held.
        record: what is known of it; checksums of its files are added.
    Raises:
        OSError: it could not be written.
    """
    room, folder = run.room, run.room.folder / run.name
    write_record(run.folder, record)
    _sync_tree(run.folder)
    os.rename(run.folder, folder)
    sync_folder(room.folder)
    for layer in _list_layers(folder):
        _link_layer(room, layer)
    _point(room.folder / CURRENT, run.name)
    _remove_failed(room)


def put_aside(run: OpenRun) -> None:
    """Keeps what a run wrote that failed, so that one that leaves nodes out can go on from it; only the newest."""
    if run.folder.is_dir():
        _remove_failed(run.room)
        os.rename(run.folder, run.room.folder / f".{run.name}{FAILED}")


def prune(room: Room, num_kept: int) -> list[str]:
    """Removes old runs.

    Args:
        room: its lock is held.
        num_kept: newest ones that stay, beside the one that is shown.
    Returns:
        Names of those that were removed. One that holds files which it is not known to have written stays.
    """
    removed = []
    for name in room.list_runs()[:-num_kept]:
        if name == room.find_current():
            continue
        if reason := _find_foreign(room, name):
            logger.warning("%s: it is kept, because %s", room.folder / name, reason)
            continue
        # Out of sight first: a removal that is interrupted leaves no run without some of its files.
        hidden = room.folder / f".{name}.part"
        os.rename(room.folder / name, hidden)
        shutil.rmtree(hidden)
        removed.append(name)
    return removed


def _find_before(room: Room, needed: Collection[PurePath]) -> Path | None:
    current = room.find_current()
    for failed in room.folder.glob(f".*{FAILED}"):
        if needed and all((failed / file).exists() for file in needed):
            return failed
    return None if current is None else room.folder / current


def _remove_failed(room: Room) -> None:
    for failed in room.folder.glob(f".*{FAILED}"):
        shutil.rmtree(failed)


def _take_in(room: Room, layers: Iterable[str]) -> None:
    """Results that were there before there were runs become the first run, and links take their place."""
    shown = {layer: room.find_shown(layer) for layer in layers}
    unlinked = [layer for layer, path in shown.items() if path.is_dir() and not path.is_symlink()]
    current = room.find_current()
    for layer in unlinked:
        _refuse_foreign(shown[layer], None if current is None else room.folder / current / layer)
    if unlinked and current is None:
        current = make_later_name(())
        (room.folder / current).mkdir()
        _point(room.folder / CURRENT, current)
    for layer in unlinked:
        # What ends this midway leaves a layer without a link, which the next run makes.
        os.rename(shown[layer], room.folder / str(current) / layer)
    for layer in _list_layers(room.folder / str(current)):
        _link_layer(room, layer)


def _refuse_foreign(shown: Path, taken: Path | None) -> None:
    """Ends it where files would be taken for results that are none."""
    if taken is not None and (taken.exists() or (taken.parent / RECORD).exists()):
        raise RunError(
            f"{shown}: expected a link to the newest run's results, found a folder that no run wrote. Move it away."
        )
    others = [path.name for path in shown.iterdir() if path.name != SOURCE] if shown.parent.name == RAW else []
    if others:
        raise RunError(
            f"{shown}: expected results alone, found {show_all(sorted(others))}. Move it to {shown.parent}, say."
        )


def _find_foreign(room: Room, name: str) -> str:
    """Why a run can't be removed: files that it did not write, or that nobody knows of; empty where it can."""
    folder = room.folder / name
    if not (folder / RECORD).exists():
        return f"there is no {RECORD} to say which files are its own; move it away"
    try:
        own = room.read_record(name)["files"].keys()
    except (RunError, NewerFormatError) as error:
        return f"nothing says which files are its own: {error}"
    foreign = sorted(set(list_files(folder)) - own)
    return f"somebody put {show_all(foreign)} there; move it out" if foreign else ""


def _link_layer(room: Room, layer: str) -> None:
    shown = room.find_shown(layer)
    target = os.path.relpath(room.folder / CURRENT / layer, shown.parent)
    if not (shown.is_symlink() and os.readlink(shown) == target):
        shown.parent.mkdir(parents=True, exist_ok=True)
        _point(shown, target)


def _point(link: Path, target: str) -> None:
    """Makes a link, or lets one that is there lead elsewhere, in one step."""
    unfinished = link.with_name(f".{link.name}.part")
    unfinished.unlink(missing_ok=True)
    os.symlink(target, unfinished)
    os.replace(unfinished, link)
    sync_folder(link.parent)


def _is_folder(path: Path) -> bool:
    """Whether it is one, and no link to one."""
    return path.is_dir() and not path.is_symlink()


def _list_layers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _sync_tree(folder: Path) -> None:
    """Writes files and folders to disk: a link that outlasts a power cut must not lead to what doesn't."""
    for path in [folder, *folder.rglob("*")]:
        sync_folder(path)
