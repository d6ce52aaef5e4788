"""The pool of past errors of each method, over their expected sizes, and its bounds; see decision 30.

Ranks and quantiles have their sources in `quantiles`. The pool is ours: fitted and held-out errors with half the weight
each, fitted ones enlarged to the size of the others, and the growth of errors from block to block.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from rnn_pipelines.forecast.intervals.quantiles import (
    count_freedom,
    count_needed,
    find_growth,
    find_quantiles,
    find_ranks,
    widen,
)
from rnn_pipelines.forecast.intervals.sizes import (
    NUM_SAMPLES,
    SMALLEST_SIZE,
    Pool,
    SizeModel,
    fit_panel_sizes,
    fit_single_sizes,
    measure_usual,
)
from rnn_pipelines.forecast.intervals.sparse_bounds import find_sparse
from rnn_pipelines.forecast.intervals.window_facts import WindowFacts, measure_windows
from rnn_pipelines.forecast.methods.folds import (
    MAX_VALIDATION,
    NUM_BLOCKS,
    list_past,
    measure_drift,
)
from rnn_pipelines.forecast.methods.linear.models import LinearModel
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData, PanelModel, find_errors
from rnn_pipelines.forecast.methods.predictors import Normalizer
from rnn_pipelines.forecast.methods.weights import find_shrinkage
from rnn_pipelines.forecast.windows.panel import (
    WindowedPanel,
    count_padded,
    gather_history,
    gather_targets,
)

# Noise is uneven if the Winkler score of this level improves by this part and the folds agree (t = 2).
TESTED_LEVEL = 80
MIN_GAIN = 0.005
MIN_SHRINKAGE = 0.8
# The level keeps drifting if more than this part of the newest windows have a mean outside the range of earlier means.
MAX_OUTSIDE = 0.85
# The weight of the held-out errors in a pool, and the most fitted errors in it.
HELD_OUT_WEIGHT, MAX_FITTED = 0.5, 5_000
# Fewer errors of each step are too few, whatever the levels are, because a champion has one more than its training.
MIN_ERRORS = count_needed(95)
# Windows of each series that show its expected error, if nothing was fitted on it.
WINDOWS_OF_SERIES = 5


def pool_single(
    data: FittingData, fitted: Mapping[str, FittedMethod], levels: np.ndarray
) -> dict[str, Pool]:
    """Return the ranks of the held-out errors of each method. Their size is even unless the folds show otherwise.

    If the level drifts, errors are enlarged by the growth from block to block, and the bounds of new forecasts also
    count the errors of the evaluated model on the test part, because these are the newest. Constant windows do not
    count.
    """
    panel = data.panel
    tested = _list_tested(data)
    telling = list_changing(data.panel, data.validation)
    validation = data.validation[telling]
    fold = data.linear.fold[: len(data.validation)][telling]
    facts = measure_windows(panel, validation)
    tested_facts = measure_windows(panel, tested)
    blocks = fold if data.linear.is_forward else np.zeros_like(fold)
    keeps_drifting = data.linear.is_forward and measure_drift(panel, list_past(panel)) > MAX_OUTSIDE
    pools = {}
    for name, all_errors in find_errors(data, fitted).items():
        forecasts = fitted[name].out_of_fold[telling]
        errors = all_errors[telling]
        is_even = not _is_uneven(facts, forecasts, errors, fold)
        sizes = fit_single_sizes(facts, forecasts, errors, is_even)
        over_size = errors / sizes.expect(facts, forecasts)
        freedom = (
            _count_spans(panel, validation) if keeps_drifting else np.full(panel.horizon, np.inf)
        )
        pool = _rank_errors(sizes, over_size, blocks, levels, freedom)
        if len(tested):
            forecasts = PanelModel(data.linear.normalizer, fitted[name].model).forecast(
                panel, tested
            )
            newest = (gather_targets(panel, tested) - forecasts) / sizes.expect(
                tested_facts, forecasts
            )
            over_size = np.concatenate([over_size, newest])
            later = np.full(len(newest), NUM_BLOCKS)
            freedom = freedom + _count_spans(panel, tested)
            in_use = _rank_errors(sizes, over_size, np.append(blocks, later), levels, freedom)
            pool = replace(in_use, evaluated=np.stack([pool.lows, pool.highs]))
        pools[name] = pool
    return pools


def list_changing(panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
    """Return the places of windows whose history or targets change: int64[window]; constant ones have no errors."""
    changes = [
        np.ptp(values, axis=1) > 0
        for values in (gather_history(panel, origins), gather_targets(panel, origins))
    ]
    return np.flatnonzero(changes[0] | changes[1])


def _list_tested(data: FittingData) -> np.ndarray:
    """Return origins of test windows, at most as many as of a fold: int64[window]; none unless the level drifts."""
    return data.panel.list_origins(
        "test", MAX_VALIDATION // NUM_BLOCKS if data.linear.is_forward else 0
    )


def _count_spans(panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
    """Return how often the steps up to each step ahead fit into the targets of one series: float64[horizon]."""
    return 1 + np.ptp(origins) / np.arange(1, panel.horizon + 1)


def _rank_errors(
    sizes: SizeModel,
    over_size: np.ndarray,
    blocks: np.ndarray,
    levels: np.ndarray,
    freedom: np.ndarray,
) -> Pool:
    """Return ranks of errors over their size, float64[window, horizon], enlarged by the growth from block to block.

    Blocks, int64[window], are parts of the past in their order. Ranks are widened by Student's t with the degrees of
    freedom, float64[horizon]. A level that keeps drifting has one at step 7 for each 7 steps of held-out targets,
    because errors hardly vary within these; otherwise they are infinite.
    """
    over_size = over_size * _find_later_growth(over_size, blocks)
    lows, highs = (
        bounds * widen(levels[:, None], freedom) for bounds in find_ranks(over_size, levels)
    )
    rows = np.linspace(0, len(over_size) - 1, NUM_SAMPLES).round().astype(int)
    return Pool(
        sizes, lows, highs, _make_samples(over_size[rows], freedom), _measure_growth(over_size)
    )


def _make_samples(over_size: np.ndarray, freedom: np.ndarray | float) -> np.ndarray:
    """Return errors for paths, widened like the bounds of one level."""
    return (over_size * widen(np.array(TESTED_LEVEL), freedom)).astype(np.float32)


def _find_later_growth(over_size: np.ndarray, fold: np.ndarray) -> float:
    """Return the mean ratio of the errors of a block to those of all earlier blocks, at least 1."""
    means = np.array([np.abs(over_size[fold == number]).mean() for number in np.unique(fold)])
    earlier = np.cumsum(means)[:-1] / np.arange(1, len(means))
    is_there = (means[1:] > 0) & (earlier > 0)
    ratios = means[1:][is_there] / earlier[is_there]
    return max(1.0, float(np.exp(np.log(ratios).mean()))) if len(ratios) else 1.0


def _measure_growth(over_size: np.ndarray, weights: np.ndarray | None = None) -> float:
    return find_growth(np.average(np.abs(over_size), axis=0, weights=weights))


def _select(facts: WindowFacts, rows: np.ndarray) -> WindowFacts:
    return WindowFacts(**{name: values[rows] for name, values in vars(facts).items()})


def _is_uneven(
    facts: WindowFacts, forecasts: np.ndarray, errors: np.ndarray, fold: np.ndarray
) -> bool:
    """Return whether intervals that follow the window have a better Winkler score on held-out folds."""
    gains = []
    level = np.array([TESTED_LEVEL])
    for number in np.unique(fold):
        own = np.flatnonzero(fold == number)
        others = np.flatnonzero(fold != number)
        if not len(others):
            return False
        sizes = fit_single_sizes(
            _select(facts, others), forecasts[others], errors[others], is_even=False
        )
        # If all errors are 0, so are both scores, and sizes can be infinite; such gains are rejected below.
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            size = sizes.expect(facts, forecasts)
            even = find_score(errors[own], *find_ranks(errors[others], level))
            uneven = size[own] * find_score(
                (errors / size)[own], *find_ranks((errors / size)[others], level)
            )
            gains.append(1 - float(uneven.mean() / even.mean()))
    return bool(
        np.isfinite(gains).all()
        and np.mean(gains) > MIN_GAIN
        and find_shrinkage(np.array(gains)) > MIN_SHRINKAGE
    )


def find_score(errors: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the score of each error, float64[window, horizon]: Winkler (1972), doi:10.1080/01621459.1972.10481224."""
    outside = np.maximum(low - errors, 0) + np.maximum(errors - high, 0)
    return high - low + 200 / (100 - TESTED_LEVEL) * outside


@dataclass(frozen=True)
class _Past:
    """Windows with actuals, and the forecasts of the baseline ensemble that is fitted on them."""

    origins: np.ndarray
    facts: WindowFacts
    forecasts: np.ndarray
    errors: np.ndarray

    def select(self, rows: np.ndarray) -> "_Past":
        return _Past(
            self.origins[rows], _select(self.facts, rows), self.forecasts[rows], self.errors[rows]
        )


def _measure_past(data: FittingData, origins: np.ndarray, forecasts: np.ndarray) -> _Past:
    errors = gather_targets(data.panel, origins) - forecasts
    return _Past(origins, measure_windows(data.panel, origins), forecasts, errors)


def pool_panel(
    data: FittingData, fitted: Mapping[str, FittedMethod], levels: np.ndarray
) -> dict[str, Pool]:
    """Return quantiles of fitted and held-out errors, each kind with half the weight.

    Fitted errors are enlarged to the size of held-out ones: by the geometric mean of the ratios on the same windows and
    on all windows. Bounds are widened by Student's t, because the errors of one origin share shocks.
    """
    origins = leave_out_padded(data.panel, data.linear.fitted)
    model = LinearModel(data.linear.combine())
    forecasts = PanelModel(data.linear.normalizer, model).forecast(data.panel, origins)
    past = _measure_past(data, origins, forecasts.astype(np.float64))
    usual = measure_usual(past.facts.series, past.errors, len(data.panel.series_starts))
    past = past.select(_list_telling(data.panel, past, MIN_ERRORS))
    sizes = fit_panel_sizes(past.facts, past.forecasts, past.errors, usual)
    size = sizes.expect(past.facts, past.forecasts)
    over_size = past.errors / size
    mean = _log_mean(past.errors, size)
    num_series = len(data.panel.series_starts)
    # The part of the past of each window, in horizons before the newest window of its series.
    newest = np.zeros(num_series, np.int64)
    np.maximum.at(newest, past.facts.series, past.origins)
    blocks = (newest[past.facts.series] - past.origins) // data.panel.horizon
    freedom = count_freedom(over_size, blocks, len(data.linear), num_series)
    rows = np.linspace(0, len(over_size) - 1, min(MAX_FITTED, len(over_size))).astype(int)
    forecasts = model.forecast(data.panel, data.windows, data.validation)
    pools = {}
    held_out = _measure_past(data, data.validation, forecasts)
    telling = _list_telling(data.panel, held_out, least=1)
    held_out = held_out.select(telling)
    same = _log_mean(held_out.errors, sizes.expect(held_out.facts, held_out.forecasts))
    for name, errors in find_errors(data, fitted).items():
        pool = over_size[rows]
        weights = np.full(len(rows), 1 / len(rows))
        if len(errors):
            own = errors[telling]
            size = sizes.expect(held_out.facts, fitted[name].out_of_fold[telling])
            ratio = np.exp(_log_mean(own, size) - (same + mean) / 2)
            pool = np.concatenate([ratio * pool, own / size])
            weights = np.append(
                (1 - HELD_OUT_WEIGHT) * weights, np.full(len(own), HELD_OUT_WEIGHT / len(own))
            )
        lows, highs = find_quantiles(pool, weights, levels, freedom)
        # A level that needs more errors than there are would be too narrow.
        has_few = np.array([len(pool) < count_needed(level) for level in levels.tolist()], bool)
        lows[has_few] = -np.inf
        highs[has_few] = np.inf
        places = np.searchsorted(
            np.cumsum(weights), (np.arange(NUM_SAMPLES) + 0.5) / NUM_SAMPLES * weights.sum()
        )
        samples = _make_samples(pool[np.minimum(places, len(pool) - 1)], freedom)
        pools[name] = Pool(sizes, lows, highs, samples, _measure_growth(pool, weights))
    return pools


def _list_telling(panel: WindowedPanel, past: _Past, least: int) -> np.ndarray:
    """Return the places of windows whose errors tell of those of others, or of all if these are too few: int64[window].

    Sparse windows have bounds of their own, see `bound_sparse`. Constant ones have errors of 0 or very large ones.
    """
    is_dense = ~find_sparse(panel, past.origins)
    is_moving = past.facts.step_change[:, 0] > 0
    for rows in (np.flatnonzero(is_dense & is_moving), np.flatnonzero(is_dense)):
        if len(rows) >= max(least, 1):
            return rows
    return np.arange(len(past.origins))


def leave_out_padded(panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
    """Return the origins of windows without padding, or all if there is none: padding makes errors too small."""
    whole = origins[count_padded(panel, origins) == 0]
    return whole if len(whole) else origins


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
    origins = past[
        np.unique((firsts[:, None] + np.outer(counts - 1, parts).astype(int))[counts > 0])
    ]
    errors = gather_targets(panel, origins) - PanelModel(normalizer, model).forecast(
        panel, origins
    ).astype(np.float64)
    return measure_usual(panel.find_series(origins), errors, len(panel.series_starts), of_fit)


def _log_mean(errors: np.ndarray, size: np.ndarray) -> float:
    """Return the mean over steps of the logarithm of the mean error over its expected size; NaN without errors."""
    if not len(errors):
        return float("nan")
    means = np.abs(errors / size).mean(axis=0)
    return float(np.log(np.maximum(means, SMALLEST_SIZE / size.mean(axis=0))).mean())
