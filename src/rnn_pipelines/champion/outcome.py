"""What a retraining came to, on disk: a version, the champion where so decided, and a record."""

import json
from collections.abc import Mapping
from typing import Any

from rnn_pipelines.champion.history import add_record
from rnn_pipelines.champion.store import RECORD, ChampionStore, name_record


def save_outcome(store: ChampionStore, files: Mapping[str, bytes], record: Mapping[str, Any], since: str) -> str:
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
    version = store.add_version({**files, RECORD: json.dumps(record, indent=2).encode()})
    if record["is_promoted"]:
        store.promote(version, record["reasons"], since)
    add_record(store.folder, name_record(record, version))
    return version
