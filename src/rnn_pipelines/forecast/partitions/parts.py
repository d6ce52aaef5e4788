"""One part of a divided panel at a time, by any scheduler: a run writes the fit, each part is forecast, all are joined.

The folder of the results is the whole interface: `fit` has the packed forecaster, `00000` and the like the results of a
part, and `joined` those of all series. Each appears complete, so that a step can be repeated, also by two processes.
"""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rnn_pipelines.champion.records import dump_plain, make_plain
from rnn_pipelines.errors import ParameterError, RunError, count, show_all
from rnn_pipelines.forecast.partitions.champion import PredictingChampion
from rnn_pipelines.forecast.partitions.dividing import Partitions, Sample
from rnn_pipelines.forecast.partitions.fitted import FittedPanel
from rnn_pipelines.forecast.partitions.folders import (
    FACTS,
    MANIFEST,
    complete_folder,
    read_manifest,
    remove_unusable,
)
from rnn_pipelines.forecast.partitions.jobs import (
    ALL_NEXT_VALUES,
    FIT,
    PARTS,
    PanelForecaster,
    PartitionJob,
    forecast_partition,
    plan_jobs,
    read_facts,
)
from rnn_pipelines.forecast.partitions.remote import (
    fetch_files,
    has_file,
    is_remote,
    read_content,
    send_files,
)
from rnn_pipelines.forecast.source.covariates import GroupedCovariateSpec
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.storage.formats import read_object
from rnn_pipelines.storage.table_groups import write_tables

logger = logging.getLogger(__name__)

JOINED = "joined"
FORECASTERS: Mapping[str, type[PanelForecaster]] = {
    kind.__name__: kind for kind in (FittedPanel, PredictingChampion)
}


def forecast_part(address: str, index: int) -> int:
    """Forecast a part of those with rows, numbered from 0, unless it has results. Return the number of its series.

    Args:
        address: the folder of divided panels, whose newest fit is used, or that of some results; or the address of
            either in a store such as S3.
        index: of the part. After the last part there is nothing to do, so that arrays of jobs can have a fixed size.
    Raises:
        ParameterError: the index is negative.
        RunError: the folder has no fit.
        SeriesError: a file of the fit changed, or the part cannot be used.
    """
    address = _find_results(address)
    if not is_remote(address):
        return _forecast_part(Path(address), index, address)
    with _copy_fit(address) as (results, panel_address):
        job = _find_job(results, index, address)
        if job is None:
            return 0
        folder = results.parent
        for table in ("rows", "covariates"):
            file = job.partition.partitions.list_files(table)[job.number]
            fetch_files(panel_address, file.relative_to(folder).as_posix(), folder)
            fetch_files(panel_address, f"{table}/survey.parquet", folder)
        if has_file(address, f"{job.folder.name}/{FACTS}"):
            fetch_files(address, job.folder.name, results)
        num_series = _forecast_part(results, index, address)
        send_files(job.folder.iterdir(), results, address)
    return num_series


def join_parts(address: str) -> str:
    """Write the tables of all series, as a run in one process does, and return their folder or address.

    Raises:
        RunError: the folder has no fit, or not the results of all parts.
        SeriesError: a file changed, or some parts cannot be used.
    """
    address = _find_results(address)
    if not is_remote(address):
        return str(_join_parts(Path(address), address))
    with _copy_fit(address) as (results, _):
        fetch_files(address, "", results)
        send_files(_join_parts(results, address).iterdir(), results, address)
    return f"{address}/{JOINED}"


def _find_results(address: str) -> str:
    address = address.rstrip("/")
    pointer = read_content(address, PARTS)
    return address if pointer is None else f"{address}/{read_object(pointer, PARTS)['results']}"


@contextmanager
def _copy_fit(address: str) -> Iterator[tuple[Path, str]]:
    """Yield a folder with a copy of the fit, in that of the panel, and the panel's address."""
    panel_address, _, name = address.rpartition("/")
    with TemporaryDirectory() as root:
        results = Path(root, "panel", name)
        fetch_files(address, FIT, results)
        fetch_files(panel_address, MANIFEST, results.parent)
        yield results, panel_address


def _find_job(results: Path, index: int, address: str) -> PartitionJob | None:
    _, jobs = read_fit(results, address)
    if index < 0:
        raise ParameterError(f"--index: expected 0 to {len(jobs) - 1}, received {index}.")
    return jobs[index] if index < len(jobs) else None


def _forecast_part(results: Path, index: int, address: str) -> int:
    job = _find_job(results, index, address)
    if job is None:
        return 0
    # So that no run removes the panel as unused.
    os.utime(results.parent / MANIFEST)
    remove_unusable(job.folder, results.parent)
    if job.folder.exists():
        logger.info("part %d has results already", index)
    else:
        forecast_partition(job)
    return int(read_facts([job], results)[0]["num_series"])


def _join_parts(results: Path, address: str) -> Path:
    forecaster, jobs = read_fit(results, address)
    if isinstance(forecaster, PredictingChampion) and forecaster.spec.keep_last_good:
        raise ParameterError(
            "predict_forecast.keep_last_good: the next values of the run before are needed. Run the command of the fit "
            "again without forecast.partitions.stop, which takes the finished parts."
        )
    missing = [number for number, job in enumerate(jobs) if not (job.folder / FACTS).exists()]
    if missing:
        command = f"rnn-pipelines part {address} --index {missing[0]}"
        raise RunError(
            f"{address}: {count(len(missing), 'part')} of {len(jobs)} have no results: {show_all(missing)}. Run "
            f"{command}{' and so on' if len(missing) > 1 else ''}, then join again."
        )
    facts = read_facts(jobs, results)

    def write(draft: Path) -> dict[str, Any]:
        all_series = forecaster.join([job.folder for job in jobs], facts)
        for name, tables in (
            (ALL_NEXT_VALUES, all_series.next_values),
            ("all_metrics_by_series.parquet", all_series.by_series),
        ):
            if tables.files:
                with (draft / name).open("wb") as file:
                    write_tables(tables, file)
        (draft / "all_series.json").write_bytes(dump_plain(make_plain(all_series.summary)))
        if len(all_series.totals):
            all_series.totals.to_parquet(draft / "next_totals.parquet")
        return {"num_series": all_series.summary["num_series"]}

    remove_unusable(results / JOINED, results.parent)
    if not (results / JOINED).exists():
        complete_folder(results / JOINED, write)
    return results / JOINED


def read_fit(results: Path, address: str) -> tuple[PanelForecaster, Sequence[PartitionJob]]:
    """Return the forecaster that a run with `partitions.stop` has written into the folder of its results, and all jobs.

    The address is named in errors.

    Raises:
        RunError: it has written none.
        SeriesError: a file changed after it was written.
    """
    folder = results / FIT
    if not (folder / FACTS).exists():
        raise RunError(
            f"{address}: expected the folder that kedro run --params forecast.partitions.stop=fit names at its end."
        )
    facts = read_manifest(folder / FACTS)
    files = {file.name: file.read_bytes() for file in folder.iterdir() if file.name != FACTS}
    forecaster = FORECASTERS[facts["kind"]].unpack(files)
    given = {**facts["partitions"], "counts": tuple(facts["partitions"]["counts"])}
    panel = Sample(
        Partitions(**{**given, "folder": results.parent}),
        SourceSpec.model_validate_json(facts["source"]),
        GroupedCovariateSpec.model_validate_json(facts["covariates"]),
    )
    return forecaster, plan_jobs(forecaster, panel, results)
