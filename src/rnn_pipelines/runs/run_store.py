"""The results of a pipeline: a folder per run, and a link to the current run, so that all shown results are of one run.

<data root>/runs/forecast/2026-11-26T12.15.36.123456Z-a1b2c3/08_reporting/metrics.json     a file of a run
<data root>/runs/forecast/current              → 2026-11-26T12.15.36.123456Z-a1b2c3         the current run
<data root>/08_reporting/forecast              → ../runs/forecast/current/08_reporting      the shown results
"""

import json
import os
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import Field

# pydantic does not accept `typing.TypedDict` before Python 3.12.
from typing_extensions import TypedDict

from rnn_pipelines.errors import RunError
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.storage.files import is_folder, replace_file
from rnn_pipelines.storage.formats import FORMAT, as_written, check_types, read_object
from rnn_pipelines.versions.files import FileFacts, find_unchanged
from rnn_pipelines.versions.folder import OwnFiles, Removal, VersionedFolder, find_name

FOLDER = "runs"
RECORD = "run.json"
CURRENT = "current"
# Suffix of the hidden folders of failed runs.
FAILED = ".failed"
# The longest wait for another run of the same pipeline, set by an option of the command.
WAIT_SECONDS: ContextVar[float] = ContextVar("wait_seconds", default=60.0)
# Whether a run of this process ended with an alarm, although its results are complete.
IS_ALARM: ContextVar[bool] = ContextVar("is_alarm", default=False)
# A run that is repeated, and is not removed by its repetition.
REPEATED: ContextVar[str | None] = ContextVar("repeated", default=None)
# The command of a run that is not made by `kedro run`, for its pages.
COMMAND: ContextVar[str | None] = ContextVar("command", default=None)


class RunsSpec(ParameterModel, frozen=True):
    """How runs are kept.

    Attributes:
        keep: the number of newest runs to keep of each pipeline; at least two, because another pipeline may still read
            the previous one.
    """

    keep: Annotated[int, Field(ge=2)] = 10


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


@dataclass(frozen=True)
class RunStore:
    """The results of one pipeline, whose name is that of its folder in each layer, in one data root.

    Changes need its lock.
    """

    root: Path
    pipeline: str

    @property
    def folder(self) -> Path:
        return self.root / FOLDER / self.pipeline

    @property
    def versions(self) -> VersionedFolder:
        return VersionedFolder(self.folder, RECORD, list_run_files)

    @property
    def lock(self) -> Path:
        return self.folder / ".lock"

    def find_shown(self, layer: str) -> Path:
        """Return the path of the shown results in a layer: a link, once there is a run."""
        return self.root / layer / self.pipeline

    def find_current(self) -> str | None:
        """Return the name of the current run; None if there is none, or if it is gone."""
        link = self.folder / CURRENT
        target = Path(os.path.realpath(link))
        is_here = link.is_symlink() and target.parent == Path(os.path.realpath(self.folder))
        return target.name if is_here and target.name in self.list_runs() else None

    def list_runs(self) -> list[str]:
        """List the complete runs, oldest first."""
        return [name for name in self.versions.list_complete() if is_folder(self.folder / name)]

    def read_record(self, name: str) -> RunRecord:
        """Read the record of a run; a RunError if there is no such run, or its record is damaged."""
        return read_record(self.folder / name)

    def prune(self, num_kept: int, is_dry: bool = False) -> Removal:
        """Remove old runs but the newest ones and the current one, and failed runs that are older than the current one.

        If it is dry, nothing is removed, and the folders that would be are returned.
        """
        current = self.find_current()
        names = self.list_runs()
        hidden = self.versions.list_hidden(FAILED)
        failed = [path for path in hidden if current is not None and find_name(path) < current]
        kept = (current, REPEATED.get())
        old = [
            self.folder / name
            for name in names[: max(0, len(names) - num_kept)]
            if name not in kept
        ]
        return self.versions.remove([*failed, *old], is_dry)


def write_record(folder: Path, record: RunRecord) -> None:
    """Write a run's record, with its `files`, into its folder."""
    replace_file(folder / RECORD, dump_record(record))


def dump_record(record: RunRecord) -> bytes:
    return json.dumps({"format": FORMAT, **record}, indent=2, allow_nan=False).encode()


def read_record(folder: Path) -> RunRecord:
    """Read the record in the folder of a run, also of a hidden one; without a record, return one with the name only.

    A RunError says that there is no such run, or that its record is damaged; a FormatError that another version of the
    project wrote it.
    """
    if not folder.is_dir():
        raise RunError(f"{folder.name}: there is no such run in {folder.parent}.")
    run = find_name(folder)
    path = folder / RECORD
    if not path.exists():
        return RunRecord(run=run, files={}, writes=[])
    try:
        record = read_object(path.read_bytes(), path)
        check_types(record, RunRecord)
        if "files" not in record or record.get("run") != run:
            raise ValueError("expected the record of the run in whose folder it lies")
    except (OSError, ValueError) as error:
        remedy = "Copy it back from a backup, or move its folder away."
        raise RunError(f"{path}: it is damaged ({error}). {remedy}") from error
    return cast(RunRecord, record)


def list_run_files(folder: Path) -> OwnFiles:
    """Return the own files of a run: those on record, and those that an unfinished one may write; see `read_record`."""
    record = read_record(folder)
    return OwnFiles(
        {name: facts["sha256"] for name, facts in record["files"].items()}, record.get("writes", ())
    )


def find_damage(folder: Path, files: Mapping[str, FileFacts]) -> list[str]:
    """List the files of a run that are missing or changed."""
    return sorted(files.keys() - set(find_unchanged(folder, files)))
