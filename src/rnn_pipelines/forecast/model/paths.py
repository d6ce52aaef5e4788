"""The table of sample paths of the next values, and their number."""

from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import BeforeValidator, Field, RootModel

from rnn_pipelines.errors import ParameterError
from rnn_pipelines.forecast.intervals.fitting import describe_ends
from rnn_pipelines.forecast.intervals.paths import draw_paths
from rnn_pipelines.forecast.model.artefact import FORECAST, Forecaster
from rnn_pipelines.forecast.model.recursion import forecast_steps
from rnn_pipelines.forecast.series.tables import Features
from rnn_pipelines.forecast.windows.panel import WindowedPanel
from rnn_pipelines.networks.specs import MAX_SEED
from rnn_pipelines.parameter_models import check_whole_number, validate_number_is_no_boolean
from rnn_pipelines.storage.tables import Column, Table

# Of each series in one call, to bound the memory.
MAX_PATHS = 10_000


class PathsSpec(
    RootModel[Annotated[int, Field(ge=0, le=MAX_PATHS), BeforeValidator(validate_number_is_no_boolean)]], frozen=True
):
    """The number of sample paths of each series; 0 for none."""


class PathsTable(Table):
    """Sample paths of the next values, numbered from 0; empty values if the series has no intervals."""

    key = ("unique_id", "ds", "path")
    unique_id = Column("text")
    ds = Column("moment")
    path = Column("int")
    y = Column("float", can_be_empty=True)


@dataclass(frozen=True)
class Paths:
    """Sample paths.

    Raises:
        TableError: the table has other columns or dtypes.
    """

    table: pd.DataFrame = field(default_factory=PathsTable.make_empty)

    def __post_init__(self) -> None:
        PathsTable.validate(self.table)


def draw_next_paths(
    forecaster: Forecaster, panel: WindowedPanel, features: Features, num_steps: int, num_paths: int, seed: int = 0
) -> Paths:
    """Return sample paths of the steps after each series' end.

    Args:
        num_steps: after each series' end. Beyond the horizon, the forecasts are recursive, and the errors grow as the
            bounds do.
    Raises:
        ParameterError: there are no intervals, or a number is outside its range.
        SeriesError: a forecast exceeds the range of float32.
    """
    check_whole_number("paths", num_paths, 1, MAX_PATHS)
    check_whole_number("seed", seed, 0, MAX_SEED)
    if forecaster.intervals is None:
        raise ParameterError("paths: the forecaster has no intervals, whose errors paths are drawn from. Set level.")
    intervals = forecaster.intervals
    windows = describe_ends(intervals, panel, features, forecaster.scaler)
    forecasts = forecast_steps(forecaster, panel, features, num_steps)[:, :num_steps]
    steps = features.table.iloc[(windows.origins[:, None] + np.arange(num_steps)).ravel()]
    return tabulate_paths(steps, draw_paths(intervals, FORECAST, windows, forecasts, num_paths, seed))


def tabulate_paths(steps: pd.DataFrame, paths: np.ndarray) -> Paths:
    """Return paths in rows.

    Args:
        steps: `unique_id, ds`, a row for each window and step.
        paths: float64[window, path, step].
    """
    num_windows, num_paths, num_steps = paths.shape
    rows = np.arange(num_windows * num_steps).reshape(num_windows, 1, num_steps)
    table = steps[["unique_id", "ds"]].iloc[np.broadcast_to(rows, paths.shape).ravel()].reset_index(drop=True)
    numbers = np.broadcast_to(np.arange(num_paths)[:, None], paths.shape)
    return Paths(table.assign(path=numbers.ravel(), y=paths.ravel()))
