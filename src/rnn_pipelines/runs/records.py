"""What is known of a run: who made it of what, and what it wrote."""

import hashlib
import json
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any, cast

# That of typing is of no use to pydantic before Python 3.12.
from typing_extensions import TypedDict

from rnn_pipelines.champion.files import replace_file
from rnn_pipelines.champion.formats import read_object
from rnn_pipelines.champion.records import as_written, refuse_other_types
from rnn_pipelines.errors import RunError

RECORD = "run.json"
FORMAT = 1


@as_written
class DataFacts(TypedDict):
    """A table that a run read: a hash of its columns and values, and how many rows."""

    fingerprint: str
    num_rows: int


@as_written
class FileFacts(TypedDict):
    """A file that a run wrote."""

    sha256: str
    num_bytes: int


@as_written
class RunRecord(TypedDict, total=False):
    """What is known of a run; times are ISO 8601, UTC.

    `reads` has the runs of other pipelines whose results it read, `continues` the run of its own pipeline from whose
    results it went on, if it left out nodes. `taken_in` stands there only for results from before there were runs, of
    which nothing else is known: when they became a run; None until all are moved. `problem` is never written: it says
    of a listed run why there is no more.
    """

    run: str
    pipeline: str
    env: str | None
    began: str
    ended: str
    continues: str | None
    reads: dict[str, str]
    data: dict[str, DataFacts]
    parameters: dict[str, Any]
    code: str
    commit: str | None
    versions: dict[str, str]
    files: dict[str, FileFacts]
    taken_in: str | None
    problem: str


def write_record(folder: Path, record: RunRecord) -> None:
    """Writes a run's record beside its files, with their checksums.

    Args:
        folder: of the run.
        record: the rest of what is known.
    """
    complete = {"format": FORMAT, **record, "files": measure_files(folder)}
    replace_file(folder / RECORD, json.dumps(complete, indent=2, allow_nan=False).encode())


def read_record(folder: Path) -> RunRecord:
    """The record of a run; where it has none, its name alone.

    Raises:
        RunError: there is no such run, or its record is damaged.
        NewerFormatError: a newer version of the project has written it.
    """
    if not folder.is_dir():
        raise RunError(f"{folder.name}: there is no such run in {folder.parent}.")
    path = folder / RECORD
    if not path.exists():
        return RunRecord(run=folder.name, files={})
    try:
        found = read_object(path.read_bytes(), path, FORMAT)
        refuse_other_types(found, RunRecord)
        if "files" not in found or found.get("run") != folder.name:
            raise ValueError("expected the record of the run in whose folder it lies")
    except (OSError, ValueError) as error:
        raise RunError(
            f"{path}: it is damaged ({error}). Copy it back from a backup, or move its folder away."
        ) from error
    return cast(RunRecord, found)


def measure_files(folder: Path) -> dict[str, FileFacts]:
    """Checksum and size of every file of a run, by its path from the run's folder."""
    return {name: _measure_file(folder / name) for name in list_files(folder)}


def list_files(folder: Path) -> list[str]:
    """The files of a run, as paths from its folder; hidden ones, which no run writes, and its record don't count."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(str(path) for path in paths if str(path) != RECORD and not any(part[0] == "." for part in path.parts))


def list_foreign(folder: Path, own: Container[str]) -> list[str]:
    """What lies in a run's folder that it did not write: all but its files and record, links too, for it writes none.

    Args:
        folder: of the run.
        own: its files, as paths from its folder.
    """
    found = {str(path.relative_to(folder)): path for path in folder.rglob("*")}
    return sorted(
        name
        for name, path in found.items()
        if path.is_symlink() or not (path.is_dir() or name == RECORD or name in own)
    )


def find_damage(folder: Path, files: Mapping[str, FileFacts]) -> list[str]:
    """Which of a run's files are missing, or are not as it wrote them."""
    found = measure_files(folder)
    return [name for name, facts in files.items() if found.get(name) != facts]


def _measure_file(path: Path) -> FileFacts:
    content = path.read_bytes()
    return {"sha256": hashlib.sha256(content).hexdigest(), "num_bytes": len(content)}
