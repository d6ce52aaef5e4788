"""Forecasts by the champion, with its name on them."""

import pandas as pd

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.errors import ChampionError
from rnn_pipelines.forecast import forecaster
from rnn_pipelines.forecast.predictions import ForecastLog, ForecastLogTable
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.tables import Source


def forecast_newest(champion: LoadedChampion | None, table: Source, source: SourceSpec) -> ForecastLog:
    """Forecasts the steps after each series' end, and notes by which version and when.

    Args:
        champion: the forecaster in use.
        table: the series up to the day of the forecast.
        source: where they came from.
    Raises:
        ChampionError: there is no champion, or it can forecast none of the series.
    """
    if champion is None:
        raise ChampionError("no forecaster that could be used yet. Run kedro champion retrain forecast first.")
    forecasts = forecaster.forecast_newest(champion.artefact, table, source)
    if forecasts.empty:
        raise ChampionError(
            f"the champion {champion.version} can forecast none of the series of {source.label}: it doesn't know them, "
            "or their ends have gaps. Run kedro champion retrain forecast."
        )
    log = forecasts.assign(model_version=champion.version, created_at=pd.Timestamp.now("UTC").floor("s"))
    # Those that may come and go stand last.
    return log[sorted(log.columns, key=ForecastLogTable.is_in_family)]
