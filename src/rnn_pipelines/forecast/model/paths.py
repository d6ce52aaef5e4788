"""Sample paths: forecasts plus whole vectors of past errors, for sums and extremes over steps and series.

The values of each series and step are those of its own intervals. In a panel, they are ordered by the errors of all
series at common past origins, so that a path has errors that occur together; see decision 59.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import BeforeValidator, Field, RootModel

from rnn_pipelines.errors import ParameterError
from rnn_pipelines.forecast.intervals.bounding import (
    Windows,
    describe_windows,
    find_width_factors,
)
from rnn_pipelines.forecast.intervals.fitting import Intervals
from rnn_pipelines.forecast.intervals.network_widths import find_network_of
from rnn_pipelines.forecast.intervals.quantiles import link_steps
from rnn_pipelines.forecast.intervals.sparse_bounds import (
    draw_sparse,
    find_sparse,
    round_randomly,
)
from rnn_pipelines.forecast.methods.linear.models import LinearModel, LinearModels
from rnn_pipelines.forecast.methods.method import FittedMethod, PanelModel
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.model.artefact import FORECAST, Forecaster, ScaledModel
from rnn_pipelines.forecast.model.recursion import forecast_steps
from rnn_pipelines.forecast.pretrained.files import load_used_network
from rnn_pipelines.forecast.pretrained.network import PretrainedNetwork
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec
from rnn_pipelines.forecast.series.tables import Features, Scaler
from rnn_pipelines.forecast.windows.panel import WindowedPanel, gather_targets
from rnn_pipelines.networks.specs import MAX_SEED
from rnn_pipelines.parameter_models import check_whole_number, validate_number_is_no_boolean
from rnn_pipelines.storage.tables import Column, Table

# Of each series in one call, to bound the memory.
MAX_PATHS = 10_000
# Values of the paths that are in memory at once.
MAX_VALUES = 4_000_000
# Past origins that order the paths of a panel; with fewer than the second number, a series is independent of others.
NUM_ORIGINS, MIN_ORIGINS = 30, 5
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
    """Return the table of `iterate_next_paths`."""
    chunks = iterate_next_paths(forecaster, panel, features, num_steps, num_paths, seed)
    origins = panel.list_origins("future")
    steps = features.table.iloc[(origins[:, None] + np.arange(num_steps)).ravel()]
    return tabulate_paths(steps, np.concatenate(list(chunks)))


def iterate_next_paths(
    forecaster: Forecaster,
    panel: WindowedPanel,
    features: Features,
    num_steps: int,
    num_paths: int,
    seed: int = 0,
) -> Iterator[np.ndarray]:
    """Return sample paths of the steps after each series' end, of some series at a time, which bounds the memory.

    Beyond the horizon, the forecasts are recursive, and the errors grow as the bounds do. The paths of a series are the
    same in any panel of the forecaster.

    Returns:
        An iterator over float64[series, path, step] in the unit of the series, in the order of the windows.
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
    names = features.table["unique_id"].to_numpy()[panel.list_origins("future") - 1]
    forecasts = forecast_steps(forecaster, panel, features, num_steps)[:, :num_steps]
    network = find_network_of(forecaster.model)
    return iterate_paths(
        forecaster.model,
        forecaster.intervals,
        forecaster.scaler,
        network,
        panel,
        names,
        forecasts,
        num_paths,
        seed,
    )


def draw_used_paths(  # noqa: PLR0913, PLR0917 - each is a data set of a run
    panel: WindowedPanel,
    scaler: Scaler,
    intervals: Intervals,
    next_values: Predictions,
    paths: PathsSpec,
    pretrained: PretrainedSpec,
    linear: LinearModels,
    methods: Mapping[str, FittedMethod],
) -> Paths:
    """Draw sample paths of the next values in use, for questions about several steps; no rows if there are none."""
    if not paths.root:
        return Paths()
    fitted = panel, scaler, intervals, next_values
    chunks = iterate_used_paths(*fitted, paths.root, pretrained, linear, methods)
    return tabulate_paths(next_values.table, np.concatenate(list(chunks)))


def iterate_used_paths(  # noqa: PLR0913, PLR0917 - each is a data set of a run
    panel: WindowedPanel,
    scaler: Scaler,
    intervals: Intervals,
    next_values: Predictions,
    num_paths: int,
    pretrained: PretrainedSpec,
    linear: LinearModels,
    methods: Mapping[str, FittedMethod],
) -> Iterator[np.ndarray]:
    """Return sample paths of the next values in use, as `iterate_next_paths` does."""
    table = next_values.table
    names = table["unique_id"].to_numpy()[:: panel.horizon]
    scale = scaler.set_index("unique_id").loc[names]
    forecasts = table[next_values.use].to_numpy().reshape(-1, panel.horizon)
    scaled = (forecasts - scale[["mean"]].to_numpy()) / scale[["deviation"]].to_numpy()
    model = PanelModel(linear.normalizer, methods[next_values.use].in_use)
    network = load_used_network(pretrained)
    in_use = intervals.pick(next_values.use, FORECAST)
    return iterate_paths(model, in_use, scaler, network, panel, names, scaled, num_paths)


def iterate_paths(  # noqa: PLR0913, PLR0917 - the forecasts, and all that their errors depend on
    model: ScaledModel,
    intervals: Intervals,
    scaler: Scaler,
    network: PretrainedNetwork | None,
    panel: WindowedPanel,
    names: np.ndarray,
    forecasts: np.ndarray,
    num_paths: int,
    seed: int = 0,
) -> Iterator[np.ndarray]:
    """Yield the paths of consecutive windows, with names, str[window], and scaled forecasts, float[window, step].

    What is random of a series depends on the seed and its name, and what is common on the seed.
    """
    series = panel.find_series(panel.list_origins("future"))
    num_steps = forecasts.shape[1]
    num_blocks = -(-num_steps // panel.horizon)
    weights = make_random(seed).normal(size=(num_blocks, num_paths, NUM_ORIGINS))
    fast = _choose_fast(model, intervals)
    size = max(1, MAX_VALUES // (num_paths * num_steps))
    for begin in range(0, len(series), size):
        rows = slice(begin, begin + size)
        some = panel.select_series(series[rows][0], series[rows][-1] + 1)
        origins = some.list_origins("future")
        windows = describe_windows(intervals, some, origins, names[rows], scaler, network)
        randoms = [make_random(seed, name) for name in names[rows]]
        paths = draw_paths(intervals, FORECAST, windows, forecasts[rows], num_paths, randoms)
        # The error vectors of a single series keep the dependence between its steps.
        if len(scaler) > 1:
            growth = intervals.methods[FORECAST].growth
            paths = order_jointly(paths, measure_past_errors(fast, some), growth, weights)
        yield paths


def make_random(seed: int, name: str = "") -> np.random.Generator:
    """Return the random numbers of a series, the same in any panel; by default those that all series share."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return np.random.default_rng([seed, int.from_bytes(digest)])


def _choose_fast(model: ScaledModel, intervals: Intervals) -> ScaledModel:
    """Return the baseline ensemble, if known, because only the covariance of its past errors counts."""
    if isinstance(model, PanelModel) and intervals.linear.size:
        return replace(model, model=LinearModel(intervals.linear))
    return model


def measure_past_errors(model: ScaledModel, panel: WindowedPanel) -> np.ndarray:
    """Return errors of all series from the same past origins: float64[origin, series, horizon], scaled.

    An origin lies as many steps before the end of each series, whatever the panel. Errors are NaN for series without a
    whole window there, and for sparse ones, most of whose errors tie.
    """
    ends = panel.list_origins("future")
    origins, is_whole = panel.find_past_origins(ends, NUM_ORIGINS)
    is_whole &= ~find_sparse(panel, ends)
    errors = np.full((*origins.shape, panel.horizon), np.nan)
    forecasts = model.forecast(panel, origins[is_whole])
    errors[is_whole] = gather_targets(panel, origins[is_whole]) - forecasts
    return errors


def order_jointly(
    paths: np.ndarray, errors: np.ndarray, growth: float, weights: np.ndarray
) -> np.ndarray:
    """Return the same values of each series and step in the order of errors that occurred together.

    A value has among all paths the rank of the weighted sum of past errors of its series and step. Each path has
    normal weights of its own, which all series share. So the sums are normal, with the covariance of the errors.
    Beyond the horizon, sums with other weights follow, see `_extend`. A series with too few errors keeps its order, so
    that it is independent of the others.

    Args:
        paths: float64[series, path, step].
        errors: float64[origin, series, horizon], NaN if unknown.
        growth: exponent of the step with which errors grow.
        weights: float64[block, path, origin], a block for each horizon.
    Source: ranks of common past errors, as in Schefzik, Thorarinsdottir & Gneiting (2013), doi:10.1214/13-STS443, of
        which the normal sums make a Gaussian copula, as in Möller, Lenkoski & Thorarinsdottir (2013),
        doi:10.1002/qj.2009.
    """
    is_known = ~np.isnan(errors).any(axis=2)
    has_enough = is_known.sum(axis=0) >= MIN_ORIGINS
    ordered = paths.copy()
    for number in np.flatnonzero(has_enough).tolist():
        known = is_known[:, number]
        of_series = errors[known, number]
        deviation = np.sqrt((of_series**2).mean(axis=0)) + np.finfo(np.float64).tiny
        unit = of_series / deviation
        sums = weights[:, :, known] @ unit
        # Growth beyond the horizon changes no rank.
        scores = _extend(list(sums), np.ones_like(deviation), _correlate(unit), growth)
        order = scores[:, : paths.shape[2]].argsort(axis=0)
        np.put_along_axis(ordered[number], order, np.sort(paths[number], axis=0), axis=0)
    return ordered


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
    randoms: Sequence[np.random.Generator],
) -> np.ndarray:
    """Return paths that keep the dependence between steps: float64[window, path, step], in the unit of the series.

    The forecasts are float[window, step], scaled. Beyond the horizon, errors grow as the bounds do. Paths of sparse
    series agree with `bound_sparse`. Each window has random numbers of its own.
    """
    of_method = intervals.methods[name]
    num_windows, num_steps = forecasts.shape
    size = of_method.sizes.expect(windows.facts, forecasts)
    drawn_size = (num_windows, num_paths, num_steps)
    errors = size[:, None] * _draw_errors(of_method.samples, of_method.growth, drawn_size, randoms)
    factors = find_width_factors(intervals, name, windows, forecasts)
    errors *= np.where(errors < 0, factors[0][:, None], factors[1][:, None])
    below, above = windows.known.measure_reach(forecasts, 1, windows.panel.horizon)
    # A forecast that is too far from all known values has no bounds, and paths without errors.
    below = np.maximum(below, 0.0)
    above = np.maximum(above, 0.0)
    scaled = forecasts[:, None] + np.clip(errors, -below[:, None], above[:, None])
    paths: np.ndarray = scaled * windows.deviation[:, :, None] + windows.mean[:, :, None]
    sparse, drawn = draw_sparse(
        intervals.sparse, windows.panel, windows.origins, (num_paths, num_steps), randoms
    )
    is_cut = windows.is_cut[sparse]
    sparse = sparse[is_cut]
    drawn = drawn[is_cut]
    paths[sparse] = drawn * windows.deviation[sparse, :, None]
    is_whole = sparse[windows.is_whole[sparse]]
    for window in is_whole:
        paths[window] = round_randomly(paths[window], randoms[window])
    return np.where(windows.is_cut[:, None, None], np.maximum(paths, 0.0), paths)


def _draw_errors(
    samples: np.ndarray,
    growth: float,
    shape: tuple[int, int, int],
    randoms: Sequence[np.random.Generator],
) -> np.ndarray:
    """Return errors over their expected size: float64[window, path, step], from samples, float32[sample, horizon].

    Source: vectors of past errors are drawn whole, as in the bootstrap of Efron (1979), doi:10.1214/aos/1176344552.
    """
    horizon = samples.shape[1]
    deviation = np.sqrt((samples.astype(np.float64) ** 2).mean(axis=0)) + np.finfo(np.float64).tiny
    unit = samples / deviation
    num_blocks = -(-shape[2] // horizon)
    places = [random.integers(0, len(samples), (num_blocks, shape[1])) for random in randoms]
    vectors = unit[np.stack(places, axis=1)]
    return _extend(list(vectors), deviation, _correlate(unit), growth)[:, :, : shape[2]]


def _correlate(unit: np.ndarray) -> np.ndarray:
    """Return the correlation with the last step at lags of 1 to the horizon; vectors have it up to the one before."""
    return np.append((unit * unit[:, -1:]).mean(axis=0)[-2::-1], 0.0)


def _extend(
    vectors: Sequence[np.ndarray], deviation: np.ndarray, correlation: np.ndarray, growth: float
) -> np.ndarray:
    """Return errors of blocks of a horizon after each other: float64[..., path, step].

    Each vector, float64[..., path, horizon] in deviations of its steps, is linked with the last error of the one
    before. The link is ours.
    """
    horizon = len(deviation)
    linked_vectors = [vectors[0]]
    for number, fresh in enumerate(vectors[1:], start=1):
        done = number * horizon
        linked = np.maximum(
            correlation, link_steps(done, done + np.arange(1, horizon + 1), growth)
        ).clip(0, 1)
        before = linked_vectors[-1][..., -1:]
        linked_vectors.append(linked * before + np.sqrt(1 - linked**2) * fresh)
    steps = np.arange(1, len(vectors) * horizon + 1)
    sizes = deviation[np.minimum(steps, horizon) - 1] * np.maximum(steps / horizon, 1.0) ** growth
    return np.concatenate(linked_vectors, axis=-1) * sizes
