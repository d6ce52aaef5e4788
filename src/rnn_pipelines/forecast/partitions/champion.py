"""The champion on a panel, whole or divided: its sample, its reading, and its forecasts of all series."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.errors import ChampionError
from rnn_pipelines.forecast.methods.predictions import ForecastLog, ForecastLogTable
from rnn_pipelines.forecast.model.artefact import Forecaster, forecast_panel
from rnn_pipelines.forecast.model.newest import lay_out_newest, report_new_series
from rnn_pipelines.forecast.model.nights import Night, lay_out_night
from rnn_pipelines.forecast.model.packing import pack
from rnn_pipelines.forecast.model.paths import Paths, PathsSpec, draw_next_paths
from rnn_pipelines.forecast.model.settings import find_trained_axis, refuse_other_beginnings
from rnn_pipelines.forecast.partitions.dividing import PartitionSpec, Sample, draw_sample
from rnn_pipelines.forecast.partitions.jobs import NEXT_VALUES, Tables, run_jobs, write_next_values
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.forecast.source.as_of import AsOfSpec, read_as_of
from rnn_pipelines.forecast.source.covariates import CovariateSpec
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.networks.fan_out import ParallelSpec
from rnn_pipelines.reading.batch_table import External

# Names at most this many series without a forecast.
MAX_NAMES = 1_000


@dataclass(frozen=True)
class PredictingChampion:
    """A champion that forecasts partitions up to a day, see `PanelForecaster`."""

    champion: LoadedChampion
    as_of: AsOfSpec

    def pack(self) -> bytes:
        """Return all that the forecasts depend on besides the data."""
        version, day = self.champion.version.encode(), self.as_of.model_dump_json().encode()
        return b"".join([version, day, *pack(self.champion.artefact).values()])

    def write(self, partition: Sample, folder: Path) -> dict[str, Any]:
        """Forecast the series of a partition, and write the table into a folder; return the facts."""
        forecaster: Forecaster = self.champion.artefact
        table, covariate_table = read_as_trained(self.champion, partition, self.as_of)
        laid_out = lay_out_newest(forecaster, table, partition.source, covariate_table)
        names = write_next_values(*laid_out, folder)
        left_out = table.loc[~table["unique_id"].isin(names), "unique_id"].unique()
        return {"num_series": int(names.nunique()), "left_out": left_out.tolist()}


def require_champion(champion: LoadedChampion | None) -> LoadedChampion:
    """Return the forecaster in use, or raise a ChampionError if there is none."""
    if champion is None:
        raise ChampionError("there is no forecaster in use yet. Run kedro champion retrain forecast.")
    return champion


def draw_sample_as_trained(
    champion: LoadedChampion | None,
    source: SourceSpec,
    covariates: CovariateSpec,
    spec: PartitionSpec,
    folder: Path,
    external: External = None,
) -> Sample:
    """Divide a panel that is too large for memory, with the covariates of the champion; see `draw_sample`."""
    return draw_sample(source, covariates, spec, folder, external, require_champion(champion).artefact.coding)


def read_as_trained(champion: LoadedChampion | None, sample: Sample, as_of: AsOfSpec) -> tuple[Source, pd.DataFrame]:
    """Read the series on the time axis of the champion's training, and the covariates of that training.

    Of the sample's covariates, only the path is used. Raises as `read_as_of`, and a ChampionError without a champion,
    or a SeriesError if the times cannot be converted to the zone of the training.
    """
    forecaster: Forecaster = require_champion(champion).artefact
    settings, asked = forecaster.settings, forecaster.coding.make_spec(sample.covariates.path)
    table, covariate_table = read_as_of(sample.external, sample.source, as_of, asked, find_trained_axis(settings))
    refuse_other_beginnings(table, settings, sample.source.label)
    return table, covariate_table


def forecast_newest(
    champion: LoadedChampion | None,
    table: Source,
    source: SourceSpec,
    paths: PathsSpec,
    covariate_table: pd.DataFrame | None = None,
) -> tuple[ForecastLog, Paths, ForecastLog, Night]:
    """Forecast the steps after the end of each series, and add the model version and the time of the forecast.

    The second result are sample paths of the same steps. The third is the first again, for a dataset that does not mix
    it with the forecasts of earlier runs. The fourth are the inputs of the forecasts.

    Raises:
        ChampionError: there is no champion, or it can forecast none of the series.
    """
    champion = require_champion(champion)
    report_new_series(champion.artefact, table)
    laid_out = lay_out_newest(champion.artefact, table, source, covariate_table)
    forecasts = forecast_panel(*laid_out)
    if forecasts.empty:
        fact = f"the champion {champion.version} can forecast none of the series of {source.label}"
        reason = "they are unknown, too short, or have gaps at their ends"
        raise ChampionError(f"{fact}: {reason}. Run kedro champion retrain forecast.")
    made = forecasts.assign(model_version=champion.version, recorded_at=pd.Timestamp.now("UTC").floor("us"))
    drawn = draw_next_paths(*laid_out, champion.artefact.settings.horizon, paths.root) if paths.root else Paths()
    # Optional columns come last.
    log = made[sorted(made.columns, key=ForecastLogTable.is_in_family)]
    return log, drawn, log, lay_out_night(champion.artefact, laid_out[2], covariate_table, champion.version)


def forecast_all_newest(
    champion: LoadedChampion | None, sample: Sample, as_of: AsOfSpec, parallel: ParallelSpec
) -> tuple[Tables, dict[str, Any]]:
    """Forecast the steps after the end of all series of a divided panel, also of those without training.

    Returns:
        `unique_id, ds, forecast`, and `lo-80, hi-80` and the like of each level: float32, in the unit of `y`. And the
        numbers of series, of those without a forecast with some names, and of partitions, with the version of the
        champion. Both are empty if the panel is not divided. Raises as `run_jobs`.
    """
    if sample.partitions.folder is None:
        return Tables(), {}
    champion = require_champion(champion)
    folders, facts = run_jobs(PredictingChampion(champion, as_of), sample, parallel)
    left_out = [name for fact in facts for name in fact["left_out"]]
    return Tables(tuple(folder / NEXT_VALUES for folder in folders)), {
        "num_series": sum(fact["num_series"] for fact in facts),
        "num_left_out": len(left_out),
        "left_out": left_out[:MAX_NAMES],
        "num_partitions": len(folders),
        "model_version": champion.version,
    }
