"""What is known of one version."""

from typing import Any

from rnn_pipelines.champion.history import find_origin
from rnn_pipelines.champion.manual import find_version
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.errors import ChampionError


def find_facts(store: ChampionStore, name: str | None) -> dict[str, Any]:
    """Whether a version is in use and whole, and the record of its retraining.

    Args:
        store: of the task.
        name: see `find_version`; None for the champion.
    Returns:
        `version, is_champion, is_previous, since` (None but for the champion), `reasons` of its promotion, `problem`
        (None where it is whole), `files` (bytes by name) and `record` (None where there is none).
    Raises:
        ChampionError: there is no champion, or no such version.
    """
    pointer = store.find_pointer()
    if name is None and pointer is None:
        raise ChampionError(f"{store.folder}: there is no champion yet. Run kedro champion retrain.")
    version = pointer.version if name is None and pointer is not None else find_version(store, name or "")
    is_champion = pointer is not None and pointer.version == version
    problem, files = _look_into(store, version)
    return {
        "version": version,
        "is_champion": is_champion,
        "is_previous": pointer is not None and version in pointer.previous,
        "since": pointer.since if pointer is not None and is_champion else None,
        "reasons": list(pointer.reasons) if pointer is not None and is_champion else [],
        "problem": problem,
        "files": files,
        "record": find_origin(store.list_records(), version),
    }


def _look_into(store: ChampionStore, version: str) -> tuple[str | None, dict[str, int]]:
    try:
        return None, {name: len(content) for name, content in store.read_version(version).items()}
    except ChampionError as error:
        return str(error), {}
