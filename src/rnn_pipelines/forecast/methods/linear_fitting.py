"""Linear models, fitted on each fold and on all data: the baselines, and the forecast that the networks correct."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from rnn_pipelines.forecast.methods.folds import Folds, list_refit, make_folds
from rnn_pipelines.forecast.methods.linear.layout import Layout, find_layout
from rnn_pipelines.forecast.methods.linear.models import LinearModels, forecast_out_of_fold
from rnn_pipelines.forecast.methods.linear.naive import list_naive_matrices
from rnn_pipelines.forecast.methods.linear.ridge import (
    MIN_GAIN,
    PENALTIES,
    PENALTY_OF_FEW,
    Products,
    Ridge,
    fit_effects,
    list_covariate_readings,
    list_ridge_inputs,
)
from rnn_pipelines.forecast.methods.memory import estimate_linear_bytes
from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.normalization import NormalizationKind, measure_units
from rnn_pipelines.forecast.methods.objective import ObjectiveSpec, Target
from rnn_pipelines.forecast.methods.past import (
    find_past,
    find_zeros,
    measure_zero_share,
    warn_of_cut,
)
from rnn_pipelines.forecast.methods.predictors import (
    MAX_NORMALIZED,
    NormalizedWindows,
    normalize_targets,
    normalize_windows,
)
from rnn_pipelines.forecast.methods.weights import find_weights
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec
from rnn_pipelines.forecast.series.tables import Scaler
from rnn_pipelines.forecast.windows.panel import WindowedPanel, gather_history, gather_targets
from rnn_pipelines.networks.memory import require_memory, reuse_freed_memory
from rnn_pipelines.networks.threads import use_one_thread

# Largest number of windows for the choice of a penalty; more do not improve it.
MAX_CHOOSING = 1_000
# Logarithms must reduce the error by this part.
MIN_LOG_GAIN = 0.02


def fit_linear_models(
    panel: WindowedPanel, objective: ObjectiveSpec | None = None, scaler: Scaler | None = None
) -> LinearModels:
    """Fit the linear models on each fold and on all data, and compute their weights.

    The models in use are fitted with the penalties and inputs of the evaluated ones, see `LinearModels.refitted`. Only
    they have learnt the test windows. Without a scaler, which has the names of the series, there is no warning of
    forecasts cut at 0. Raise a ParameterError if the fit needs more memory than there is.
    """
    started = time.perf_counter()
    objective = objective or ObjectiveSpec()
    if scaler is not None:
        warn_of_cut(objective.non_negative, panel, scaler["unique_id"].to_numpy())
    folds = make_folds(panel)
    num_bytes = estimate_linear_bytes(panel, folds)
    require_memory(num_bytes, "fitting the simple methods", "window.lookback and window.horizon")
    reuse_freed_memory()
    with use_one_thread():
        linear = _choose_normalization(panel, folds, objective)
    return replace(
        linear, non_negative=objective.non_negative, seconds=time.perf_counter() - started
    )


def prepare_fitting(
    panel: WindowedPanel,
    objective: ObjectiveSpec | None = None,
    scaler: Scaler | None = None,
    pretrained: PretrainedSpec = PretrainedSpec(),  # noqa: B008 - frozen
) -> FittingData:
    """Fit the linear models, and return them with the windows for the fits of all other methods."""
    return FittingData(panel, fit_linear_models(panel, objective, scaler), pretrained)


def _choose_normalization(
    panel: WindowedPanel, folds: Folds, objective: ObjectiveSpec
) -> LinearModels:
    is_single = len(panel.series_starts) == 1
    is_absolute = objective.choose_absolute(is_single, measure_zero_share(panel))
    if is_single:
        return _fit(panel, folds, "series", is_absolute, objective.target)
    plain = _fit(panel, folds, "window", is_absolute, objective.target)
    # Without enough windows for validation, nothing shows that logarithms are better. Squared errors are those of
    # means, and the mean of logarithms is that of the median.
    is_negative = (panel.values[:, 0] < find_zeros(panel)) & find_past(panel)
    if not (folds.is_enough and is_absolute) or is_negative.any():
        return plain
    logs = _fit(panel, folds, "log", is_absolute, objective.target)
    is_better = _measure_scale_free(panel, logs) < (1 - MIN_LOG_GAIN) * _measure_scale_free(
        panel, plain
    )
    return logs if is_better else plain


def _measure_scale_free(panel: WindowedPanel, linear: LinearModels) -> float:
    """Return an error of the baseline ensemble on the validation windows that combines MASE and sMAPE.

    It is the geometric mean of the absolute error over the spread of the window, and of the absolute error over the
    level of actual and forecast. Nearly constant windows dominate the first, series near 0 the second.
    """
    origins = linear.validation
    windows = normalize_windows(panel, linear.normalizer, origins)
    normalized = forecast_out_of_fold(linear.select_ensemble(), linear.fold, windows.predictors)
    forecasts = windows.units.denormalize(normalized)
    targets = gather_targets(panel, origins)
    zeros = panel.find_zeros(origins)
    spread = measure_units(
        "window", gather_history(panel, origins), zeros, panel.season_length
    ).spread
    errors = np.abs(targets - forecasts)
    levels = targets + forecasts - 2 * zeros[:, None]
    relative = errors / np.where(levels > 0, levels, np.inf)
    return float(np.sqrt(np.mean(errors / spread) * np.mean(relative)))


def _fit(
    panel: WindowedPanel, folds: Folds, kind: NormalizationKind, is_absolute: bool, target: Target
) -> LinearModels:
    layout = find_layout(panel, folds.fitted, kind)
    actual, validation = _normalize_clipped(panel, layout, folds.validation)
    errors = _Errors(actual, validation.predictors, folds.fold, is_absolute)
    methods = _fit_methods(layout, _multiply_by_fold(panel, layout, folds), errors, folds)
    names = list(methods)
    weights = _weigh_few(names, knows_future=layout.has_future)
    losses = np.full(len(names) + 1, np.nan)
    if folds.is_enough:
        found = np.stack([errors.find(matrices) for matrices in methods.values()])
        weights = find_weights(
            found, folds.num_independent, "absolute" if is_absolute else "squared"
        )
        losses = np.array([_measure(one, is_absolute) for one in [*found, weights @ found]])
        del found
    # Copied one by one: the matrices of a long horizon take hundreds of megabytes, which would be there twice.
    num_products, *shape = methods[names[0]].shape
    fitted = np.empty((num_products, len(names), *shape))
    for place, name in enumerate(names):
        fitted[:, place] = methods.pop(name)
    normalizer = layout.normalizer
    return LinearModels(
        fitted=folds.fitted,
        validation=folds.validation,
        fold=folds.fold,
        begins=folds.begins,
        stops=folds.stops,
        horizon=folds.horizon,
        is_forward=folds.is_forward,
        is_enough=folds.is_enough,
        kind=normalizer.kind,
        season=normalizer.season,
        long_season=normalizer.long_season,
        calendar=normalizer.calendar,
        non_negative=normalizer.non_negative,
        harmonics=normalizer.harmonics,
        names=np.array(names),
        matrices=fitted[:-1],
        refitted=fitted[-1],
        weights=weights,
        losses=losses,
        is_absolute=is_absolute,
        target=target,
        seconds=0.0,
    )


@dataclass(frozen=True)
class _Errors:
    """The validation windows, to measure the out-of-fold errors of matrices."""

    actual: np.ndarray
    predictors: np.ndarray
    fold: np.ndarray
    is_absolute: bool

    def find(self, matrices: np.ndarray) -> np.ndarray:
        """Return the out-of-fold errors: float64[window · horizon]."""
        return (self.actual - forecast_out_of_fold(matrices, self.fold, self.predictors)).ravel()

    def thin(self) -> "_Errors":
        """Return a subset of evenly spaced windows, enough to choose a penalty."""
        number = len(self.actual)
        rows = np.linspace(0, number - 1, min(MAX_CHOOSING, number)).astype(int)
        return _Errors(self.actual[rows], self.predictors[rows], self.fold[rows], self.is_absolute)

    def measure(self, forecasts: np.ndarray) -> tuple[float, float]:
        """Return the mean error, and that of the newest fold."""
        errors = self.actual - forecasts
        is_newest = self.fold == self.fold.max(initial=0)
        return _measure(errors, self.is_absolute), _measure(errors[is_newest], self.is_absolute)


def _normalize_clipped(
    panel: WindowedPanel, layout: Layout, origins: np.ndarray
) -> tuple[np.ndarray, NormalizedWindows]:
    """Return the clipped targets of some windows, and the windows."""
    windows = normalize_windows(panel, layout.normalizer, origins)
    return np.clip(
        normalize_targets(panel, windows, origins), -MAX_NORMALIZED, MAX_NORMALIZED
    ), windows


def _multiply_by_fold(panel: WindowedPanel, layout: Layout, folds: Folds) -> Products:
    """Return the products of each fold, of all data, and last those of the models in use."""
    targets, windows = _normalize_clipped(panel, layout, folds.fitted)
    seen = [
        *folds.find_seen(folds.fitted, panel.find_series(folds.fitted)),
        np.ones(len(targets), bool),
    ]
    products = [_multiply(windows.predictors[rows], targets[rows]) for rows in seen]
    targets, windows = _normalize_clipped(panel, layout, list_refit(panel))
    return [*products, _multiply(windows.predictors, targets)]


def _multiply(predictors: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    # Without windows, a ridge is its offset, which needs a penalty above 0.
    return predictors.T @ predictors, predictors.T @ targets, max(1, len(targets))


def _fit_methods(
    layout: Layout, products: Products, errors: _Errors, folds: Folds
) -> dict[str, np.ndarray]:
    """Return the matrices of each method, float64[fold + 2, predictor, horizon]; the last one is in use."""
    naive = list_naive_matrices(layout)
    methods = {
        name: np.broadcast_to(matrix, (len(products), *matrix.shape))
        for name, matrix in naive.items()
    }
    if not folds.is_enough:
        for name, ridge in _list_ridges(layout, products, is_enough=False):
            methods.setdefault(name, ridge.solve(PENALTY_OF_FEW))
        return methods | _fit_calendar(layout, products)
    some = errors.thin()
    least = dict.fromkeys(methods, (0.0, 0.0))

    def is_better(name: str, forecasts: np.ndarray, max_harmonic: int) -> bool:
        loss, newest = some.measure(forecasts)
        loss /= 1 - MIN_GAIN if max_harmonic > 1 else 1.0
        # A profile that changes, such as that of the week over a year, interpolates well and forecasts badly.
        if name in least and (
            loss >= least[name][0] or (max_harmonic > 1 and newest > least[name][1])
        ):
            return False
        least[name] = loss, newest
        return True

    for choice in layout.list_choices():
        for name, ridge in _list_ridges(choice, products, is_enough=True):
            forecasts = ridge.forecast_out_of_fold(some.predictors, some.fold, PENALTIES)
            pairs = zip(PENALTIES, forecasts, strict=True)
            better = [
                penalty for penalty, one in pairs if is_better(name, one, choice.max_harmonic)
            ]
            if better:
                methods[name] = ridge.solve(better[-1])
        for name, matrices in _fit_calendar(choice, products).items():
            if is_better(
                name,
                forecast_out_of_fold(matrices, some.fold, some.predictors),
                choice.max_harmonic,
            ):
                methods[name] = matrices
    return methods


def _list_ridges(
    layout: Layout, products: Products, is_enough: bool
) -> Iterator[tuple[str, Ridge]]:
    """Yield the ridges of each method, with each selection of covariates."""
    for name, (inputs, offset) in list_ridge_inputs(layout).items():
        readings = [(inputs, [offset] * len(products))]
        more = list_covariate_readings(products, layout, inputs, offset)
        # With too few windows for a choice: the effects of future covariates, and no lags.
        readings = readings + more if is_enough else more[:1] if layout.has_future else readings
        yield from ((name, Ridge(products, *reading, layout.num_free)) for reading in readings)


def _fit_calendar(layout: Layout, products: Products) -> dict[str, np.ndarray]:
    """Return the climatology, and with future covariates the climatology with their effects; nothing for a panel."""
    # Methods of the calendar alone can't follow a profile that changes.
    if not (
        len(layout.normalizer.calendar)
        and layout.normalizer.kind == "series"
        and layout.max_harmonic == 1
    ):
        return {}
    calendar = layout.pick_free()
    nothing = [np.zeros((layout.num_predictors, layout.horizon))] * len(products)
    methods = {"climatology": Ridge(products, calendar, nothing, layout.num_free).solve(0.0)}
    if layout.has_future:
        future = layout.list_future()
        explained = [fit_effects(product, calendar, nothing[0], future) for product in products]
        methods["effects"] = Ridge(products, calendar, explained, layout.num_free).solve(0.0)
    return methods


def _measure(errors: np.ndarray, is_absolute: bool) -> float:
    return float(np.mean(np.abs(errors) if is_absolute else errors**2))


def _weigh_few(names: list[str], knows_future: bool) -> np.ndarray:
    """Return the weights with too few windows for validation: half ridge, half the naive methods.

    Naive methods do not read future covariates. With these, the weights are those of ridges on naive forecasts.
    """
    if knows_future:
        return _share_equally(names, ("ridge_last", "ridge_season"))
    naive = _share_equally(names, ("last_value", "seasonal_naive", "seasonal_drift"))
    return 0.5 * naive + 0.5 * _share_equally(names, ("ridge_last",))


def _share_equally(names: list[str], members: tuple[str, ...]) -> np.ndarray:
    """Return equal weights of the methods among the members, 0 for the others."""
    is_member = np.isin(names, members)
    return is_member / is_member.sum()
