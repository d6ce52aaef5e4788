"""Nodes of `monitor_forecast` that are not functions of the library."""

from pathlib import Path

import pandas as pd

from rnn_pipelines.forecast.series import as_of, partitions
from rnn_pipelines.forecast.series.as_of import AsOfSpec
from rnn_pipelines.forecast.series.coding import Coding
from rnn_pipelines.forecast.series.covariates import CovariateSpec
from rnn_pipelines.forecast.series.partitions import Partitions, PartitionSpec
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.reading.batch_table import External


def partition_source(
    coding: Coding, source: SourceSpec, covariates: CovariateSpec, spec: PartitionSpec, folder: Path
) -> tuple[Partitions, SourceSpec, CovariateSpec]:
    """Divide a panel that is too large to be read whole, with the covariates that the champion reads."""
    return partitions.partition_source(source, coding.make_spec(covariates.path), spec, folder)


def read_as_of(
    coding: Coding, external: External, source: SourceSpec, newest: AsOfSpec, covariates: CovariateSpec
) -> tuple[Source, pd.DataFrame]:
    """Read the series up to the as-of time, and the covariates that the champion reads."""
    return as_of.read_as_of(external, source, newest, coding.make_spec(covariates.path))
