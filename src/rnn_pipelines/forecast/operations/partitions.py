"""Forecasts and errors of all series of a panel that is too large for memory, one partition after another.

The methods are fitted on some of the partitions, and read nothing of a series but its past. So each partition is
forecast on its own, in this process or in others, and its results are files. A run that was interrupted goes on with
the partitions that have no results yet.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.evaluation.all_series import measure_all, summarize_series
from rnn_pipelines.forecast.evaluation.metrics import sum_totals
from rnn_pipelines.forecast.intervals.fitting import Intervals, add_intervals
from rnn_pipelines.forecast.intervals.past_errors import measure_past_errors
from rnn_pipelines.forecast.intervals.pool import measure_usual_errors
from rnn_pipelines.forecast.methods.ensemble import EnsembleModel, unpack_ensemble
from rnn_pipelines.forecast.methods.forecasts import PARTS, forecast_parts
from rnn_pipelines.forecast.methods.linear.models import LinearModel, LinearModels
from rnn_pipelines.forecast.methods.method import FittedMethod, Model
from rnn_pipelines.forecast.methods.predictions import Predictions, name_bounds, show_predictions, tabulate_forecasts
from rnn_pipelines.forecast.methods.predictors import Normalizer
from rnn_pipelines.forecast.methods.pretrained import find_network
from rnn_pipelines.forecast.methods.registry import get_method
from rnn_pipelines.forecast.operations.partition_jobs import NEXT_VALUES, Tables, run_jobs, write_results
from rnn_pipelines.forecast.partitions.dividing import Partitions
from rnn_pipelines.forecast.preparation.preparing import prepare_series
from rnn_pipelines.forecast.recipe import Panel, Recipe, make_features
from rnn_pipelines.forecast.source.covariates import read_series
from rnn_pipelines.forecast.times.calendar import resolve_calendar
from rnn_pipelines.forecast.windows.coding import Coding, fit_coding
from rnn_pipelines.forecast.windows.scaling import fit_scaler
from rnn_pipelines.forecast.windows.windowing import make_windows
from rnn_pipelines.networks.fan_out import ParallelSpec
from rnn_pipelines.storage.arrays import pack_arrays

BY_SERIES = "metrics_by_series.parquet"


@dataclass(frozen=True)
class FittedPanel:
    """The part of a fit that forecasts other series.

    Attributes:
        recipe: with the shape of windows, calendar, frequency and season of the fit.
        coding: of the covariates.
        normalizer: of the windows.
        baseline: the baseline ensemble of the evaluated models.
        methods: by name, without the errors of their fit.
        intervals: of the methods; their usual errors are those of the fitted series.
        names: of the fitted series, in their order.
        use: the name of the method in use.
    """

    recipe: Recipe
    coding: Coding
    normalizer: Normalizer
    baseline: LinearModel
    methods: Mapping[str, FittedMethod]
    intervals: Intervals
    names: pd.Index
    use: str


@dataclass(frozen=True)
class FittedJob:
    """The forecast of one partition.

    Attributes:
        number: of the partition, from 0.
        fitted: the fit, with the source of the partition in its recipe.
        folder: for the results; it exists as soon as they are complete.
    """

    number: int
    fitted: FittedPanel
    folder: Path


def describe_fit(
    recipe: Recipe,
    fitted_on: Panel,
    linear: LinearModels,
    methods: Mapping[str, FittedMethod],
    intervals: Intervals,
    use: str,
) -> FittedPanel:
    """Return the part of a fit that forecasts other series.

    Args:
        recipe: of the fit.
        fitted_on: the prepared series of the fit.
        linear: its linear models.
        methods: by name.
        intervals: of the methods.
        use: the name of the method in use.
    """
    profile = fitted_on.profile
    calendar = resolve_calendar(fitted_on.series, profile["freq"], recipe.calendar)
    resolved = recipe.model_copy(
        update={
            "source": recipe.source.model_copy(update={"freq": profile["freq"]}),
            "window": recipe.window.fill(profile),
            "calendar": calendar,
            "evaluation": recipe.evaluation.model_copy(update={"season_length": fitted_on.windows.season_length}),
        }
    )
    baseline = LinearModel(linear.combine())
    light = {name: _lighten(name, method) for name, method in methods.items()}
    names = pd.Index(fitted_on.scaler["unique_id"])
    return FittedPanel(resolved, fitted_on.coding, linear.normalizer, baseline, light, intervals, names, use)


def _lighten(name: str, method: FittedMethod) -> FittedMethod:
    """Return a method without the errors and times of its fit, which no forecast reads."""

    def copy(model: Model) -> Model:
        return (
            unpack_ensemble(model.pack()) if isinstance(model, EnsembleModel) else get_method(name).unpack(model.pack())
        )

    refitted = None if method.refitted is None else copy(method.refitted)
    return FittedMethod(copy(method.model), method.out_of_fold[:0], refitted=refitted)


def forecast_partitions(
    fitted: FittedPanel, partitions: Partitions, parallel: ParallelSpec
) -> tuple[Tables, Tables, dict[str, Any]]:
    """Forecast all series of a divided panel, and measure the errors on their test parts.

    Args:
        fitted: on some of the partitions.
        partitions: all of them.
        parallel: the processes; their results are files, which all of them and this process must see.
    Returns:
        The next values, see `select_used`; the metrics by series, see `AllMetricsTable`; and their summary, see
        `summarize_series`. All are empty if the panel is not divided.
    Raises:
        ParallelError: the processes were lost twice.
        SeriesError: a partition cannot be used; the message has the reasons of all such partitions.
    """
    if partitions.folder is None:
        return Tables(), Tables(), {}
    results = partitions.folder / f"results-{_fingerprint(fitted)}"
    results.mkdir(exist_ok=True)
    jobs = list(_list_jobs(fitted, partitions, results))
    facts = run_jobs(forecast_partition, jobs, parallel)
    by_series = Tables(tuple(job.folder / BY_SERIES for job in jobs))
    return (
        Tables(tuple(job.folder / NEXT_VALUES for job in jobs)),
        by_series,
        summarize_series(by_series, facts, fitted.use),
    )


def _fingerprint(fitted: FittedPanel) -> str:
    """Return a hash of all that the forecasts depend on, so that results of another fit are not used."""
    arrays = {**vars(fitted.normalizer), **vars(fitted.intervals), "baseline": fitted.baseline.matrix}
    for name, method in fitted.methods.items():
        for kind, model in (("evaluated", method.model), ("in_use", method.in_use)):
            arrays |= {f"{name}.{kind}.{part}": value for part, value in model.pack().items()}
    texts = [fitted.use, fitted.recipe.model_dump_json(), fitted.coding.model_dump_json()]
    return hashlib.sha256("".join(texts).encode() + pack_arrays(arrays)).hexdigest()[:16]


def _list_jobs(fitted: FittedPanel, partitions: Partitions, results: Path) -> Iterator[FittedJob]:
    recipe = fitted.recipe
    for number in partitions.list_numbers():
        source, covariates = partitions.select(recipe.source, recipe.covariates, number)
        own = recipe.model_copy(
            update={
                "source": source,
                "covariates": covariates,
                "evaluation": recipe.evaluation.model_copy(
                    update={"max_windows": max(1, recipe.evaluation.max_windows // len(partitions))}
                ),
            }
        )
        yield FittedJob(number, replace(fitted, recipe=own), results / f"{number:05d}")


def forecast_partition(job: FittedJob) -> int:
    """Forecast and evaluate the series of a partition, and write the results. Return the number of series."""
    fitted = job.fitted

    def write(folder: Path) -> dict[str, Any]:
        panel = prepare_partition(fitted)
        profile, (test, future) = panel.profile, tabulate_partition(fitted, panel)
        select_used(future).to_parquet(folder / NEXT_VALUES, index=False)
        by_series = measure_all(test, panel.series, panel.cutoffs, panel.windows.season_length)
        by_series.to_parquet(folder / BY_SERIES, index=False)
        facts = {name: profile[name] for name in ("num_series", "left_out", "repairs")}
        return {**facts, "totals": sum_totals(test)}

    return write_results(job.folder, fitted.recipe.source.label, write)


def prepare_partition(fitted: FittedPanel) -> Panel:
    """Read the series of a partition, and lay out their windows as in the fit.

    Scales are those of each series; codes of categories are those of the fit.
    """
    recipe = fitted.recipe
    table, covariate_table = read_series(recipe.source, recipe.covariates)
    _, series, profile, cutoffs = prepare_series(
        table, recipe.source, recipe.gaps, recipe.split, recipe.window, recipe.evaluation
    )
    scaler = fit_scaler(series, cutoffs)
    coding = fitted.coding.take_scales(fit_coding(series, cutoffs, recipe.covariates, covariate_table))
    horizon = recipe.window.fill(profile).horizon
    features = make_features(series, profile, recipe.calendar, horizon, coding, covariate_table)
    windows = make_windows(features, cutoffs, scaler, recipe.window, recipe.evaluation, profile)
    return Panel(series, profile, cutoffs, scaler, coding, features, windows)


def tabulate_partition(fitted: FittedPanel, panel: Panel) -> tuple[Predictions, Predictions]:
    """Return the forecasts of the test part and of the next steps, with intervals."""
    windows = panel.windows
    forecasts = forecast_parts(windows, fitted.normalizer, fitted.methods)
    intervals = replace(fitted.intervals, usual=_find_usual(fitted, panel))
    test, future = (
        add_intervals(
            replace(tabulate_forecasts(windows, panel.features, panel.scaler, forecasts, part), use=fitted.use),
            intervals,
            windows,
            panel.scaler,
            part,
        )
        for part in PARTS
    )
    return test, show_predictions(future, panel.profile["tz"])


def _find_usual(fitted: FittedPanel, panel: Panel) -> np.ndarray:
    """Return the usual error of each series, of fitted ones that of the fit: float64[series], scaled."""
    of_fit = fitted.intervals.usual
    if fitted.intervals.rule == "panel":
        median = float(np.median(of_fit))
        usual = measure_usual_errors(panel.windows, fitted.normalizer, fitted.baseline, median)
    else:
        models = {name: method.model for name, method in fitted.methods.items()}
        network = find_network(models) if fitted.intervals.rule == "pretrained" else None
        usual = measure_past_errors(panel.windows, network)
    places = fitted.names.get_indexer(panel.scaler["unique_id"])
    return np.where(places >= 0, of_fit[places], usual)


def select_used(future: Predictions) -> pd.DataFrame:
    """Return `unique_id, ds, forecast`, and `lo-80, hi-80` and the like of each level: float32, in the unit of `y`."""
    bounds = [bound for level in future.levels for bound in name_bounds(future.use, level)]
    names = {future.use: "forecast"} | {bound: bound.removeprefix(f"{future.use}-") for bound in bounds}
    numbers = future.table[list(names)].astype("float32").rename(columns=names)
    return pd.concat([future.table[["unique_id", "ds"]], numbers], axis=1)
