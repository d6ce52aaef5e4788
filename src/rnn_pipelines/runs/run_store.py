"""The results of a pipeline: a folder per run, and a link to the current run, so that all shown results are of one run.

<data root>/runs/forecast/2026-11-26T12.15.36.123456Z-a1b2c3/08_reporting/metrics.json     a file of a run
<data root>/runs/forecast/current              → 2026-11-26T12.15.36.123456Z-a1b2c3         the current run
<data root>/08_reporting/forecast              → ../runs/forecast/current/08_reporting      the shown results
"""

import os
from dataclasses import dataclass
from pathlib import Path

from rnn_pipelines.runs.records import RunRecord, read_record
from rnn_pipelines.storage.files import is_folder
from rnn_pipelines.storage.names import give_order, is_name

FOLDER = "runs"
CURRENT = "current"
# Suffixes of the hidden folders of runs in progress or removal, and of failed runs.
UNFINISHED = ".part"
FAILED = ".failed"


@dataclass(frozen=True)
class RunStore:
    """The results of one pipeline in one data root. Changes need its lock.

    Attributes:
        root: the data root.
        pipeline: its name, and the name of its folder in each layer.
    """

    root: Path
    pipeline: str

    @property
    def folder(self) -> Path:
        """The folder of the runs."""
        return self.root / FOLDER / self.pipeline

    @property
    def lock(self) -> Path:
        """The lock file."""
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
        found = self.folder.iterdir() if self.folder.is_dir() else ()
        return sorted((path.name for path in found if is_name(path.name) and is_folder(path)), key=give_order)

    def list_hidden(self, ending: str) -> list[Path]:
        """List the folders of unfinished or failed runs, oldest first.

        Args:
            ending: of their names, `UNFINISHED` or `FAILED`.
        """
        found = self.folder.glob(f".*{ending}")
        return sorted(path for path in found if is_name(find_run_name(path)) and is_folder(path))

    def read_record(self, name: str) -> RunRecord:
        """Read the record of a run.

        Raises:
            RunError: there is no such run, or its record is damaged.
        """
        return read_record(self.folder / name)


def find_run_name(folder: Path) -> str:
    """Return the name of the run of a folder, also of a hidden one."""
    return folder.name.removeprefix(".").removesuffix(UNFINISHED).removesuffix(FAILED)
