"""A run writes into a folder that nobody sees, and its results are shown together when it has ended well."""

import logging
import os
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from rnn_pipelines.errors import NewerFormatError, RunError, show_all
from rnn_pipelines.runs.files import RECORD, find_unchanged, list_files, measure_files
from rnn_pipelines.runs.links import check_links, link_layer, list_layers, point
from rnn_pipelines.runs.pruning import remove_runs, remove_unfinished, warn_of_kept
from rnn_pipelines.runs.records import RunRecord, read_record, write_record
from rnn_pipelines.runs.run_store import CURRENT, FAILED, UNFINISHED, RunStore, find_run_name
from rnn_pipelines.storage.files import sync_folder
from rnn_pipelines.storage.names import make_later_name

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class OpenRun:
    """A run that writes, and that nobody sees yet.

    Attributes:
        store: where it will be seen.
        name: that it will have.
        writes: the files that are its own if they are there, as paths from its folder.
        continues: the run from whose results it goes on; None of one that makes all of them.
    """

    store: RunStore
    name: str
    writes: frozenset[str]
    continues: str | None = None

    @property
    def folder(self) -> Path:
        """Where it writes."""
        return self.store.folder / f".{self.name}{UNFINISHED}"


def open_run(store: RunStore, writes: Collection[str], needed: Collection[str] | None) -> OpenRun:
    """Make the folder in which a run writes, and remove what runs left that were killed.

    Args:
        store: its lock is held.
        writes: the files that the pipeline writes, whichever of them this run leaves out, as paths from its folder.
        needed: those of them that it reads before it writes them, because it leaves nodes out; None if it runs all
            nodes. It begins with a copy of the results before: of a run that failed since, if that has all files that
            are needed, else of those that are shown.
    Raises:
        RunError: results would be shown where something is that no run made; or a file that is needed has changed.
        OSError: it could not be written; all is as it was.
    """
    store.folder.mkdir(parents=True, exist_ok=True)
    warn_of_kept(remove_unfinished(store))
    check_links(store, list_layers(writes))
    before = None if needed is None else _find_before(store, needed)
    names = [] if before is None else _list_copied(before, needed or ())
    known = [*store.list_runs(), *map(find_run_name, [*store.list_hidden(FAILED), *store.list_hidden(UNFINISHED)])]
    continues = None if before is None else before.name.removeprefix(".")
    run = OpenRun(store, make_later_name(known), frozenset({*writes, *names}), continues)
    run.folder.mkdir()
    # Before any other file: without it nothing would say whose they are.
    write_record(run.folder, _begin_record(run))
    if before is not None:
        logger.info("goes on from the results of run %s", run.continues)
        for name in names:
            (run.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(before / name, run.folder / name, follow_symlinks=False)
    return run


def publish(run: OpenRun, record: RunRecord) -> None:
    """Show a run's results instead of those before it, all of them at one moment.

    Whatever ends this midway, the results before are shown, or those of the run, whole: one link says what is shown,
    and is replaced when all else is on disk.

    Args:
        run: that has ended well; its room's lock is held.
        record: what is known of it; checksums of its files are added.
    Raises:
        RunError: results would be shown where something is that no run made; it came there while the run went on.
        OSError: it could not be written.
    """
    store, folder = run.store, run.store.folder / run.name
    files = measure_files(run.folder, run.writes)
    check_links(store, list_layers(files))
    write_record(run.folder, {**record, "files": files})
    _sync_files(run.folder, [*files, RECORD])
    os.rename(run.folder, folder)
    sync_folder(store.folder)
    for layer in sorted(list_layers(files)):
        link_layer(store, layer)
    point(store.folder / CURRENT, run.name)


def put_aside(run: OpenRun) -> None:
    """Keep what a run wrote that failed, so that one that leaves nodes out can go on from it; only the newest.

    A run that failed before it wrote anything leaves nothing, and an older one that failed stays.

    Raises:
        OSError: it could not be read, renamed or removed.
    """
    if not run.folder.is_dir():
        return
    files = measure_files(run.folder, run.writes)
    if not files:
        warn_of_kept(remove_runs([run.folder]))
        return
    warn_of_kept(remove_runs(run.store.list_hidden(FAILED)))
    begun = RunRecord(run=run.name, pipeline=run.store.pipeline)
    try:
        write_record(run.folder, {**begun, "files": files})
    except OSError as error:
        # The disk may be full. The record that was begun still says which paths are the run's own.
        logger.warning("%s: the record of the failed run could not be written (%s)", run.folder, error)
    os.rename(run.folder, run.store.folder / f".{run.name}{FAILED}")


def _begin_record(run: OpenRun) -> RunRecord:
    return RunRecord(run=run.name, pipeline=run.store.pipeline, files={}, writes=sorted(run.writes))


def _find_before(store: RunStore, needed: Collection[str]) -> Path | None:
    """Return the folder of the run from which another goes on: of the newest that failed, or of the current one."""
    current = store.find_current()
    for failed in reversed(store.list_hidden(FAILED)):
        is_newer = current is None or find_run_name(failed) > current
        try:
            if needed and is_newer and set(needed) <= set(_list_own(failed)):
                return failed
        except (RunError, NewerFormatError) as error:
            logger.warning("run %s is passed over: %s", failed.name, error)
    return None if current is None else store.folder / current


def _list_copied(before: Path, needed: Collection[str]) -> list[str]:
    """List the files of a run that are copied: those that are as the run wrote them.

    Raises:
        RunError: one that is needed has changed, or the record is damaged.
    """
    own = _list_own(before)
    recorded = read_record(before, find_run_name(before))["files"]
    changed = sorted({*recorded, *needed}.intersection(list_files(before)) - set(own))
    if wrong := [name for name in changed if name in needed]:
        raise RunError(
            f"{before}: {show_all(wrong)} changed after the run, or no record names it, so that no other run can go on "
            "from it. Put it back from a backup, or run the nodes that write it too."
        )
    if changed:
        logger.warning("run %s: left out, because it changed after the run: %s", before.name, show_all(changed))
    return own


def _list_own(folder: Path) -> list[str]:
    """List the files of a run that are as it wrote them; of one that failed without a record, all that it may write."""
    record = read_record(folder, find_run_name(folder))
    return sorted({*find_unchanged(folder, record["files"]), *measure_files(folder, record.get("writes", []))})


def _sync_files(folder: Path, names: Collection[str]) -> None:
    """Write files and their folders to disk: a link that outlasts a power cut must not lead to what doesn't."""
    paths = [folder / name for name in names]
    folders = {parent for path in paths for parent in path.parents if parent.is_relative_to(folder)}
    for path in [*paths, *sorted(folders)]:
        sync_folder(path)
