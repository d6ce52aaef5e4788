"""The node of `tune_forecast`, which imports Optuna only when it runs."""

from pathlib import Path
from typing import Any

import pandas as pd

from rnn_pipelines.forecast.experiments.search_space import TuningSpec
from rnn_pipelines.forecast.parameters import ForecastSpec
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.networks.fan_out import ParallelSpec


def tune(
    table: Source,
    covariate_table: pd.DataFrame,
    spec: ForecastSpec,
    tuning: TuningSpec,
    parallel: ParallelSpec,
    folder: Path,
) -> tuple[pd.DataFrame, dict[str, Any], dict[str, Any]]:
    """Search the parameter space, continuing an earlier search on the same data."""
    from rnn_pipelines.forecast.experiments import tuning as search

    return search.tune(table, covariate_table, spec, tuning, parallel, folder)
