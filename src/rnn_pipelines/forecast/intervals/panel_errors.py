"""The way of a panel: fitted and held-out errors of all series; see decision 30.

Quantiles have their sources in `quantiles`. The pool is ours: fitted and held-out errors with half the weight each,
fitted ones enlarged to the size of the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnn_pipelines.forecast.intervals.quantiles import (
    count_freedom,
    count_needed,
    find_growth,
    weigh_quantiles,
)
from rnn_pipelines.forecast.intervals.sparse_bounds import find_sparse
from rnn_pipelines.forecast.intervals.ways import (
    MIN_ERRORS,
    NUM_SAMPLES,
    SMALLEST_SIZE,
    MethodErrors,
    SizeModel,
    Way,
    compute_logs,
    enlarge_outside,
    is_panel,
    make_samples,
)
from rnn_pipelines.forecast.intervals.window_facts import WindowFacts, measure_windows
from rnn_pipelines.forecast.methods.folds import list_past
from rnn_pipelines.forecast.methods.linear.models import LinearModel
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData, PanelModel, find_errors
from rnn_pipelines.forecast.methods.nnls import solve_nnls
from rnn_pipelines.forecast.methods.predictors import Normalizer
from rnn_pipelines.forecast.windows.panel import WindowedPanel, count_padded, gather_targets

# The weight of the held-out errors in a pool, and the most fitted errors in it.
HELD_OUT_WEIGHT, MAX_FITTED = 0.5, 5_000
# Windows of each series that show its expected error, if nothing was fitted on it.
WINDOWS_OF_SERIES = 5
# The expected error of a series includes this many windows with the mean error of the panel.
PRIOR_WINDOWS = 0.1
# The smallest expected error of a series, as part of the mean; and the variance that is added to those of predictors.
TINY_PART, TINY = 1e-6, 1e-12
# Penalty on the slopes, as part of the predictors' variance; and the tails in which predictors are clipped.
RIDGE, CLIPPED = 0.01, 0.005
# From the exponents of step change, forecast and level to the slopes of the predictors, see `_describe`.
TO_SLOPES = np.array([[1.0, 0, 0], [0, 1, 0], [0, 1, 1]])
HEAVY = 1e4


class PanelSizes(SizeModel):
    """The size follows the window's seasonal change, its other facts, and the expected error of the series."""

    rule = "panel"

    def expect(
        self, windows: WindowFacts, forecasts: np.ndarray, first_step: int = 1
    ) -> np.ndarray:
        """Return the size of each error, see `SizeModel`."""
        usual = self.usual[windows.series][:, None]
        base = windows.change + usual
        size = base * self.multiply(_describe(windows, forecasts, usual))
        size = enlarge_outside(size, usual, forecasts)
        if self.few_values is not None:
            is_few = ~np.isnan(windows.variance)
            steps = first_step + np.arange(forecasts.shape[1])
            size[is_few] = self.few_values.expect(windows, steps)[is_few]
        return np.maximum(size, SMALLEST_SIZE)


def _describe(windows: WindowFacts, forecasts: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """Return the predictors of the size over seasonal change and expected error: float64[window, step, predictor].

    The expected errors are float64[window, 1].
    """
    base = windows.change + usual
    level = windows.level + usual
    predictors = [
        np.broadcast_to(np.log((windows.step_change + usual) / base), forecasts.shape),
        np.log((np.abs(forecasts - windows.zero) + usual) / level),
        np.broadcast_to(np.log(level / base), forecasts.shape),
    ]
    return np.stack(predictors, axis=-1)


@dataclass(frozen=True)
class _EvaluatedWindows:
    """Windows with actuals, and the forecasts of the baseline ensemble: float64[window, horizon], scaled."""

    origins: np.ndarray
    facts: WindowFacts
    forecasts: np.ndarray
    errors: np.ndarray

    def select(self, rows: np.ndarray) -> "_EvaluatedWindows":
        return _EvaluatedWindows(
            self.origins[rows], self.facts.select(rows), self.forecasts[rows], self.errors[rows]
        )


def _evaluate_windows(
    panel: WindowedPanel, origins: np.ndarray, forecasts: np.ndarray
) -> _EvaluatedWindows:
    errors = gather_targets(panel, origins) - forecasts
    return _EvaluatedWindows(origins, measure_windows(panel, origins), forecasts, errors)


def measure_panel_errors(
    data: FittingData, fitted: Mapping[str, FittedMethod], levels: np.ndarray
) -> dict[str, MethodErrors]:
    """Return quantiles of fitted and held-out errors, each kind with half the weight.

    Fitted errors are enlarged to the size of held-out ones: by the geometric mean of the ratios on the same windows and
    on all windows. Bounds are widened by Student's t, because the errors of one origin share shocks.
    """
    panel = data.panel
    num_series = len(panel.series_starts)
    model = LinearModel(data.linear.combine())
    origins = leave_out_padded(panel, data.linear.fitted)
    forecasts = PanelModel(data.linear.normalizer, model).forecast(panel, origins)
    past = _evaluate_windows(panel, origins, forecasts.astype(np.float64))
    usual = measure_usual(past.facts.series, past.errors, num_series)
    past = past.select(_list_telling(panel, past, MIN_ERRORS))
    sizes = fit_panel_sizes(past.facts, past.forecasts, past.errors, usual)
    size = sizes.expect(past.facts, past.forecasts)
    past_over_size = past.errors / size
    log_past = _log_mean(past.errors, size)
    # The part of the past of each window, in horizons before the newest window of its series.
    newest = np.zeros(num_series, np.int64)
    np.maximum.at(newest, past.facts.series, past.origins)
    blocks = (newest[past.facts.series] - past.origins) // panel.horizon
    freedom = count_freedom(past_over_size, blocks, len(data.linear), num_series)
    num_fitted = min(MAX_FITTED, len(past_over_size))
    rows = np.linspace(0, len(past_over_size) - 1, num_fitted).astype(int)
    fitted_over_size = past_over_size[rows]
    # The held-out errors of each method, beside those of the baseline ensemble on the same windows.
    forecasts = model.forecast(panel, data.windows, data.validation)
    held_out = _evaluate_windows(panel, data.validation, forecasts)
    telling = _list_telling(panel, held_out, least=1)
    held_out = held_out.select(telling)
    log_same = _log_mean(held_out.errors, sizes.expect(held_out.facts, held_out.forecasts))
    by_method = {}
    for name, errors in find_errors(data, fitted).items():
        over_size = fitted_over_size
        weights = np.full(num_fitted, 1 / num_fitted)
        if len(errors):
            size = sizes.expect(held_out.facts, fitted[name].out_of_fold[telling])
            log_method = _log_mean(errors[telling], size)
            enlarged = np.exp(log_method - (log_same + log_past) / 2) * fitted_over_size
            over_size = np.concatenate([enlarged, errors[telling] / size])
            of_held_out = np.full(len(size), HELD_OUT_WEIGHT / len(size))
            weights = np.append((1 - HELD_OUT_WEIGHT) * weights, of_held_out)
        by_method[name] = _weigh_errors(sizes, over_size, weights, levels, freedom)
    return by_method


def _weigh_errors(
    sizes: SizeModel,
    over_size: np.ndarray,
    weights: np.ndarray,
    levels: np.ndarray,
    freedom: float,
) -> MethodErrors:
    """Return weighted quantiles of errors over their size, float64[error, horizon]; weights are float64[error]."""
    lows, highs = weigh_quantiles(over_size, weights, levels, freedom)
    # A level that needs more errors than there are would be too narrow.
    has_few = np.array([len(over_size) < count_needed(level) for level in levels.tolist()], bool)
    lows[has_few] = -np.inf
    highs[has_few] = np.inf
    places = np.searchsorted(
        np.cumsum(weights), (np.arange(NUM_SAMPLES) + 0.5) / NUM_SAMPLES * weights.sum()
    )
    samples = make_samples(over_size[np.minimum(places, len(over_size) - 1)], freedom)
    growth = find_growth(np.average(np.abs(over_size), axis=0, weights=weights))
    return MethodErrors(sizes, lows, highs, samples, growth)


def _list_telling(panel: WindowedPanel, windows: _EvaluatedWindows, least: int) -> np.ndarray:
    """Return the places of windows whose errors tell of those of others, or of all if these are too few: int64[window].

    Sparse windows have bounds of their own, see `bound_sparse`. Constant ones have errors of 0 or very large ones.
    """
    is_dense = ~find_sparse(panel, windows.origins)
    is_moving = windows.facts.step_change[:, 0] > 0
    for rows in (np.flatnonzero(is_dense & is_moving), np.flatnonzero(is_dense)):
        if len(rows) >= max(least, 1):
            return rows
    return np.arange(len(windows.origins))


def leave_out_padded(panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
    """Return the origins of windows without padding, or all if there is none: padding makes errors too small."""
    whole = origins[count_padded(panel, origins) == 0]
    return whole if len(whole) else origins


def _log_mean(errors: np.ndarray, size: np.ndarray) -> float:
    """Return the mean over steps of the logarithm of the mean error over its expected size; NaN without errors."""
    if not len(errors):
        return float("nan")
    means = np.abs(errors / size).mean(axis=0)
    return float(np.log(np.maximum(means, SMALLEST_SIZE / size.mean(axis=0))).mean())


def fit_panel_sizes(
    windows: WindowFacts, forecasts: np.ndarray, errors: np.ndarray, usual: np.ndarray
) -> PanelSizes:
    """Regress the logarithm of the errors' size on three predictors, each less its mean.

    Forecasts and errors, float64[window, horizon], scaled, are those of the baseline ensemble that is fitted on these
    windows; `usual`, float64[series], are expected errors.
    """
    of_windows = usual[windows.series][:, None]
    predictors = _describe(windows, forecasts, of_windows).reshape(-1, 3)
    centres = predictors.mean(axis=0)
    smallest, largest = np.quantile(predictors, [CLIPPED, 1 - CLIPPED], axis=0)
    logs = compute_logs(errors, windows.change + of_windows)
    measures = (predictors - centres) @ TO_SLOPES
    slopes = TO_SLOPES @ _find_exponents(measures, (logs - logs.mean(axis=0)).ravel())
    return PanelSizes(usual, slopes, centres, smallest, largest)


def _find_exponents(measures: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """Return the exponents of the measures in their product, not negative, with a sum of at most 1: float64[measure].

    The rest up to 1 is the exponent of the first size. So an expected size never grows faster than a measure, and never
    falls if one grows. Measures, float64[error, measure], and sizes, float64[error], are logarithms over the first
    size, less their mean.
    """
    number = measures.shape[1]
    products = measures.T @ measures / len(measures) + np.diag(RIDGE * measures.var(axis=0) + TINY)
    root = np.linalg.cholesky(products)
    goal = np.linalg.solve(root, measures.T @ logs / len(measures))
    # A column of zeros has the rest, and a heavy row makes the sum 1.
    rows = np.vstack([np.column_stack([root.T, np.zeros(number)]), np.full(number + 1, HEAVY)])
    return solve_nnls(rows, np.append(goal, HEAVY))[:number]


def measure_usual(
    series: np.ndarray, errors: np.ndarray, num_series: int, of_panel: float | None = None
) -> np.ndarray:
    """Return the expected error of each series of a panel: float64[series], scaled.

    Errors are float64[window, horizon], scaled, of the series, int64[window]. Series with few windows are drawn to the
    expected error of the panel; None for the mean of all.

    Source: (n x + k m) / (n + k) is the credibility estimate of Bühlmann (1967), ASTIN Bulletin 4, 199–207; k is ours.
    """
    mean = np.abs(errors).mean(axis=1)
    of_all = mean.mean() if of_panel is None else of_panel
    sums = np.bincount(series, mean, minlength=num_series)
    counts = np.bincount(series, minlength=num_series)
    usual = (sums + PRIOR_WINDOWS * of_all) / (counts + PRIOR_WINDOWS)
    return np.maximum(usual, max(TINY_PART * of_all, SMALLEST_SIZE))


def measure_expected_errors(
    panel: WindowedPanel, normalizer: Normalizer, model: LinearModel, of_fit: float
) -> np.ndarray:
    """Return expected errors of series of another panel, on which nothing was fitted: float64[series], scaled.

    The model is the baseline ensemble of the fit. Series with few windows are drawn to the expected error of the fit.
    """
    past = list_past(panel)
    # Padding makes errors too small. And no series changes the windows of another one.
    past = past[count_padded(panel, past) == 0]
    counts = np.bincount(panel.find_series(past), minlength=len(panel.series_starts))
    firsts = np.cumsum(counts) - counts
    parts = np.linspace(0, 1, WINDOWS_OF_SERIES)
    places = (firsts[:, None] + np.outer(counts - 1, parts).astype(int))[counts > 0]
    origins = past[np.unique(places)]
    forecasts = PanelModel(normalizer, model).forecast(panel, origins).astype(np.float64)
    errors = gather_targets(panel, origins) - forecasts
    return measure_usual(panel.find_series(origins), errors, len(panel.series_starts), of_fit)


PANEL_ERRORS = Way(PanelSizes, is_panel, measure_panel_errors)
