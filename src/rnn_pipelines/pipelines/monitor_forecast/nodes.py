"""Nodes of `monitor_forecast` that are not functions of the library."""

from pathlib import Path

import pandas as pd

from rnn_pipelines.forecast.partitions import dividing as partitions
from rnn_pipelines.forecast.partitions.dividing import PartitionSpec, Sample
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.forecast.source import as_of
from rnn_pipelines.forecast.source.as_of import AsOfSpec
from rnn_pipelines.forecast.source.covariates import CovariateSpec
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.coding import Coding
from rnn_pipelines.reading.batch_table import External


def draw_sample(
    coding: Coding,
    source: SourceSpec,
    covariates: CovariateSpec,
    spec: PartitionSpec,
    folder: Path,
    external: External,
) -> Sample:
    """Divide a panel that is too large for memory, with the covariates that the champion reads; return its sample."""
    return partitions.draw_sample(source, coding.make_spec(covariates.path), spec, folder, external)


def read_as_of(sample: Sample, newest: AsOfSpec) -> tuple[Source, pd.DataFrame]:
    """Read the series up to the as-of time, and the covariates that the champion reads."""
    return as_of.read_as_of(sample.external, sample.source, newest, sample.covariates)
