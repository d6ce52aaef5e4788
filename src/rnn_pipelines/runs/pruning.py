"""Removal of old, failed and killed runs; only files that the runs wrote are removed."""

import logging
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from rnn_pipelines.errors import FormatError, RunError, show_all
from rnn_pipelines.runs.files import RECORD, list_files, remove_files
from rnn_pipelines.runs.records import list_foreign, read_record
from rnn_pipelines.runs.run_store import FAILED, UNFINISHED, RunStore, find_run_name

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kept:
    """The folder of a run that is kept because of other files in it.

    Attributes:
        name: of the folder.
        reason: in words.
        files: that the run did not write, relative to the folder; empty if the run's own files are unknown.
    """

    name: str
    reason: str
    files: list[str]


@dataclass(frozen=True)
class Removal:
    """The names of removed folders, and the folders that were kept."""

    removed: list[str] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)


def prune(store: RunStore, num_kept: int, is_dry: bool = False) -> Removal:
    """Remove old runs, and failed runs that are older than the current one.

    Args:
        store: its lock is held.
        num_kept: the number of newest runs to keep besides the current one.
        is_dry: remove nothing, and only return the folders that would be removed.
    """
    current, names = store.find_current(), store.list_runs()
    failed = [path for path in store.list_hidden(FAILED) if current is not None and find_run_name(path) < current]
    old = [store.folder / name for name in names[: max(0, len(names) - num_kept)] if name != current]
    return remove_runs([*failed, *old], is_dry)


def remove_unfinished(store: RunStore, is_dry: bool = False) -> Removal:
    """Remove the unfinished folders of killed runs.

    Args:
        store: its lock is held, so that none of them is running.
        is_dry: see `prune`.
    """
    return remove_runs(store.list_hidden(UNFINISHED), is_dry)


def remove_runs(folders: Iterable[Path], is_dry: bool = False) -> Removal:
    """Remove the folders of runs, except those that hold other files.

    Args:
        folders: of runs, also hidden ones.
        is_dry: see `prune`.
    """
    result = Removal()
    for folder in folders:
        # Listed before the check, so that a file added later is not removed.
        names = list_files(folder)
        if kept := _find_obstacle(folder):
            result.kept.append(kept)
            continue
        if not is_dry:
            _remove(folder, names)
        result.removed.append(folder.name)
    return result


def warn_of_kept(removal: Removal) -> None:
    """Log each kept folder with the reason."""
    for kept in removal.kept:
        logger.warning("run %s is kept, because %s", kept.name, kept.reason)


def _find_obstacle(folder: Path) -> Kept | None:
    hidden, has_record = _hide(folder), (folder / RECORD).exists()
    if hidden != folder and os.path.lexists(hidden):
        return Kept(folder.name, f"{hidden} exists; move it away", [])
    try:
        record = read_record(folder, find_run_name(folder))
    except (RunError, FormatError) as error:
        return Kept(folder.name, f"its own files are unknown: {error}", [])
    if not has_record and not folder.name.startswith("."):
        return Kept(folder.name, f"it has no record ({folder / RECORD}), which would name its files; move it away", [])
    foreign = list_foreign(folder, record)
    if not foreign:
        return None
    text = f"{folder} holds files that it did not write, or that changed since: {show_all(foreign)}; move them away"
    return Kept(folder.name, text, foreign)


def _remove(folder: Path, names: Collection[str]) -> None:
    # Hidden first, so that an interrupted removal leaves no incomplete run.
    hidden = _hide(folder)
    if hidden != folder:
        os.rename(folder, hidden)
    remove_files(hidden, names)


def _hide(folder: Path) -> Path:
    return folder if folder.name.startswith(".") else folder.with_name(f".{folder.name}{UNFINISHED}")
