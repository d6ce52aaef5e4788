"""Changes since the last retraining that make another one worthwhile."""

from collections.abc import Mapping, Sequence

from rnn_pipelines.champion.manifest import describe_loader
from rnn_pipelines.champion.records import Fingerprints, Record
from rnn_pipelines.champion.store import Champion, ChampionStore
from rnn_pipelines.errors import ChampionError


def find_retraining(records: Sequence[Record]) -> Record | None:
    """Return the newest retraining that ended with a decision; failed retrainings are ignored."""
    finished = [
        r
        for r in records
        if r.get("kind") == "retrain" and r.get("outcome") in ("promoted", "kept")
    ]
    return finished[-1] if finished else None


def count_retrainings(store: ChampionStore) -> int:
    """Return the number of recorded retrainings, including failed ones."""
    return sum(record.get("kind") == "retrain" for record in store.list_records())


def list_changes(store: ChampionStore, fingerprints: Fingerprints) -> list[str]:
    """Return the reasons for a retraining, in words; empty if it would come to the same decision again.

    A failed retraining is a reason even if nothing has changed, because only a successful one clears the failure in
    `check_task`.
    """
    records = store.list_records()
    last = find_retraining(records)
    if last is None:
        return ["the first retraining"]
    before: Mapping[str, object] = last.get("fingerprints") or {}
    changed = [
        f"other {name}"
        for name, fingerprint in fingerprints.items()
        if before.get(name) != fingerprint
    ]
    newest = [record for record in records if record.get("kind") == "retrain"][-1]
    failed = ["the last retraining failed"] if newest is not last and not changed else []
    return [*changed, *failed, *list_damages(store)]


def list_damages(store: ChampionStore) -> list[str]:
    """Return the problems of the champion; empty if it is intact and loadable, or if there never was one."""
    return load_usable(store)[1]


def load_usable(store: ChampionStore) -> tuple[Champion | None, list[str]]:
    """Return the usable champion and the problems found on the way to it.

    The records show which versions can't be loaded; an attempt here would need Keras.
    """
    if store.find_pointer() is None:
        return None, []
    try:
        champion = store.load(find_unreadable(store.list_records()))
    except ChampionError as error:
        return None, [str(error)]
    return champion, list(champion.alarms)


def find_unreadable(records: Sequence[Record]) -> dict[str, str]:
    """Return the alarms of intact versions that can't be loaded with the current code and libraries, by version.

    The last attempt counts, because a broken library may have been repaired.
    """
    tries = [record for record in records if record.get("loader")]
    loader = describe_loader() if tries else None
    unreadable: dict[str, str] = {}
    for record in tries:
        if record["loader"] == loader:
            unreadable |= record.get("unreadable") or {}
            for version in record.get("readable") or ():
                unreadable.pop(version, None)
    return unreadable
