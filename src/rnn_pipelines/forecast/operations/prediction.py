"""Forecasts by the champion, labelled with its version."""

import pandas as pd

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.errors import ChampionError
from rnn_pipelines.forecast.methods.predictions import ForecastLog, ForecastLogTable
from rnn_pipelines.forecast.model.artefact import forecast_panel
from rnn_pipelines.forecast.model.newest import lay_out_newest, report_new_series
from rnn_pipelines.forecast.model.nights import Night, lay_out_night
from rnn_pipelines.forecast.model.paths import Paths, PathsSpec, draw_next_paths
from rnn_pipelines.forecast.partitions.champion import require_champion
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.forecast.source.specs import SourceSpec


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

    Args:
        table: the series up to the day of the forecast.
        paths: number of sample paths of each series.
        covariate_table: see `read_series`; None if there are none.
    Raises:
        ChampionError: there is no champion, or it can forecast none of the series.
    """
    champion = require_champion(champion)
    report_new_series(champion.artefact, table)
    laid_out = lay_out_newest(champion.artefact, table, source, covariate_table)
    forecasts = forecast_panel(*laid_out)
    if forecasts.empty:
        raise ChampionError(
            f"the champion {champion.version} can forecast none of the series of {source.label}: they are "
            "unknown, too short, or have gaps at their ends. Run kedro champion retrain forecast."
        )
    made = forecasts.assign(model_version=champion.version, recorded_at=pd.Timestamp.now("UTC").floor("us"))
    drawn = draw_next_paths(*laid_out, champion.artefact.settings.horizon, paths.root) if paths.root else Paths()
    # Optional columns come last.
    log = made[sorted(made.columns, key=ForecastLogTable.is_in_family)]
    return log, drawn, log, lay_out_night(champion.artefact, laid_out[2], covariate_table, champion.version)
