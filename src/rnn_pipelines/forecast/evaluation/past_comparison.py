"""The method in use beside the others at rolling origins of the whole past: validation windows and test windows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np

from rnn_pipelines.forecast.intervals.past_errors import find_past_stops, list_past_origins
from rnn_pipelines.forecast.methods.ensemble import (
    ENSEMBLE_STYLES,
    EnsembleModel,
    forecast_other_folds,
)
from rnn_pipelines.forecast.methods.forecasts import forecast_models
from rnn_pipelines.forecast.methods.linear.models import LinearModels
from rnn_pipelines.forecast.methods.linear.naive import NAIVE_METHODS
from rnn_pipelines.forecast.methods.local.intermittent import SOME_ZEROS
from rnn_pipelines.forecast.methods.local.method import LocalModel
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData
from rnn_pipelines.forecast.methods.past import measure_seasonal_change
from rnn_pipelines.forecast.methods.predictions import Forecasts
from rnn_pipelines.forecast.methods.pretrained import PretrainedModel
from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec
from rnn_pipelines.forecast.windows.panel import WindowedPanel, gather_targets


class PastRival(TypedDict):
    """Another method beside the one in use, at the same origins.

    `relative_error` is its error over that of the method in use: 1.02 is 2 % higher. `num_lower` counts the periods in
    which the method in use has the lower error.
    """

    relative_error: float | None
    num_lower: int


class PastComparison(TypedDict):
    """The comparison of the method in use with each other method; see `compare_past`.

    A period has as many origins as the horizon has steps. `has_past` is False if only the test part counts.
    """

    num_origins: int
    num_periods: int
    has_past: bool
    rivals: dict[str, PastRival]


@dataclass(frozen=True)
class _Windows:
    """Forecasts that are compared: origins, int64[window], and by method float64[window, horizon], scaled."""

    origins: np.ndarray
    actual: np.ndarray
    forecasts: Mapping[str, np.ndarray]


def compare_past(
    panel: WindowedPanel,
    linear: LinearModels,
    fitted: Mapping[str, FittedMethod],
    forecasts: Mapping[str, Forecasts],
    ensemble: Mapping[str, Any],
) -> PastComparison:
    """Compare the method in use with the others, on out-of-fold forecasts and on those of the test part.

    Errors are root mean squared ones of a single series and of panels with many zeros, and mean absolute ones of
    other panels, over the seasonal change of each series; see `choose_deciding`. Networks that were trained on the
    series count on the test part only, because the same windows ended their training; if one of them is in use, all
    methods do. With too few windows for validation, methods that read only the values before an origin forecast
    again at earlier origins.

    `ensemble` is the record of `fit_models`, which names the method in use.
    """
    use = ensemble["used"]
    # The methods hold their forecasts of the validation windows, so that no network is read.
    data = FittingData(panel, linear, PretrainedSpec(is_used=False))
    origins = panel.list_origins("test")
    actual = gather_targets(panel, origins).astype(np.float64)
    test = _Windows(origins, actual, {name: one.test for name, one in forecasts.items()})
    past = _forecast_past(data, fitted)
    has_past = use in past.forecasts and len(past.origins) > 0
    parts = [past, test] if has_past else [test]
    names = [name for name in test.forecasts if all(name in part.forecasts for part in parts)]
    origins = np.concatenate([part.origins for part in parts])
    actual = np.concatenate([part.actual for part in parts])
    is_known = ~np.isnan(actual).all(axis=1)
    series = panel.find_series(origins)
    changes = measure_seasonal_change(panel)[series][:, None]
    is_squared = len(panel.series_starts) == 1 or data.zero_share > SOME_ZEROS
    to_end = panel.series_stops[series] - origins
    period = (to_end // panel.horizon)[is_known]
    losses = {}
    for name in names:
        forecast = np.concatenate([part.forecasts[name] for part in parts])
        errors = (actual - forecast)[is_known] / changes[is_known]
        losses[name] = np.nanmean(errors**2 if is_squared else np.abs(errors), axis=1)
    rivals = {
        name: _compare(losses[use], losses[name], period, is_squared)
        for name in names
        if name != use
    }
    return PastComparison(
        num_origins=len(np.unique(to_end[is_known])),
        num_periods=len(np.unique(period)),
        has_past=has_past,
        rivals=rivals,
    )


def _compare(ours: np.ndarray, theirs: np.ndarray, period: np.ndarray, is_root: bool) -> PastRival:
    """Compare the losses of two methods, float64[window]; `period` numbers the windows of a period."""
    mean = float(ours.mean()) if len(ours) else 0.0
    ratio = float(theirs.mean()) / mean if mean > 0 else None
    sums = np.bincount(period, ours - theirs)
    relative = ratio if ratio is None or not is_root else float(np.sqrt(ratio))
    return PastRival(relative_error=relative, num_lower=int((sums < 0).sum()))


def _forecast_past(data: FittingData, fitted: Mapping[str, FittedMethod]) -> _Windows:
    """Return forecasts of the past by methods that have not learnt it; none for trained networks."""
    others = {name: one for name, one in fitted.items() if not _has_trained_network(name, one)}
    if not data.linear.is_enough:
        return _forecast_few(data, others)
    forecasts = {name: one.out_of_fold for name, one in others.items()}
    for name in ENSEMBLE_STYLES:
        if name in others:
            forecasts[name] = forecast_other_folds(data, fitted, name)
    return _Windows(data.validation, data.actual, forecasts)


def _has_trained_network(name: str, method: FittedMethod) -> bool:
    model = method.model
    names = model.models if isinstance(model, EnsembleModel) else {name}
    return not NETWORKS.keys().isdisjoint(names)


def _forecast_few(data: FittingData, fitted: Mapping[str, FittedMethod]) -> _Windows:
    """Return forecasts at the newest origins before the test part, whose steps in the test part are missing."""
    panel = data.panel
    stops = find_past_stops(panel)
    origins = list_past_origins(panel, stops)
    # A naive method reads a whole window.
    origins = origins[origins - panel.find_starts(origins) >= panel.lookback]
    models = {
        name: one.model
        for name, one in fitted.items()
        if name in NAIVE_METHODS or _reads_past_only(one.model)
    }
    forecasts = forecast_models(
        panel, data.linear.normalizer, models, origins, dict.fromkeys(models, 0.0)
    )
    actual = gather_targets(panel, origins).astype(np.float64)
    rows = origins[:, None] + np.arange(panel.horizon)
    actual[rows >= stops[panel.find_series(origins)][:, None]] = np.nan
    return _Windows(origins, actual, forecasts)


def _reads_past_only(model: object) -> bool:
    """Return whether a model learns nothing from the series but the values before an origin."""
    if isinstance(model, EnsembleModel):
        return all(_reads_past_only(one) for one in model.models.values())
    return isinstance(model, LocalModel | PretrainedModel)
