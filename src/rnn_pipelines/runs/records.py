"""The record of a run: its inputs and its files."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

# pydantic does not accept `typing.TypedDict` before Python 3.12.
from typing_extensions import TypedDict

from rnn_pipelines.champion.records import as_written, check_types
from rnn_pipelines.errors import RunError
from rnn_pipelines.runs.files import RECORD, FileFacts, find_unchanged, list_files
from rnn_pipelines.storage.files import find_target, is_regular, replace_file
from rnn_pipelines.storage.formats import read_object

FORMAT = 1


@as_written
class DataFacts(TypedDict):
    """Fingerprint and size of a table that a run read."""

    fingerprint: str
    num_rows: int


@as_written
class RunRecord(TypedDict, total=False):
    """The record of a run; times are ISO 8601, UTC.

    Attributes:
        continues: the run of the same pipeline whose results a partial run started from.
        reads: the runs of other pipelines whose results it read, by pipeline.
        files: written by datasets, by their paths relative to the run's folder.
        writes: until the run has ended, the paths that it may write.
        problem: why the record of a listed run can't be read; never written.
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
    """Write a run's record into its folder.

    Args:
        folder: of the run.
        record: with `files`.
    """
    replace_file(folder / RECORD, json.dumps({"format": FORMAT, **record}, indent=2, allow_nan=False).encode())


def read_record(folder: Path, run: str | None = None) -> RunRecord:
    """Read the record of a run; without a record, return one with the name only.

    Args:
        folder: of the run.
        run: its name, if it differs from the folder's.
    Raises:
        RunError: there is no such run, or its record is damaged.
        FormatError: another version of the project wrote it.
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
    """List the files in a run's folder that are not the run's own.

    Its own files are its record, and the recorded files with unchanged checksums. A killed run has no checksums yet:
    its own files are those at the paths in `writes`, and their temporary files.

    Returns:
        Paths relative to the folder. Every link is foreign, because runs make none.
    """
    unchanged = set(find_unchanged(folder, record["files"]))
    return [
        name
        for name in list_files(folder)
        if name not in unchanged and not (is_regular(folder / name) and _is_written(name, record))
    ]


def find_damage(folder: Path, files: Mapping[str, FileFacts]) -> list[str]:
    """List the files of a run that are missing or changed."""
    return sorted(files.keys() - set(find_unchanged(folder, files)))


def _is_written(name: str, record: RunRecord) -> bool:
    """Return whether a file is the record, or may be written by an unfinished run."""
    paths = {RECORD, *record.get("writes", [])}
    target = find_target(Path(name).name) if "writes" in record else None
    return name in paths or (target is not None and str(Path(name).with_name(target)) in paths)
