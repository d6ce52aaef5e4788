"""The facts of a version, and the history of a champion, as text for a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnn_pipelines.champion.history import find_origin
from rnn_pipelines.champion.outcome import find_version
from rnn_pipelines.champion.records import (
    Metrics,
    Record,
    find_compared_loss,
    list_measures,
    list_reasons,
)
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.errors import ChampionError, make_line

NO_VALUE = "–"
NUM_LETTERS = 12
HEADER = ("at", "kind", "outcome", "version", "loss", "champion's", "reason")


@dataclass(frozen=True)
class VersionFacts:
    """Use, integrity and origin of a version.

    `since` and `reasons` are those of the champion's promotion; None and empty for another version. `problem` is the
    damage, in words; None if it is intact. `files` are bytes by name; empty if it is damaged. The record of its
    retraining is None if there is none.
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
    """Return use, integrity and record of a version, see `find_version`, or of the champion for None.

    Without a champion, or without such a version, a ChampionError is raised.
    """
    pointer = store.find_pointer()
    if name is None and pointer is None:
        raise ChampionError(
            f"{store.folder}: there is no champion yet. Run kedro champion retrain."
        )
    version = (
        pointer.version if name is None and pointer is not None else find_version(store, name or "")
    )
    in_use = pointer if pointer is not None and pointer.version == version else None
    problem = None
    files = {}
    try:
        files = {name: len(content) for name, content in store.read_version(version).items()}
    except ChampionError as error:
        problem = str(error)
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


def tabulate_history(records: Sequence[Record], champion: str | None) -> str:
    """Return a table with a line per record; `*` marks the current champion, if there is one."""
    return format_table([HEADER, *(_write_row(record, champion) for record in records)])


def describe_version(details: VersionFacts) -> str:
    """Return the facts of a version, one per line."""
    record = details.record or Record()
    use = "a previous champion" if details.is_previous else "no"
    files = ", ".join(f"{name} ({size:,} bytes)" for name, size in details.files.items())
    facts = [
        ("version", details.version),
        (
            "in use",
            f"the champion since {details.since or 'an unknown time'}"
            if details.is_champion
            else use,
        ),
        ("files", f"damaged: {details.problem}" if details.problem else files),
        ("retrained", record.get("at")),
        ("outcome", record.get("outcome")),
        *(("because", reason) for reason in record.get("reasons", [])),
        *(
            ("manual", reason)
            for reason in details.reasons
            if reason not in record.get("reasons", [])
        ),
        *list_origins(record),
    ]
    text = format_table([(name, format_value(value)) for name, value in facts if value is not None])
    losses = list(_list_losses(record))
    return text + (f"\n\n{format_table(losses)}" if losses else "")


def list_origins(record: Record) -> Iterator[tuple[str, Any]]:
    """Yield the inputs of a retraining with readable names; None for unknown ones."""
    data = record.get("data") or {}
    if data:
        counts = ", ".join(
            f"{value:,} {name[4:]}" for name, value in data.items() if name.startswith("num_")
        )
        times = f"{data['first']} to {data['last']}, " if "first" in data else ""
        yield "data", f"{data.get('source')}: {times}{counts}"
    yield "as of", record.get("as_of")
    yield "p", record.get("p_value")
    for name, fingerprint in (record.get("fingerprints") or {}).items():
        yield f"{name} fingerprint", str(fingerprint)[:NUM_LETTERS]
    yield "commit", (record.get("commit") or "")[:NUM_LETTERS] or None
    yield "seeds", " ".join(map(str, record["seeds"])) if "seeds" in record else None
    for name, seconds in (record.get("seconds") or {}).items():
        yield f"seconds, {name}", seconds
    versions = record.get("versions") or {}
    yield (
        "computed with",
        ", ".join(f"{name} {version}" for name, version in versions.items()) or None,
    )


def format_table(rows: Sequence[Sequence[str]]) -> str:
    cells = [[make_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    return "\n".join(lines)


def format_value(value: Any) -> str:
    """Return a value as text: floats with four significant digits, None as a dash."""
    if value is None:
        return NO_VALUE
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def shorten_version(version: str) -> str:
    """Return the last letters of a version's name, which the commands accept too."""
    return version.rpartition("-")[2]


def _write_row(record: Record, champion: str | None) -> tuple[str, ...]:
    version = record.get("version")
    metrics = record.get("metrics") or Metrics()
    return (
        format_value(record.get("at")),
        format_value(record.get("kind")),
        format_value(record.get("outcome")),
        NO_VALUE
        if version is None
        else shorten_version(version) + ("*" if version == champion else ""),
        format_value(find_compared_loss(metrics, "challenger")),
        format_value(find_compared_loss(metrics, "champion")),
        "; ".join(list_reasons(record)),
    )


def _list_losses(record: Record) -> Iterator[tuple[str, ...]]:
    measured: dict[str, Mapping[str, object]] = {**list_measures(record)}
    has_shared = any("shared_loss" in measures for measures in measured.values())
    keys = ("loss", "shared_loss", "validation_loss") if has_shared else ("loss", "validation_loss")
    if measured:
        yield "on the holdout", *(key.replace("_", " ") for key in keys)
    for name, measures in measured.items():
        yield name, *(format_value(measures.get(key)) for key in keys)
