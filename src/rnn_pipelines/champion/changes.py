"""What has changed since the last retraining, so that another one may come to something else."""

from collections.abc import Mapping, Sequence

from rnn_pipelines.champion.manifest import describe_loader
from rnn_pipelines.champion.records import Fingerprints, Record
from rnn_pipelines.champion.store import Champion, ChampionStore
from rnn_pipelines.errors import ChampionError


def find_retraining(records: Sequence[Record]) -> Record | None:
    """The newest retraining that came to a decision; one that failed decided nothing."""
    finished = [r for r in records if r.get("kind") == "retrain" and r.get("outcome") in ("promoted", "kept")]
    return finished[-1] if finished else None


def count_retrainings(store: ChampionStore) -> int:
    """How many are on record, those that failed too."""
    return sum(record.get("kind") == "retrain" for record in store.list_records())


def list_changes(store: ChampionStore, fingerprints: Fingerprints) -> list[str]:
    """What a retraining would be for, in words; empty where it would come to the same decision again.

    One that failed is tried again, also where all is as it was at the last decision: only a retraining that ends well
    ends what `check_task` says of the failure.

    Args:
        store: of the task.
        fingerprints: of data, parameters and code as they are now.
    """
    records = store.list_records()
    last = find_retraining(records)
    if last is None:
        return ["the first retraining"]
    known: Mapping[str, object] = last.get("fingerprints") or {}
    others = [f"other {name}" for name, found in fingerprints.items() if known.get(name) != found]
    newest = [record for record in records if record.get("kind") == "retrain"][-1]
    failed = ["the last retraining failed"] if newest is not last and not others else []
    return [*others, *failed, *list_damages(store)]


def list_damages(store: ChampionStore) -> list[str]:
    """What is wrong with the champion; empty where it is whole and can be loaded, or there never was one."""
    return load_usable(store)[1]


def load_usable(store: ChampionStore) -> tuple[Champion | None, list[str]]:
    """The files of the champion that can be used, and what is wrong with it or was on the way to it.

    That a champion can't be loaded is known from whoever tried last: to try would take Keras.
    """
    if store.find_pointer() is None:
        return None, []
    try:
        champion = store.load(find_unreadable(store.list_records()))
    except ChampionError as error:
        return None, [str(error)]
    return champion, list(champion.alarms)


def find_unreadable(records: Sequence[Record]) -> dict[str, str]:
    """Versions that can't be loaded with this code and these libraries though they are whole, with their alarms.

    Who tried last is right: a library that is broken may be put back.
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
