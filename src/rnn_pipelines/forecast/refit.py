"""Fitting what was promoted once more, on everything, so that forecasts don't do without the newest part of a series.

Every choice stays as it was judged: the networks and their weights, their design, and how long they are trained. What
was judged stays beside it, because it alone can be compared with others on what it has not seen.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnn_pipelines.champion.artefacts import Candidate
from rnn_pipelines.champion.records import make_plain
from rnn_pipelines.errors import TrainingError
from rnn_pipelines.forecast.base import Base, fit_base
from rnn_pipelines.forecast.baselines import MIX
from rnn_pipelines.forecast.best import BEST, find_unseen_errors
from rnn_pipelines.forecast.challenger import TrainedNetwork, TrainingPlan, train_challenger
from rnn_pipelines.forecast.folds import find_series, list_past
from rnn_pipelines.forecast.forecaster import FORECAST, Forecaster, make_blend
from rnn_pipelines.forecast.intervals import Intervals, LevelSpec, bound_forecasts, fit_intervals
from rnn_pipelines.forecast.networks import Network
from rnn_pipelines.forecast.predictions import ANOMALY_LEVEL
from rnn_pipelines.forecast.series.frequency import format_time
from rnn_pipelines.forecast.series.tables import Cutoffs, Features
from rnn_pipelines.forecast.series.windowing import extend_parts
from rnn_pipelines.forecast.series.windows import WindowedPanel
from rnn_pipelines.forecast.theta import THETA

logger = logging.getLogger(__name__)

# By how much, as part of it, the error on unseen windows may be larger than that of the one that was judged: their
# folds hide other windows.
MAX_WORSE = 0.1
# Which part of the newest forecasts may lie outside of the interval of the one that was judged.
MAX_OUTSIDE = 1 - ANOMALY_LEVEL / 100


@dataclass(frozen=True)
class Fitted:
    """What a forecaster is made of, with the windows that it was fitted on; see the types of the attributes.

    Attributes:
        weights: of the mix, of theta and of each network.
    """

    panel: WindowedPanel
    base: Base
    weights: Mapping[str, float]
    networks: Mapping[str, Network]

    def find_intervals(self, levels: tuple[int, ...]) -> Intervals:
        """Those of the combination."""
        found = fit_intervals(self.panel, self.base, {"weights": self.weights}, LevelSpec(levels), **self.networks)
        return found.pick(BEST, FORECAST)


def refit_promoted(
    decided: Candidate,
    panel: WindowedPanel,
    base: Base,
    features: Features,
    cutoffs: Cutoffs,
    plan: TrainingPlan,
    *networks: TrainedNetwork,
) -> Candidate:
    """Fits a forecaster that is promoted once more, on everything up to the end of its series.

    Args:
        decided: with the forecaster that was judged.
        panel, base: what it was fitted on.
        features, cutoffs: of its series.
        plan: whether it is refit, and what that may cost.
        networks: all that were trained.
    Returns:
        The candidate with the refit beside what was judged, where it is well; `refit` of its record and the last of
        its reasons say so. A refit that fails or is not well changes nothing else.
    """
    if not (plan.refit and decided.decision.is_promoted):
        return decided
    started = time.monotonic()
    weights = decided.manifest["training"]["weights"]
    judged = Fitted(panel, base, weights, {network.name: network.network for network in networks})
    extended = extend_parts(panel, features, cutoffs)
    ends = features.table.iloc[extended.series_starts + cutoffs["num_steps"].to_numpy() - 1]
    artefact: Forecaster = decided.artefact
    record: dict[str, Any] = {}
    try:
        fitted, records = _fit(extended, weights, plan, networks)
        artefact = _complete(decided.artefact, fitted, ends)
        record["networks"] = records
        record |= {"loss": _measure_loss(fitted), "judged_loss": _measure_loss(judged)}
        faults = list(find_faults(artefact, judged, fitted))
    except (TrainingError, np.linalg.LinAlgError) as error:
        faults = [f"it failed: {error}"]
    return _note(decided, artefact, faults, record | {"until": format_time(ends["ds"].max())}, started)


def _fit(
    panel: WindowedPanel, weights: Mapping[str, float], plan: TrainingPlan, networks: tuple[TrainedNetwork, ...]
) -> tuple[Fitted, dict[str, Any]]:
    base = fit_base(panel)
    used = [network for network in networks if weights[network.name] > 0 and network.record["best_step"]]
    again = [train_challenger(panel, base, *_fix_design(network), plan) for network in used]
    own = {name: weights[name] for name in (THETA, *(network.name for network in used))}
    # The mix is in every network: one that says nothing is the mix.
    fitted = Fitted(panel, base, {MIX: 1 - sum(own.values()), **own}, {one.name: one.network for one in again})
    return fitted, {one.name: dict(one.record) for one in again}


def _fix_design(network: TrainedNetwork) -> tuple[Any, Any]:
    """What was asked for, with nothing left open: all as it was judged, and as many steps as were best."""
    design = network.record["design"]
    spec = {"units": design["units"], "members": design["num_members"], "segment": design["segment"]}
    training = {name: design[name] for name in ("batch_size", "learning_rate", "weight_average")}
    training["max_steps"] = network.record["best_step"]
    return network.spec.model_copy(update=spec), network.training.model_copy(update=training)


def _complete(judged: Forecaster, fitted: Fitted, ends: Any) -> Forecaster:
    """The forecaster that was judged, with the refit."""
    until = dict(zip(ends["unique_id"], ends["ds"].tolist(), strict=True))
    asked = {name: judged.settings.networks[name] for name in fitted.networks}
    settings = judged.settings.model_copy(update={"networks": asked, "trained_until": until})
    intervals = judged.intervals and fitted.find_intervals(tuple(judged.intervals.levels.tolist()))
    blend = make_blend(fitted.base, fitted.networks, fitted.weights)
    return replace(judged, refit=replace(judged, model=blend, settings=settings, intervals=intervals, refit=None))


def find_faults(artefact: Forecaster, judged: Fitted, fitted: Fitted) -> Iterator[str]:
    """What keeps a refit out of use, in words.

    Its forecasts of the newest windows must be finite, and lie within the widest interval of the one that was judged;
    and its error on windows that nobody had seen, over that of the last value, must be about as small.

    Args:
        artefact: what was judged, with its refit.
        judged, fitted: what the two are made of.
    """
    assert artefact.refit
    origins = _list_newest(fitted.panel)
    forecasts, centres = (one.model.forecast(fitted.panel, origins) for one in (artefact.refit, artefact))
    # Where covariates are not known ahead, nobody has a forecast.
    if not np.isfinite(forecasts[np.isfinite(centres)]).all():
        yield "its forecasts are not finite"
        return
    intervals = artefact.intervals or judged.find_intervals((ANOMALY_LEVEL,))
    lows, highs = bound_forecasts(intervals, FORECAST, fitted.panel, origins, centres)
    # Of the widest level that can be promised; where there is none, nothing lies outside.
    outside = np.mean((forecasts < np.fmin.reduce(lows)) | (forecasts > np.fmax.reduce(highs)))
    if outside > MAX_OUTSIDE:
        yield f"{100 * outside:.0f} % of its newest forecasts lie outside of the judged one's interval"
    loss, before = _measure_loss(fitted), _measure_loss(judged)
    if loss is None or before is None:
        yield "there are too few windows to judge it by"
    elif not loss <= (1 + MAX_WORSE) * before:
        yield f"its error on unseen windows is {loss:.3g} times that of the last value, the judged one's {before:.3g}"


def _list_newest(panel: WindowedPanel) -> np.ndarray:
    """The last window of each series with actuals, and the one after its end: int64[window]."""
    past, index = list_past(panel), panel.index("future")
    last = past[np.diff(find_series(panel, past), append=-1) != 0]
    return np.concatenate([last, index.origins(np.arange(len(index)))])


def _measure_loss(fitted: Fitted) -> float | None:
    """Error on unseen windows over that of the last value there, so that windows that are harder don't count as worse.

    None where there are too few windows to judge by.
    """
    base = fitted.base
    if not base.is_enough:
        return None
    errors = find_unseen_errors(fitted.panel, base, fitted.networks)
    best = sum(weight * errors[name] for name, weight in fitted.weights.items())
    loss = np.mean(np.abs(best) if base.is_absolute else best**2)
    return float(loss / base.losses[list(base.names).index("last_value")])


def _note(
    decided: Candidate, artefact: Forecaster, faults: list[str], record: dict[str, Any], started: float
) -> Candidate:
    """With the refit, unless it has faults; on record is which of the two is in use, and why."""
    told = f"refit on everything up to {record['until']}"
    if faults:
        artefact = decided.artefact
        told = f"in use as it was judged, without the newest part of the series: of a refit, {'; '.join(faults)}"
        logger.warning(told)
    cut_short = [
        f"the budget of time cut the refit of {name} short, after {one['num_steps']:,} steps"
        for name, one in record.get("networks", {}).items()
        if one["is_cut_short"]
    ]
    reasons = (*decided.decision.reasons, told, *cut_short)
    seconds, before = time.monotonic() - started, dict(decided.manifest["seconds"])
    total = before.pop("total") + seconds
    manifest = decided.manifest | {
        "reasons": list(reasons),
        "refit": make_plain({"is_in_use": not faults, "faults": faults, **record}),
        "seconds": {**before, "refit": seconds, "total": total},
    }
    return replace(decided, artefact=artefact, decision=replace(decided.decision, reasons=reasons), manifest=manifest)
