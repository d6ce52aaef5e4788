"""Jobs of a divided panel: each writes the results of one partition, in this process or in others.

The results of a partition appear together, as a folder. So a run that was interrupted goes on with the partitions that
have none yet.
"""

import errno
import hashlib
import logging
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from rnn_pipelines.errors import ParallelError, SeriesError
from rnn_pipelines.forecast.methods.predictions import (
    ANOMALY_LEVEL,
    REASON,
    SUSPECT,
    fill_marks,
    name_own_bounds,
)
from rnn_pipelines.forecast.model.artefact import FORECAST, Forecaster
from rnn_pipelines.forecast.partitions import folders
from rnn_pipelines.forecast.partitions.dividing import Sample
from rnn_pipelines.networks.fan_out import ParallelSpec, fan_out
from rnn_pipelines.reading.zones import show_table
from rnn_pipelines.storage.files import draft_folder, replace_file

logger = logging.getLogger(__name__)

FAULTS_IN_MESSAGE = 20
NEXT_VALUES = "next_values.parquet"
FACTS = "facts.json"
FAULTS = "faults.txt"
# The tables of all partitions, as the catalog names the file.
ALL_NEXT_VALUES = "all_next_values.parquet"


class PanelForecaster(Protocol):
    """A fit or a champion, which forecasts the series of any partition."""

    def pack(self) -> bytes:
        """Return all that the forecasts depend on besides the data, so that results of another one are not used."""

    def write(self, partition: Sample, folder: Path) -> dict[str, Any]:
        """Write the tables of a partition into a folder, and return facts with `num_series`."""


@dataclass(frozen=True)
class PartitionJob:
    """The forecast of one partition, numbered from 0; the folder exists as soon as its results are complete."""

    number: int
    folder: Path
    partition: Sample
    forecaster: PanelForecaster


@dataclass(frozen=True)
class Tables:
    """Tables in Parquet files, read one after another.

    The rows of `suspects` are those of an `earlier` file, if it has rows of them that are not suspect.
    """

    files: tuple[Path, ...] = ()
    earlier: Path | None = None
    suspects: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[pd.DataFrame]:
        good = self._read_good()
        for file in self.files:
            table = pd.read_parquet(file)
            yield table if good is None else table[~table["unique_id"].isin(good["unique_id"])]
        if good is not None and len(good):
            yield good

    def _read_good(self) -> pd.DataFrame | None:
        if self.earlier is None or not self.suspects or not self.earlier.exists():
            return None
        rows = fill_marks(
            pd.read_parquet(self.earlier, filters=[("unique_id", "in", self.suspects)])
        )
        # Other levels than before.
        columns = pd.read_parquet(self.files[0]).columns
        return rows[~rows[SUSPECT]].reindex(columns=columns)


def run_jobs(
    forecaster: PanelForecaster, panel: Sample, parallel: ParallelSpec
) -> tuple[list[Path], list[dict[str, Any]]]:
    """Forecast the partitions that have no results yet, and return the folders and facts of all.

    If a process is lost, its partitions are forecast once more. The results of processes are files, which all of them
    and this process must see.

    Raises:
        ParallelError: the processes were lost twice.
        SeriesError: a partition cannot be used; the message has the reasons of all such partitions. Or its results
            changed after they were written.
    """
    assert panel.partitions.folder is not None
    results = (
        panel.partitions.folder / f"results-{hashlib.sha256(forecaster.pack()).hexdigest()[:16]}"
    )
    results.mkdir(exist_ok=True)
    numbers = panel.partitions.list_numbers()
    jobs = [PartitionJob(n, results / f"{n:05d}", panel.select(n), forecaster) for n in numbers]
    for job in jobs:
        # A fault of an earlier run may have had another reason than the data.
        if (
            job.folder.exists()
            and (folders.find_manifest(job.folder / FACTS) or {"fault": True})["fault"]
        ):
            folders.remove_panel(job.folder, panel.partitions.folder)
            folders.require_removed(job.folder)
    for is_last in (False, True):
        left = [job for job in jobs if not job.folder.exists()]
        if len(left) < len(jobs) and not is_last:
            logger.info(
                "%d of %d partitions have results already", len(jobs) - len(left), len(jobs)
            )
        try:
            for job, num_series in fan_out(forecast_partition, left, parallel, "partitions"):
                logger.debug(
                    "partition %d of %d: %s series", job.number + 1, len(jobs), f"{num_series:,}"
                )
            break
        except (ParallelError, BrokenExecutor) as error:
            if is_last:
                numbers = [job.number + 1 for job in jobs if not job.folder.exists()]
                raise ParallelError(
                    f"the processes were lost twice ({error}). Partitions without results: {numbers}. Run this "
                    "command again to go on with these; fewer workers or a smaller partitions.rows need less memory."
                ) from error
            logger.warning("a process was lost (%s); its partitions are repeated", error)
    facts = [folders.read_manifest(job.folder / FACTS) for job in jobs]
    if faults := [fact["fault"] for fact in facts if fact["fault"]]:
        replace_file(results / FAULTS, "\n".join([*faults, ""]).encode())
        more = f" All are in {results / FAULTS}." if len(faults) > FAULTS_IN_MESSAGE else ""
        some = " ".join(faults[:FAULTS_IN_MESSAGE])
        raise SeriesError(f"{len(faults)} of {len(jobs)} partitions cannot be used. {some}{more}")
    return [job.folder for job in jobs], facts


def write_next_values(forecasts: pd.DataFrame, forecaster: Forecaster, folder: Path) -> None:
    """Write the forecasts of `forecast_panel`, and given marks.

    They have `unique_id, ds`, and the forecast and its bounds such as `lo-80`, as float32.
    """
    levels = [] if forecaster.intervals is None else forecaster.intervals.levels.tolist()
    bounds = [
        bound for level in levels if level != ANOMALY_LEVEL for bound in name_own_bounds(level)
    ]
    names = {FORECAST: "forecast"} | {bound: bound.replace("_", "-") for bound in bounds}
    marks = [name for name in (SUSPECT, REASON) if name in forecasts]
    shown = show_table(forecasts, forecaster.settings.tz)
    renamed = shown[["unique_id", "ds", *names, *marks]].rename(columns=names)
    renamed.astype(dict.fromkeys(names.values(), "float32")).to_parquet(
        folder / NEXT_VALUES, index=False
    )


def forecast_partition(job: PartitionJob) -> int:
    """Write the results of a partition, or the reason why it has none. Return the number of series."""
    try:
        with draft_folder(job.folder) as draft:
            try:
                facts = {"fault": "", **job.forecaster.write(job.partition, draft)}
            except SeriesError as error:
                # Raised after the other partitions, together with their faults. The partition's file is not the user's.
                facts = {
                    "fault": str(error).removeprefix(f"{job.partition.source.label}: "),
                    "num_series": 0,
                }
            folders.write_manifest(draft / FACTS, facts)
    except OSError as error:
        # A process that was taken for lost has written the same results meanwhile.
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        facts = folders.read_manifest(job.folder / FACTS)
    return int(facts["num_series"])
