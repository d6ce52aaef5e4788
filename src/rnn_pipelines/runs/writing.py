"""Writing of runs: into a hidden folder, whose results are published together after success."""

import logging
import os
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from rnn_pipelines.errors import FormatError, RunError, show_all
from rnn_pipelines.runs import run_store
from rnn_pipelines.runs.links import check_links, link_layer, list_result_layers, point
from rnn_pipelines.runs.run_store import (
    CURRENT,
    FAILED,
    RECORD,
    RunRecord,
    RunStore,
    read_record,
    write_record,
)
from rnn_pipelines.storage.files import sync_folder
from rnn_pipelines.storage.names import make_later_name
from rnn_pipelines.versions.files import find_unchanged, list_all_files, measure_files
from rnn_pipelines.versions.folder import find_name, warn_of_kept

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class OpenRun:
    """A run in progress: the store and the name of its publication, and the files that it may write in its folder.

    It continues the run whose results it starts from; None if it runs all nodes. `before` is the record of that run, or
    empty.
    """

    store: RunStore
    name: str
    writes: frozenset[str]
    continues: str | None = None
    before: RunRecord = field(default_factory=RunRecord)

    @property
    def folder(self) -> Path:
        return self.store.versions.hide(self.name)


def open_run(
    store: RunStore,
    writes: Collection[str],
    needed: Collection[str] | None,
    check: Callable[[RunRecord], None] = lambda _: None,
) -> OpenRun:
    """Make the folder of a run, and remove unfinished folders of killed runs.

    It writes all files of the whole pipeline, relative to its folder. A partial run starts with a copy of the earlier
    results that it needs: those of a newer failed run if it has all needed files, else those of the current run; None
    if all nodes run. The check raises a RunError if the earlier results, by their record, do not fit the run.

    Raises:
        RunError: other files are in place of the links to results; a needed file has changed; or see the check.
        OSError: the folder could not be written; nothing has changed.
    """
    store.folder.mkdir(parents=True, exist_ok=True)
    warn_of_kept(store.versions.remove_unfinished())
    check_links(store, list_result_layers(writes))
    before = None if needed is None else _find_before(store, needed)
    names = [] if before is None else _list_copied(before, needed or ())
    record = RunRecord() if before is None else read_record(before)
    check(record)
    continues = None if before is None else before.name.removeprefix(".")
    name = make_later_name(map(find_name, store.folder.iterdir()))
    run = OpenRun(store, name, frozenset({*writes, *names}), continues, record)
    begun = RunRecord(run=name, pipeline=store.pipeline, files={}, writes=sorted(run.writes))
    store.versions.begin(name, run_store.dump_record(begun))
    if before is not None:
        logger.info("continues run %s", run.continues)
        for name in names:
            (run.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(before / name, run.folder / name, follow_symlinks=False)
    return run


def publish_run(run: OpenRun, record: RunRecord) -> None:
    """Publish the results of a successful run in place of earlier ones, all at once; the lock of its store is held.

    After a crash, either the earlier or the new results are shown completely, because a single link decides, and it is
    replaced when all else is on disk. The checksums of its files are added to the record.

    Raises:
        RunError: other files appeared in place of the links to results during the run.
        OSError: something could not be written.
    """
    store = run.store
    files = measure_files(run.folder, run.writes)
    check_links(store, list_result_layers(files))
    write_record(run.folder, {**record, "files": files})
    # With their folders, so that after a power cut no link leads to missing files.
    paths = [run.folder / name for name in (*files, RECORD)]
    folders = {
        parent for path in paths for parent in path.parents if parent.is_relative_to(run.folder)
    }
    for path in [*paths, *sorted(folders)]:
        sync_folder(path)
    store.versions.complete(run.name)
    for layer in sorted(list_result_layers(files)):
        link_layer(store, layer)
    point(store.folder / CURRENT, run.name)


def put_aside(run: OpenRun, record: RunRecord | None = None) -> None:
    """Keep the files of a failed run, so that a partial run can continue from it; remove those of older failed runs.

    The record is that of the run, if it got so far. A run that failed before it wrote any file is removed, and older
    failed runs stay.
    """
    if not run.folder.is_dir():
        return
    files = measure_files(run.folder, run.writes)
    if not files:
        warn_of_kept(run.store.versions.remove([run.folder]))
        return
    warn_of_kept(run.store.versions.remove(run.store.versions.list_hidden(FAILED)))
    begun = RunRecord(run=run.name, pipeline=run.store.pipeline)
    try:
        write_record(run.folder, {**(record or {}), **begun, "files": files})
    except OSError as error:
        # The disk may be full. The initial record still lists the paths of the run's files.
        logger.warning(
            "%s: the record of the failed run could not be written (%s)", run.folder, error
        )
    os.rename(run.folder, run.store.folder / f".{run.name}{FAILED}")


def _find_before(store: RunStore, needed: Collection[str]) -> Path | None:
    """Return the folder of the run to continue from: the newest usable failed run, or the current run."""
    current = store.find_current()
    for failed in reversed(store.versions.list_hidden(FAILED)):
        is_newer = current is None or find_name(failed) > current
        try:
            if needed and is_newer and set(needed) <= set(_list_own(failed)):
                return failed
        except (RunError, FormatError) as error:
            logger.warning("run %s is skipped: %s", failed.name, error)
    return None if current is None else store.folder / current


def _list_copied(before: Path, needed: Collection[str]) -> list[str]:
    """List the unchanged files of a run to copy; a RunError if a needed file has changed, or the record is damaged."""
    unchanged = _list_own(before)
    recorded = read_record(before)["files"]
    changed = sorted({*recorded, *needed}.intersection(list_all_files(before)) - set(unchanged))
    if wrong := [name for name in changed if name in needed]:
        raise RunError(
            f"{before}: {show_all(wrong)} changed after the run, or no record names it, so that no other run can go on "
            "from it. Put it back from a backup, or run the nodes that write it too."
        )
    if changed:
        logger.warning(
            "run %s: left out, because it changed after the run: %s", before.name, show_all(changed)
        )
    return unchanged


def _list_own(folder: Path) -> list[str]:
    """List the unchanged files of a run; for a failed run without checksums, all files that it may have written."""
    record = read_record(folder)
    return sorted(
        {*find_unchanged(folder, record["files"]), *measure_files(folder, record.get("writes", []))}
    )
