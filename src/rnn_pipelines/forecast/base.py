"""Everything that is linear in a window, fitted in each fold and on the whole past: baselines, and the networks' start.

Each simple forecaster is a matrix, from what is known at an origin (see `predictors`) to all steps of the horizon; so
is their combination.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnn_pipelines.forecast.blending import find_weights
from rnn_pipelines.forecast.effects import MAX_FRAMED, fit_effects
from rnn_pipelines.forecast.folds import Folds, find_series, list_past, make_folds
from rnn_pipelines.forecast.frames import FrameKind, measure_units
from rnn_pipelines.forecast.needs import estimate_base_bytes
from rnn_pipelines.forecast.predictors import Layout, find_layout, frame_targets, frame_windows
from rnn_pipelines.forecast.series.windows import WindowedPanel, gather_history
from rnn_pipelines.networks.memory import require_memory
from rnn_pipelines.networks.threads import use_one_thread

# For each window that is fitted; the calendar and the constant are not penalised.
RIDGE_PENALTIES = tuple(10.0**exponent for exponent in range(-10, 4))
# Without enough to choose by: strong, because there is little to fit on.
PENALTY_OF_FEW = 1.0
# Windows by which a penalty is chosen: more of them choose no better.
MAX_CHOOSING = 1_000
# How much better, as part of the error, logarithms must be to be taken.
MIN_LOG_GAIN = 0.02
# How much better, as part of the error, another ridge must be than that on the window as it is.
MIN_FRAME_GAIN = 0.02


@dataclass(frozen=True)
class Base(Folds):
    """Simple forecasters of a panel, their combination (the mix), and the folds in which they were judged.

    Flat, so that one file of arrays holds it.

    Attributes:
        frame: see `frames`.
        season, long_season: steps; 0 where there is none.
        calendar: int64[feature], numbers of the features of the calendar that are read: of cycles that were seen twice.
        names: str[method].
        matrices: float64[fold + 1, method, predictor, horizon], in the frame: of each fold, and last of the whole past.
        mix: float64[method], weights of the combination of all, from which networks start.
        losses: float64[method + 1], mean error in the frame on judged windows, squared or absolute, last that of `mix`.
        is_absolute: which of the two.
        seconds: wall time of fitting all of it.
    """

    frame: FrameKind
    season: int
    long_season: int
    calendar: np.ndarray
    names: np.ndarray
    matrices: np.ndarray
    mix: np.ndarray
    losses: np.ndarray
    is_absolute: bool
    seconds: float

    @property
    def folds(self) -> Folds:
        """What it is fitted in."""
        return self

    def combine(self, fold: int = -1) -> np.ndarray:
        """The mix as one matrix, of a fold or of the whole past: float64[predictor, horizon]."""
        combined: np.ndarray = np.tensordot(self.mix, self.matrices[fold], 1)
        return combined


def fit_base(panel: WindowedPanel) -> Base:
    """Fits every simple forecaster in each fold and on the whole past, and finds what to combine.

    Args:
        panel: windows for training and validation; its test windows are not touched.
    Raises:
        ParameterError: it would need more memory than there is.
    """
    started = time.perf_counter()
    folds = make_folds(panel)
    require_memory(
        estimate_base_bytes(panel, folds), "fitting the simple methods", "window.lookback and window.horizon"
    )
    with use_one_thread():
        base = _fit_in_best_frame(panel, folds)
    return replace(base, seconds=time.perf_counter() - started)


def _fit_in_best_frame(panel: WindowedPanel, folds: Folds) -> Base:
    if len(panel.series_starts) == 1:
        return _fit(panel, folds, "series")
    plain = _fit(panel, folds, "window")
    # Without enough to judge by, nothing says that logarithms would be better.
    if not folds.is_enough or _reaches_below_zero(panel):
        return plain
    logs = _fit(panel, folds, "log")
    return logs if _measure_mix(panel, logs) < (1 - MIN_LOG_GAIN) * _measure_mix(panel, plain) else plain


def _reaches_below_zero(panel: WindowedPanel) -> bool:
    """Whether a value does that training and validation see."""
    past, rows = list_past(panel), np.arange(len(panel.values))
    stops = np.zeros(len(panel.series_starts), np.int64)
    stops[find_series(panel, past)] = past + panel.horizon
    series = find_series(panel, rows + 1)
    return bool(((panel.values[:, 0] < panel.zeros[series]) & (rows < stops[series])).any())


def _measure_mix(panel: WindowedPanel, base: Base) -> float:
    """The error of the combination on judged windows, free of scale: what MASE and sMAPE have in common.

    The geometric mean of the absolute error over the spread of the window, and of the absolute error over the level of
    actual and forecast; the one alone is ruled by windows that hardly move, the other by series near 0.
    """
    framed = frame_windows(panel, base, base.judged)
    forecasts = framed.units.unframe(forecast_folds(base, framed.predictors))
    targets = panel.values[base.judged[:, None] + np.arange(panel.horizon), 0]
    zeros = panel.zeros[find_series(panel, base.judged)]
    spread = measure_units("window", gather_history(panel, base.judged), zeros, panel.season_length).spread
    errors, levels = np.abs(targets - forecasts), targets + forecasts - 2 * zeros[:, None]
    relative = errors / np.where(levels > 0, levels, np.inf)
    return float(np.sqrt(np.mean(errors / spread) * np.mean(relative)))


def forecast_folds(base: Base, predictors: np.ndarray, method: str | None = None) -> np.ndarray:
    """Forecasts of the judged windows by a method that has not seen them: float64[judged, horizon], in the frame.

    Args:
        base: what was fitted in each fold.
        predictors: of the judged windows.
        method: by its name; None for the mix.
    """
    if method is None:
        matrices = np.stack([base.combine(fold) for fold in range(len(base.matrices))])
    else:
        matrices = base.matrices[:, np.flatnonzero(base.names == method)[0]]
    return _multiply_by_fold(matrices, base.fold, predictors)


def _multiply_by_fold(matrices: np.ndarray, fold: np.ndarray, predictors: np.ndarray) -> np.ndarray:
    """Forecasts of each window by the matrix of the fold that hides it; the last matrix is of the whole past."""
    forecasts = np.empty((len(predictors), matrices.shape[-1]))
    for number, matrix in enumerate(matrices[:-1]):
        own = fold == number
        forecasts[own] = predictors[own] @ matrix
    return forecasts


def _fit(panel: WindowedPanel, folds: Folds, frame: FrameKind) -> Base:
    layout = find_layout(panel, folds, frame)
    is_absolute = frame != "series"
    framed = frame_windows(panel, layout, folds.fitted)
    targets = np.clip(frame_targets(panel, framed, folds.fitted), -MAX_FRAMED, MAX_FRAMED)
    judged = frame_windows(panel, layout, folds.judged)
    actual = np.clip(frame_targets(panel, judged, folds.judged), -MAX_FRAMED, MAX_FRAMED)
    seen = [*folds.find_seen(folds.fitted, find_series(panel, folds.fitted)), np.ones(len(targets), bool)]
    products = [_multiply(framed.predictors[rows], targets[rows]) for rows in seen]

    def find_errors(matrices: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Of some judged windows, by the fold that hides each: float64[row · horizon]."""
        return (actual[rows] - _multiply_by_fold(matrices, folds.fold[rows], judged.predictors[rows])).ravel()

    every = np.arange(len(actual))
    some = every[np.linspace(0, len(every) - 1, min(MAX_CHOOSING, len(every))).astype(int)]
    methods = {name: np.repeat(matrix[None], len(seen), 0) for name, matrix in _list_naive(layout).items()}
    penalties = RIDGE_PENALTIES if folds.is_enough else (PENALTY_OF_FEW,)
    for name, (inputs, offset) in _list_frames(layout).items():
        readings = [(inputs, [offset] * len(products))]
        more = _read_covariates(products, layout, inputs, offset)
        # Without enough to choose by, the few numbers of effects are what was asked for, and no lags.
        readings = readings + more if folds.is_enough else more[:1] if layout.num_ahead else readings
        solvers = [_prepare_ridge(products, *reading, len(layout.calendar) + 1) for reading in readings]
        methods[name] = min(
            (solve(penalty) for solve in solvers for penalty in penalties),
            key=lambda matrices: _measure(find_errors(matrices, some), is_absolute),
        )
    if len(layout.calendar) and frame == "series":
        calendar = layout.pick(layout.num_predictors - len(layout.calendar) - 1, len(layout.calendar) + 1)
        nothing = [np.zeros((layout.num_predictors, layout.horizon))] * len(products)
        methods["climatology"] = _prepare_ridge(products, calendar, nothing, len(layout.calendar) + 1)(0.0)
        if layout.num_ahead:
            # As climatology to the window: the limit of what reads it less and less.
            ahead = layout.list_ahead()
            explained = [fit_effects(product, calendar, nothing[0], ahead) for product in products]
            methods["effects"] = _prepare_ridge(products, calendar, explained, len(layout.calendar) + 1)(0.0)
    names = list(methods)
    mix = _weigh_few(names, knows_ahead=layout.num_ahead > 0)
    losses = np.full(len(names) + 1, np.nan)
    if folds.is_enough:
        errors = np.stack([find_errors(matrices, every) for matrices in methods.values()])
        mix = find_weights(errors, folds.num_independent, is_absolute)
        losses = np.array([_measure(error, is_absolute) for error in [*errors, mix @ errors]])
    return Base(
        frame=frame,
        season=layout.season,
        long_season=layout.long_season,
        calendar=layout.calendar,
        names=np.array(names),
        matrices=np.stack(list(methods.values()), axis=1),
        mix=mix,
        losses=losses,
        is_absolute=is_absolute,
        seconds=0.0,
        **vars(folds),
    )


def _list_naive(layout: Layout) -> dict[str, np.ndarray]:
    """What needs no fitting: float64[predictor, horizon] each."""
    lookback, steps = layout.lookback, np.arange(1, layout.horizon + 1)
    last = layout.average(lookback - 1, lookback)
    methods = {"last_value": last}
    if lookback > 1:
        change = (last - layout.average(0, 1)) / (lookback - 1)
        methods["drift"] = last + change * steps
    season = layout.season
    if season:
        methods["seasonal_naive"] = layout.pick_season(0)
    if season and lookback >= 2 * season:
        newest = layout.average(lookback - season, lookback)
        change = newest - layout.average(lookback - 2 * season, lookback - season)
        methods["seasonal_drift"] = layout.pick_season(0) + change * np.ceil(steps / season)
        methods["seasonal_mean"] = newest + _average_shapes(layout)
    if layout.long_season:
        methods["long_seasonal_naive"] = layout.pick_season(layout.num_seasons - 1)
    return methods


def _average_shapes(layout: Layout) -> np.ndarray:
    """The mean, over the seasons of the window, of what each step is above the mean of its season."""
    season, steps = layout.season, np.arange(layout.horizon)
    num_seasons = layout.lookback // season
    total = np.zeros((layout.num_predictors, layout.horizon))
    for age in range(1, num_seasons + 1):
        begin = layout.lookback - age * season
        total[begin + steps % season, steps] += 1
        total -= layout.average(begin, begin + season)
    return total / num_seasons


def _list_frames(layout: Layout) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """What each ridge regresses on, float64[predictor, input], and starts from, float64[predictor, horizon]."""
    lookback = layout.lookback
    window = layout.pick(0, lookback)
    rest = layout.pick(layout.num_predictors - len(layout.calendar) - 1, len(layout.calendar) + 1)
    last, mean = layout.average(lookback - 1, lookback), layout.average(0, lookback)

    def centre(centred: np.ndarray, *more: np.ndarray) -> np.ndarray:
        return np.concatenate([*(part - centred[:, :1] for part in (window, *more)), rest], axis=1)

    frames = {
        "ridge_level": (np.concatenate([window, rest], axis=1), np.zeros_like(last)),
        "ridge_last": (centre(last), last),
        "ridge_mean": (centre(mean), mean),
    }
    for number, name in enumerate(["ridge_season", "ridge_long_season"][: layout.num_seasons]):
        seasonal = layout.pick_season(number)
        frames[name] = (centre(last, seasonal), seasonal)
    return frames


def _read_covariates(
    products: list[tuple[np.ndarray, np.ndarray, int]], layout: Layout, inputs: np.ndarray, offset: np.ndarray
) -> list[tuple[np.ndarray, list[np.ndarray]]]:
    """What a ridge regresses on and starts from in each fold, if it reads covariates: at their own steps, or all.

    Args:
        products: of each fold, see `_multiply`.
        layout: where the predictors stand.
        inputs, offset: see `_list_frames`.
    """
    num_free, ahead = len(layout.calendar) + 1, layout.list_ahead()
    others = layout.pick(layout.first_covariate + layout.num_ahead, layout.num_others)
    every = np.concatenate([inputs[:, :-num_free], others, inputs[:, -num_free:]], axis=1)

    def fit(regressed: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        if not ahead:
            return regressed, [offset] * len(products)
        return regressed, [fit_effects(product, regressed, offset, ahead) for product in products]

    return ([fit(inputs)] if ahead else []) + ([fit(every)] if layout.num_others else [])


def _multiply(predictors: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """XᵀX, Xᵀy and the number of windows."""
    return predictors.T @ predictors, predictors.T @ targets, len(predictors)


def _prepare_ridge(
    products: list[tuple[np.ndarray, np.ndarray, int]], inputs: np.ndarray, offsets: list[np.ndarray], num_free: int
) -> Callable[[float], np.ndarray]:
    """From a penalty to the ridge regression of each fold, float64[fold + 1, predictor, horizon].

    What is not penalised is taken out first; one decomposition of the rest then serves all penalties.

    Args:
        products: of each fold, see `_multiply`.
        inputs: see `_list_frames`.
        offsets: of each fold, see `_list_frames`.
        num_free: inputs that are not penalised, the last ones.
    """
    parts = []
    for (gram, moment, number), offset in zip(products, offsets, strict=True):
        squares, sums = inputs.T @ gram @ inputs, inputs.T @ (moment - gram @ offset)
        free = squares[-num_free:, -num_free:] + 1e-9 * number * np.eye(num_free)
        removed = np.linalg.solve(free, np.hstack([squares[-num_free:, :-num_free], sums[-num_free:]]))
        projection, constant = removed[:, : -offset.shape[1]], removed[:, -offset.shape[1] :]
        values, vectors = np.linalg.eigh(squares[:-num_free, :-num_free] - squares[:-num_free, -num_free:] @ projection)
        rotated = vectors.T @ (sums[:-num_free] - squares[:-num_free, -num_free:] @ constant)
        parts.append((np.maximum(values, 0.0), vectors, rotated, projection, constant, number, offset))

    def solve(penalty: float) -> np.ndarray:
        found = []
        for values, vectors, rotated, projection, constant, number, offset in parts:
            floor = 1e-12 * max(values.max(initial=0.0), 1.0)
            weights = vectors @ (rotated / (values + penalty * number + floor)[:, None])
            found.append(inputs @ np.vstack([weights, constant - projection @ weights]) + offset)
        return np.stack(found)

    return solve


def _measure(errors: np.ndarray, is_absolute: bool) -> float:
    return float(np.mean(np.abs(errors) if is_absolute else errors**2))


def choose_ridge(names: Sequence[str], losses: np.ndarray) -> str:
    """The ridge on the window as it is, or another that is better by more than luck.

    Args:
        names: of all methods.
        losses: float64[method] or longer, on windows that they have not seen; NaN where there are none.
    """
    if not np.isfinite(losses).all():
        return "ridge_last"
    measured = {name: loss for name, loss in zip(names, losses, strict=False) if name.startswith("ridge")}
    best = min(measured, key=lambda name: measured[name])
    return best if measured[best] < (1 - MIN_FRAME_GAIN) * measured["ridge_level"] else "ridge_level"


def _weigh_few(names: list[str], knows_ahead: bool) -> np.ndarray:
    """Where too little is there to judge by: half a ridge that can't run away, half the naive ones.

    Where something is known ahead, which naive methods can't read: ridges that start from them.
    """
    if knows_ahead:
        starts = np.array([name in ("ridge_last", "ridge_season") for name in names], float)
        return starts / starts.sum()
    naive = np.array([name in ("last_value", "seasonal_naive", "seasonal_drift") for name in names], float)
    return 0.5 * naive / naive.sum() + 0.5 * np.array([name == "ridge_last" for name in names])
