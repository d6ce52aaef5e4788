"""Forecasts of totals that are made on the totals' own past, and their reconciliation with those of the series.

Own forecasts are an ensemble of simple methods and the pretrained network, which takes seconds. Series and totals are
forecast from the same ends, and have errors at the same past origins. hierarchicalforecast reconciles them.
"""

import logging
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import RootModel

from rnn_pipelines.errors import ParameterError, count
from rnn_pipelines.forecast.fitting import fit_forecasters
from rnn_pipelines.forecast.intervals.fitting import Intervals
from rnn_pipelines.forecast.intervals.network_widths import find_network_of
from rnn_pipelines.forecast.methods.linear.models import LinearModels
from rnn_pipelines.forecast.methods.method import FittedMethod, PanelModel
from rnn_pipelines.forecast.model.artefact import FORECAST, ScaledModel
from rnn_pipelines.forecast.model.paths import iterate_paths
from rnn_pipelines.forecast.newer_values import Ends
from rnn_pipelines.forecast.parameters import read_parameter_models
from rnn_pipelines.forecast.recipe import Panel
from rnn_pipelines.forecast.series.tables import Features, Scaler, Series
from rnn_pipelines.forecast.source.frames import ID
from rnn_pipelines.forecast.totals.groups import select_groups
from rnn_pipelines.forecast.totals.specs import ALL, CROSS, TotalsSpec
from rnn_pipelines.forecast.windows.panel import WindowedPanel, gather_targets

logger = logging.getLogger(__name__)

# Past origins, for the covariance of errors.
NUM_ORIGINS = 20
# Most series, because memory grows with their square: 1.3 GB for 5,000.
MAX_SERIES = 5_000
# `bottom_up`, and the methods of `MinTrace` in the library. Its others learn weights from few past windows, or need a
# strict tree.
Method = Literal["bottom_up", "ols", "wls_struct", "wls_var", "mint_shrink", "mint_cov"]
# Those without a covariance of past errors.
WITHOUT_PAST = ("ols", "wls_struct")


class ReconcileSpec(RootModel[Method], frozen=True):
    """The method that reconciles forecasts of series and totals; `bottom_up` for sums of the series' forecasts."""

    root: Method = "bottom_up"

    @property
    def method(self) -> str | None:
        """The method of the library; None for none."""
        return None if self.root == "bottom_up" else self.root


BOTTOM_UP = ReconcileSpec()


@dataclass(frozen=True)
class Forecasting:
    """A model for some series of a panel.

    Attributes:
        ends: the row after the last value of each series, int64 by its name.
        intervals: of the model, for sample paths; None for none.
    """

    model: ScaledModel
    panel: WindowedPanel
    scaler: Scaler
    ends: pd.Series
    intervals: Intervals | None = None

    @property
    def scale(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation of the series, float64[series, 1]."""
        scale = self.scaler.set_index(ID).loc[self.ends.index]
        return scale[["mean"]].to_numpy(), scale[["deviation"]].to_numpy()

    def forecast(self, steps_back: int = 0) -> np.ndarray:
        """Return forecasts from some steps before the end, in the unit of the series: float64[series, step]."""
        return self._unscale(self.model.forecast(self.panel, self.ends.to_numpy() - steps_back))

    def forecast_past(self, steps_back: int = 0) -> np.ndarray:
        """Return actual values and forecasts of windows before, the newest first: float64[2, series, window × step]."""
        ends = self.ends.to_numpy() - steps_back
        origins, is_whole = self.panel.find_past_origins(ends, NUM_ORIGINS)
        past = origins[is_whole.all(axis=1)].T.ravel()
        both = gather_targets(self.panel, past), self.model.forecast(self.panel, past)
        return np.stack([self._unscale(values) for values in both])

    def _unscale(self, values: np.ndarray) -> np.ndarray:
        mean, deviation = self.scale
        return values.reshape(len(mean), -1) * deviation + mean

    def draw_paths(self, steps_back: int, num_paths: int) -> Iterator[np.ndarray]:
        """Return sample paths from some steps before the end, see `iterate_paths`; none without intervals."""
        if self.intervals is None:
            return iter(())
        origins = self.ends.to_numpy() - steps_back
        panel = replace(self.panel, future=np.stack([origins, origins + 1], axis=1))
        fitted = self.model, self.intervals, self.scaler, find_network_of(self.model)
        names = self.ends.index.to_numpy()
        return iterate_paths(*fitted, panel, names, self.model.forecast(panel, origins), num_paths)


def locate_ends(panel: WindowedPanel, features: Features) -> pd.Series:
    """Return the row after the last value of each series by its name."""
    ends = panel.list_origins("future")
    return pd.Series(ends, features.table[ID].to_numpy()[ends - 1])


def use_method(  # noqa: PLR0913, PLR0917 - a method, and all that it reads
    panel: Panel,
    linear: LinearModels,
    methods: Mapping[str, FittedMethod],
    used: str,
    names: pd.Index,
    intervals: Intervals | None = None,
    is_evaluated: bool = False,
) -> Forecasting:
    """Return a method for new forecasts of some series, or as it is evaluated: without the test part."""
    model = methods[used].model if is_evaluated else methods[used].in_use
    ends = locate_ends(panel.windows, panel.features)[names]
    if intervals is not None:
        intervals = intervals.as_evaluated().pick(used, FORECAST) if len(intervals.levels) else None
    scaled = PanelModel(linear.normalizer, model)
    return Forecasting(scaled, panel.windows, panel.scaler, ends, intervals)


@dataclass(frozen=True)
class Hierarchy:
    """Series that end together, and their totals.

    Attributes:
        values: since all series have begun: float64, `ds` by series.
        kinds: str[total or series], the columns of a total's groups, joined; `unique_id` of the series.
        summing: float64[total, series].
        axis: `horizon, freq, tz` of the forecasts.
    """

    values: pd.DataFrame
    kinds: np.ndarray
    summing: np.ndarray
    axis: Mapping[str, Any]

    @property
    def is_positive(self) -> bool:
        """Whether no value is below 0, so that no forecast should be."""
        return not (self.values < 0).any(axis=None)

    def add(self, values: np.ndarray) -> np.ndarray:
        """Return the totals of float64[series, ...], and then these."""
        return np.concatenate([np.tensordot(self.summing, values, 1), values])

    def fit(self, num_test: int | None = None, is_evaluated: bool = False) -> Forecasting:
        """Fit the totals' own forecasts, with as many test steps."""
        totals = self.summing @ self.values.to_numpy().T
        times = self.values.index
        return fit_own(totals, times, self.axis["horizon"], num_test, self.axis["tz"], is_evaluated)


def fit_own(
    totals: np.ndarray,
    times: pd.Index,
    horizon: int,
    num_test: int | None,
    tz: str | None,
    is_evaluated: bool,
) -> Forecasting:
    """Fit the simple methods and the pretrained network to totals, float64[total, step], with as many test steps."""
    names = pd.Index([f"total {number}" for number in range(len(totals))], name=ID)
    table = pd.DataFrame(totals.T, times.rename("ds"), names)
    spec = read_parameter_models(
        {
            "source": {"id": ID, "tz": tz},
            # Those of the series are repaired.
            "breaks": "keep",
            "window": {"horizon": horizon},
            "split": {"test": num_test},
            "pretrained": {"is_alone": True},
        }
    )
    rows = table.melt(ignore_index=False, value_name="y").reset_index()
    fitted = fit_forecasters(rows.astype({ID: "str"}), None, spec)
    return use_method(
        fitted.panel,
        fitted.data.linear,
        fitted.methods,
        fitted.weights["used"],
        names,
        is_evaluated=is_evaluated,
    )


def make_hierarchy(
    series: Series, axis: Mapping[str, Any], group_table: pd.DataFrame | None, totals: TotalsSpec
) -> Hierarchy:
    """Return the series that can be reconciled and their totals.

    The series end with most others, and have at least half as many values as the longest one. All of them together are
    always a total. The groups are columns of their table, and the axis has `horizon, freq, tz`.
    """
    by_series = series.groupby(ID)["ds"].agg(["max", "size"])
    is_used = by_series["max"] == by_series["max"].mode().iloc[-1]
    is_used &= by_series["size"] >= by_series["size"].max() / 2
    if not is_used.all():
        logger.warning(
            "totals: %s of %s end earlier or are short, and are neither reconciled nor compared with totals",
            (~is_used).sum(),
            count(len(is_used), "series", "series"),
        )
    wide = series.pivot(index="ds", columns=ID, values="y")[is_used.index[is_used]]
    values = wide.loc[wide.apply(pd.Series.first_valid_index).max() :]
    groups = select_groups(group_table, totals.columns, list(values.columns))
    kinds = []
    summing = []
    grouped = [total.columns for total in totals.totals if ID not in total.columns]
    for columns in dict.fromkeys([(), *grouped]):
        labels = groups[list(columns)].agg(CROSS.join, axis=1) if columns else ALL
        members = pd.get_dummies(pd.Series(labels, groups.index), dtype=float).to_numpy().T
        kinds += [CROSS.join(columns)] * len(members)
        summing.append(members)
    return Hierarchy(values, np.array(kinds + [ID] * len(groups)), np.concatenate(summing), axis)


def reconcile_series(
    method: str,
    hierarchy: Hierarchy,
    own: Forecasting,
    leaves: Forecasting,
    steps_back: int = 0,
) -> np.ndarray:
    """Return the forecasts of the series, reconciled with those of the totals: float64[series, step].

    If no value of the series is below 0, no forecast is: the library repairs the steps with such forecasts.

    Args:
        own, leaves: the forecasts of the totals, and of the series.
        steps_back: from the end of the series to the origin.
    Raises:
        ParameterError: the library is not installed, or its method does not apply to these series.
    """
    try:
        from hierarchicalforecast.methods import MinTrace
    except ImportError as error:
        raise ParameterError(
            f"reconcile: {method} needs the package hierarchicalforecast, which is not installed. Run pip install "
            '"rnn-pipelines[hierarchy]".'
        ) from error
    num_series = len(leaves.ends)
    if num_series > MAX_SERIES:
        raise ParameterError(
            f"reconcile: expected at most {MAX_SERIES} series, received {num_series}. Write bottom_up for totals of "
            "their forecasts."
        )
    parts = (own, leaves)
    forecasts = np.concatenate([part.forecast(steps_back) for part in parts])
    past = {}
    if method not in WITHOUT_PAST:
        windows = [part.forecast_past(steps_back) for part in parts]
        num_past = min(window.shape[2] for window in windows)
        joined = np.concatenate([window[:, :, :num_past] for window in windows], axis=1)
        past = dict(zip(("y_insample", "y_hat_insample"), joined, strict=True))
    nodes = hierarchy.add(np.eye(num_series))
    try:
        fitted = MinTrace(method).fit_predict(nodes, forecasts, **past)["mean"]
        below = fitted[-num_series:] < 0
        if below.any() and hierarchy.is_positive:
            logger.info("reconcile: forecasts below 0 are repaired: %d", below.sum())
            steps = below.any(axis=0)
            repaired = MinTrace(method, nonnegative=True)
            # Of the forms of its matrices.
            with warnings.catch_warnings(action="ignore"):
                fitted[:, steps] = repaired.fit_predict(nodes, forecasts[:, steps], **past)["mean"]
    # The library raises plain exceptions.
    except Exception as error:
        raise ParameterError(
            f"reconcile: {method} is not possible for these series: {error} Write wls_struct, or bottom_up for "
            "totals of their forecasts."
        ) from error
    return fitted[-num_series:]


def reconcile_next(method: str, hierarchy: Hierarchy, leaves: Forecasting) -> np.ndarray:
    """Return the next values of all series, reconciled for those of the hierarchy: float32[series, step], scaled."""
    panel = leaves.panel
    origins = panel.list_origins("future")
    scaled = leaves.model.forecast(panel, origins)
    mean, deviation = leaves.scale
    reconciled = reconcile_series(method, hierarchy, hierarchy.fit(), leaves)
    scaled[np.searchsorted(origins, leaves.ends)] = (reconciled - mean) / deviation
    if hierarchy.is_positive:
        # Rounding may have moved a 0.
        scaled = np.maximum(scaled, panel.find_zeros(origins)[:, None])
    return scaled


@dataclass(frozen=True)
class ReconciledModel(PanelModel):
    """A model whose next values are reconciled: float32[series, step], scaled, from int64[series] origins."""

    origins: np.ndarray
    next_values: np.ndarray

    def forecast(self, panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
        """Return the forecasts from some origins: float32[window, horizon], scaled."""
        if np.array_equal(origins, self.origins):
            return self.next_values
        return super().forecast(panel, origins)


def reconcile_ends(
    ends: Ends, group_table: pd.DataFrame | None, totals: TotalsSpec, reconcile: ReconcileSpec
) -> Ends:
    """Return the ends with a forecaster whose next values are reconciled; the same ends without a method.

    Raises:
        ParameterError: the steps exceed the trained horizon, or see `reconcile_series`.
    """
    if reconcile.method is None:
        return ends
    forecaster = ends.forecaster
    model = forecaster.model
    assert isinstance(model, PanelModel)
    if ends.num_steps > ends.panel.horizon:
        raise ParameterError(
            f"reconcile: expected at most the trained horizon, {ends.panel.horizon} steps, received {ends.num_steps}."
        )
    places = locate_ends(ends.panel, ends.features)
    series = ends.series[ends.series[ID].isin(places.index)]
    hierarchy = make_hierarchy(series, forecaster.settings.model_dump(), group_table, totals)
    used = places[hierarchy.values.columns]
    leaves = Forecasting(model, ends.panel, forecaster.scaler, used)
    next_values = reconcile_next(reconcile.method, hierarchy, leaves)
    reconciled = ReconciledModel(model.normalizer, model.model, places.to_numpy(), next_values)
    return replace(ends, forecaster=replace(forecaster, model=reconciled))
