"""The facts of one version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rnn_pipelines.champion.history import find_origin
from rnn_pipelines.champion.manual import find_version
from rnn_pipelines.champion.records import Record
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.errors import ChampionError


@dataclass(frozen=True)
class VersionFacts:
    """Use, integrity and origin of a version.

    Attributes:
        version: its name.
        is_champion: whether it is in use.
        is_previous: whether it was in use before.
        since: time of the champion's promotion; None for another version.
        reasons: of the champion's promotion; empty for another version.
        problem: damage, in words; None if it is intact.
        files: bytes by name; empty if it is damaged.
        record: of its retraining; None if there is none.
    """

    version: str
    is_champion: bool
    is_previous: bool
    since: str | None
    reasons: Sequence[str]
    problem: str | None
    files: Mapping[str, int]
    record: Record | None


def find_facts(store: ChampionStore, name: str | None) -> VersionFacts:
    """Return use, integrity and record of a version.

    Args:
        store: of the task.
        name: see `find_version`; None for the champion.
    Raises:
        ChampionError: there is no champion, or no such version.
    """
    pointer = store.find_pointer()
    if name is None and pointer is None:
        raise ChampionError(f"{store.folder}: there is no champion yet. Run kedro champion retrain.")
    version = pointer.version if name is None and pointer is not None else find_version(store, name or "")
    in_use = pointer if pointer is not None and pointer.version == version else None
    problem, files = _look_into(store, version)
    return VersionFacts(
        version=version,
        is_champion=in_use is not None,
        is_previous=pointer is not None and version in pointer.previous,
        since=None if in_use is None else in_use.since,
        reasons=[] if in_use is None else list(in_use.reasons),
        problem=problem,
        files=files,
        record=find_origin(store.list_records(), version),
    )


def _look_into(store: ChampionStore, version: str) -> tuple[str | None, dict[str, int]]:
    try:
        return None, {name: len(content) for name, content in store.read_version(version).items()}
    except ChampionError as error:
        return str(error), {}
