"""Nodes of `retrain_forecast` that are not functions of the library."""

import time

import pandas as pd

from rnn_pipelines.forecast.operations.specs import RetrainForecastSpec
from rnn_pipelines.forecast.series import as_of
from rnn_pipelines.forecast.series.covariates import CovariateSpec
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.tables import Source


def read_as_of(
    external: pd.DataFrame | None, source: SourceSpec, retraining: RetrainForecastSpec, covariates: CovariateSpec
) -> tuple[Source, pd.DataFrame, float]:
    """Read series and covariates up to the as-of time, and return them with the start time."""
    return *as_of.read_as_of(external, source, retraining, covariates), time.time()
