"""Training a challenger, choosing it on validation, and forecasting the holdout beside the champion."""

import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.champion.policy import CHALLENGER, CHAMPION
from rnn_pipelines.champion.records import ChallengerTraining
from rnn_pipelines.forecast.forecaster import Forecaster, ForecasterSettings, forecast_cutoffs
from rnn_pipelines.forecast.predictions import Forecasts, Predictions, tabulate_forecasts
from rnn_pipelines.forecast.series.tables import Features, Scaler
from rnn_pipelines.forecast.series.windows import WindowedPanel
from rnn_pipelines.forecast.specs import BudgetSpec, ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.networks.fan_out import ParallelSpec
from rnn_pipelines.networks.records import TrainingRecord

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)


class NetworkTraining(TrainingRecord):
    """How one network of a challenger was trained: from which seeds, and whether from the champion's weights."""

    seeds: list[int]
    is_warm: bool


@dataclass(frozen=True)
class TrainedNetwork:
    """One network of a challenger.

    Attributes:
        name: in the registry.
        model: with its best weights.
        network: what it is made of.
        record: of its training.
    """

    name: str
    model: "keras.Model"
    network: NetworkSpec
    record: NetworkTraining


@dataclass(frozen=True)
class TrainingPlan:
    """What a training may cost, what it starts from, and where it runs.

    Attributes:
        budget: time and epochs.
        champion: whose weights it may start from; None where there is no champion.
        checkpoints: where an interrupted training leaves what it needs to go on; None for nowhere.
        parallel: over which processes members are spread, of this machine alone; None for this one.
        in_subprocess: in one process below this one, which is renewed when it has grown.
    """

    budget: BudgetSpec
    champion: Forecaster | None = None
    checkpoints: Path | None = None
    parallel: ParallelSpec | None = None
    in_subprocess: bool = False


def train_challenger(
    panel: WindowedPanel,
    settings: ForecasterSettings,
    network: NetworkSpec,
    training: ForecastTrainingSpec,
    plan: TrainingPlan,
) -> TrainedNetwork:
    """Trains one network within the budget, from the champion's weights where they fit.

    Args:
        panel: windows for training and validation.
        settings: of the challenger.
        network, training, plan: see their types.
    """
    from rnn_pipelines.forecast.training import Start, train_forecaster

    budget, name = plan.budget, network.cell
    weights, why = _find_weights(settings, network, plan.champion) if budget.warm_start else (None, "as asked for")
    logger.info("%s: %s", name, f"from scratch, {why}" if weights is None else "from the champion's weights")
    changes: dict[str, Any] = {} if budget.epochs is None else {"epochs": budget.epochs}
    if weights is not None:
        # A network that has learnt before can't be lucky for having hardly learnt.
        changes["min_steps"] = 0
    start = Start(weights, budget.max_seconds, plan.checkpoints, plan.in_subprocess)
    parallel = plan.parallel
    if parallel and parallel.backend == "dask":
        # Checkpoints lie on this machine, and a night shall not need another one.
        parallel = ParallelSpec(workers=None)
    model, _, record = train_forecaster(panel, network, training.model_copy(update=changes), start, parallel)
    seeds = [training.seed + member for member in range(network.members)]
    return TrainedNetwork(name, model, network, NetworkTraining(**record, seeds=seeds, is_warm=weights is not None))


def _find_weights(
    settings: ForecasterSettings, network: NetworkSpec, champion: Forecaster | None
) -> tuple[list[list[np.ndarray]] | None, str]:
    """The weights of each member of the champion's network of that name, or why there are none that fit."""
    if champion is None:
        return None, "for there is no champion"
    theirs = champion.settings
    old = theirs.networks.get(network.cell)
    if old is None or old.model_copy(update={"dropout": network.dropout}) != network:
        return None, "for the champion has no such network"
    if (theirs.horizon, theirs.calendar, theirs.freq) != (settings.horizon, settings.calendar, settings.freq):
        return None, "for the champion has another horizon, calendar or spacing"
    if find_seen(champion, settings):
        return None, "for the champion has seen what is held out now"
    weights = champion.networks[network.cell].get_weights()
    if not all(np.isfinite(array).all() for array in weights):
        return None, "for the champion's weights are not finite"
    size = len(weights) // network.members
    return [weights[member * size : (member + 1) * size] for member in range(network.members)], ""


def find_seen(champion: Forecaster, settings: ForecasterSettings) -> list[str]:
    """The series of whose holdout the champion has seen something, in training or in the choice among networks.

    Args:
        champion: the forecaster in use.
        settings: of the challenger, whose holdout begins after its `trained_until`.
    """
    theirs = champion.settings.trained_until
    return [name for name, last in settings.trained_until.items() if name in theirs and _is_later(theirs[name], last)]


def _is_later(one: Any, other: Any) -> bool:
    # Steps and dates have no order; who has learnt from the ones has not seen the others.
    return isinstance(one, datetime) is isinstance(other, datetime) and one > other


def choose_challenger(
    panel: WindowedPanel, scaler: Scaler, settings: ForecasterSettings, *networks: TrainedNetwork
) -> tuple[Forecaster, ChallengerTraining]:
    """Takes the network that is best on validation, or the mean of all where that is better.

    Args:
        panel: the windows.
        scaler: of the series.
        settings: of the challenger, still without networks.
        networks: all that were trained.
    Returns:
        The challenger. And a record: `validation_losses` (MSE in the unit of the series squared, mean over windows and
        steps, then over series) of each network and of their `mean`, `chosen`, `seeds`, `training_seconds`, and the
        records of `networks`.
    """
    from rnn_pipelines.forecast.training import forecast_part

    trained = {network.name: network for network in networks}
    forecasts = {name: forecast_part(network.model, panel, "validation") for name, network in trained.items()}
    candidates = forecasts | {"mean": np.mean(list(forecasts.values()), axis=0)}
    losses = {name: _measure_validation(panel, scaler, forecast) for name, forecast in candidates.items()}
    chosen = min(losses, key=lambda name: losses[name])
    names = list(trained) if chosen == "mean" else [chosen]
    logger.info("best on validation: %s (%s)", chosen, ", ".join(f"{name} {loss:.4g}" for name, loss in losses.items()))
    record: ChallengerTraining = {
        "validation_losses": losses,
        "chosen": chosen,
        "seeds": sorted({seed for network in networks for seed in network.record["seeds"]}),
        "training_seconds": sum(n.record["training_seconds"] + n.record["compile_seconds"] for n in networks),
        "networks": {
            name: {key: value for key, value in network.record.items() if key != "layers"}
            for name, network in trained.items()
        },
    }
    settings = settings.model_copy(update={"networks": {name: trained[name].network for name in names}})
    return Forecaster({name: trained[name].model for name in names}, scaler, settings), record


def _measure_validation(panel: WindowedPanel, scaler: Scaler, forecast: np.ndarray) -> float:
    index = panel.index("validation")
    origins = index.origins(np.arange(len(index)))
    targets = panel.values[origins[:, None] + np.arange(panel.horizon), 0]
    series = np.searchsorted(panel.series_starts, origins, side="right") - 1
    squared = np.mean((targets - forecast.astype(np.float64)) ** 2, axis=1)
    # A panel has its series in the scaler's order.
    by_series = pd.Series(squared).groupby(series).mean() * scaler["deviation"].to_numpy() ** 2
    # A network without a finite output is never the best.
    return float(by_series.mean()) if np.isfinite(by_series).all() else float("inf")


def forecast_holdout(
    panel: WindowedPanel,
    features: Features,
    scaler: Scaler,
    baselines: dict[str, Forecasts],
    challenger: Forecaster,
    champion: LoadedChampion | None,
) -> Predictions:
    """Forecasts of everyone on the challenger's holdout, each with its own lookback, calendar and scale.

    Args:
        panel, features, scaler: of the challenger.
        baselines: their forecasts of the panel.
        challenger: what was trained.
        champion: the forecaster in use; None where there is none. One with other steps is left out.
    Returns:
        Those of challenger, champion and baselines beside what happened; NaN where one has no forecast: of a series
        that it doesn't know, of a cut-off before which it lacks steps, of steps beyond its horizon. A forecast that is
        not a number is infinite, because it is one, and as wrong as can be.
    """
    holdout = tabulate_forecasts(panel, features, scaler, baselines, "test")
    # Without the steps to be forecast, which each forecaster adds for its own horizon.
    table = features.table
    series = table[table.groupby("unique_id", sort=False).cumcount(ascending=False) >= panel.horizon]
    cutoffs = holdout.table[["unique_id", "cutoff"]].drop_duplicates()
    forecasters = {CHALLENGER: challenger} | ({} if champion is None else {CHAMPION: champion.artefact})
    for name, forecaster in forecasters.items():
        if forecaster.settings.freq != challenger.settings.freq:
            logger.warning("%s: no forecast, for its steps are %s", name, forecaster.settings.freq)
            continue
        holdout = holdout.add(name, forecast_cutoffs(forecaster, series, cutoffs).fillna({"y_hat": np.inf}))
    return holdout
