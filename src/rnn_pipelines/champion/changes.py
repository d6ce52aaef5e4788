"""Whether there is anything to retrain for."""

from collections.abc import Mapping, Sequence
from typing import Any

from rnn_pipelines.champion.manifest import describe_loader
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.errors import ChampionError


def find_retraining(records: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The newest retraining that came to a decision; one that failed decided nothing.

    Args:
        records: what `list_records` returns.
    """
    finished = [r for r in records if r.get("kind") == "retrain" and r.get("outcome") in ("promoted", "kept")]
    return finished[-1] if finished else None


def count_retrainings(store: ChampionStore) -> int:
    """How many are on record, those that failed too.

    Args:
        store: of the task.
    """
    return sum(record.get("kind") == "retrain" for record in store.list_records())


def list_news(store: ChampionStore, fingerprints: Mapping[str, str]) -> list[str]:
    """What a retraining would be for, in words; empty where it would come to the same decision again.

    Args:
        store: of the task.
        fingerprints: of data, parameters and code as they are now.
    """
    last = find_retraining(store.list_records())
    if last is None:
        return ["the first retraining"]
    known = last.get("fingerprints") or {}
    return [f"other {name}" for name in fingerprints if known.get(name) != fingerprints[name]] + list_damages(store)


def list_damages(store: ChampionStore) -> list[str]:
    """What is wrong with the champion; empty where it is whole and can be loaded, or there never was one.

    That a champion can't be loaded is known from whoever tried last: to try would take Keras.
    """
    if store.find_pointer() is None:
        return []
    try:
        return list(store.load(find_unreadable(store.list_records())).alarms)
    except ChampionError as error:
        return [str(error)]


def find_unreadable(records: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Versions that can't be loaded with this code and these libraries though they are whole, with their alarms.

    Who tried last is right: a library that is broken may be put back.

    Args:
        records: what `list_records` returns.
    """
    tries = [record for record in records if record.get("loader")]
    loader = describe_loader() if tries else {}
    unreadable: dict[str, str] = {}
    for record in tries:
        if record["loader"] == loader:
            unreadable |= record.get("unreadable", {})
            for version in record.get("readable", ()):
                unreadable.pop(version, None)
    return unreadable
