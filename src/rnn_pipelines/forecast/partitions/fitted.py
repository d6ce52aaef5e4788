"""Forecasts and errors of all series of a panel that is too large for memory, one partition after another.

The methods are fitted on some of the partitions, and read nothing of a series but its past. So each partition is
forecast on its own, see `run_jobs`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.evaluation.interval_metrics import score_bounds
from rnn_pipelines.forecast.evaluation.metrics import (
    METRICS,
    NUMBER,
    RATIOS,
    MetricsBySeriesTable,
    choose_scale_season,
    measure_by_series,
    sum_ratios,
)
from rnn_pipelines.forecast.intervals.bounding import add_intervals
from rnn_pipelines.forecast.intervals.fitting import Intervals
from rnn_pipelines.forecast.intervals.panel_errors import PanelSizes, measure_expected_errors
from rnn_pipelines.forecast.intervals.past_errors import NetworkSizes, measure_series_errors
from rnn_pipelines.forecast.methods.ensemble import WEIGHT, unpack_ensemble
from rnn_pipelines.forecast.methods.forecasts import forecast_parts
from rnn_pipelines.forecast.methods.in_use import wrap_in_ensemble
from rnn_pipelines.forecast.methods.linear.models import LinearModel, LinearModels
from rnn_pipelines.forecast.methods.method import FittedMethod, Model, PanelModel
from rnn_pipelines.forecast.methods.predictions import Predictions, tabulate_forecasts
from rnn_pipelines.forecast.methods.predictors import Normalizer
from rnn_pipelines.forecast.methods.pretrained import find_network
from rnn_pipelines.forecast.methods.registry import get_method
from rnn_pipelines.forecast.model.artefact import FORECAST, Forecaster, forecast_panel
from rnn_pipelines.forecast.model.newest import lay_out_newest
from rnn_pipelines.forecast.model.packing import list_arrays, pack, unpack, unpack_values
from rnn_pipelines.forecast.model.settings import describe_forecaster
from rnn_pipelines.forecast.newer_values import Ends
from rnn_pipelines.forecast.partitions.dividing import Sample
from rnn_pipelines.forecast.partitions.jobs import (
    NEXT_VALUES,
    AllSeries,
    Tables,
    run_jobs,
    write_next_values,
)
from rnn_pipelines.forecast.partitions.totals import NO_PANEL_TOTALS, PanelTotals
from rnn_pipelines.forecast.preparation.preparing import prepare_series
from rnn_pipelines.forecast.recipe import Panel, Recipe, make_features
from rnn_pipelines.forecast.series.tables import Cutoffs, Series, Source
from rnn_pipelines.forecast.source.covariates import CovariateSpec, read_series
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.times.calendar import resolve_calendar
from rnn_pipelines.forecast.totals.adding import TotalsTable
from rnn_pipelines.forecast.totals.specs import TotalsSpec
from rnn_pipelines.forecast.windows.coding import Coding, fit_coding
from rnn_pipelines.forecast.windows.scaling import fit_scaler
from rnn_pipelines.forecast.windows.windowing import make_windows
from rnn_pipelines.networks.fan_out import ParallelSpec
from rnn_pipelines.storage.arrays import pack_arrays

BY_SERIES = "metrics_by_series.parquet"
FITTED_SETTINGS, FITTED_ARRAYS = "fitted.json", "fitted.npz"
# Before the names of the arrays of the intervals.
OF_INTERVALS = "intervals."
# Series with the smallest and with the largest error in the summary.
NUM_ENDS = 20
QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


@dataclass(frozen=True)
class FittedPanel:
    """The part of a fit that forecasts other series, see `PanelForecaster`.

    Attributes:
        recipe: with the shape of windows, calendar, frequency and season of the fit.
        baseline: the baseline ensemble of the evaluated models.
        methods: by name, without the errors of their fit.
        intervals: of the methods; their expected errors are those of the fitted series.
        forecaster: the method in `use` as a champion has it, which forecasts the next values.
        totals: of the next values.
    """

    recipe: Recipe
    coding: Coding
    normalizer: Normalizer
    baseline: LinearModel
    methods: Mapping[str, FittedMethod]
    intervals: Intervals
    forecaster: Forecaster
    use: str
    totals: PanelTotals = NO_PANEL_TOTALS

    def pack(self) -> dict[str, bytes]:
        """Return the files of all that the forecasts depend on besides the data: content by name."""
        settings = {
            "use": self.use,
            "recipe": self.recipe.model_dump_json(include=set(Recipe.model_fields)),
            "coding": self.coding.model_dump_json(),
            "methods": list(self.methods),
            "totals": self.totals.spec.model_dump_json(),
            "num_paths": self.totals.num_paths,
        }
        arrays = {
            **list_arrays(self.normalizer),
            **{f"{OF_INTERVALS}{name}": part for name, part in self.intervals.to_arrays().items()},
            "baseline": self.baseline.matrix,
        }
        files = {FITTED_SETTINGS: json.dumps(settings).encode(), FITTED_ARRAYS: pack_arrays(arrays)}
        for name, method in self.methods.items():
            files[f"evaluated_{name}.npz"] = pack_arrays(method.model.pack())
            if method.refitted is not None:
                files[f"refitted_{name}.npz"] = pack_arrays(method.refitted.pack())
        return {**files, **pack(self.forecaster)}

    @classmethod
    def unpack(cls, files: Mapping[str, bytes]) -> Self:
        """Return the fit in the files of `pack`."""
        settings = json.loads(files[FITTED_SETTINGS])
        arrays = unpack_values(files[FITTED_ARRAYS])
        intervals = {
            name.removeprefix(OF_INTERVALS): part
            for name, part in arrays.items()
            if name.startswith(OF_INTERVALS)
        }
        normalizer = {part.name: arrays[part.name] for part in fields(Normalizer)}
        totals = TotalsSpec.model_validate_json(settings["totals"])
        return cls(
            recipe=Recipe.model_validate_json(settings["recipe"]),
            coding=Coding.model_validate_json(settings["coding"]),
            normalizer=Normalizer(**normalizer),
            baseline=LinearModel(arrays["baseline"]),
            methods={name: _unpack_method(name, files) for name in settings["methods"]},
            intervals=Intervals.from_arrays(intervals),
            forecaster=unpack(files),
            use=settings["use"],
            totals=PanelTotals(totals, settings["num_paths"]),
        )

    def write(self, partition: Sample, folder: Path) -> dict[str, Any]:
        """Forecast and evaluate the series of a partition, and write both tables into a folder; return the facts."""
        source = partition.source.model_copy(update={"freq": self.recipe.source.freq})
        table, covariate_table = read_series(source, partition.covariates)
        panel = prepare_partition(self, table, source, partition.covariates, covariate_table)
        # As a champion forecasts them, so that a series outside the sample has the same scale and expected error.
        used = table[table["unique_id"].isin(panel.scaler["unique_id"])]
        newest = lay_out_newest(self.forecaster, used, source, covariate_table)
        forecasts = forecast_panel(*newest)
        write_next_values(forecasts, self.forecaster, folder)
        ends = Ends(panel.series, self.forecaster.settings.horizon, *newest)
        self.totals.write(ends, forecasts, covariate_table, folder)
        test = tabulate_test(self, panel)
        by_series = measure_all(test, panel.series, panel.cutoffs, panel.windows.season_length)
        by_series.to_parquet(folder / BY_SERIES, index=False)
        facts = {name: panel.profile[name] for name in ("num_series", "left_out", "repairs")}
        return {**facts, "ratios": sum_ratios(test)}

    def join(self, folders: Sequence[Path], facts: Sequence[Mapping[str, Any]]) -> AllSeries:
        """Return the results of all series, from the folders and facts of all partitions."""
        by_series = Tables(tuple(folder / BY_SERIES for folder in folders))
        return AllSeries(
            Tables(tuple(folder / NEXT_VALUES for folder in folders)),
            by_series,
            summarize_series(by_series, facts, self.use),
            self.totals.join(folders, self.forecaster),
        )


def describe_fit(
    recipe: Recipe,
    fitted_on: Panel,
    linear: LinearModels,
    methods: Mapping[str, FittedMethod],
    intervals: Intervals,
    use: str,
) -> FittedPanel:
    """Return the part of a fit that forecasts other series."""
    profile = fitted_on.profile
    windows = fitted_on.windows
    recipe = recipe.model_copy(
        update={
            "source": recipe.source.model_copy(update={"freq": profile["freq"]}),
            "window": recipe.window.fill(profile),
            "calendar": resolve_calendar(fitted_on.series, profile["freq"], recipe.calendar),
            "evaluation": recipe.evaluation.model_copy(
                update={"season_length": windows.season_length}
            ),
        }
    )
    # Without the errors and times of their fit, which no forecast reads.
    light = {name: _drop_training_data(name, method) for name, method in methods.items()}
    settings = describe_forecaster(
        fitted_on.series,
        profile,
        fitted_on.cutoffs,
        windows,
        recipe.calendar,
        recipe.gaps,
        recipe.breaks,
    ).model_copy(update={"use": use})
    forecaster = Forecaster(
        PanelModel(linear.normalizer, wrap_in_ensemble(light, use).in_use),
        fitted_on.scaler,
        settings,
        intervals.pick(use, FORECAST) if len(intervals.levels) else None,
        fitted_on.coding,
    )
    return FittedPanel(
        recipe=recipe,
        coding=fitted_on.coding,
        normalizer=linear.normalizer,
        baseline=LinearModel(linear.combine()),
        methods=light,
        intervals=intervals,
        forecaster=forecaster,
        use=use,
    )


def _drop_training_data(name: str, method: FittedMethod) -> FittedMethod:
    """Return a method with the arrays of its models alone."""
    refitted = None if method.refitted is None else _unpack_model(name, method.refitted.pack())
    model = _unpack_model(name, method.model.pack())
    return FittedMethod(model, method.out_of_fold[:0], refitted=refitted)


def _unpack_method(name: str, files: Mapping[str, bytes]) -> FittedMethod:
    evaluated, refitted = f"evaluated_{name}.npz", f"refitted_{name}.npz"
    model = _unpack_model(name, unpack_values(files[evaluated]))
    again = _unpack_model(name, unpack_values(files[refitted])) if refitted in files else None
    return FittedMethod(model, np.zeros((0, 0)), refitted=again)


def _unpack_model(name: str, values: dict[str, Any]) -> Model:
    is_ensemble = any(part.endswith(WEIGHT) for part in values)
    return unpack_ensemble(values) if is_ensemble else get_method(name).unpack(values)


def forecast_all_partitions(
    fitted: FittedPanel, panel: Sample, parallel: ParallelSpec
) -> AllSeries:
    """Forecast all series of a divided panel, and measure the errors on their test parts; raises as `run_jobs`."""
    if panel.partitions.folder is None:
        return AllSeries(Tables(), Tables(), {}, TotalsTable.make_empty())
    evaluation = fitted.recipe.evaluation
    share = evaluation.model_copy(
        update={"max_windows": max(1, evaluation.max_windows // len(panel.partitions))}
    )
    fitted = replace(fitted, recipe=fitted.recipe.model_copy(update={"evaluation": share}))
    return fitted.join(*run_jobs(fitted, panel, parallel))


def prepare_partition(
    fitted: FittedPanel,
    table: Source,
    source: SourceSpec,
    covariates: CovariateSpec,
    covariate_table: pd.DataFrame,
) -> Panel:
    """Lay out the windows of a partition as in the fit, with scales of each series, and codes of the fit."""
    recipe = fitted.recipe
    blocks = recipe.gaps, recipe.breaks, recipe.split, recipe.window, recipe.evaluation
    _, series, profile, cutoffs = prepare_series(table, source, *blocks)
    scaler = fit_scaler(series, cutoffs)
    coding = fitted.coding.copy_scales(fit_coding(series, cutoffs, covariates, covariate_table))
    horizon = recipe.window.fill(profile).horizon
    features = make_features(series, profile, recipe.calendar, horizon, coding, covariate_table)
    windows = make_windows(features, cutoffs, scaler, recipe.window, recipe.evaluation, profile)
    return Panel(series, profile, cutoffs, scaler, coding, features, windows)


def tabulate_test(fitted: FittedPanel, panel: Panel) -> Predictions:
    """Return the forecasts of the test part with intervals, by all methods."""
    windows = panel.windows
    scaler = panel.scaler
    sizes = fitted.intervals.sizes
    of_fit = sizes.usual
    network = find_network({name: method.model for name, method in fitted.methods.items()})
    if isinstance(sizes, PanelSizes):
        median = float(np.median(of_fit))
        usual = measure_expected_errors(windows, fitted.normalizer, fitted.baseline, median)
    else:
        reads_network = isinstance(sizes, NetworkSizes)
        usual = measure_series_errors(windows, network if reads_network else None)
    # The expected errors of fitted series are those of the fit.
    places = pd.Index(fitted.forecaster.scaler["unique_id"]).get_indexer(scaler["unique_id"])
    intervals = fitted.intervals.replace_usual(np.where(places >= 0, of_fit[places], usual))
    forecasts = forecast_parts(windows, fitted.normalizer, fitted.methods)
    table = tabulate_forecasts(windows, panel.features, scaler, forecasts, "test", fitted.use)
    return add_intervals(table, intervals, windows, scaler, "test", network)


class AllMetricsTable(MetricsBySeriesTable):
    """The metrics of each forecaster on each series, and the share of its actuals inside each interval."""

    families: ClassVar = {"coverage_": NUMBER}


AllMetrics = Annotated[pd.DataFrame, AllMetricsTable]


def measure_all(
    test: Predictions, series: Series, cutoffs: Cutoffs, season_length: int
) -> AllMetrics:
    """Return the metrics of each forecaster on each series, float32, and the coverage of the one in use."""
    metrics = measure_by_series(
        test, series, cutoffs, choose_scale_season(series, cutoffs, season_length)
    )
    for level in test.levels:
        if (scores := score_bounds(test, test.use, level)) is not None:
            coverage = metrics["unique_id"].map(scores.groupby("unique_id")["coverage"].mean())
            metrics[f"coverage_{level}"] = coverage.where(metrics["forecaster"] == test.use)
    return metrics.astype(dict.fromkeys(metrics.columns[2:], "float32"))


def summarize_series(
    tables: Iterable[pd.DataFrame], facts: Sequence[Mapping[str, Any]], use: str
) -> dict[str, Any]:
    """Return the mean metrics of each forecaster, the distribution of the error of the method in use, and its ends.

    The tables, see `AllMetricsTable`, and the facts are those of each partition, read one after another.

    Returns:
        `num_series`; `num_evaluated`, those with a test part; `left_out`, their names; `forecasters`, by name their
        `METRICS` (means over series), `RATIOS`, and for the one in `use` `coverage_80` and the like; `mase`, quantiles
        of its errors over the series; `best` and `worst`, names and MASE of some series.
    """
    sums = pd.DataFrame()
    counts = pd.DataFrame()
    ensemble = [pd.Series(dtype="float64")]
    for table in tables:
        if table.empty:
            continue
        numbers = (
            table.drop(columns="unique_id")
            .replace([np.inf, -np.inf], np.nan)
            .astype({"forecaster": str})
        )
        grouped = numbers.groupby("forecaster", sort=False)
        sums = sums.add(grouped.sum(), fill_value=0)
        counts = counts.add(grouped.count(), fill_value=0)
        ensemble.append(
            table[table["forecaster"] == use].set_index("unique_id")["mase"].astype("float64")
        )
    means = sums / counts.where(counts > 0)
    mase = pd.concat([one for one in ensemble if len(one)] or ensemble)
    ranked = mase.dropna().sort_values()
    ratios = _add_ratios(facts)
    forecasters = {}
    kept = [name for name in means if name in METRICS or str(name).startswith("coverage_")]
    for name, row in (means.sort_values("mase") if len(means) else means).iterrows():
        metrics: dict[str, float | None] = {
            str(key): float(row[key]) for key in kept if pd.notna(row[key])
        }
        forecasters[str(name)] = metrics | ratios.get(str(name), {})
    return {
        "num_series": sum(fact["num_series"] for fact in facts),
        "num_evaluated": len(mase),
        "left_out": [name for fact in facts for name in fact["left_out"]],
        "use": use,
        "forecasters": forecasters,
        "mase": {
            f"{quantile:g}": float(ranked.quantile(quantile))
            for quantile in QUANTILES
            if len(ranked)
        },
        "best": {str(name): float(error) for name, error in ranked.head(NUM_ENDS).items()},
        "worst": {str(name): float(error) for name, error in ranked.tail(NUM_ENDS)[::-1].items()},
    }


def _add_ratios(facts: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float | None]]:
    """Return the ratios of means over all partitions, by forecaster."""
    added: dict[str, dict[str, float | None]] = {}
    for measure in RATIOS:
        pairs: dict[str, np.ndarray] = {}
        for fact in facts:
            for name, pair in fact["ratios"].get(measure, {}).items():
                pairs[name] = pairs.get(name, np.zeros(2)) + pair
        for name, (error, size) in pairs.items():
            added.setdefault(name, {})[measure] = float(error / size) if size else None
    return added
