"""What happened to a task's model: one file for each record, never changed."""

import json
import logging
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from rnn_pipelines.champion.files import replace_file, sync_folder
from rnn_pipelines.champion.formats import FORMAT, read_object
from rnn_pipelines.champion.records import Record
from rnn_pipelines.errors import NewerFormatError

logger = logging.getLogger(__name__)


def make_name() -> str:
    """A name that sorts by time and that no other process makes."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H.%M.%S.%fZ}-{uuid.uuid4().hex[:6]}"


def make_timestamp() -> str:
    """Now: ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def add_record(folder: Path, record: Record) -> str:
    """Writes a record into the history of a task and returns its name.

    Args:
        folder: of the task.
        record: plain values; `is_promoted` with the `version` where one became the champion; `record` where it has a
            name already, so that whoever writes it again changes nothing.
    Raises:
        OSError: it could not be written.
    """
    history = folder / "history"
    history.mkdir(parents=True, exist_ok=True)
    sync_folder(folder)
    name = str(record.get("record") or make_name())
    complete = {"format": FORMAT, "record": name, **record}
    replace_file(history / f"{name}.json", json.dumps(complete, indent=2).encode())
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
    for path in sorted((folder / "history").glob("*.json")):
        try:
            records.append(cast(Record, read_object(path.read_text(encoding="utf-8"), path)))
        except NewerFormatError as error:
            logger.error("left out of the history: %s", error)
        except (OSError, ValueError) as error:
            logger.error("%s: left out of the history, for it is damaged (%s)", path, error)
    return records
