"""What happened to a task's model: one file for each record, never changed."""

import json
import logging
import re
import uuid
from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rnn_pipelines.champion.files import remove_temporary, replace_file, sync_folder
from rnn_pipelines.champion.formats import FORMAT
from rnn_pipelines.champion.lock import hold_lock
from rnn_pipelines.champion.records import Record, read_record
from rnn_pipelines.errors import NewerFormatError

logger = logging.getLogger(__name__)

NAME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d)\.(\d\d)\.(\d\d\.\d{6})Z-[0-9a-f]{6}", re.ASCII)
# To write a version, a pointer or a record takes seconds; only a process that was stopped holds the lock for longer.
LOCK_SECONDS = 60


def make_name(folder: Path) -> str:
    """A name for a record or a version; see `make_later_name`.

    Args:
        folder: of the task, whose lock is held.
    """
    return make_later_name(
        [*(path.stem for path in _list_files(folder)), *(path.name for path in list_folder(folder / "versions"))]
    )


def make_later_name(names: Iterable[str]) -> str:
    """A name that no other process makes, and that sorts after others.

    It is the time, but never earlier than the newest name: where a clock was ahead once, what comes later would sort
    before what is older, and the newest retraining, failure, champion and run would for ever be those of that night.

    Args:
        names: all that there are.
    """
    newest = max(filter(None, map(find_moment, names)), default=None)
    now = datetime.now(UTC)
    at = now if newest is None else max(now, newest + timedelta(microseconds=1))
    return f"{at:%Y-%m-%dT%H.%M.%S.%fZ}-{uuid.uuid4().hex[:6]}"


def is_name(name: str) -> bool:
    """Whether a name is of the form of `make_name`: whatever is called otherwise, somebody else put there."""
    return NAME.fullmatch(name) is not None


def find_moment(name: str) -> datetime | None:
    """The time that a name of `make_name` tells; None of any other name."""
    found = NAME.fullmatch(name)
    try:
        moment = None if found is None else datetime.fromisoformat("{}T{}:{}:{}+00:00".format(*found.groups()))
    except ValueError:  # the 40th of May
        return None
    # None comes after the last year that can be written.
    return None if moment is None or moment.year == datetime.max.year else moment


def give_order(name: str) -> tuple[bool, str]:
    """By which names sort: what `make_name` did not make comes first, so that it never is the newest."""
    return find_moment(name) is not None, name


def make_timestamp() -> str:
    """Now: ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def hold_store_lock(folder: Path) -> AbstractContextManager[None]:
    """Lets nobody else change the store of a task.

    Args:
        folder: of the task; made if need be.
    Raises:
        LockedError: another process did not end in time.
        LockError: the lock's file can't be used.
    """
    return hold_lock(folder / "pointer.lock", LOCK_SECONDS)


def add_record(folder: Path, record: Record, name: str | None = None) -> str:
    """Writes a record into the history of a task and returns its name.

    Args:
        folder: of the task.
        record: plain values; `is_promoted` with the `version` where one became the champion.
        name: that of the version, where its retraining is told, so that whoever writes it again changes nothing; never
            what a record says of itself, which may lead anywhere.
    Raises:
        OSError: it could not be written.
    """
    with hold_store_lock(folder):
        history = folder / "history"
        history.mkdir(parents=True, exist_ok=True)
        sync_folder(folder)
        name = name or make_name(folder)
        complete = {"format": FORMAT, "record": name, **record} | {"record": name}
        replace_file(history / f"{name}.json", json.dumps(complete, indent=2).encode())
        remove_temporary(history, lambda file: file.endswith(".json") and is_name(file.removesuffix(".json")))
    return name


def find_origin(records: Iterable[Record], version: str) -> Record | None:
    """The record of the retraining that made a version; None where there is none.

    Args:
        records: of the task.
        version: its name.
    """
    found = [record for record in records if record.get("kind") == "retrain" and record.get("version") == version]
    return found[-1] if found else None


def list_records(folder: Path) -> list[Record]:
    """All records that are written, the oldest first; one that can't be read is left out with an error in the log.

    What a process that ended early left out is in `ChampionStore.list_records` alone.

    Args:
        folder: of the task.
    """
    records = []
    for path in sorted(_list_files(folder), key=lambda path: give_order(path.stem)):
        try:
            # Its name is that of the file: what it says itself may lead anywhere.
            record = read_record(path.read_bytes(), path)
            record["record"] = path.stem
            records.append(record)
        except NewerFormatError as error:
            logger.error("left out of the history: %s", error)
        except (OSError, ValueError) as error:
            logger.error("%s: left out of the history, because it is damaged (%s)", path, error)
    return records


def list_folder(folder: Path) -> list[Path]:
    """What lies in a folder but for what is hidden; where it can't be read, nothing, with an error in the log."""
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(".")]
    except FileNotFoundError:
        return []
    except OSError as error:
        logger.error("%s: it can't be read (%s)", folder, error)
        return []


def _list_files(folder: Path) -> list[Path]:
    return [path for path in list_folder(folder / "history") if path.suffix == ".json"]
