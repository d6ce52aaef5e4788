"""The result of a retraining on disk: a version, its promotion if so decided, and a record."""

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
    """Write the version with its record, then the pointer to it, then the history, and return the version's name.

    If the process stops at any point, a complete model is in use, and its version holds the expected error.

    Args:
        store: of the task.
        files: of the challenger: content by name.
        record: of the retraining, with `is_promoted` and `reasons`.
        since: now; ISO 8601, UTC.
    Raises:
        OSError: something could not be written; `ChampionStore.list_records` shows whether the version is promoted.
    """
    version = store.add_version({**files, RECORD: json.dumps({"format": FORMAT, **record}, indent=2).encode()})
    if record["is_promoted"]:
        store.promote(version, record["reasons"], since)
    add_record(store.folder, name_record(record, version), version)
    return version


def record_failure(folder: Path, task: str, error: BaseException, as_of: int | str | None) -> None:
    """Record a failed retraining; if the record can't be written either, an error is logged.

    Args:
        folder: of the task.
        task: its name.
        error: the cause.
        as_of: last time or step of the data.
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
