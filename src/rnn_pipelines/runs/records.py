"""What is known of a run: who made it of what, and what it wrote."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

# That of typing is of no use to pydantic before Python 3.12.
from typing_extensions import TypedDict

from rnn_pipelines.champion.records import as_written, check_types
from rnn_pipelines.errors import RunError
from rnn_pipelines.runs.files import RECORD, FileFacts, find_unchanged, list_files
from rnn_pipelines.storage.files import find_target, is_regular, replace_file
from rnn_pipelines.storage.formats import read_object

FORMAT = 1


@as_written
class DataFacts(TypedDict):
    """A table that a run read: a hash of its columns and values, and how many rows."""

    fingerprint: str
    num_rows: int


@as_written
class RunRecord(TypedDict, total=False):
    """What is known of a run; times are ISO 8601, UTC.

    `reads` has the runs of other pipelines whose results it read, `continues` the run of its own pipeline from whose
    results it went on, if it left out nodes. `files` has only files that datasets wrote, by their paths from the run's
    folder. `writes` is there until the run has ended: the paths that it may write. `problem` is never written: it says
    why nothing else is known of a listed run.
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
    writes: list[str]
    problem: str


def write_record(folder: Path, record: RunRecord) -> None:
    """Write a run's record beside its files.

    Args:
        folder: of the run.
        record: with `files`.
    """
    replace_file(folder / RECORD, json.dumps({"format": FORMAT, **record}, indent=2, allow_nan=False).encode())


def read_record(folder: Path, run: str | None = None) -> RunRecord:
    """Read the record of a run; if it has none, only its name is known.

    Args:
        folder: of the run.
        run: its name, if that is not the folder's.
    Raises:
        RunError: there is no such run, or its record is damaged.
        NewerFormatError: a newer version of the project has written it.
    """
    if not folder.is_dir():
        raise RunError(f"{folder.name}: there is no such run in {folder.parent}.")
    run, path = run or folder.name, folder / RECORD
    if not path.exists():
        return RunRecord(run=run, files={}, writes=[])
    try:
        found = read_object(path.read_bytes(), path, FORMAT)
        check_types(found, RunRecord)
        if "files" not in found or found.get("run") != run:
            raise ValueError("expected the record of the run in whose folder it lies")
    except (OSError, ValueError) as error:
        raise RunError(
            f"{path}: it is damaged ({error}). Copy it back from a backup, or move its folder away."
        ) from error
    return cast(RunRecord, found)


def list_foreign(folder: Path, record: RunRecord) -> list[str]:
    """List the files in a run's folder that are not known to be the run's own.

    Its own are its record, and the files that the record names and that still have the recorded checksum. A run that
    was killed has no checksums yet: its own are the files at the paths that it was going to write, and the unfinished
    ones beside them.

    Args:
        folder: of the run.
        record: of the run.
    Returns:
        Paths from the folder. Every link is foreign, because no run makes one.
    """
    unchanged = set(find_unchanged(folder, record["files"]))
    return [
        name
        for name in list_files(folder)
        if name not in unchanged and not (is_regular(folder / name) and _is_written(name, record))
    ]


def find_damage(folder: Path, files: Mapping[str, FileFacts]) -> list[str]:
    """List the files of a run that are missing, or are not as it wrote them."""
    return sorted(files.keys() - set(find_unchanged(folder, files)))


def _is_written(name: str, record: RunRecord) -> bool:
    """Return whether a file may be of a run that has not ended, or is its record."""
    paths = {RECORD, *record.get("writes", [])}
    target = find_target(Path(name).name) if "writes" in record else None
    return name in paths or (target is not None and str(Path(name).with_name(target)) in paths)
