"""Nodes of `predict_forecast`: each calls one function of the library with its typed parameters."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.forecast import prediction
from rnn_pipelines.forecast.series import newest
from rnn_pipelines.forecast.series.newest import NewestSpec
from rnn_pipelines.forecast.series.source import SourceSpec

if not TYPE_CHECKING:
    LoadedChampion = Any


def read_newest(external: pd.DataFrame | None, source: SourceSpec, newest_spec: NewestSpec) -> pd.DataFrame:
    """Reads the series up to the day of the forecast."""
    return newest.read_newest(external, source, newest_spec)


def forecast_newest(champion: LoadedChampion | None, table: pd.DataFrame, source: SourceSpec) -> pd.DataFrame:
    """Forecasts the steps after each series' end, and notes by which version and when."""
    return prediction.forecast_newest(champion, table, source)
