"""What a retraining came to, on disk: a version, the champion where so decided, and a record."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path

from rnn_pipelines.champion.history import add_record
from rnn_pipelines.champion.records import Record
from rnn_pipelines.champion.store import RECORD, ChampionStore, name_record
from rnn_pipelines.errors import make_line
from rnn_pipelines.storage.formats import FORMAT
from rnn_pipelines.storage.names import make_timestamp

logger = logging.getLogger(__name__)


def save_outcome(store: ChampionStore, files: Mapping[str, bytes], record: Record, since: str) -> str:
    """Writes the version with its record first, then the pointer to it, then the history, and returns its name.

    Whatever breaks off, a whole model is in use, and what was promised of it is on record in its version.

    Args:
        store: of the task.
        files: what the challenger is made of: content by name.
        record: of the retraining: `is_promoted`, `reasons` and all else that is known.
        since: now; ISO 8601, UTC.
    Raises:
        OSError: something could not be written; `ChampionStore.list_records` says whether it is promoted all the same.
    """
    version = store.add_version({**files, RECORD: json.dumps({"format": FORMAT, **record}, indent=2).encode()})
    if record["is_promoted"]:
        store.promote(version, record["reasons"], since)
    add_record(store.folder, name_record(record, version), version)
    return version


def record_failure(folder: Path, task: str, error: BaseException, as_of: int | str | None) -> None:
    """Leaves a record of a retraining that failed; where even that can't be written, the log says so.

    Args:
        folder: of the task.
        task: its name.
        error: what ended it.
        as_of: up to when data was read.
    """
    record: Record = {
        "kind": "retrain",
        "task": task,
        "at": make_timestamp(),
        "outcome": "failed",
        "is_promoted": False,
        "version": None,
        "reasons": ["it failed"],
        "as_of": as_of,
        "error": make_line(f"{type(error).__name__}: {error}"),
    }
    try:
        add_record(folder, record)
    except OSError as failure:
        logger.error("%s: the record of the failed retraining could not be written (%s)", folder, failure)
