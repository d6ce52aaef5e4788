"""Changes of the champion with their records: the result of a retraining, manual promotions and rollbacks."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rnn_pipelines.champion.history import add_record
from rnn_pipelines.champion.pointer import Pointer
from rnn_pipelines.champion.records import Record
from rnn_pipelines.champion.store import RECORD, ChampionStore, name_record
from rnn_pipelines.errors import MAX_NAMES, ChampionError, make_line, show
from rnn_pipelines.storage.formats import FORMAT
from rnn_pipelines.storage.names import make_timestamp
from rnn_pipelines.versions.folder import match_letters

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChampionChange:
    """A manual change of the champion to `version`; `before` is None if there was none."""

    version: str
    before: str | None
    reason: str


def save_outcome(
    store: ChampionStore, files: Mapping[str, bytes], record: Record, since: str
) -> str:
    """Write the version with its record, then the pointer to it, then the history, and return the version's name.

    If the process stops at any point, a complete model is in use, and its version holds the expected error. After an
    OSError, `ChampionStore.list_records` shows whether the version is promoted. The record has `is_promoted` and
    `reasons`; `since` is now, in ISO 8601, UTC.
    """
    version = store.add_version(
        {**files, RECORD: json.dumps({"format": FORMAT, **record}, indent=2).encode()}
    )
    if record["is_promoted"]:
        store.promote(version, record["reasons"], since)
    add_record(store.folder, name_record(record, version), version)
    return version


def record_failure(folder: Path, task: str, error: BaseException, as_of: int | str | None) -> None:
    """Record a failed retraining; if the record can't be written either, an error is logged."""
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
        logger.error(
            "%s: the record of the failed retraining could not be written (%s)", folder, failure
        )


def promote_version(store: ChampionStore, task: str, name: str, reason: str) -> ChampionChange:
    """Make a version, see `find_version`, the champion, regardless of the policy, and record it.

    A version that is damaged raises a ChampionError.
    """
    version = find_version(store, name)
    before = store.find_pointer()
    pointer = store.promote(version, [make_line(reason)], make_timestamp())
    return _record(store, task, "promote", pointer, before)


def roll_back(store: ChampionStore, task: str, reason: str) -> ChampionChange:
    """Make the newest intact previous champion the champion again, and record it; a ChampionError if there is none."""
    before = store.find_pointer()
    pointer = store.roll_back([make_line(reason)], make_timestamp())
    return _record(store, task, "rollback", pointer, before)


def find_version(store: ChampionStore, name: str) -> str:
    """Return the version with this name, or the only one whose name begins or ends with it; else a ChampionError."""
    versions = store.list_versions()
    matching = match_letters(versions, name)
    if len(matching) == 1:
        return matching[0]
    if matching:
        matches = f"{len(matching)} versions match: {', '.join(matching)}"
        raise ChampionError(f"{show(name)}: {matches}. Give more letters of the name.")
    raise ChampionError(
        f"{show(name)}: no such version. There are {', '.join(versions[-MAX_NAMES:]) or 'none'}."
    )


def _record(
    store: ChampionStore,
    task: str,
    kind: Literal["promote", "rollback"],
    pointer: Pointer,
    before: Pointer | None,
) -> ChampionChange:
    change = ChampionChange(
        pointer.version, None if before is None else before.version, pointer.reasons[0]
    )
    record: Record = {
        "kind": kind,
        "task": task,
        "at": pointer.since,
        "is_promoted": True,
        "version": change.version,
    }
    add_record(store.folder, {**record, "champion": change.before, "reasons": [change.reason]})
    return change
