"""The rules that `ablation.py` switches off: what is patched, its neutral value, and the lines that the rule costs.

A place is a module of `rnn_pipelines.forecast`, a colon, and a name in it; a name after a point is an attribute of a
class, or a key of a registry, which is removed.
"""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from rnn_pipelines.forecast.methods.linear.naive import list_naive_matrices
from rnn_pipelines.forecast.methods.local.short_series_rule import (
    TRENDS,
    _extend_by_errors,
    _trace_theta,
    list_rules,
)
from rnn_pipelines.forecast.methods.local.short_series_rule import Rule as ShortRule
from rnn_pipelines.forecast.methods.local.theta import extend_by_theta
from rnn_pipelines.forecast.methods.training import training, validation
from rnn_pipelines.forecast.methods.training.specs import SIZES
from rnn_pipelines.forecast.windows.panel import WindowedPanel

SINGLE = ("short", "seattle", "melbourne", "etth1", "sunspots", "drifting", "covariates")
PANELS = ("tourism_60", "tourism_36", "m3_yearly", "m3_quarterly", "m4_hourly", "jena", "sparse", "counts", "young",
          "seasonal", "covariates", "few_series")  # fmt: skip
TRAINED_SINGLE = ("m4_hour", "threshold", "seattle")
TRAINED_PANELS = ("tourism_10",)
LONG = ("m4_hour", "tourism_10")
INFINITE = float("inf")


class Rule(NamedTuple):
    """A rule.

    Attributes:
        name: what it does.
        patches: neutral values by place.
        lines: of the source, with its documentation there.
        sets: those that it can change; empty for all.
        options: neutral values of parameters, by block.
    """

    name: str
    patches: dict[str, Any]
    lines: int
    sets: tuple[str, ...] = ()
    options: dict[str, dict[str, Any]] = {}  # noqa: RUF012 - never changed


def _find_none(panel: WindowedPanel, origins: np.ndarray, min_share: float = 0.0) -> np.ndarray:
    return np.zeros(len(origins), bool)


def _find_season_without_shrinkage(
    values: np.ndarray, edge: int, season_length: int, noise_of_few: np.ndarray
) -> np.ndarray:
    from rnn_pipelines.forecast.methods.local.season import average_phases

    phases = average_phases(values, edge, season_length)
    return phases - phases.mean(axis=1, keepdims=True)


def _list_no_origins(data: Any) -> np.ndarray:
    return np.zeros(0, np.int64)


def _keep_exponents_zero(measures: np.ndarray, logs: np.ndarray) -> np.ndarray:
    return np.zeros(measures.shape[1])


def _find_exponents_by_least_squares(measures: np.ndarray, logs: np.ndarray) -> np.ndarray:
    return np.linalg.lstsq(measures, logs, rcond=None)[0]


def _keep_all(panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
    return origins


def _list_all(panel: WindowedPanel, past: Any, least: int) -> np.ndarray:
    return np.arange(len(past.origins))


def _keep_refit(data: Any, fitted: Any) -> dict[str, Any]:
    return dict(fitted)


def _choose_plain(self: Any, is_single: bool, zero_share: float) -> bool:
    return False


def _choose_median(self: Any, is_single: bool, zero_share: float) -> bool:
    return not is_single


def _extend_without_logs(past: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return past.copy(), np.zeros(len(past), bool)


def _forecast_once(self: Any, past: np.ndarray, season_length: int, horizon: int) -> np.ndarray:
    from rnn_pipelines.forecast.pretrained.network import compute_logarithms, limit_exponential

    values, is_log = compute_logarithms(past)
    found = self._forecast(values, season_length, horizon, is_log)
    found[is_log] = limit_exponential(found[is_log], values[is_log])
    return found


def _drift_alone(past: np.ndarray, season_length: int, horizon: int) -> np.ndarray:
    steps = np.arange(horizon)
    return past[:, -season_length:][:, steps % season_length]


def _select_one(errors: np.ndarray, num_independent: float, loss: str = "squared") -> np.ndarray:
    weights = np.zeros(len(errors))
    weights[
        np.argmin(
            np.abs(errors).mean(axis=1)
            if loss == "absolute"
            else (errors.astype(float) ** 2).mean(axis=1)
        )
    ] = 1
    return weights


def _weigh_by_size(errors: np.ndarray, num_independent: float, loss: str = "squared") -> np.ndarray:
    from rnn_pipelines.forecast.methods.weights import _guess_weights

    return _guess_weights((errors.astype(float) ** 2).mean(axis=1))


def _list_without_season(season: int) -> list[ShortRule]:
    return [rule for rule in list_rules(season) if "seasonal" not in rule.name]


def _list_without_theta(season: int) -> list[ShortRule]:
    return _list_with_trends(season, TRENDS)


def _list_with_trends(season: int, traces: Any) -> list[ShortRule]:
    rules = list_rules(season)
    if season == 1 or traces is TRENDS:
        return [*rules[:-1], rules[-1]._replace(extend=partial(_extend_by_errors, traces=traces))]
    return [
        *rules[:-1],
        rules[-1]._replace(extend=partial(_extend_by_errors, traces=(_trace_theta, *traces))),
    ]


def _list_naive_without_mean(layout: Any) -> dict[str, np.ndarray]:
    return {
        name: matrix
        for name, matrix in list_naive_matrices(layout).items()
        if name != "seasonal_mean"
    }


def _list_no_harmonics(
    num_crossings: np.ndarray, num_steps: int, open_calendar: np.ndarray
) -> np.ndarray:
    return np.zeros((0, 2), np.int64)


def _shrink_for(num_members: float, data: Any, out_of_fold: np.ndarray, _: int) -> float:
    return _SHRINK(data, out_of_fold, num_members)  # type: ignore[arg-type]


def _run_without_refit(self: Any) -> Any:
    self.deployed = slice(0, 0)
    return _RUN(self)


def _keep_last(self: Any) -> None:
    _TRAIN_MEMBERS(self)
    if not self.is_deploying:
        self.progress.best = self.members.trainer.copy_averages()
        self.progress.best_step = self.num_steps


RULES = [
    Rule(
        "sizes of errors of series with few values",
        {"intervals.few_values_errors:fit_few_values_sizes": lambda *_: {}},
        215,
        PANELS,
    ),
    Rule(
        "bounds of sparse series",
        {
            "intervals.sparse_bounds:find_sparse": _find_none,
            "intervals.sparse_bounds:fit_shape": lambda panel: np.zeros(0),
        },
        190,
        PANELS,
    ),
    Rule(
        "uneven noise of a single series",
        {"intervals.single_errors:_is_uneven": lambda *_: False},
        60,
        SINGLE,
    ),
    Rule(
        "errors expected by the pretrained network",
        {"pretrained.files:load_used_network": lambda spec: None},
        50,
    ),
    Rule(
        "errors of the test part, if the level drifts",
        {"intervals.single_errors:_list_tested": _list_no_origins},
        30,
        SINGLE,
    ),
    Rule("check of the refit", {"methods.refit:check_refit": _keep_refit}, 62),
    Rule(
        "harmonics of the calendar",
        {"methods.linear.layout:_list_harmonics": _list_no_harmonics},
        75,
    ),
    Rule(
        "exponents of the sizes of a panel",
        {"intervals.panel_errors:_find_exponents": _keep_exponents_zero},
        55,
        PANELS,
    ),
    Rule(
        "other weights of series with few values",
        {"methods.ensemble:EnsembleModel.weigh_few": lambda self: self.weights},
        40,
        PANELS,
    ),
    Rule("logarithms of a panel", {"methods.linear_fitting:MIN_LOG_GAIN": 2.0}, 75, PANELS),
    Rule(
        "whole bounds of whole numbers",
        {"intervals.sparse_bounds:find_whole": lambda *_: False},
        35,
        PANELS,
    ),
    Rule(
        "sparse bounds of all windows of a sparse panel",
        {"intervals.sparse_bounds:find_min_share": lambda *_: 0.3},
        22,
        PANELS,
    ),
    Rule(
        "reach of bounds",
        {"intervals.finishing:MAX_RANGES": INFINITE, "intervals.finishing:MAX_CHANGES": INFINITE},
        40,
    ),
    Rule("sizes outside the measured values", {"intervals.ways:MAX_MEASURED": INFINITE}, 12),
    Rule(
        "Student's t for few origins of a panel",
        {"intervals.quantiles:count_freedom": lambda *_: np.inf},
        24,
        PANELS,
    ),
    Rule(
        "windows whose errors tell of others",
        {"intervals.panel_errors:_list_telling": _list_all},
        16,
        PANELS,
    ),
    Rule(
        "fitted errors enlarged to held-out ones",
        {"intervals.panel_errors:_log_mean": lambda *_: 0.0},
        16,
        PANELS,
    ),
    Rule(
        "no errors of padded windows",
        {"intervals.panel_errors:leave_out_padded": _keep_all},
        8,
        PANELS,
    ),
    Rule(
        "held-out errors in the pool", {"intervals.panel_errors:HELD_OUT_WEIGHT": 1e-9}, 8, PANELS
    ),
    Rule(
        "bounds on these exponents",
        {"intervals.panel_errors:_find_exponents": _find_exponents_by_least_squares},
        24,
        PANELS,
    ),
    Rule(
        "growth of errors from block to block",
        {"intervals.single_errors:_find_later_growth": lambda *_: 1.0},
        14,
        SINGLE,
    ),
    Rule(
        "Student's t, if the level keeps drifting",
        {"intervals.single_errors:MAX_OUTSIDE": 2.0},
        16,
        SINGLE,
    ),
    Rule(
        "seasonal mean", {"methods.linear.naive:list_naive_matrices": _list_naive_without_mean}, 14
    ),
    Rule("limit of the growth of coefficients", {"methods.linear.ridge:MAX_GROWTH": INFINITE}, 14),
    Rule(
        "noise of a season with few values", {"methods.local.season:MIN_VALUES_PER_PHASE": 0.0}, 18
    ),
    Rule(
        "mean changes of the rule for short series",
        {
            "methods.local.short_series_rule:list_rules": partial(
                _list_with_trends, traces=TRENDS[:1]
            )
        },
        16,
    ),
    Rule(
        "seasonal naive with drift of the rule for short series",
        {"methods.local.short_series_rule:list_rules": _list_without_season},
        24,
    ),
    Rule(
        "drift of the season of the rule for short series",
        {"methods.local.short_series_rule:_extend_by_season": _drift_alone},
        12,
    ),
    Rule(
        "Theta in the trends of that rule",
        {"methods.local.short_series_rule:list_rules": _list_without_theta},
        12,
    ),
    Rule(
        "level or damped trend below a season of the rule for short series",
        {"methods.local.short_series_rule:LEVEL_AND_TREND": TRENDS[:1]},
        6,
    ),
    Rule(
        "logarithms of the pretrained network",
        {"pretrained.network:compute_logarithms": _extend_without_logs},
        36,
    ),
    Rule(
        "mean with the negated forecast of the pretrained network",
        {"pretrained.network:PretrainedNetwork.forecast": _forecast_once},
        12,
    ),
    Rule("Huber's loss of the ensemble", {"methods.weights:NUM_MEAN_ERRORS": 1e6}, 12, PANELS),
    Rule(
        "fewer validation windows of a long horizon",
        {"methods.folds:WINDOWS_IN_HORIZON": INFINITE},
        12,
        SINGLE,
    ),
    Rule(
        "growth measured from the errors",
        {"intervals.quantiles:find_growth": lambda sizes: 0.5},
        14,
    ),
    Rule("more than one origin of a panel", {"methods.folds:NUM_ORIGINS": (1,)}, 24, PANELS),
    Rule(
        "held-out blocks with all later ones, if the level drifts",
        {"methods.folds:measure_level_drift": lambda *_: 0.0},
        40,
        SINGLE,
    ),
    Rule(
        "absolute errors of panels",
        {"methods.objective:ObjectiveSpec.choose_absolute": _choose_plain},
        20,
        PANELS,
    ),
    Rule(
        "squared errors of sparse panels",
        {"methods.objective:ObjectiveSpec.choose_absolute": _choose_median},
        6,
        PANELS,
    ),
    Rule("choice among ridges", {"methods.linear.ridge:MIN_GAIN": 0.0}, 8),
    Rule("pull of few windows", {"methods.weights:PULL_OF_FEW": 0.0}, 4),
    Rule("clipped predictors of sizes", {"intervals.panel_errors:CLIPPED": 0.0}, 6, PANELS),
    Rule("newest part of the past errors", {"intervals.past_errors:NEWEST_PART": 1.0}, 4),
    Rule("few past errors drawn to the panel's", {"intervals.past_errors:PRIOR_ERRORS": 0.0}, 4),
    Rule(
        "logarithms of Holt-Winters", {"methods.local.exponential_smoothing:MIN_PART": INFINITE}, 10
    ),
    Rule("power of the weights by size", {"methods.weights:POWER": 1}, 2),
    Rule(
        "pull of the weights to the errors' sizes",
        {"methods.weights:PULL": 0.0, "methods.weights:PULL_OF_FEW": 0.0},
        12,
    ),
    Rule(
        "covariates of a ridge at their own steps",
        {
            "methods.linear.ridge:list_covariate_readings": lambda products, layout, inputs, offset: []
        },
        75,
        ("covariates",),
    ),
    Rule(
        "rule for short series, instead of Theta",
        {
            "methods.local.short_series_rule:list_rules": lambda season: [
                ShortRule(0, "Theta", extend_by_theta)
            ]
        },
        160,
    ),
    Rule(
        "shrinkage of a season",
        {"methods.local.season:_shrink": _find_season_without_shrinkage},
        32,
    ),
    Rule(
        "weights by least squares, instead of the errors' sizes",
        {"methods.weights:find_weights": _weigh_by_size},
        45,
    ),
    Rule(
        "weights by least squares, instead of the best method",
        {"methods.weights:find_weights": _select_one},
        60,
    ),
    Rule(
        "weights by past errors of the rule for short series",
        {"methods.local.short_series_rule:POWER": 0.0},
        6,
    ),
    Rule("boosted trees", {"methods.registry:METHODS.trees": None}, 208),
    Rule("Theta", {"methods.registry:METHODS.theta": None}, 56),
    Rule("damped trend", {"methods.registry:METHODS.damped_trend": None}, 20),
    Rule("Holt-Winters", {"methods.registry:METHODS.holt_winters": None}, 45),
    Rule("level of sparse series", {"methods.registry:METHODS.level": None}, 8, PANELS),
    Rule("mean of sparse series", {"methods.registry:METHODS.mean": None}, 8, PANELS),
    Rule("Croston's method", {"methods.registry:METHODS.croston": None}, 28, PANELS),
    Rule("pretrained network", {"methods.registry:TRAINED_BEFORE.pretrained": None}, 1_260),
]
_SHRINK = validation.find_network_shrinkage
_RUN = training._Training.run
_TRAIN_MEMBERS = training._Training._train_members
_TRAINING, _SEGMENT = "methods.training.training:", "methods.training.specs:_choose_segment"
_SHRINKING = f"{_TRAINING}find_network_shrinkage"
_NO_EMBEDDING = {kind: (size[0], 0, *size[2:]) for kind, size in SIZES.items()}
NETWORK_RULES = [
    Rule("trained networks", {}, 1_630, (), {"training": {"max_steps": 1}}),
    Rule("linear forecast that networks correct", {}, 22, (), {"training": {"start": "none"}}),
    Rule("shrinkage of a correction", {_SHRINKING: lambda *_: 1.0}, 40),
    Rule("shrinkage by the least error", {_SHRINKING: partial(_shrink_for, 1e9)}, 8),
    Rule("less shrinkage of the mean of members", {_SHRINKING: partial(_shrink_for, 1)}, 6),
    Rule(
        "best step, instead of the last", {f"{_TRAINING}_Training._train_members": _keep_last}, 12
    ),
    Rule("shorter patience at the start", {f"{_TRAINING}PART_AT_START": 1}, 4),
    Rule("running mean of the weights", {}, 12, (), {"training": {"weight_average": 0.0}}),
    Rule("limit of the gradient's norm", {}, 10, (), {"training": {"clip_norm": None}}),
    Rule("clipped residuals", {"methods.training.validation:MAX_RESIDUAL": INFINITE}, 4),
    Rule("smaller networks for few windows", {"methods.training.specs:MANY_WINDOWS": 0}, 4),
    Rule("segments of several steps", {_SEGMENT: lambda *_: 1}, 30, LONG),
    Rule(
        "segments that divide a season",
        {_SEGMENT: lambda lookback, *_: max(1, lookback // 10)},
        10,
        LONG,
    ),
    Rule(
        "calendar at each step", {"methods.training.specs:FIVE_TIMES": INFINITE}, 16, TRAINED_SINGLE
    ),
    Rule("no features of slow cycles", {"methods.training.specs:FIVE_TIMES": 0}, 6, TRAINED_SINGLE),
    Rule(
        "embedding of panels", {"methods.training.specs:SIZES": _NO_EMBEDDING}, 30, TRAINED_PANELS
    ),
    Rule(
        "several members of a panel",
        {},
        6,
        TRAINED_PANELS,
        {"lstm": {"members": 1}, "gru": {"members": 1}},
    ),
    Rule(
        "members on all windows",
        {f"{_TRAINING}_Training.run": _run_without_refit},
        20,
        TRAINED_PANELS,
    ),
]
