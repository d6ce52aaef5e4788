"""What a forecast is made of: how much each value of the past and the calendar moved each step ahead.

A forecast is held against that of a window which lies at its level throughout, in mid-season: 0 in the frame. What is
linear is exact: coefficient times value. A network's correction is taken apart by integrated gradients: on the straight
way from that window to this one, the gradient with respect to each value, times the value. In both, the parts of a step
sum up to its forecast.

Source: Sundararajan, Taly & Yan (2017), Axiomatic attribution for deep networks, arXiv:1703.01365, equations 1 and 3.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.base import Base
from rnn_pipelines.forecast.effects import count_lags
from rnn_pipelines.forecast.folds import find_series
from rnn_pipelines.forecast.forecaster import Blend, Forecaster, lay_out_cutoffs, make_blend
from rnn_pipelines.forecast.further import find_ends, refuse_all
from rnn_pipelines.forecast.networks import Network, read_windows
from rnn_pipelines.forecast.predictors import Framed, frame_windows
from rnn_pipelines.forecast.series.rows import look_up
from rnn_pipelines.forecast.series.tables import Features, Scaler, Series
from rnn_pipelines.forecast.series.windows import Part, WindowedPanel
from rnn_pipelines.forecast.theta import THETA, forecast_theta
from rnn_pipelines.networks.members import find_input_gradients, run_members

# Points on the way, of Gauss and Legendre's rule: exact for polynomials up to twice as high.
NUM_POINTS = 24
BASELINE, CALENDAR, TARGET = "baseline", "calendar", "y"
COLUMNS = ("unique_id", "cutoff", "ds", "horizon_step", "input", "lag", "contribution")
# Of how many series the next values are taken apart in a run, and how many windows of the test part: a window of hours
# costs as much as 50 steps of training.
NUM_NEXT, NUM_TYPICAL = 3, 12
# Of the difference from the baseline, in the frame; below it, the slope of the way back is taken instead.
SMALLEST_DIFFERENCE = 1e-6


@dataclass(frozen=True)
class _Parts:
    """Of one window, in its frame.

    Attributes:
        lags: int64[lag], steps before the origin, from 1; some may be there twice.
        values: float64[lag, horizon], the part of each value of the past.
        covariates: float64[covariate, horizon]: static ones, those known ahead, those of the past.
        calendar, baseline: float64[horizon].
        theta: float64[horizon], that of the theta method, which is not taken apart.
    """

    lags: np.ndarray
    values: np.ndarray
    covariates: np.ndarray
    calendar: np.ndarray
    baseline: np.ndarray
    theta: np.ndarray | float = 0.0

    @property
    def forecast(self) -> np.ndarray:
        """The sum, float64[horizon]."""
        whole = self.calendar + self.baseline + self.theta
        total: np.ndarray = self.values.sum(axis=0) + self.covariates.sum(axis=0) + whole
        return total


def explain_ends(forecaster: Forecaster, series: Series, covariate_table: pd.DataFrame | None = None) -> pd.DataFrame:
    """Takes the forecasts of the steps after each series' end apart.

    Args:
        forecaster: whose model is a `Blend`.
        series, covariate_table: see `forecast_cutoffs`.
    Returns:
        See `explain_windows`.
    Raises:
        SeriesError: none of the series can be forecast.
    """
    panel, features = lay_out_cutoffs(forecaster, series, find_ends(series), covariate_table)
    if not len(panel.index("future")):
        refuse_all(forecaster, series)
    assert isinstance(forecaster.model, Blend)
    return explain_windows(forecaster.model, panel, features, forecaster.scaler, _list_some(panel, "future"))


def explain_best(
    panel: WindowedPanel, features: Features, scaler: Scaler, base: Base, best: Mapping[str, Any], **networks: Network
) -> pd.DataFrame:
    """Takes what goes into use apart: some of its next values, and some windows of the test part, evenly spaced.

    Args:
        panel, features, scaler: of the series.
        base, networks: what was fitted.
        best: see `weigh_best`.
    Returns:
        See `explain_windows`; and `part`, `test` or `future`.
    """
    blend = make_blend(base, networks, best["weights"])
    numbers: dict[Part, int] = {"future": NUM_NEXT, "test": NUM_TYPICAL}
    tables = [
        explain_windows(blend, panel, features, scaler, _list_some(panel, part, number)).assign(part=part)
        for part, number in numbers.items()
    ]
    return pd.concat(tables, ignore_index=True)


def _list_some(panel: WindowedPanel, part: Part, number: int | None = None) -> np.ndarray:
    """Origins of a part, evenly spaced where not all are wanted: int64[window]."""
    index = panel.index(part)
    wanted = len(index) if number is None else min(number, len(index))
    return index.origins(np.linspace(0, len(index) - 1, wanted).round().astype(int))


def explain_windows(
    blend: Blend, panel: WindowedPanel, features: Features, scaler: Scaler, origins: np.ndarray
) -> pd.DataFrame:
    """Takes forecasts apart.

    Args:
        blend: what forecasts.
        panel, features, scaler: of the series.
        origins: int64[window].
    Returns:
        `unique_id, cutoff, ds, horizon_step, input, lag, contribution`: `input` is `y` with its `lag` (1 for the last
        value seen), a covariate (`future:price`), `calendar`, `baseline` or `theta`, which is not taken apart (lag 0).
        The contribution is in the unit of `y`; those of a step sum up to its forecast, but for the error of the rule by
        which gradients are integrated.
    """
    names = [*features.static, *features.future, *features.past]
    mean, deviation = (look_up(features.table, scaler, name) for name in ("mean", "deviation"))
    tables = [pd.DataFrame({name: [] for name in COLUMNS})]
    for origin, number in zip(origins, find_series(panel, origins), strict=True):
        own = np.array([origin])
        framed = frame_windows(panel, blend, own)
        parts = _take_apart(blend, panel, framed, own)
        target = features.table.iloc[origin : origin + panel.horizon]
        table = _tabulate(parts, framed, target, (mean[number], deviation[number]), names)
        tables.append(table.assign(cutoff=features.table["ds"].iloc[origin - 1])[list(COLUMNS)])
    return pd.concat(tables[1:] or tables, ignore_index=True)


def _take_apart(blend: Blend, panel: WindowedPanel, framed: Framed, origins: np.ndarray) -> _Parts:
    lags = np.concatenate([np.arange(panel.lookback, 0, -1), *_find_season_lags(blend, panel, origins[0])])
    linear = framed.predictors[0][:, None] * blend.matrix
    num_last = 1 + len(blend.calendar)
    values, covariates, calendar, baseline = np.split(linear, [len(lags), len(linear) - num_last, len(linear) - 1])
    theta = blend.theta * framed.units.frame(forecast_theta(panel, origins))[0]
    parts = _Parts(lags, values, _gather_covariates(panel, covariates), calendar.sum(axis=0), baseline[0], theta)
    for name, network in blend.networks.items():
        parts = _add(parts, blend.shares[name], _integrate(network, panel, framed, origins))
    return parts


def _gather_covariates(panel: WindowedPanel, linear: np.ndarray) -> np.ndarray:
    """From the predictors of `gather_predictors` to one sum for each covariate, float64[covariate, horizon]."""
    num_moving = panel.num_future + panel.num_past
    ends = np.cumsum([panel.num_future * panel.horizon, num_moving * count_lags(panel)])
    ahead, lagged, static = np.split(linear, ends)
    moving = lagged.reshape(num_moving, count_lags(panel), panel.horizon).sum(axis=1)
    moving[: panel.num_future] += ahead.reshape(panel.num_future, panel.horizon, panel.horizon).sum(axis=1)
    return np.concatenate([static, moving])


def _find_season_lags(blend: Blend, panel: WindowedPanel, origin: int) -> list[np.ndarray]:
    """Which values stand behind the predictors of the seasons, see `gather_season`: int64[horizon] each."""
    steps = np.arange(panel.horizon)
    start = panel.series_starts[find_series(panel, np.array([origin]))[0]]
    found = []
    for season in (blend.season, blend.long_season):
        if season:
            lags = season * (steps // season + 1) - steps
            rows = origin - lags
            is_there = (rows >= start) & ~np.isnan(panel.values[np.maximum(rows, 0), 0])
            found.append(np.where(is_there, lags, 1))
    return found


def _add(parts: _Parts, share: float, others: _Parts) -> _Parts:
    """With a share of what a network adds, of whose values the first are the history, as in `parts`."""
    values = parts.values.copy()
    values[: len(others.values)] += share * others.values
    added = {
        name: getattr(parts, name) + share * getattr(others, name) for name in ("covariates", "calendar", "baseline")
    }
    return replace(parts, values=values, **added)


def _integrate(network: Network, panel: WindowedPanel, framed: Framed, origins: np.ndarray) -> _Parts:
    """A network's correction."""
    has_embedding = bool(network.embedding_kernel.size)
    steps, known = read_windows(panel, framed, origins, network.segment, network.calendar, has_embedding)
    points, weights = np.polynomial.legendre.leggauss(NUM_POINTS)
    # Each point for each step ahead, side by side as a batch; from -1 … 1 to 0 … 1.
    way = np.repeat((points + 1) / 2, panel.horizon).astype(np.float32)[:, None]
    on_way = steps * way
    if has_embedding:
        on_way[:, :, -1] = steps[:, :, -1]  # whether a segment is padding is no value
    _, passed = run_members(network.weights, on_way, known * way)
    ahead = np.tile(np.eye(panel.horizon, dtype=np.float32), (NUM_POINTS, 1))
    num_members = len(network.head_kernel)
    slopes = find_input_gradients(network.weights, passed, np.repeat(ahead[None], num_members, axis=0))
    of_steps, of_known = (_average(one.mean(axis=0), weights / 2, panel.horizon) for one in slopes)
    parts = _split_channels(network, panel, of_steps, steps[:, 0])
    start = steps * np.float32(0)
    if has_embedding:
        start[:, :, -1] = steps[:, :, -1]
    baseline = run_members(network.weights, start, known * np.float32(0))[0].mean(axis=0)[0]
    calendar, covariates = _split_known(panel, known[0][:, None] * of_known)
    return replace(
        parts,
        values=parts.values * framed.history[0][:, None],
        covariates=parts.covariates + covariates,
        calendar=parts.calendar + calendar,
        baseline=baseline.astype(np.float64),
    )


def _average(slopes: np.ndarray, weights: np.ndarray, horizon: int) -> np.ndarray:
    """Over the points of the way: float64[..., feature, horizon] of float32[..., point × horizon, feature]."""
    by_point = slopes.reshape(*slopes.shape[:-2], len(weights), horizon, slopes.shape[-1]).astype(np.float64)
    averaged: np.ndarray = np.einsum("...phf,p->...fh", by_point, weights)
    return averaged


def _split_channels(network: Network, panel: WindowedPanel, slopes: np.ndarray, steps: np.ndarray) -> _Parts:
    """From what a network reads back to the window, see `read_windows`.

    Args:
        network: says how it reads.
        panel: the windows.
        slopes: float64[time, feature, horizon], with respect to what is read.
        steps: float32[time, feature], what is read.
    Returns:
        Slopes with respect to the history as values; parts of calendar and covariates; nothing else yet.
    """
    has_embedding = bool(network.embedding_kernel.size)
    if has_embedding:
        slopes, steps = slopes[:, :-1], steps[:, :-1]
    num_channels, horizon = slopes.shape[1] // network.segment, slopes.shape[2]
    slopes = slopes.reshape(-1, num_channels, horizon)[-panel.lookback :]
    steps = steps.reshape(-1, num_channels)[-panel.lookback :]
    first = num_channels - (panel.values.shape[1] - panel.calendar.stop)
    products = np.einsum("tc,tch->ch", steps, slopes)
    # Of one series the first channel is the window less its mean, the second the window; of many the window alone.
    history = slopes[:, 0] if has_embedding else slopes[:, 0] - slopes[:, 0].mean(axis=0) + slopes[:, 1]
    calendar = products[(1 if has_embedding else 2) : first].sum(axis=0)
    return _Parts(np.arange(panel.lookback, 0, -1), history, products[first:], calendar, np.zeros(horizon))


def _split_known(panel: WindowedPanel, products: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What goes around the recurrent layer: calendar and static covariates, of many series; what is known ahead.

    Args:
        panel: the windows.
        products: float64[known, horizon], parts of the correction.
    Returns:
        The calendar's part, float64[horizon], and those of covariates, float64[covariate, horizon].
    """
    num_ahead = panel.num_future * panel.horizon
    others, ahead = np.split(products, [len(products) - num_ahead])
    covariates = np.zeros((panel.num_static + panel.num_future + panel.num_past, panel.horizon))
    begin = panel.num_static
    covariates[begin : begin + panel.num_future] = ahead.reshape(panel.num_future, panel.horizon, panel.horizon).sum(
        axis=1
    )
    if len(others):
        covariates[:begin] = others[panel.num_known :]
    return others[: panel.num_known].sum(axis=0), covariates


def _tabulate(
    parts: _Parts, framed: Framed, target: pd.DataFrame, scale: tuple[float, float], names: list[str]
) -> pd.DataFrame:
    """From the frame to the unit of the series, one row for each step and input."""
    mean, deviation = scale
    forecast, baseline = (
        framed.units.unframe(values[None])[0] * deviation + mean for values in (parts.forecast, parts.baseline)
    )
    slope = _find_slope(parts, framed) * deviation
    # Values that are read twice, as history and as a season, count once.
    lags, places = np.unique(parts.lags, return_inverse=True)
    summed = np.zeros((len(lags), parts.values.shape[1]))
    np.add.at(summed, places, parts.values)
    rows = [(BASELINE, 0, baseline), (CALENDAR, 0, slope * parts.calendar)]
    rows += [(name, 0, slope * own) for name, own in zip(names, parts.covariates, strict=True)]
    if np.any(parts.theta):
        rows.append((THETA, 0, slope * parts.theta))
    rows += [(TARGET, int(lag), slope * own) for lag, own in zip(lags, summed, strict=True)]
    return pd.concat(
        [
            target[["unique_id", "ds"]]
            .reset_index(drop=True)
            .assign(horizon_step=np.arange(1, len(forecast) + 1), input=name, lag=lag, contribution=contribution)
            for name, lag, contribution in rows
        ],
        ignore_index=True,
    )


def _find_slope(parts: _Parts, framed: Framed) -> np.ndarray:
    """By how much a step in the frame is more outside of it, on the way from the baseline: float64[horizon].

    The same everywhere, unless the frame takes logarithms.
    """
    difference = parts.forecast - parts.baseline
    difference = np.where(np.abs(difference) < SMALLEST_DIFFERENCE, SMALLEST_DIFFERENCE, difference)
    there, here = (framed.units.unframe(values[None])[0] for values in (parts.baseline + difference, parts.baseline))
    slope: np.ndarray = (there - here) / difference
    return slope
