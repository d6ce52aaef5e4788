"""Jobs of a divided panel: each writes the results of one partition, in this process or in others.

The results of a partition appear together, as a folder. So a run that was interrupted goes on with the partitions that
have none yet.
"""

import errno
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol, TypeVar

import pandas as pd

from rnn_pipelines.errors import ParallelError, SeriesError
from rnn_pipelines.forecast.partitions.folders import remove_panel
from rnn_pipelines.forecast.partitions.manifest import find_manifest, read_manifest, require_removed, write_manifest
from rnn_pipelines.networks.fan_out import ParallelSpec, fan_out
from rnn_pipelines.storage.files import draft_folder, replace_file

logger = logging.getLogger(__name__)

FAULTS_IN_MESSAGE = 20
NEXT_VALUES, FACTS, FAULTS = "next_values.parquet", "facts.json", "faults.txt"


class PartitionJob(Protocol):
    """The work on one partition."""

    @property
    def number(self) -> int:
        """Of the partition, from 0."""

    @property
    def folder(self) -> Path:
        """For the results; it exists as soon as they are complete."""


Job = TypeVar("Job", bound=PartitionJob)


@dataclass(frozen=True)
class Tables:
    """Tables in Parquet files, read one after another."""

    files: tuple[Path, ...] = ()

    def __iter__(self) -> Iterator[pd.DataFrame]:
        return (pd.read_parquet(file) for file in self.files)


def run_jobs(work: Callable[[Job], int], jobs: Sequence[Job], parallel: ParallelSpec) -> list[dict[str, Any]]:
    """Work on the partitions that have no results yet, and return the facts of all.

    If a process is lost, its partitions are worked on once more.

    Args:
        work: a function of a module, which calls `write_results`.
        jobs: one for each partition.
        parallel: the processes; their results are files, which all of them and this process must see.
    Raises:
        ParallelError: the processes were lost twice.
        SeriesError: a partition cannot be used; the message has the reasons of all such partitions. Or its results
            changed after they were written.
    """
    for job in jobs:
        _forget_unusable(job.folder)
    for is_last in (False, True):
        left = [job for job in jobs if not job.folder.exists()]
        if len(left) < len(jobs) and not is_last:
            logger.info("%d of %d partitions have results already", len(jobs) - len(left), len(jobs))
        try:
            for job, num_series in fan_out(work, left, parallel, "partitions"):
                logger.debug("partition %d of %d: %s series", job.number + 1, len(jobs), f"{num_series:,}")
            break
        except (ParallelError, BrokenExecutor) as error:
            if is_last:
                numbers = [job.number + 1 for job in jobs if not job.folder.exists()]
                raise ParallelError(
                    f"the processes were lost twice ({error}). Partitions without results: {numbers}. Run this "
                    "command again to go on with these; fewer workers or a smaller partitions.rows need less memory."
                ) from error
            logger.warning("a process was lost (%s); its partitions are repeated", error)
    facts = [read_manifest(job.folder / FACTS) for job in jobs]
    faults = [fact["fault"] for fact in facts if fact["fault"]]
    if faults:
        _raise_faults(faults, len(jobs), jobs[0].folder.parent / FAULTS)
    return facts


def _forget_unusable(folder: Path) -> None:
    """Remove results that changed, and the fault of an earlier run, which may have had another reason than the data.

    Raises:
        SeriesError: the folder of such results has files of others, too; the message names them.
    """
    if folder.exists() and (find_manifest(folder / FACTS) or {"fault": True})["fault"]:
        remove_panel(folder, folder.parents[1])
        require_removed(folder)


def _raise_faults(faults: Sequence[str], num_partitions: int, path: Path) -> NoReturn:
    """Raise a SeriesError with the first faults, as a small panel has one; all of them are in a file."""
    replace_file(path, "\n".join([*faults, ""]).encode())
    more = f" All are in {path}." if len(faults) > FAULTS_IN_MESSAGE else ""
    raise SeriesError(
        f"{len(faults)} of {num_partitions} partitions cannot be used. {' '.join(faults[:FAULTS_IN_MESSAGE])}{more}"
    )


def write_results(folder: Path, label: str, write: Callable[[Path], dict[str, Any]]) -> int:
    """Write the results of a partition, or the reason why it has none. Return the number of series.

    Args:
        folder: of the results.
        label: of the partition's file, which is left out of the reason, because it is not the user's file.
        write: writes the results into a folder, and returns facts with `num_series`.
    """
    try:
        with draft_folder(folder) as draft:
            try:
                facts = {"fault": "", **write(draft)}
            except SeriesError as error:
                # Raised after the other partitions, together with their faults.
                facts = {"fault": str(error).removeprefix(f"{label}: "), "num_series": 0}
            write_manifest(draft / FACTS, facts)
    except OSError as error:
        # A process that was taken for lost has written the same results meanwhile.
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        facts = read_manifest(folder / FACTS)
    return int(facts["num_series"])
