"""The node of `predict_forecast` that is not a function of the library."""

import pandas as pd

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.forecast.operations import prediction
from rnn_pipelines.forecast.partitions.dividing import Sample
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.forecast.source.as_of import AsOfSpec


def read_as_trained(champion: LoadedChampion | None, sample: Sample, as_of: AsOfSpec) -> tuple[Source, pd.DataFrame]:
    """Read the series of the sample on the time axis of the champion's training, and the covariates of that."""
    return prediction.read_as_trained(champion, sample.external, sample.source, as_of, sample.covariates)
