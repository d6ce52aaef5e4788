"""Jobs of a divided panel: each writes the results of one partition, in this process or in others.

The results of a partition appear together, as a folder. So a run that was interrupted goes on with the partitions that
have none yet.
"""

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self

import pandas as pd

from rnn_pipelines.errors import ParallelError, ParameterError, RunStopped, SeriesError, count
from rnn_pipelines.forecast.methods.predictions import (
    ANOMALY_LEVEL,
    REASON,
    SUSPECT,
    fill_marks,
    name_own_bounds,
)
from rnn_pipelines.forecast.model.artefact import FORECAST, Forecaster
from rnn_pipelines.forecast.partitions.dividing import Sample
from rnn_pipelines.forecast.partitions.folders import (
    FACTS,
    MANIFEST,
    complete_folder,
    read_manifest,
    remove_unusable,
)
from rnn_pipelines.forecast.partitions.remote import has_file, send_files
from rnn_pipelines.forecast.totals.adding import Totals
from rnn_pipelines.networks.fan_out import ParallelSpec, fan_out
from rnn_pipelines.reading.zones import show_table
from rnn_pipelines.storage.files import replace_file
from rnn_pipelines.storage.formats import dump_object

logger = logging.getLogger(__name__)

FAULTS_IN_MESSAGE = 20
NEXT_VALUES = "next_values.parquet"
# What a fit writes for its parts.
FIT = "fit"
# Names the results of the newest fit, in the folder of divided panels.
PARTS = "parts.json"
FAULTS = "faults.txt"
# The tables of all partitions, as the catalog names the file.
ALL_NEXT_VALUES = "all_next_values.parquet"


class PanelForecaster(Protocol):
    """A fit or a champion, which forecasts the series of any partition."""

    def pack(self) -> dict[str, bytes]:
        """Return the files of all that the forecasts depend on besides the data: content by name."""

    @classmethod
    def unpack(cls, files: Mapping[str, bytes]) -> Self:
        """Return the forecaster in the files of `pack`."""

    def write(self, partition: Sample, folder: Path) -> dict[str, Any]:
        """Write the tables of a partition into a folder, and return facts with `num_series`."""

    def join(self, folders: Sequence[Path], facts: Sequence[Mapping[str, Any]]) -> "AllSeries":
        """Return the results of all series, from the folders and facts of all partitions."""


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


class AllSeries(NamedTuple):
    """The results of all series of a divided panel; empty for other panels.

    Attributes:
        next_values: `unique_id, ds, forecast`, and `lo-80, hi-80` and the like of each level: float32, in the unit of
            `y`; and the marks, see `ForecastLogTable`.
        by_series: the metrics by series, see `AllMetricsTable`; none from a champion.
        summary: facts about the series.
        totals: of the next values.
    """

    next_values: Tables
    by_series: Tables
    summary: dict[str, Any]
    totals: Totals


def run_jobs(
    forecaster: PanelForecaster, panel: Sample, parallel: ParallelSpec
) -> tuple[list[Path], list[dict[str, Any]]]:
    """Forecast the partitions that have no results yet, and return the folders and facts of all.

    If a process is lost, its partitions are forecast once more. The results of processes are files, which all of them
    and this process must see.

    Raises:
        RunStopped: the run ends with the fit.
        ParallelError: the processes were lost twice.
        SeriesError: a partition cannot be used; the message has the reasons of all such partitions. Or its results
            changed after they were written.
    """
    folder = panel.partitions.folder
    assert folder is not None
    results = name_results(forecaster, folder)
    results.mkdir(exist_ok=True)
    jobs = plan_jobs(forecaster, panel, results)
    if panel.spec.stop is not None:
        raise RunStopped(write_fit(forecaster, panel, results))
    for job in jobs:
        remove_unusable(job.folder, folder)
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
    return [job.folder for job in jobs], read_facts(jobs, results)


def name_results(forecaster: PanelForecaster, folder: Path) -> Path:
    """Return the folder of the results of a forecaster in that of a divided panel."""
    digest = hashlib.sha256()
    for name, content in forecaster.pack().items():
        digest.update(name.encode() + content)
    return folder / f"results-{digest.hexdigest()[:16]}"


def plan_jobs(forecaster: PanelForecaster, panel: Sample, results: Path) -> list[PartitionJob]:
    """Return the jobs of all partitions with rows."""
    numbers = panel.partitions.list_numbers()
    return [
        PartitionJob(number, results / f"{number:05d}", panel.select(number), forecaster)
        for number in numbers
    ]


def read_facts(jobs: Sequence[PartitionJob], results: Path) -> list[dict[str, Any]]:
    """Return the facts of complete partitions; raise a SeriesError with the reasons of those that can't be used."""
    facts = [read_manifest(job.folder / FACTS) for job in jobs]
    if faults := [fact["fault"] for fact in facts if fact["fault"]]:
        replace_file(results / FAULTS, "\n".join([*faults, ""]).encode())
        more = f" All are in {results / FAULTS}." if len(faults) > FAULTS_IN_MESSAGE else ""
        some = " ".join(faults[:FAULTS_IN_MESSAGE])
        raise SeriesError(f"{len(faults)} of {len(jobs)} partitions cannot be used. {some}{more}")
    return facts


def write_fit(forecaster: PanelForecaster, panel: Sample, results: Path) -> str:
    """Write what the forecasts of the partitions need besides the data, and return a text with the next commands."""
    folder = panel.partitions.folder
    assert folder is not None

    def write(draft: Path) -> dict[str, Any]:
        for name, content in forecaster.pack().items():
            (draft / name).write_bytes(content)
        return {
            "kind": type(forecaster).__name__,
            "partitions": asdict(replace(panel.partitions, folder=None)),
            "source": panel.source.model_dump_json(by_alias=True),
            "covariates": panel.covariates.model_dump_json(by_alias=True),
        }

    remove_unusable(results / FIT, folder)
    complete_folder(results / FIT, write)
    pointer = {"format": 1, "results": f"{folder.name}/{results.name}"}
    replace_file(folder.parent / PARTS, dump_object(pointer))
    address = str(folder.parent)
    if panel.spec.address is not None:
        address = panel.spec.address.rstrip("/")
        _send_fit(panel, results, f"{address}/{folder.name}")
        send_files([folder.parent / PARTS], folder.parent, address)
    last = len(panel.partitions.list_numbers()) - 1
    return (
        f"The fit and the list of {count(last + 1, 'part')} are written. Run rnn-pipelines part {address} --index N "
        f"for N from 0 to {last}, then rnn-pipelines join {address}."
    )


def _send_fit(panel: Sample, results: Path, address: str) -> None:
    """Copy the files of a divided panel, unless they are there, and its fit."""
    folder = results.parent
    if panel.covariates.path is not None and not panel.partitions.has_covariates:
        raise ParameterError(
            f"forecast.partitions.address: {panel.covariates.path} has no column of series, so that it is not divided "
            "and not sent. Join its columns to the table of the series."
        )
    if not has_file(address, MANIFEST):
        tables = [
            file
            for table in ("rows", "covariates")
            for file in folder.glob(f"{table}/**/*.parquet")
        ]
        send_files([*tables, folder / MANIFEST], folder, address)
    send_files((results / FIT).iterdir(), folder, address)


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

    def write(draft: Path) -> dict[str, Any]:
        try:
            return {"fault": "", **job.forecaster.write(job.partition, draft)}
        except SeriesError as error:
            # Raised after the other partitions, together with their faults. The partition's file is not the user's.
            fault = str(error).removeprefix(f"{job.partition.source.label}: ")
            return {"fault": fault, "num_series": 0}

    # Written meanwhile by a process that was taken for lost, the results are the same.
    return int(complete_folder(job.folder, write)["num_series"])
