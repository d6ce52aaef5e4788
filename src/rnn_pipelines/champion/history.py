"""The history of a task's model: one file per record, never changed."""

import logging
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from rnn_pipelines.champion.records import Record, parse_record
from rnn_pipelines.errors import FormatError
from rnn_pipelines.storage.files import list_folder, remove_temporary, replace_file, sync_folder
from rnn_pipelines.storage.formats import FORMAT, dump_object
from rnn_pipelines.storage.lock import hold_lock
from rnn_pipelines.storage.names import give_order, is_name, make_later_name

logger = logging.getLogger(__name__)

# Writing a version, a pointer or a record takes seconds; only a suspended process holds the lock for longer.
LOCK_SECONDS = 60


def make_name(folder: Path) -> str:
    """Return a name for a record or a version that sorts after all others; the caller holds the lock of the task."""
    versions = (path.name for path in list_folder(folder / "versions"))
    return make_later_name([*(path.stem for path in _list_files(folder)), *versions])


def hold_store_lock(folder: Path) -> AbstractContextManager[None]:
    """Hold the lock of a task's store, which every writer needs; its folder is made if it is missing.

    A LockedError means that another process did not end in time, a LockError that the lock file can't be used.
    """
    return hold_lock(folder / "pointer.lock", LOCK_SECONDS)


def add_record(folder: Path, record: Record, name: str | None = None) -> str:
    """Write a record of plain values into the history of a task and return its name; an OSError if it can't be written.

    A record whose `is_promoted` is true has the `version` that became the champion. The record of a retraining has the
    `name` of its version, so that writing it twice changes nothing. It is never the name in the record itself, which
    could be any path.
    """
    with hold_store_lock(folder):
        history = folder / "history"
        history.mkdir(parents=True, exist_ok=True)
        sync_folder(folder)
        name = name or make_name(folder)
        complete = {"format": FORMAT, "record": name, **record} | {"record": name}
        replace_file(history / f"{name}.json", dump_object(complete))
        remove_temporary(
            history, lambda file: file.endswith(".json") and is_name(file.removesuffix(".json"))
        )
    return name


def find_origin(records: Iterable[Record], version: str) -> Record | None:
    """Return the record of the retraining that made a version; None if there is none."""
    retrainings = [
        record
        for record in records
        if record.get("kind") == "retrain" and record.get("version") == version
    ]
    return retrainings[-1] if retrainings else None


def read_history(folder: Path) -> list[Record]:
    """Return all written records, oldest first; an unreadable record is left out and logged as an error.

    Records that a killed process did not write are only in `ChampionStore.list_records`.
    """
    records = []
    for path in sorted(_list_files(folder), key=lambda path: give_order(path.stem)):
        try:
            # The name is that of the file; the one in the record could be any path.
            record = parse_record(path.read_bytes(), path)
            record["record"] = path.stem
            records.append(record)
        except FormatError as error:
            logger.error("left out of the history: %s", error)
        except (OSError, ValueError) as error:
            logger.error("%s: left out of the history, because it is damaged (%s)", path, error)
    return records


def _list_files(folder: Path) -> list[Path]:
    return [path for path in list_folder(folder / "history") if path.suffix == ".json"]
