"""The ensemble of a challenger, and the forecasts of the holdout by challenger and champion."""

import logging
from collections.abc import Container, Mapping
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.champion.policy import CHALLENGER, CHAMPION
from rnn_pipelines.champion.records import ChallengerTraining
from rnn_pipelines.errors import show
from rnn_pipelines.forecast.evaluation.holdout import measure_forecast_holdout
from rnn_pipelines.forecast.fitting import fit_models, make_forecaster
from rnn_pipelines.forecast.intervals.levels import LevelSpec
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE
from rnn_pipelines.forecast.methods.forecasts import forecast_methods
from rnn_pipelines.forecast.methods.in_use import BEST, UseSpec, wrap_in_ensemble
from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.networks.network import TrainedNetwork
from rnn_pipelines.forecast.methods.predictions import (
    Forecasts,
    Predictions,
    tabulate_forecasts,
)
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.model.artefact import Forecaster, forecast_cutoffs
from rnn_pipelines.forecast.model.settings import ForecasterSettings, have_same_axis
from rnn_pipelines.forecast.operations.specs import ForecastPolicySpec, RetrainForecastSpec
from rnn_pipelines.forecast.preparation.gross_values import (
    describe_gross_values,
    is_alarm,
    list_gross_values,
)
from rnn_pipelines.forecast.preparation.reference import describe_new_history
from rnn_pipelines.forecast.series.tables import Features, Scaler, Series
from rnn_pipelines.forecast.windows.coding import Coding
from rnn_pipelines.forecast.windows.panel import WindowedPanel

logger = logging.getLogger(__name__)


def choose_challenger(  # noqa: PLR0913, PLR0917 - each is a data set of a run
    data: FittingData,
    scaler: Scaler,
    coding: Coding,
    settings: ForecasterSettings,
    level: LevelSpec,
    use: UseSpec,
    features: Features,
    retraining: RetrainForecastSpec,
    *networks: TrainedNetwork,
) -> tuple[Forecaster, ChallengerTraining, dict[str, Forecasts]]:
    """Combine the simple methods and the networks by their errors on the validation windows.

    The best simple method of the holdout takes the place of an ensemble that is significantly worse, unless `use` names
    a method.

    Args:
        settings: of the challenger, still without networks.
        level: of its intervals, besides `ANOMALY_LEVEL`, which monitoring reads; empty for no intervals.
    Returns:
        The challenger. And a record: `validation_losses` (normalised) of each candidate and of the ensemble; its
        `weights`; `chosen`, and what it is `instead_of`;
        `seeds`, `training_seconds`, the records of `networks`, and `is_refitted`. And the
        forecasts of the simple methods.
    """
    methods, ensemble = fit_models(
        data, {network.name: network.network for network in networks}, use
    )
    weights = ensemble["weights"]
    first_choice = ensemble["used"]
    simple = {name: method for name, method in methods.items() if name in METHODS}
    forecasts = forecast_methods(
        data.panel, data.linear, {**simple, first_choice: methods[first_choice]}
    )
    used = first_choice
    if use.root in (ENSEMBLE, BEST):
        holdout = tabulate_forecasts(
            data.panel, features, scaler, {**forecasts, CHALLENGER: forecasts[first_choice]}, "test"
        )
        used = find_better(holdout, settings.horizon, retraining.policy) or first_choice
    in_use = wrap_in_ensemble(methods, used)
    if used != first_choice:
        logger.warning(
            "%s takes the place of %s, because it is significantly better on the holdout",
            used,
            first_choice,
        )
    logger.info(
        "ensemble: %s", ", ".join(f"{name} {weight:.2f}" for name, weight in weights.items())
    )
    record: ChallengerTraining = {
        "validation_losses": ensemble["losses"],
        "weights": weights,
        "chosen": used,
        "instead_of": first_choice if used != first_choice else None,
        "seeds": sorted({network.seed for network in networks}),
        "training_seconds": sum(network.record["training_seconds"] for network in networks),
        "networks": {network.name: dict(network.record) for network in networks},
        "is_refitted": in_use.refitted is not None,
    }
    settings = settings.model_copy(update={"use": used})
    baselines = {name: forecasts[name] for name in simple}
    challenger = make_forecaster(data, in_use, networks, scaler, coding, settings, level)
    return challenger, record, baselines


def find_better(holdout: Predictions, horizon: int, policy: ForecastPolicySpec) -> str | None:
    """Return the best of the simple methods that are significantly better than the challenger; None if there is none.

    Only the policy `must_beat: [best]` asks for it. A holdout of one window shows nothing.
    """
    if BEST not in policy.must_beat or len(holdout.table) <= horizon:
        return None
    better = measure_forecast_holdout(holdout, horizon).better
    proven = {
        name: ratio for name, (ratio, p_value) in better.items() if p_value <= policy.significance
    }
    return min(proven, key=lambda name: proven[name], default=None)


def find_seen(champion: Forecaster, settings: ForecasterSettings) -> list[str]:
    """Return the series for which the champion has seen part of the holdout, in training or in the choice of networks.

    The holdout begins after `trained_until` of the challenger, whose settings are given.
    """
    theirs: Mapping[str, Any] = champion.settings.trained_until
    # Steps and dates cannot be compared: a model trained on one has not seen the other.
    return [
        name
        for name, last in settings.trained_until.items()
        if name in theirs
        and isinstance(theirs[name], datetime) is isinstance(last, datetime)
        and theirs[name] > last
    ]


def forecast_holdout(
    panel: WindowedPanel,
    features: Features,
    covariate_table: pd.DataFrame | None,
    baselines: dict[str, Forecasts],
    challenger: Forecaster,
    champion: LoadedChampion | None,
) -> Predictions:
    """Forecast the challenger's holdout by each evaluated model, with its own lookback, calendar and scale.

    Args:
        champion: None if there is none. It is left out if its frequency or time zone differs, if covariates that it
            reads are missing, or if the history that it has learnt has changed or newest values are gross: the source
            may be at fault.
    Returns:
        Forecasts of challenger, champion and baselines with the actuals. They are NaN for series that the model does
        not know, for cut-offs without enough steps before them, and beyond its horizon. If a model forecasts NaN, the
        value becomes infinite, so that the model loses.
    """
    holdout = tabulate_forecasts(panel, features, challenger.scaler, baselines, "test")
    # Without the future steps: each forecaster adds them for its own horizon.
    table = features.table
    series = table[
        table.groupby("unique_id", sort=False).cumcount(ascending=False) >= panel.horizon
    ]
    available = [] if covariate_table is None else list(covariate_table)
    cutoffs = holdout.table[["unique_id", "cutoff"]].drop_duplicates()
    forecasters = {CHALLENGER: challenger} | (
        {} if champion is None else {CHAMPION: champion.artefact}
    )
    for name, forecaster in forecasters.items():
        if obstacle := _find_obstacle(forecaster, challenger.settings, available, series):
            logger.warning("%s: no forecast, because %s", name, obstacle)
            continue
        forecasts = forecast_cutoffs(forecaster.as_evaluated(), series, cutoffs, covariate_table)
        holdout = holdout.add(name, forecasts.fillna({"y_hat": np.inf}))
    return holdout


def _find_obstacle(
    forecaster: Forecaster, settings: ForecasterSettings, available: Container[str], series: Series
) -> str | None:
    """Return the reason why a forecaster cannot forecast the challenger's holdout; None if it can."""
    learnt = forecaster.settings
    if learnt.freq != settings.freq:
        return f"its steps are {learnt.freq}"
    if not have_same_axis(learnt, settings):
        zones = [show(one.zone.name) for one in (learnt, settings)]
        return f"it was trained on times of {zones[0]}, and the holdout has times of {zones[1]}"
    if missing := [
        column for column in forecaster.coding.list_columns() if column not in available
    ]:
        return f"it reads the covariates {missing}, which are missing"
    if forecaster.reference is None:
        return None
    # A challenger that has learnt such a value would be compared with the corrected history ever after.
    gross = list_gross_values(series)
    if is_alarm(gross["unique_id"].nunique(), series["unique_id"].nunique()):
        return describe_gross_values(gross, settings.tz)
    return describe_new_history(series, forecaster.reference)
