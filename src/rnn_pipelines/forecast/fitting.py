"""All forecasters of a table, fitted in one go by the functions that the pipeline's nodes call."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.base import Base, choose_ridge
from rnn_pipelines.forecast.baselines import BASELINES, MIX, RIDGE, forecast_baselines
from rnn_pipelines.forecast.best import BEST, weigh_best
from rnn_pipelines.forecast.challenger import TrainedNetwork, TrainingPlan, choose_challenger
from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics, evaluate_forecasts
from rnn_pipelines.forecast.forecaster import (
    FORECAST,
    Blend,
    Forecaster,
    ForecasterSettings,
    forecast_best,
    make_blend,
)
from rnn_pipelines.forecast.intervals import Intervals, LevelSpec, add_intervals, fit_intervals
from rnn_pipelines.forecast.networks import Network, forecast_windows
from rnn_pipelines.forecast.predictions import Forecasts, Predictions, tabulate_forecasts
from rnn_pipelines.forecast.recipe import Panel, Recipe, run_steps
from rnn_pipelines.forecast.retraining import list_fitting_steps
from rnn_pipelines.forecast.seconds import count_seconds
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.forecast.series.windows import Part
from rnn_pipelines.forecast.specs import BudgetSpec, ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.forecast.theta import THETA


@dataclass(frozen=True)
class ForecastSpec:
    """All blocks of parameters of `forecast`; see the types of the attributes.

    Attributes:
        networks: by name in the registry.
    """

    recipe: Recipe
    networks: Mapping[str, NetworkSpec]
    training: ForecastTrainingSpec
    level: LevelSpec


@dataclass(frozen=True)
class Fitted:
    """What was fitted on a table.

    Attributes:
        spec: what was asked for.
        panel: the series on their way to windows, and these.
        settings: of a forecaster of them, still without networks.
        base: what is linear.
        networks: by name.
        best: see `weigh_best`.
        intervals: of every forecaster.
    """

    spec: ForecastSpec
    panel: Panel
    settings: ForecasterSettings
    base: Base
    networks: Mapping[str, TrainedNetwork]
    best: Mapping[str, Any]
    intervals: Intervals

    @property
    def trained(self) -> dict[str, Network]:
        """The networks alone, by name."""
        return {name: network.network for name, network in self.networks.items()}


def fit_forecasters(table: Source, covariate_table: pd.DataFrame | None, spec: ForecastSpec) -> Fitted:
    """Fits simple methods, networks, their combination and intervals.

    Args:
        table: the series as they were read.
        covariate_table: see `read_covariates`; None if there are none.
        spec: what to fit.
    Raises:
        SeriesError: the series can't be used; the message says why and what to do.
        TrainingError: a loss is no longer finite.
    """
    given = {
        "table": table,
        "covariate_table": covariate_table,
        "training": spec.training,
        "plan": TrainingPlan(BudgetSpec(max_seconds=None, max_steps=None)),
    }
    values = run_steps(list_fitting_steps(spec.networks), {**spec.recipe.list_values(), **spec.networks, **given})
    panel = Panel(**{name: values[name] for name in Panel.__dataclass_fields__})
    networks = {name: values[f"{name}_network"] for name in spec.networks}
    trained = {name: network.network for name, network in networks.items()}
    best = weigh_best(panel.windows, values["base"], **trained)
    intervals = fit_intervals(panel.windows, values["base"], best, spec.level, **trained)
    return Fitted(spec, panel, values["settings"], values["base"], networks, best, intervals)


def tabulate_part(fitted: Fitted, part: Part) -> Predictions:
    """Forecasts of everyone, with intervals, side by side in the data's own unit.

    Args:
        fitted: on a table.
        part: `test`, beside what happened, or `future`.
    """
    return _tabulate(fitted, forecast_all(fitted), part)


def forecast_all(fitted: Fitted) -> dict[str, Forecasts]:
    """Forecasts of everyone, scaled."""
    windows, base, trained = fitted.panel.windows, fitted.base, fitted.trained
    forecasts = {name: forecast_windows(network, base, windows) for name, network in trained.items()}
    forecasts[BEST] = forecast_best(windows, base, fitted.best, **trained)
    return forecasts | forecast_baselines(windows, base)


def _tabulate(fitted: Fitted, forecasts: Mapping[str, Forecasts], part: Part) -> Predictions:
    panel = fitted.panel
    predictions = tabulate_forecasts(panel.windows, panel.features, panel.scaler, forecasts, part)
    return add_intervals(predictions, fitted.intervals, panel.windows, panel.scaler, part)


def rank_forecasters(fitted: Fitted) -> pd.DataFrame:
    """Every metric of every forecaster on the test part, the best one first.

    Args:
        fitted: on a table.
    Returns:
        `forecaster` and its metrics, see `ForecastMetrics`; sorted by that of the verdict.
    """
    panel = fitted.panel
    records: dict[str, Any] = {name: network.record for name, network in fitted.networks.items()}
    forecasts = forecast_all(fitted)
    found, *_ = evaluate_forecasts(
        _tabulate(fitted, forecasts, "test"),
        panel.series,
        panel.cutoffs,
        panel.profile,
        fitted.spec.recipe.evaluation,
        count_seconds(fitted.base, fitted.best, records, forecasts),
        **records,
    )
    metrics = ForecastMetrics.parse(found)
    ranked = {name: metrics.forecasters[name] for name in metrics.rank()}
    return pd.DataFrame.from_dict(ranked, orient="index").rename_axis("forecaster").reset_index()


def list_artefacts(fitted: Fitted) -> dict[str, Forecaster]:
    """Each forecaster by itself, for newer values: simple methods are blends without networks, or with all of Theta."""
    base, trained = fitted.base, fitted.trained
    blends = {name: make_blend(base, {name: network}, {name: 1.0}) for name, network in trained.items()}
    blends[BEST] = make_blend(base, trained, fitted.best["weights"])
    blends |= {name: _make_linear(base, matrix) for name, matrix in _find_matrices(base).items()}
    blends[THETA] = make_blend(base, {}, {THETA: 1.0})
    return {name: _complete(fitted, name, blend) for name, blend in blends.items()}


def make_champion(fitted: Fitted) -> Forecaster:
    """The combination as a retraining makes it: it remembers its networks, and what monitoring needs."""
    networks = fitted.networks.values()
    panel, settings = fitted.panel, fitted.settings
    return choose_challenger(
        panel.windows, fitted.base, panel.scaler, panel.coding, settings, fitted.spec.level, *networks
    )[0]


def _find_matrices(base: Base) -> dict[str, np.ndarray]:
    """Of each baseline, float64[predictor, horizon], in the order of the registry."""
    names = [str(name) for name in base.names]
    methods = {name: name for name in names} | {RIDGE: choose_ridge(names, base.losses)}
    matrices = {name: base.matrices[-1][names.index(method)] for name, method in methods.items()}
    matrices[MIX] = base.combine()
    return {name: matrices[name] for name in BASELINES if name in matrices}


def _make_linear(base: Base, matrix: np.ndarray) -> Blend:
    return Blend(base.frame, base.season, base.long_season, base.calendar, matrix, networks={}, shares={})


def _complete(fitted: Fitted, name: str, blend: Blend) -> Forecaster:
    panel = fitted.panel
    # Windows of newer values are padded by the same season.
    settings = fitted.settings.model_copy(update={"season_length": panel.windows.season_length})
    intervals = fitted.intervals.pick(name, FORECAST) if fitted.spec.level.root else None
    return Forecaster(blend, panel.scaler, settings, intervals, panel.coding)
