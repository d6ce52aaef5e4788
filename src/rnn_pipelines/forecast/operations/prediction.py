"""Forecasts by the champion, with its name on them."""

import pandas as pd

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.errors import ChampionError
from rnn_pipelines.forecast.methods.predictions import ForecastLog, ForecastLogTable
from rnn_pipelines.forecast.model import artefact as forecaster
from rnn_pipelines.forecast.model.newer_times import find_trained_axis, refuse_other_beginnings
from rnn_pipelines.forecast.series.as_of import AsOfSpec, read_as_of, read_coded_covariates
from rnn_pipelines.forecast.series.coding import Coding
from rnn_pipelines.forecast.series.covariates import CovariateSpec
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.tables import Source


def read_champions_series(
    champion: LoadedChampion | None, external: pd.DataFrame | None, source: SourceSpec, newest: AsOfSpec
) -> Source:
    """Reads the series on the axis of time on which the champion was trained.

    Args:
        champion: the forecaster in use; None where there is none.
        external, source, newest: see `read_as_of`.
    Raises:
        SeriesError: see `read_as_of`, or the times are of a zone that can not be converted to that of the training.
    """
    if champion is None:
        return read_as_of(external, source, newest)
    settings = champion.artefact.settings
    table = read_as_of(external, source, newest, find_trained_axis(settings))
    refuse_other_beginnings(table, settings, source.label)
    return table


def read_champions_covariates(
    champion: LoadedChampion | None,
    external: pd.DataFrame | None,
    source: SourceSpec,
    newest: AsOfSpec,
    covariates: CovariateSpec,
) -> pd.DataFrame:
    """Reads the covariates that the champion has learnt to read, whatever the parameters name now.

    Args:
        champion: the forecaster in use; None where there is none.
        external, source, newest: see `read_as_of`.
        covariates: of which the path counts.
    Raises:
        SeriesError: see `read_covariates`.
    """
    coding = Coding() if champion is None else champion.artefact.coding
    axis = None if champion is None else find_trained_axis(champion.artefact.settings)
    return read_coded_covariates(coding, external, source, newest, covariates, axis)


def forecast_newest(
    champion: LoadedChampion | None, table: Source, source: SourceSpec, covariate_table: pd.DataFrame | None = None
) -> ForecastLog:
    """Forecasts the steps after each series' end, and notes by which version and when.

    Args:
        champion: the forecaster in use.
        table: the series up to the day of the forecast.
        source: where they came from.
        covariate_table: see `read_covariates`; None if there are none.
    Raises:
        ChampionError: there is no champion, or it can forecast none of the series.
    """
    if champion is None:
        raise ChampionError("no forecaster that could be used yet. Run kedro champion retrain forecast first.")
    forecasts = forecaster.forecast_newest(champion.artefact, table, source, covariate_table)
    if forecasts.empty:
        raise ChampionError(
            f"the champion {champion.version} can forecast none of the series of {source.label}: it doesn't know them, "
            "they are too short, or their ends have gaps. Run kedro champion retrain forecast."
        )
    log = forecasts.assign(model_version=champion.version, created_at=pd.Timestamp.now("UTC").floor("s"))
    # Those that may come and go stand last.
    return log[sorted(log.columns, key=ForecastLogTable.is_in_family)]
