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
from functools import partial
from pathlib import Path, PurePath

from rnn_pipelines.champion.files import is_folder, sync_folder
from rnn_pipelines.champion.history import give_order, is_name, make_later_name, make_timestamp
from rnn_pipelines.errors import NewerFormatError, RunError, show_all
from rnn_pipelines.runs.records import RECORD, RunRecord, list_foreign, read_record, write_record

logger = logging.getLogger(__name__)

FOLDER = "runs"
CURRENT = "current"
# Ends of the hidden names of runs that write or are removed, and of the one that failed.
UNFINISHED = ".part"
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
        """The name of the run whose results are shown; None where there is none, or it is gone."""
        link = self.folder / CURRENT
        target = Path(os.path.realpath(link))
        is_here = link.is_symlink() and target.parent == Path(os.path.realpath(self.folder))
        return target.name if is_here and target.name in self.list_runs() else None

    def list_runs(self) -> list[str]:
        """All that are complete, the oldest first."""
        found = self.folder.iterdir() if self.folder.is_dir() else ()
        return sorted((path.name for path in found if is_name(path.name) and is_folder(path)), key=give_order)

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
        return self.room.folder / f".{self.name}{UNFINISHED}"


def open_run(room: Room, layers: Iterable[str], needed: Collection[PurePath] | None) -> OpenRun:
    """Makes the folder in which a run writes, and removes what runs left that were killed.

    Args:
        room: its lock is held.
        layers: in which the pipeline writes, whatever this run leaves out.
        needed: files that it reads of the results before it, because it leaves nodes out; None where it runs them all.
            It begins with a copy of those results: of a run that failed since, if all that is needed is among them,
            else of those that are shown.
    Raises:
        RunError: where results would be shown, there is what no run made.
        OSError: it could not be written; all is as it was.
    """
    room.folder.mkdir(parents=True, exist_ok=True)
    for path in _list_hidden(room, UNFINISHED):
        shutil.rmtree(path)
    _take_in(room, layers)
    before = None if needed is None else _find_before(room, needed)
    run = OpenRun(room, make_later_name(room.list_runs()), None if before is None else before.name.removeprefix("."))
    if before is None:
        run.folder.mkdir()
    else:
        logger.info("goes on from the results of run %s", run.continues)
        shutil.copytree(before, run.folder, ignore=partial(_list_others, before), ignore_dangling_symlinks=True)
    return run


def publish(run: OpenRun, record: RunRecord) -> None:
    """Shows a run's results instead of those before it, all of them at one moment.

    Whatever ends this midway, the results before are shown, or those of the run, whole: one link says what is shown,
    and is replaced when all else is on disk.

    Args:
        run: that has ended well; its room's lock is held.
        record: what is known of it; checksums of its files are added.
    Raises:
        RunError: where results would be shown, there is what no run made; it came there while the run went on.
        OSError: it could not be written.
    """
    room, folder = run.room, run.room.folder / run.name
    for layer in _list_unlinked(room, _list_layers(run.folder)):
        raise _explain(room.find_shown(layer), "a link to the newest run's results")
    write_record(run.folder, record)
    _sync_tree(run.folder)
    os.rename(run.folder, folder)
    sync_folder(room.folder)
    for layer in _list_layers(folder):
        _link_layer(room, layer)
    _point(room.folder / CURRENT, run.name)


def put_aside(run: OpenRun) -> None:
    """Keeps what a run wrote that failed, so that one that leaves nodes out can go on from it; only the newest."""
    if run.folder.is_dir():
        _remove_failed(run.room)
        os.rename(run.folder, run.room.folder / f".{run.name}{FAILED}")


def prune(room: Room, num_kept: int) -> list[str]:
    """Removes old runs, and what is left of one that failed.

    Args:
        room: its lock is held, and a run has ended well.
        num_kept: newest ones that stay, beside the one that is shown.
    Returns:
        Names of those that were removed. One that holds files which it is not known to have written stays.
    """
    _remove_failed(room)
    current, removed = room.find_current(), []
    for name in room.list_runs()[:-num_kept]:
        if name == current:
            continue
        if reason := _find_foreign(room, name):
            logger.warning("run %s is kept, because %s", name, reason)
            continue
        # Out of sight first: a removal that is interrupted leaves no run without some of its files.
        hidden = room.folder / f".{name}{UNFINISHED}"
        os.rename(room.folder / name, hidden)
        shutil.rmtree(hidden)
        removed.append(name)
    return removed


def _find_before(room: Room, needed: Collection[PurePath]) -> Path | None:
    current = room.find_current()
    for failed in _list_hidden(room, FAILED):
        is_newer = current is None or failed.name[1:] > current
        if needed and is_newer and all((failed / file).exists() for file in needed):
            return failed
    return None if current is None else room.folder / current


def _list_others(before: Path, folder: str, names: Collection[str]) -> list[str]:
    """What is not copied with a run's results: its record, and hidden files, which are somebody's own."""
    is_top = Path(folder) == before
    return [name for name in names if name.startswith(".") or (is_top and name == RECORD)]


def _remove_failed(room: Room) -> None:
    for failed in _list_hidden(room, FAILED):
        shutil.rmtree(failed)


def _take_in(room: Room, layers: Iterable[str]) -> None:
    """Results that were there before there were runs become the first run, and links take their place.

    Its record is begun before anything is moved: where something ends this midway, the next run goes on with it.
    """
    if room.find_current() is None and (room.folder / CURRENT).exists():
        raise _explain(room.folder / CURRENT, "a link to a run")
    begun = (name for name in room.list_runs() if _is_begun(room, name))
    current = room.folder / (room.find_current() or next(begun, None) or make_later_name(room.list_runs()))
    for folder in (room.root / layer for layer in layers):
        if os.path.lexists(folder) and not folder.is_dir():
            raise _explain(folder, "a folder")
    unlinked = _list_unlinked(room, {*layers, *_list_layers(current)})
    for layer in unlinked:
        _refuse_foreign(room, layer, current)
    if unlinked and not current.is_dir():
        _begin_record(room, current)
    if unlinked and room.find_current() is None:
        _point(room.folder / CURRENT, current.name)
    for layer in unlinked:
        # What ends this midway leaves a layer without a link, which the next run makes.
        os.rename(room.find_shown(layer), current / layer)
    for layer in _list_layers(current):
        _link_layer(room, layer)
    if _is_begun(room, current.name):
        # A process that was killed over the record leaves a hidden part of it, which would keep the run for ever.
        for left in current.glob(f".{RECORD}.*{UNFINISHED}"):
            left.unlink()
        write_record(current, {"run": current.name, "pipeline": room.pipeline, "taken_in": make_timestamp()})


def _begin_record(room: Room, current: Path) -> None:
    """Makes the folder of a run that takes results in; no moment has it without a record."""
    unfinished = OpenRun(room, current.name).folder
    unfinished.mkdir()
    write_record(unfinished, {"run": current.name, "pipeline": room.pipeline, "taken_in": None})
    os.rename(unfinished, current)
    sync_folder(room.folder)


def _is_begun(room: Room, name: str) -> bool:
    """Whether it is of results that are not all taken in."""
    try:
        return (room.folder / name / RECORD).exists() and room.read_record(name).get("taken_in", "") is None
    except (RunError, NewerFormatError):
        return False


def _list_unlinked(room: Room, layers: Iterable[str]) -> list[str]:
    """In which layers something else stands in the place of a link to results; an older form of the link is one too."""
    through = f"/{FOLDER}/{room.pipeline}/{CURRENT}/"
    shown = {layer: room.find_shown(layer) for layer in sorted(layers)}
    there = {layer: path for layer, path in shown.items() if os.path.lexists(path)}
    return [layer for layer, path in there.items() if not (path.is_symlink() and through in f"/{os.readlink(path)}/")]


def _refuse_foreign(room: Room, layer: str, current: Path) -> None:
    """Ends it where files would be taken for results that are none."""
    shown = room.find_shown(layer)
    names = [name for name in room.list_runs() if not _is_begun(room, name)]
    has_runs = any((room.folder / name / RECORD).exists() for name in names)
    if has_runs or not is_folder(shown) or (current / layer).exists():
        raise _explain(shown, "a link to the newest run's results")
    others = [path.name for path in shown.iterdir() if path.name != SOURCE] if layer == RAW else []
    if others:
        raise RunError(
            f"{shown}: expected results alone, found {show_all(sorted(others))}. Move it to {shown.parent}, say."
        )


def _explain(path: Path, expected: str) -> RunError:
    kind = "link" if path.is_symlink() else "folder" if path.is_dir() else "file"
    return RunError(f"{path}: expected {expected}, found a {kind} that no run made. Move it away.")


def _find_foreign(room: Room, name: str) -> str:
    """Why a run can't be removed: files that it is not known to have written; empty where it can."""
    folder = room.folder / name
    if not (folder / RECORD).exists():
        return f"it has no record ({folder / RECORD}), so that nothing says which files are its own; move it away"
    try:
        own = room.read_record(name)["files"].keys()
    except (RunError, NewerFormatError) as error:
        return f"nothing says which files are its own: {error}"
    foreign = list_foreign(folder, own)
    return f"its record does not name {show_all(foreign)} in {folder}; move that away" if foreign else ""


def _link_layer(room: Room, layer: str) -> None:
    shown = room.find_shown(layer)
    shown.parent.mkdir(parents=True, exist_ok=True)
    # From where the link really lies: the layer may be a link to another disk.
    folder, parent = map(os.path.realpath, (room.folder, shown.parent))
    target = os.path.relpath(os.path.join(folder, CURRENT, layer), parent)
    if not (shown.is_symlink() and os.readlink(shown) == target):
        _point(shown, target)


def _point(link: Path, target: str) -> None:
    """Makes a link, or lets one that is there lead elsewhere, in one step."""
    unfinished = link.with_name(f".{link.name}{UNFINISHED}")
    if unfinished.is_symlink():
        unfinished.unlink()
    os.symlink(target, unfinished)
    os.replace(unfinished, link)
    sync_folder(link.parent)


def _list_hidden(room: Room, ending: str) -> list[Path]:
    """Folders of runs that did not end well; what is called otherwise is not ours."""
    found = room.folder.glob(f".*{ending}")
    return [path for path in found if is_name(path.name[1:].removesuffix(ending)) and is_folder(path)]


def _list_layers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _sync_tree(folder: Path) -> None:
    """Writes files and folders to disk: a link that outlasts a power cut must not lead to what doesn't."""
    for path in [folder, *folder.rglob("*")]:
        sync_folder(path)
