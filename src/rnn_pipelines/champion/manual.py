"""Manual promotions and rollbacks, with their records."""

from dataclasses import dataclass
from typing import Literal

from rnn_pipelines.champion.history import add_record
from rnn_pipelines.champion.pointer import Pointer
from rnn_pipelines.champion.records import Record
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.errors import MAX_NAMES, ChampionError, make_line, show
from rnn_pipelines.storage.names import make_timestamp


@dataclass(frozen=True)
class Change:
    """A manual change of the champion.

    Attributes:
        version: the new champion.
        before: the previous champion; None if there was none.
        reason: in words.
    """

    version: str
    before: str | None
    reason: str


def promote_version(store: ChampionStore, task: str, name: str, reason: str) -> Change:
    """Make a version the champion, regardless of the policy, and record it.

    Args:
        store: of the task.
        task: its name.
        name: of the version, or its first or last letters if they are unique.
        reason: in words.
    Raises:
        ChampionError: there is no such version, or more than one, or it is damaged.
    """
    version = find_version(store, name)
    before = store.find_pointer()
    pointer = store.promote(version, [make_line(reason)], make_timestamp())
    return _record(store, task, "promote", pointer, before)


def roll_back(store: ChampionStore, task: str, reason: str) -> Change:
    """Make the newest intact previous champion the champion again, and record it.

    Args:
        store, task, reason: see `promote_version`.
    Raises:
        ChampionError: there is no previous champion, or no intact one.
    """
    before = store.find_pointer()
    pointer = store.roll_back([make_line(reason)], make_timestamp())
    return _record(store, task, "rollback", pointer, before)


def find_version(store: ChampionStore, name: str) -> str:
    """Return the version with this name, or the only one whose name begins or ends with it.

    Raises:
        ChampionError: there is none, or more than one.
    """
    versions = store.list_versions()
    if name in versions:
        return name
    found = [version for version in versions if name and (version.startswith(name) or version.endswith(name))]
    if len(found) == 1:
        return found[0]
    if found:
        raise ChampionError(
            f"{show(name)}: {len(found)} versions match: {', '.join(found)}. Give more letters of the name."
        )
    raise ChampionError(f"{show(name)}: no such version. There are {', '.join(versions[-MAX_NAMES:]) or 'none'}.")


def _record(
    store: ChampionStore, task: str, kind: Literal["promote", "rollback"], pointer: Pointer, before: Pointer | None
) -> Change:
    change = Change(pointer.version, None if before is None else before.version, pointer.reasons[0])
    record: Record = {
        "kind": kind,
        "task": task,
        "at": pointer.since,
        "is_promoted": True,
        "version": change.version,
        "champion": change.before,
        "reasons": [change.reason],
    }
    add_record(store.folder, record)
    return change
