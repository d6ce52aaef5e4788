"""Forecasts of all series of a divided panel by the champion, one partition after another."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.forecast.methods.predictions import ANOMALY_LEVEL, name_own_bounds
from rnn_pipelines.forecast.model.artefact import FORECAST, Forecaster, forecast_panel
from rnn_pipelines.forecast.model.newest import lay_out_newest
from rnn_pipelines.forecast.model.packing import pack
from rnn_pipelines.forecast.operations.partition_jobs import NEXT_VALUES, Tables, run_jobs, write_results
from rnn_pipelines.forecast.operations.prediction import read_as_trained, require_champion
from rnn_pipelines.forecast.partitions.dividing import PartitionSpec, Sample, draw_sample
from rnn_pipelines.forecast.source.as_of import AsOfSpec
from rnn_pipelines.forecast.source.covariates import CovariateSpec
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.networks.fan_out import ParallelSpec
from rnn_pipelines.reading.batch_table import External
from rnn_pipelines.reading.zones import show_table

# Of series without a forecast.
MAX_NAMES = 1_000


@dataclass(frozen=True)
class PredictionJob:
    """The forecast of one partition.

    Attributes:
        number: of the partition, from 0.
        folder: for the results; it exists as soon as they are complete.
        champion: the forecaster in use.
        source, covariates: of the partition.
        as_of: the end of the data to read.
    """

    number: int
    folder: Path
    champion: LoadedChampion
    source: SourceSpec
    covariates: CovariateSpec
    as_of: AsOfSpec


def draw_sample_as_trained(
    champion: LoadedChampion | None,
    source: SourceSpec,
    covariates: CovariateSpec,
    spec: PartitionSpec,
    folder: Path,
    external: External = None,
) -> Sample:
    """Divide a panel that is too large for memory, with the covariates of the champion, and return its sample.

    Args:
        champion: the forecaster in use.
        source, covariates, spec, folder, external: see `partition_source`; of the covariates, only the path is used.
    """
    asked = require_champion(champion).artefact.coding.make_spec(covariates.path)
    return draw_sample(source, asked, spec, folder, external)


def plan_predictions(
    champion: LoadedChampion | None,
    sample: Sample,
    source: SourceSpec,
    covariates: CovariateSpec,
    as_of: AsOfSpec,
) -> list[PredictionJob]:
    """Return the forecasts of all partitions of a divided panel; none for other panels.

    Args:
        champion: the forecaster in use.
        sample: of the panel.
        source, covariates: of the panel.
        as_of: the end of the data to read.
    """
    partitions = sample.partitions
    if partitions.folder is None or champion is None:
        return []
    results = partitions.folder / f"results-{_fingerprint(champion, as_of)}"
    asked = champion.artefact.coding.make_spec(covariates.path)
    return [
        PredictionJob(number, results / f"{number:05d}", champion, *partitions.select(source, asked, number), as_of)
        for number in partitions.list_numbers()
    ]


def _fingerprint(champion: LoadedChampion, as_of: AsOfSpec) -> str:
    """Return a hash of all that the forecasts depend on beside the data."""
    parts = [champion.version.encode(), as_of.model_dump_json().encode(), *pack(champion.artefact).values()]
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]


def forecast_all_newest(jobs: list[PredictionJob], parallel: ParallelSpec) -> tuple[Tables, dict[str, Any]]:
    """Forecast the steps after the end of all series of a divided panel, also of those without training.

    Args:
        jobs: of the partitions; none if the panel is not divided.
        parallel: the processes.
    Returns:
        `unique_id, ds, forecast`, and `lo-80, hi-80` and the like of each level: float32, in the unit of `y`. And the
        numbers of series, of those without a forecast with some names, and of partitions, with the version of the
        champion. Without jobs, both are empty.
    Raises:
        ParallelError: the processes were lost twice.
        SeriesError: a partition cannot be used; the message has the reasons of all such partitions.
    """
    if not jobs:
        return Tables(), {}
    jobs[0].folder.parent.mkdir(exist_ok=True)
    facts = run_jobs(predict_partition, jobs, parallel)
    left_out = [name for fact in facts for name in fact["left_out"]]
    numbers = {
        "num_series": sum(fact["num_series"] for fact in facts),
        "num_left_out": len(left_out),
        "left_out": left_out[:MAX_NAMES],
        "num_partitions": len(jobs),
    }
    version = jobs[0].champion.version
    return Tables(tuple(job.folder / NEXT_VALUES for job in jobs)), {**numbers, "model_version": version}


def predict_partition(job: PredictionJob) -> int:
    """Forecast the series of a partition, and write the results. Return the number of series."""

    def write(folder: Path) -> dict[str, Any]:
        table, covariate_table = read_as_trained(job.champion, None, job.source, job.as_of, job.covariates)
        forecasts = forecast_panel(*lay_out_newest(job.champion.artefact, table, job.source, covariate_table))
        select_forecasts(forecasts, job.champion.artefact).to_parquet(folder / NEXT_VALUES, index=False)
        left_out = table["unique_id"].drop_duplicates()
        left_out = left_out[~left_out.isin(forecasts["unique_id"])]
        return {"num_series": int(forecasts["unique_id"].nunique()), "left_out": left_out.tolist()}

    return write_results(job.folder, job.source.label, write)


def select_forecasts(forecasts: pd.DataFrame, forecaster: Forecaster) -> pd.DataFrame:
    """Return the columns of `forecast_all_newest`, with times in the zone of the data.

    Args:
        forecasts: see `forecast_cutoffs`.
        forecaster: that made them.
    """
    levels = [] if forecaster.intervals is None else forecaster.intervals.levels.tolist()
    bounds = [bound for level in levels if level != ANOMALY_LEVEL for bound in name_own_bounds(level)]
    names = {FORECAST: "forecast"} | {bound: bound.replace("_", "-") for bound in bounds}
    shown = show_table(forecasts[["unique_id", "ds", *names]].rename(columns=names), forecaster.settings.tz)
    return shown.astype(dict.fromkeys(names.values(), "float32"))
