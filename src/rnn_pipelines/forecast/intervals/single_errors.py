"""The way of a single series: ranks of its held-out errors; see decision 30.

Ranks have their sources in `quantiles`. The growth of errors from block to block, and the test for uneven noise, are
ours.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rnn_pipelines.forecast.intervals.quantiles import (
    find_growth,
    find_ranks,
    score_interval,
    widen,
)
from rnn_pipelines.forecast.intervals.ways import (
    NUM_SAMPLES,
    SMALLEST_CHANGE,
    SMALLEST_SIZE,
    TESTED_LEVEL,
    MethodErrors,
    SizeModel,
    Way,
    compute_logs,
    enlarge_outside,
    list_changing,
    make_samples,
)
from rnn_pipelines.forecast.intervals.window_facts import WindowFacts, measure_windows
from rnn_pipelines.forecast.methods.folds import (
    MAX_VALIDATION,
    NUM_BLOCKS,
    list_past,
    measure_level_drift,
)
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData, PanelModel, find_errors
from rnn_pipelines.forecast.methods.weights import find_shrinkage
from rnn_pipelines.forecast.windows.panel import WindowedPanel, gather_targets

# Noise is uneven if the Winkler score of this level improves by this part and the folds agree (t = 2).
MIN_GAIN = 0.005
MIN_SHRINKAGE = 0.8
# The level keeps drifting if more than this part of the newest windows have a mean outside the range of earlier means.
MAX_OUTSIDE = 0.85


class SingleSizes(SizeModel):
    """The size is even, or follows the changes of the window and the forecast."""

    rule = "single"

    def expect(
        self, windows: WindowFacts, forecasts: np.ndarray, first_step: int = 1
    ) -> np.ndarray:
        """Return the size of each error, see `SizeModel`."""
        size = self.multiply(_describe(windows, forecasts))
        return np.maximum(enlarge_outside(size, size, forecasts), SMALLEST_SIZE)


EVEN = SingleSizes(np.zeros(1), np.zeros(2), np.zeros(2), np.zeros(2), np.zeros(2))


def _describe(windows: WindowFacts, forecasts: np.ndarray) -> np.ndarray:
    """Return the predictors of the size: float64[window, step, predictor]."""
    change = np.log(windows.step_change + SMALLEST_CHANGE)
    return np.stack([np.broadcast_to(change, forecasts.shape), forecasts], axis=-1)


def measure_single_errors(
    data: FittingData, fitted: Mapping[str, FittedMethod], levels: np.ndarray
) -> dict[str, MethodErrors]:
    """Return the ranks of the held-out errors of each method. Their size is even unless the folds show otherwise.

    If the level drifts, errors are enlarged by the growth from block to block, and the bounds of new forecasts also
    count the errors of the evaluated model on the test part, because these are the newest. Constant windows do not
    count.
    """
    panel = data.panel
    tested = _list_tested(data)
    changing = list_changing(panel, data.validation)
    validation = data.validation[changing]
    fold = data.linear.fold[: len(data.validation)][changing]
    windows = measure_windows(panel, validation)
    tested_windows = measure_windows(panel, tested)
    blocks = fold if data.linear.is_forward else np.zeros_like(fold)
    keeps_drifting = (
        data.linear.is_forward and measure_level_drift(panel, list_past(panel)) > MAX_OUTSIDE
    )
    by_method = {}
    for name, all_errors in find_errors(data, fitted).items():
        forecasts = fitted[name].out_of_fold[changing]
        errors = all_errors[changing]
        is_uneven = _is_uneven(windows, forecasts, errors, fold)
        sizes = fit_single_sizes(windows, forecasts, errors) if is_uneven else EVEN
        over_size = errors / sizes.expect(windows, forecasts)
        freedom = (
            _count_spans(panel, validation) if keeps_drifting else np.full(panel.horizon, np.inf)
        )
        ranked = _rank_errors(sizes, over_size, blocks, levels, freedom)
        if len(tested):
            model = PanelModel(data.linear.normalizer, fitted[name].model)
            forecasts = model.forecast(panel, tested)
            newest = (gather_targets(panel, tested) - forecasts) / sizes.expect(
                tested_windows, forecasts
            )
            over_size = np.concatenate([over_size, newest])
            later = np.full(len(newest), NUM_BLOCKS)
            freedom = freedom + _count_spans(panel, tested)
            in_use = _rank_errors(sizes, over_size, np.append(blocks, later), levels, freedom)
            ranked = replace(in_use, evaluated=np.stack([ranked.lows, ranked.highs]))
        by_method[name] = ranked
    return by_method


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
) -> MethodErrors:
    """Return ranks of errors over their size, float64[window, horizon], enlarged by the growth from block to block.

    Blocks, int64[window], are parts of the past in their order. Ranks are widened by Student's t with the degrees of
    freedom, float64[horizon]. A level that keeps drifting has one at step 7 for each 7 steps of held-out targets,
    because errors hardly vary within these; otherwise they are infinite.
    """
    over_size = over_size * _find_later_growth(over_size, blocks)
    lows, highs = find_ranks(over_size, levels)
    factor = widen(levels[:, None], freedom)
    rows = np.linspace(0, len(over_size) - 1, NUM_SAMPLES).round().astype(int)
    growth = find_growth(np.abs(over_size).mean(axis=0))
    return MethodErrors(
        sizes, lows * factor, highs * factor, make_samples(over_size[rows], freedom), growth
    )


def _find_later_growth(over_size: np.ndarray, blocks: np.ndarray) -> float:
    """Return the mean ratio of the errors of a block to those of all earlier blocks, at least 1."""
    means = np.array([np.abs(over_size[blocks == block]).mean() for block in np.unique(blocks)])
    earlier = np.cumsum(means)[:-1] / np.arange(1, len(means))
    is_positive = (means[1:] > 0) & (earlier > 0)
    ratios = means[1:][is_positive] / earlier[is_positive]
    return max(1.0, float(np.exp(np.log(ratios).mean()))) if len(ratios) else 1.0


def _is_uneven(
    windows: WindowFacts, forecasts: np.ndarray, errors: np.ndarray, fold: np.ndarray
) -> bool:
    """Return whether intervals that follow the window have a better Winkler score on held-out folds."""
    gains = []
    level = np.array([TESTED_LEVEL])
    for number in np.unique(fold):
        held_out = np.flatnonzero(fold == number)
        rest = np.flatnonzero(fold != number)
        if not len(rest):
            return False
        sizes = fit_single_sizes(windows.select(rest), forecasts[rest], errors[rest])
        # If all errors are 0, so are both scores, and sizes can be infinite; such gains are rejected below.
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            size = sizes.expect(windows, forecasts)
            over_size = errors / size
            lows, highs = find_ranks(errors[rest], level)
            even = score_interval(errors[held_out], lows, highs, TESTED_LEVEL)
            lows, highs = find_ranks(over_size[rest], level)
            uneven = size[held_out] * score_interval(over_size[held_out], lows, highs, TESTED_LEVEL)
            gains.append(1 - float(uneven.mean() / even.mean()))
    return bool(
        np.isfinite(gains).all()
        and np.mean(gains) > MIN_GAIN
        and find_shrinkage(np.array(gains)) > MIN_SHRINKAGE
    )


def fit_single_sizes(
    windows: WindowFacts, forecasts: np.ndarray, errors: np.ndarray
) -> SingleSizes:
    """Regress the logarithm of the size of out-of-fold errors, float64[window, horizon], on change and forecast.

    Each is less its mean at the step.
    """
    predictors = _describe(windows, forecasts)
    logs = compute_logs(errors, 1.0)
    centred = (predictors - predictors.mean(axis=0)).reshape(-1, 2)
    slopes = np.linalg.lstsq(centred, (logs - logs.mean(axis=0)).ravel(), rcond=1e-6)[0]
    return SingleSizes(
        usual=np.zeros(1),
        slopes=slopes,
        centres=np.zeros(2),
        smallest=predictors.min(axis=(0, 1)),
        largest=predictors.max(axis=(0, 1)),
    )


SINGLE_ERRORS = Way(SingleSizes, lambda data: True, measure_single_errors)
