"""Sample paths: forecasts plus whole vectors of past errors, for sums and extremes over steps."""

from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import BeforeValidator, Field, RootModel

from rnn_pipelines.errors import ParameterError
from rnn_pipelines.forecast.intervals.bounding import (
    Windows,
    describe_ends,
    describe_windows,
    find_width_factors,
)
from rnn_pipelines.forecast.intervals.fitting import Intervals
from rnn_pipelines.forecast.intervals.network_widths import find_network_of
from rnn_pipelines.forecast.intervals.quantiles import link_steps
from rnn_pipelines.forecast.intervals.sparse_bounds import draw_sparse, round_randomly
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.model.artefact import FORECAST, Forecaster
from rnn_pipelines.forecast.model.recursion import forecast_steps
from rnn_pipelines.forecast.pretrained.files import load_used_network
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec
from rnn_pipelines.forecast.series.tables import Features, Scaler
from rnn_pipelines.forecast.windows.panel import WindowedPanel
from rnn_pipelines.networks.specs import MAX_SEED
from rnn_pipelines.parameter_models import check_whole_number, validate_number_is_no_boolean
from rnn_pipelines.storage.tables import Column, Table

# Of each series in one call, to bound the memory.
MAX_PATHS = 10_000
NumPaths = Annotated[int, Field(ge=0, le=MAX_PATHS), BeforeValidator(validate_number_is_no_boolean)]


class PathsSpec(RootModel[NumPaths], frozen=True):
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
    """A table of sample paths; other columns or dtypes are a TableError."""

    table: pd.DataFrame = field(default_factory=PathsTable.make_empty)

    def __post_init__(self) -> None:
        PathsTable.validate(self.table)


def draw_next_paths(
    forecaster: Forecaster,
    panel: WindowedPanel,
    features: Features,
    num_steps: int,
    num_paths: int,
    seed: int = 0,
) -> Paths:
    """Return sample paths of the steps after each series' end.

    Beyond the horizon, the forecasts are recursive, and the errors grow as the bounds do.

    Raises:
        ParameterError: there are no intervals, or a number is outside its range.
        SeriesError: a forecast exceeds the range of float32.
    """
    check_whole_number("paths", num_paths, 1, MAX_PATHS)
    check_whole_number("seed", seed, 0, MAX_SEED)
    if forecaster.intervals is None:
        raise ParameterError(
            "paths: the forecaster has no intervals, whose errors paths are drawn from. Set level."
        )
    intervals = forecaster.intervals
    network = find_network_of(forecaster.model)
    windows = describe_ends(intervals, panel, features, forecaster.scaler, network)
    forecasts = forecast_steps(forecaster, panel, features, num_steps)[:, :num_steps]
    steps = features.table.iloc[(windows.origins[:, None] + np.arange(num_steps)).ravel()]
    return tabulate_paths(
        steps, draw_paths(intervals, FORECAST, windows, forecasts, num_paths, seed)
    )


def draw_used_paths(
    panel: WindowedPanel,
    scaler: Scaler,
    intervals: Intervals,
    next_values: Predictions,
    paths: PathsSpec,
    pretrained: PretrainedSpec,
) -> Paths:
    """Draw sample paths of the next values in use, for questions about several steps; no rows if there are none."""
    if not paths.root:
        return Paths()
    table = next_values.table
    names = table["unique_id"].to_numpy()[:: panel.horizon]
    network = load_used_network(pretrained)
    origins = panel.list_origins("future")
    windows = describe_windows(intervals, panel, origins, names, scaler, network)
    forecasts = table[next_values.use].to_numpy().reshape(-1, panel.horizon)
    scaled = (forecasts - windows.mean) / windows.deviation
    drawn = draw_paths(intervals, next_values.use, windows, scaled, paths.root)
    return tabulate_paths(table, drawn)


def tabulate_paths(steps: pd.DataFrame, paths: np.ndarray) -> Paths:
    """Return paths, float64[window, path, step], in rows, from `unique_id, ds` of each window and step."""
    num_windows, num_paths, num_steps = paths.shape
    rows = np.arange(num_windows * num_steps).reshape(num_windows, 1, num_steps)
    table = (
        steps[["unique_id", "ds"]]
        .iloc[np.broadcast_to(rows, paths.shape).ravel()]
        .reset_index(drop=True)
    )
    numbers = np.broadcast_to(np.arange(num_paths)[:, None], paths.shape)
    return Paths(table.assign(path=numbers.ravel(), y=paths.ravel()))


def draw_paths(
    intervals: Intervals,
    name: str,
    windows: Windows,
    forecasts: np.ndarray,
    num_paths: int,
    seed: int = 0,
) -> np.ndarray:
    """Return paths that keep the dependence between steps: float64[window, path, step], in the unit of the series.

    The forecasts are float[window, step], scaled. Beyond the horizon, errors grow as the bounds do. Paths of sparse
    series agree with `bound_sparse`. The paths of different windows are independent.
    """
    random = np.random.default_rng(seed)
    of_method = intervals.methods[name]
    num_windows, num_steps = forecasts.shape
    size = of_method.sizes.expect(windows.facts, forecasts)
    drawn_size = (num_windows, num_paths, num_steps)
    errors = size[:, None] * _draw_errors(of_method.samples, of_method.growth, drawn_size, random)
    factors = find_width_factors(intervals, name, windows, forecasts)
    errors *= np.where(errors < 0, factors[0][:, None], factors[1][:, None])
    below, above = windows.known.measure_reach(forecasts, 1, windows.panel.horizon)
    # A forecast that is too far from all known values has no bounds, and paths without errors.
    below = np.maximum(below, 0.0)
    above = np.maximum(above, 0.0)
    scaled = forecasts[:, None] + np.clip(errors, -below[:, None], above[:, None])
    paths: np.ndarray = scaled * windows.deviation[:, :, None] + windows.mean[:, :, None]
    sparse, drawn = draw_sparse(
        intervals.sparse, windows.panel, windows.origins, (num_paths, num_steps), random
    )
    is_cut = windows.is_cut[sparse]
    sparse = sparse[is_cut]
    drawn = drawn[is_cut]
    paths[sparse] = drawn * windows.deviation[sparse, :, None]
    is_whole = sparse[windows.is_whole[sparse]]
    paths[is_whole] = round_randomly(paths[is_whole], random)
    return np.where(windows.is_cut[:, None, None], np.maximum(paths, 0.0), paths)


def _draw_errors(
    samples: np.ndarray, growth: float, shape: tuple[int, int, int], random: np.random.Generator
) -> np.ndarray:
    """Return errors over their expected size: float64[window, path, step], from samples, float32[sample, horizon].

    Beyond the horizon, another vector of errors follows, which is linked with the last error of the one before.

    Source: vectors of past errors are drawn whole, as in the bootstrap of Efron (1979), doi:10.1214/aos/1176344552. The
        link of one vector with the next is ours.
    """
    horizon = samples.shape[1]
    deviation = np.sqrt((samples.astype(np.float64) ** 2).mean(axis=0)) + np.finfo(np.float64).tiny
    unit = samples / deviation
    # The correlation with the last step at lags of 1 to the horizon, which the samples have up to the one before.
    measured = np.append((unit * unit[:, -1:]).mean(axis=0)[-2::-1], 0.0)
    drawn = [unit[random.integers(0, len(samples), shape[:2])]]
    for done in range(horizon, shape[2], horizon):
        linked = np.maximum(
            measured, link_steps(done, done + np.arange(1, horizon + 1), growth)
        ).clip(0, 1)
        fresh = unit[random.integers(0, len(samples), shape[:2])]
        drawn.append(linked * drawn[-1][:, :, -1:] + np.sqrt(1 - linked**2) * fresh)
    steps = np.arange(1, len(drawn) * horizon + 1)
    sizes = deviation[np.minimum(steps, horizon) - 1] * np.maximum(steps / horizon, 1.0) ** growth
    return (np.concatenate(drawn, axis=2) * sizes)[:, :, : shape[2]]
