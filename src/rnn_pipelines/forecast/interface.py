"""The Python interface: the functions of the pipelines, on a DataFrame.

A saved forecaster is a `Forecaster` of `model.artefact`, here an artefact. Modules that load Plotly, which takes a
second, or Jinja are imported inside methods; an exported forecaster does without both.
"""

import copy
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from rnn_pipelines.champion.folders import load_model, save_folder
from rnn_pipelines.errors import MissingColumnsError, ParameterError, show
from rnn_pipelines.forecast import fitting, newer_values
from rnn_pipelines.forecast.experiments.cross_validation import CrossValidationSpec, cross_validate
from rnn_pipelines.forecast.export.files import export_forecaster
from rnn_pipelines.forecast.fitting import Evaluated, Fitted
from rnn_pipelines.forecast.intervals.levels import LevelSpec, QuantileSpec
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE
from rnn_pipelines.forecast.methods.networks.network import Network
from rnn_pipelines.forecast.methods.predictions import ANOMALY_LEVEL, Predictions
from rnn_pipelines.forecast.methods.training.fine_tuning import (
    check_replacement,
    list_network_windows,
)
from rnn_pipelines.forecast.model.artefact import Forecaster as Artefact
from rnn_pipelines.forecast.model.change import Change, explain_change, show_change
from rnn_pipelines.forecast.model.explanation import explain_ends
from rnn_pipelines.forecast.model.nights import Night
from rnn_pipelines.forecast.model.packing import pack, unpack
from rnn_pipelines.forecast.model.paths import draw_next_paths
from rnn_pipelines.forecast.model.recursion import (
    check_recursive,
    check_steps,
    lay_out_recursive,
    lay_side_by_side,
)
from rnn_pipelines.forecast.newer_values import Ends
from rnn_pipelines.forecast.parameters import (
    ForecastSpec,
    Levels,
    Quantiles,
    copy_columns,
    naming_arguments,
    read_arguments,
    read_file_source,
)
from rnn_pipelines.forecast.scenarios import Situation, check_scenarios, compare_scenarios
from rnn_pipelines.forecast.series.tables import Series, Source
from rnn_pipelines.forecast.source.column_choice import choose_columns, choose_file_columns
from rnn_pipelines.forecast.source.covariates import read_series
from rnn_pipelines.forecast.source.frames import ID, convert_frame, find_id_type, restore_ids
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.source.table_form import FORECAST, TableForm
from rnn_pipelines.forecast.totals.adding import TotalsTable
from rnn_pipelines.forecast.totals.groups import list_newest
from rnn_pipelines.forecast.totals.levels import measure_levels
from rnn_pipelines.forecast.totals.next_totals import add_ends
from rnn_pipelines.forecast.totals.reconciling import (
    ReconcileSpec,
    make_hierarchy,
    reconcile_ends,
    use_method,
)
from rnn_pipelines.forecast.totals.specs import TotalsSpec
from rnn_pipelines.networks.fan_out import ParallelSpec
from rnn_pipelines.networks.stages import show_stages
from rnn_pipelines.parameter_models import Parametrized, list_values, read_parameter_model
from rnn_pipelines.reading.zones import show_table
from rnn_pipelines.report.page_file import write_page
from rnn_pipelines.storage.files import check_path, require_new, write_new

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from rnn_pipelines.forecast import blocks

logger = logging.getLogger(__name__)


class Forecaster(Parametrized):
    """LSTM, GRU, simple methods and their ensemble on your series, each with intervals.

    The parameters are those of `kedro run --pipelines=forecast`, and give the same numbers. The newest part of the
    series (`split={"test": 0.2}`, or a number of steps) is held out for `leaderboard` and `holdout`. The models of
    `predict` are then fitted on all rows. The arguments from `source` to `gru` are the blocks of
    `parameters_forecast.yml`, such as `training={"seed": 1}`; None for the defaults.

    Args:
        h: steps ahead.
        level: of the intervals, in percent, such as 80 or [80, 95]; None for no intervals.
        lookback: steps of the past that a forecast reads.
        freq: pandas offset alias, or a whole number of steps; None to infer it.
        use: the method that forecasts and is saved, exported and explained: `ensemble`, a name of `leaderboard` such as
            `theta`, or `best` for the least error on validation windows.
        networks: `all`, or `pretrained` to fit neither networks nor boosted trees, which takes seconds.
        source: columns and form of the table.
        gaps: treatment of missing steps: `interpolate`, `zero`, `error` or `split`.
        breaks: treatment of values before a break of level, unit or sign: `auto`, `rescale`, `newest` or `keep`.
        split: validation and test part.
        window: lookback, horizon and stride of the windows.
        calendar: harmonics of the cycles of the calendar.
        covariates: columns of covariates, and public holidays.
        training: engine, loss, steps and learning rate of the networks.
        evaluation: origins of the forecasts of the test part.
        lstm: of the network of this name.
        gru: of the network of this name.
        pretrained: cell and folder of the pretrained network, or False to leave it out.
        futr_exog: columns of future covariates, as in Nixtla's libraries.
        hist_exog: columns of past covariates.
        stat_exog: columns of static covariates.
        others: blocks of further networks of the registry.
    Raises:
        ParameterError: a parameter does not exist, or its value is invalid.
    """

    def __init__(  # noqa: PLR0913 - each block has a name that an editor completes
        self,
        h: int | None = None,
        level: Levels = (80, 95),
        lookback: int | None = None,
        freq: int | str | None = None,
        use: str = ENSEMBLE,
        networks: str = "all",
        *,
        source: "blocks.SourceBlock | None" = None,
        gaps: str | None = None,
        breaks: str | None = None,
        split: "blocks.SplitBlock | None" = None,
        window: "blocks.WindowBlock | None" = None,
        calendar: "blocks.CalendarBlock | None" = None,
        covariates: "blocks.CovariatesBlock | None" = None,
        training: "blocks.TrainingBlock | None" = None,
        evaluation: "blocks.EvaluationBlock | None" = None,
        lstm: "blocks.LstmBlock | None" = None,
        gru: "blocks.GruBlock | None" = None,
        pretrained: "blocks.PretrainedBlock | bool | None" = None,
        futr_exog: Sequence[str] | None = None,
        hist_exog: Sequence[str] | None = None,
        stat_exog: Sequence[str] | None = None,
        **others: Any,
    ) -> None:
        blocks = {
            "source": source,
            "gaps": gaps,
            "breaks": breaks,
            "networks": networks,
            "split": split,
            "use": use,
            "window": window,
            "calendar": calendar,
            "covariates": covariates,
            "training": training,
            "evaluation": evaluation,
            "lstm": lstm,
            "gru": gru,
            "pretrained": pretrained,
            "futr_exog": futr_exog,
            "hist_exog": hist_exog,
            "stat_exog": stat_exog,
            **others,
        }
        super().__init__({"h": h, "level": level, "lookback": lookback, "freq": freq, **blocks})
        # As given; `spec` has the columns of the table of `fit` too.
        self._given = read_arguments(h, level, lookback, freq, blocks)
        self.spec = self._given
        # Of the intervals, in percent.
        self.levels = self.spec.level.root
        self._artefacts: dict[str, Artefact] = {}
        # The name of the method in use; `best` is known after the fit.
        self._used = ENSEMBLE
        self._fitted: Fitted | None = None
        # The errors of `_fitted`, after the first call that needs them.
        self._evaluated: Evaluated | None = None
        # The names of the networks of `replace_network`.
        self._replaced: frozenset[str] = frozenset()
        self._covariates: pd.DataFrame | None = None
        # The columns of the frame of `fit` that can name groups of series, by series.
        self._groups = pd.DataFrame({ID: []})
        # The dtype of the ids of `fit`, if they are integers.
        self._id_type: Any = None

    def __repr__(self) -> str:
        """Return the parameters, the series and the verdict."""
        return self._describe(is_html=False)

    def _repr_html_(self) -> str:
        """Return the same with the leaderboard, for notebooks."""
        return self._describe(is_html=True)

    @naming_arguments
    def fit(self, frame: Any, verbose: bool | None = None) -> Self:
        """Fit all methods.

        Args:
            frame: `ds, y`, `unique_id` if there are several series, and the covariates; it is not changed. Rows after
                the last `y` hold values of future covariates. A DataFrame of pandas, Polars or Arrow; in pandas, times
                may be the index, and a Series with such an index is a single series. Or the path of a file, see
                `SourceSpec`. Columns of other names are found if they are unambiguous, see `choose_columns`.
            verbose: whether the stages are shown on the standard error; None if that is a terminal.
        Raises:
            SeriesError: the series cannot be used; the message holds the reason and a remedy.
        """
        table, covariates, source, id_type = self._read_training(frame)
        is_file = isinstance(frame, str | Path)
        groups = self._groups[:0] if is_file else list_newest(convert_frame(frame, source), source)
        with show_stages(fitting.list_stages(self.spec.pretrained.is_alone), verbose):
            fitted = fitting.fit_forecasters(table, covariates, self._with(source))
        # A column `unique_id` needs no parameter.
        id_given = self._given.source.id if source.id == ID else source.id
        self.spec = self._with(source.model_copy(update={"id": id_given}))
        self._fitted = fitted
        self._artefacts = fitting.list_artefacts(fitted)
        self._covariates = covariates
        self._groups = groups
        self._evaluated = None
        self._replaced = frozenset()
        self._used = fitted.weights["used"]
        self._id_type = id_type
        if warning := fitting.warn_of_many_zeros(fitted):
            logger.warning(warning)
        return self

    @naming_arguments
    def predict(  # noqa: PLR0913, PLR0917 - each is a question about the next values
        self,
        frame: Any = None,
        h: int | None = None,
        level: Levels = None,
        paths: int | None = None,
        seed: int = 0,
        methods: str | Sequence[str] | None = None,
        quantiles: Quantiles | None = None,
        totals: str | Sequence[str] | None = None,
        reconcile: str | None = None,
    ) -> pd.DataFrame:
        """Forecast the steps after each series' end by the method in use, by default the ensemble.

        Args:
            frame: newer values of the same series, with their covariates; after a fit on a panel, also of series that
                it did not have; or, after `fit`, only the covariates over the horizon, without values of `y`. None for
                the data of `fit`.
            h: steps ahead, at most 1,000 times the trained horizon. Steps beyond it are forecast recursively and marked
                by `is_recursive`. Their bounds grow as the errors within the horizon do.
            level: of the intervals, in percent; None for those of the constructor. Levels that the fit did not have lie
                between its own as those of a normal distribution do.
            paths: number of sample paths of the method in use, at most 10,000, for questions about several steps, such
                as their sum; None for forecasts.
            seed: of the paths, a whole number from 0.
            methods: `all`, or names of `leaderboard`; None for the method in use, the only one after `load`.
            quantiles: between 0 and 1 in steps of .005, in place of `level`: .1 is the lower bound of level 80, and .5
                the forecast.
            totals: sums of the method in use over series and steps in place of single values, with intervals of the
                sums: `all`, `series`, columns of the table whose values are groups of series, periods (`day`, `week`,
                `month`, `quarter`, `year`, `horizon`), or products such as `region × month`. After a fit on a file,
                its columns are those of the frame.
            reconcile: with `totals`, the method of hierarchicalforecast that reconciles the forecasts of the series
                with forecasts made on the past of their totals: `ols`, `wls_struct`, `wls_var`, `mint_shrink` or
                `mint_cov`; None or `bottom_up` for sums of the series' forecasts.
        Returns:
            With `totals`, see `TotalsTable`. With `paths`, `unique_id, ds, path, y`, a row for each step of each path.
            Otherwise `unique_id, ds`;
            `is_recursive` if `h` exceeds the trained horizon; a column for each method, in the unit of `y`; and its
            bounds, such as `ensemble-lo-80`, or its quantiles, such as `ensemble-q-10`.
        Raises:
            SeriesError: the series cannot be used, are too short or not those of the training; covariates are missing.
            ParameterError: there is no such method, a level or quantile is beyond the largest level of the fit, two of
                `level`, `paths` and `quantiles` are given, `totals` beside another than `level`, or `h`, `paths` or
                `seed` is outside its range.
        """
        answers = {"level": level, "paths": paths, "quantiles": quantiles, "methods": methods}
        given = [name for name, value in answers.items() if value is not None]
        if quantiles is not None and {"level", "paths"} & {*given}:
            raise ParameterError(f"quantiles: give them without {given[0]}.")
        if totals is not None and (others := [name for name in given if name != "level"]):
            raise ParameterError(f"totals: give them without {others[0]}.")
        if reconcile is not None and totals is None:
            raise ParameterError(
                "reconcile: give it with totals, such as totals=['all', 'series']."
            )
        names = self._choose_methods(methods)
        levels = self._choose_levels(level)
        by_quantile = {} if quantiles is None else self._choose_quantiles(quantiles)
        frame, id_type = self._read_frame(frame)
        ends = self._find_ends(frame, h)
        if totals is not None:
            spec = read_parameter_model("totals", TotalsSpec, totals)
            method = read_parameter_model("reconcile", ReconcileSpec, reconcile or "bottom_up")
            return self._total(ends, frame, spec, method, levels, seed)
        if paths is not None:
            table = draw_next_paths(
                ends.forecaster, ends.panel, ends.features, ends.num_steps, paths, seed
            ).table
        else:
            if by_quantile:
                table = newer_values.forecast_end_quantiles(
                    ends, self._artefacts, names, by_quantile
                )
            else:
                forecasts = newer_values.forecast_ends(ends, self._artefacts, names, levels)
                table = lay_side_by_side(forecasts, levels)
            if ends.num_steps <= ends.panel.horizon:
                table = table.drop(columns="is_recursive")
        return self._show(table, id_type)

    @naming_arguments
    def scenarios(
        self,
        futures: Mapping[str, Any],
        frame: Any = None,
        h: int | None = None,
        level: Levels = None,
    ) -> pd.DataFrame:
        """Forecast several tables of future covariates by the method in use, and subtract the first forecast.

        Differences are associations that the model has learnt, not effects of a cause.

        Args:
            futures: by the name of the scenario, all future covariates over the horizon, as in `predict`.
            frame: see `predict`; its rows ahead are not read.
            h: see `predict`.
            level: see `predict`.
        Returns:
            See `compare_scenarios`.
        Raises:
            ParameterError: the forecaster reads no future covariates, or a name is invalid; see `predict`.
            SeriesError: a table lacks a covariate or steps; see `predict`.
        """
        futures = check_scenarios(futures)
        levels = self._choose_levels(level)
        horizon = self._require_fit().settings.horizon
        num_steps = horizon if h is None else check_steps(h, horizon)
        frame, id_type = self._read_frame(frame)
        artefact, series, covariates = self._find_series(frame, num_steps)
        evaluated = self._make_artefact().as_evaluated().copy_scales(artefact)
        situation = Situation(artefact, evaluated, series, covariates, num_steps)

        def convert(future: Any) -> pd.DataFrame:
            return self.read(future, has_target=False)

        table = compare_scenarios(situation, self.spec, futures, levels, convert)
        if num_steps <= horizon:
            table = table.drop(columns="is_recursive")
        return self._show(table, id_type)

    @naming_arguments
    def plot(
        self,
        frame: Any = None,
        h: int | None = None,
        level: Levels = None,
        methods: str | Sequence[str] | None = None,
        ids: Sequence[Any] | None = None,
    ) -> "Figure":
        """Return a Plotly figure of the next values with their intervals, and of the newest history.

        Args:
            frame: see `predict`.
            h: see `predict`.
            level: see `predict`.
            methods: see `predict`.
            ids: of the series in the menu of the figure; None for all, or twelve of more.
        Raises:
            ParameterError: there is no such series; see `predict`.
            SeriesError: see `predict`.
        """
        from rnn_pipelines.forecast.report.figures import plot_next_values

        series, next_values = self._forecast_next(frame, h, level, methods)
        return plot_next_values(series, newer_values.choose_ids(next_values, ids))

    @naming_arguments
    def to_excel(
        self, path: str | Path, frame: Any = None, h: int | None = None, level: Levels = None
    ) -> None:
        """Write an Excel file with the history, the forecasts and their intervals, and charts.

        Args:
            path: of a new file that ends in .xlsx.
            frame: see `predict`.
            h: see `predict`.
            level: see `predict`.
        Raises:
            ParameterError: the path is invalid; see `predict`.
            SeriesError: see `predict`.
            RunError: the file exists, or there are too many forecasts for a sheet.
        """
        from rnn_pipelines.forecast.report.workbook import write_workbook

        path = check_path(path)
        require_new(path, "Name a new file.")
        series, next_values = self._forecast_next(frame, h, level, None)
        write_new(path, write_workbook(series, next_values, self.table_form))

    @naming_arguments
    def evaluate(self, frame: Any, methods: str | Sequence[str] | None = None) -> pd.DataFrame:
        """Measure the forecasts of newer rows, from each step after the training; nothing is fitted again.

        Args:
            frame: see `fit`. Its rows continue those of `fit`, whose own rows count no further. After `load`, it holds
                a lookback too, and the model before its refit is measured on all rows after its training.
            methods: see `predict`.
        Returns:
            `unique_id, horizon_step, forecaster, num_forecasts, mse, rmse, mae`, and the share of values within each
            interval, such as `coverage_80`; a row for each series, step ahead and method.
        Raises:
            SeriesError: no row is newer; see `predict`.
            ParameterError: there is no such method.
        """
        best = self._require_fit()
        names = self._choose_methods(methods)
        frame, id_type = self._read_frame(frame)
        if frame is None:
            raise ParameterError("frame: expected a table with newer rows, received None.")
        newer = newer_values.read_newer(frame, self.spec, best)
        if self._fitted is not None:
            newer = newer_values.continue_rows(newer, self._fitted.table, self._covariates)
            artefacts = self._artefacts
            until = newer_values.find_last(self._fitted.table)
        else:
            artefacts = {self._used: best.as_evaluated()}
            until = pd.Series(best.settings.trained_until)
        artefacts = {name: artefacts[name] for name in names}
        errors = newer_values.measure_newer(artefacts, newer, until, self._choose_levels(None))
        return restore_ids(errors, id_type)

    @property
    def networks(self) -> dict[str, Network]:
        """The trained networks by name; `networks["lstm"].to_keras()` is a Keras model.

        None with too few windows for their training, see the log of `fit`.
        """
        trained = self._require_training().networks
        return {
            name: training.network
            for name, training in trained.items()
            if training.record["num_steps"]
        }

    def network_windows(self, name: str) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Return inputs and targets for further training of `networks[name].to_keras()`, without the test part.

        The targets are the errors of the linear forecast that the network corrects, normalised; see
        `list_network_windows`.

        Raises:
            ParameterError: there is no such network, or too little memory is free.
            SeriesTooShortError: the series have no windows for training.
        """
        return list_network_windows(self._require_training().data, self._find_network(name))

    def replace_network(self, name: str, network: Network) -> Self:
        """Return a forecaster that uses a changed network; this one does not change.

        `predict`, `explain`, `save` and `export` use the changed network. The linear forecast that it corrects stays,
        and `from_keras` keeps the shrinkage. All evaluation is that of the network before: weights of the ensemble,
        intervals, `leaderboard`, `holdout`, and the verdict, weights and intervals in `summary` and `report`. To
        measure the change, compare `predict` of both on earlier rows.

        Args:
            name: of the network.
            network: such as `networks[name].from_keras(model)`, after further training of its Keras model.
        Raises:
            ParameterError: there is no such network, or the other one differs in more than its weights, or has weights
                that are not finite.
        """
        fitted = self._require_training()
        replacement = check_replacement(name, network, self._find_network(name))
        changed = copy.copy(self)
        changed._fitted = fitting.use_network(fitted, name, replacement)
        changed._artefacts = fitting.list_artefacts(changed._fitted)
        changed._evaluated = None
        changed._replaced = self._replaced | {name}
        return changed

    def holdout(self) -> pd.DataFrame:
        """Return forecasts of the test part beside the actual values.

        Returns:
            `unique_id, cutoff, ds, horizon_step, y`, and the columns of `predict`, from each step of the part.
        """
        table = fitting.tabulate_part(self._require_training(), "test").table
        return self._show(table, self._id_type)

    @naming_arguments
    def leaderboard(
        self, totals: str | Sequence[str] | None = None, reconcile: str | None = None
    ) -> pd.DataFrame:
        """Return the metrics of all forecasters on the test part, the best one first; see `rank_forecasters`.

        Args:
            totals: kinds of totals as in `predict`, for the errors of the method in use by level in place of methods,
                see `MetricsByTotalTable`: of sums of its forecasts, and of forecasts made on the past of the totals.
            reconcile: as in `predict`, to compare both reconciled, too.
        """
        if totals is None:
            return fitting.rank_forecasters(self._evaluate().metrics)
        fitted = self._require_training()
        panel = fitted.panel
        spec = read_parameter_model("totals", TotalsSpec, totals)
        method = read_parameter_model("reconcile", ReconcileSpec, reconcile or "bottom_up")
        hierarchy = make_hierarchy(panel.series, panel.profile, self._groups, spec)
        evaluated = use_method(
            panel,
            fitted.data.linear,
            fitted.methods,
            self._used,
            hierarchy.values.columns,
            fitted.intervals,
            is_evaluated=True,
        )
        return measure_levels(evaluated, hierarchy, spec, panel.cutoffs, method)

    def summary(self) -> str:
        """Return the answer, the next values and the methods on the test part, as a run prints them."""
        from rnn_pipelines.forecast.report.summary import summarize_forecast

        evaluated = self._evaluate()
        profile = self._require_training().panel.profile
        summary = summarize_forecast(evaluated.metrics, evaluated.future, profile, program="python")
        if self._replaced:
            names = " and ".join(sorted(self._replaced))
            summary += f"\n\nReplaced after the evaluation: {names}. Comparison, errors and intervals are those before."
        return summary

    def report(self, path: str | Path) -> None:
        """Write the report of a run as one HTML file, which needs no network.

        Args:
            path: of a new file, or of an earlier report, which is replaced.
        Raises:
            ParameterError: the path is invalid.
            RunError: there is another file.
        """
        from rnn_pipelines.forecast.report.report import render_fitted

        write_page(
            check_path(path), render_fitted(self._require_training(), self._evaluate(), "python")
        )

    @naming_arguments
    def explorer(self, path: str | Path, frame: Any = None, series: Any = None) -> None:
        """Write a page in which the trained networks run: their gates and states, and what changes the forecast.

        It is one HTML file, which needs no network. The forecasts are those of each network alone, not of the ensemble;
        the pretrained network is one of them.

        Args:
            path: see `report`.
            frame: see `predict`.
            series: name of the series whose windows are shown; None for the first one.
        Raises:
            ParameterError: there is no trained network or no such series, or the path is invalid.
            SeriesError: see `predict`.
            RunError: see `report`.
        """
        from rnn_pipelines.forecast.report.explorer import explore_series, render_networks

        horizon = self._require_fit().settings.horizon
        frame, _ = self._read_frame(frame)
        scaled, table, covariates = self._find_series(frame, horizon)
        artefacts = {
            name: artefact.copy_scales(scaled) for name, artefact in self._artefacts.items()
        }
        content = explore_series(artefacts, table, covariates, series)
        write_page(check_path(path), render_networks(content))

    def series_methods(self) -> pd.DataFrame:
        """Return what forecasts each series, and the reason.

        Returns:
            `unique_id, num_values, first, last, zero_share, is_evaluated, forecast_by, reason`; see
            `SeriesMethodsTable`. Series that were left out are rows, too.
        """
        return restore_ids(fitting.tabulate_series_methods(self._require_training()), self._id_type)

    @naming_arguments
    def cross_validation(
        self,
        frame: Any,
        n_windows: int = 5,
        step_size: int | None = None,
        refit: bool = False,
        workers: int | None = 1,
        verbose: bool | None = None,
    ) -> pd.DataFrame:
        """Forecast the newest windows of each series by models fitted without them. The fitted state does not change.

        Args:
            frame: see `fit`.
            n_windows: windows of each series; the newest one ends with the series.
            step_size: steps from one window to the next; None for the horizon.
            refit: whether to fit again for each window, instead of once before the first.
            workers: number of processes; None for one per core.
            verbose: see `fit`.
        Returns:
            `unique_id, ds, cutoff, y`, and the columns of `predict`.
        Raises:
            SeriesError: the series cannot be used, or are too short for the windows.
            ParameterError: a number is below 1.
        """
        windows = {"n_windows": n_windows, "step_size": step_size, "refit": refit}
        validation = read_parameter_model("cross_validation", CrossValidationSpec, windows)
        parallel = read_parameter_model("parallel", ParallelSpec, {"workers": workers})
        table, covariates, source, id_type = self._read_training(frame)
        num_fits = validation.n_windows if refit else 1
        stages = fitting.list_stages(self.spec.pretrained.is_alone) * num_fits
        with show_stages(stages, verbose):
            forecasts = cross_validate(
                table, covariates, self._with(source), validation, parallel
            ).table
        names = forecasts.columns[forecasts.columns.get_loc("y") + 1 :]
        forecasts = forecasts[["unique_id", "ds", "cutoff", "y", *names]]
        shown = show_table(forecasts, table.attrs.get("tz"))
        return restore_ids(shown, id_type)

    @naming_arguments
    def explain(self, frame: Any = None, forecaster: str | None = None) -> pd.DataFrame:
        """Return the contributions of past values, covariates and calendar to each step of `predict(frame)`.

        Args:
            frame: see `predict`.
            forecaster: its name; None for the one in use, the only one after `load`.
        Returns:
            `unique_id, cutoff, ds, horizon_step, input, lag, contribution`, in the unit of `y`; see `explain_windows`.
            The contributions of a step sum to its forecast.
        Raises:
            ParameterError: there is no such forecaster.
            SeriesError: see `predict`.
        """
        self._require_fit()
        forecaster = self._used if forecaster is None else forecaster
        if not isinstance(forecaster, str) or forecaster not in self._artefacts:
            raise ParameterError(
                f"forecaster: expected one of {sorted(self._artefacts)}, received {show(forecaster)}."
            )
        artefact = self._artefacts[forecaster]
        frame, id_type = self._read_frame(frame)
        horizon = artefact.settings.horizon
        scaled, series, covariates = self._find_series(frame, horizon)
        artefact = artefact.copy_scales(scaled)
        return self._show(explain_ends(artefact, series, covariates), id_type)

    @naming_arguments
    def explain_change(
        self, before: Any = None, after: Any = None, earlier: "Forecaster | None" = None
    ) -> Change:
        """Explain why the forecasts changed from those of one frame to those of another, as a sum of parts.

        Args:
            before: the frame of the earlier forecast, see `predict`.
            after: the frame of the newer one.
            earlier: the forecaster that made the earlier forecast; None for this one.
        Returns:
            `table` has the parts for each series and date that both forecast, see `Change`; `print` shows a sentence.
        Raises:
            SeriesError: the forecasts have no date in common; see `predict`.
            ParameterError: `earlier` is no forecaster.
        """
        from rnn_pipelines.forecast.report.change import write_change

        if not isinstance(earlier, Forecaster | None):
            raise ParameterError(
                f"earlier: expected a Forecaster, or None for this one, received {show(earlier)}."
            )
        # Nights of the same version have the same forecaster.
        night_before, _ = (earlier or self)._make_night(before, "earlier" if earlier else "later")
        night_after, id_type = self._make_night(after, "later")
        change = explain_change(night_before, night_after)
        change = show_change(change, self._find_zone(), id_type)
        return replace(change, sentence=write_change(change))

    def save(self, path: str | Path) -> None:
        """Save the method in use as a folder of arrays and JSON. Other fitted methods are not saved.

        An existing model is replaced atomically. Several threads and processes may save and load at once.

        Raises:
            ParameterError: nothing was fitted yet, or the path is invalid.
            ChampionError: the folder cannot be written, or holds other files, which stay unchanged.
            LockedError: another save into the folder did not end in time.
        """
        save_folder(path, pack(self._make_artefact()))

    def export(self, path: str | Path) -> None:
        """Write the method in use with the modules of the project that predict, and a program.

        It needs NumPy, pandas, pydantic and threadpoolctl alone. `load` of its `forecaster.py` returns this class, for
        `predict` and `explain` with the same numbers.

        Args:
            path: of a new folder, or of a new zip file if it ends in .zip.
        Raises:
            ParameterError: nothing was fitted yet, a method of the ensemble cannot be exported, or the path is invalid.
            RunError: the path exists, or cannot be written.
        """
        export_forecaster(self._make_artefact(), check_path(path))

    @classmethod
    def load(cls, path: str | Path, source: Mapping[str, Any] | None = None) -> Self:
        """Load a saved forecaster or a champion: the method in use, for `predict`.

        Parameters that are not saved, such as those of the training, have their defaults.

        Args:
            path: the folder of a saved forecaster, of a champion's version, or of a task's champion.
            source: how to read tables, as in the constructor; by default with the columns of the training.
        Raises:
            ParameterError: the path or `source` is invalid.
            ChampionError: the folder has no model, or one that is damaged.
            FormatError: another version of the project wrote the model.
        """
        return load_model(path, lambda files: cls.unpack(files, source))

    @classmethod
    def unpack(cls, files: Mapping[str, bytes], source: Mapping[str, Any] | None = None) -> Self:
        """Return the forecaster in the files of a saved model or champion: content by name; see `load`."""
        if not isinstance(files, Mapping):
            raise ParameterError(
                f"files: expected a dictionary of contents by name, received {show(files)}."
            )
        artefact = unpack(files)
        intervals = artefact.intervals
        settings = artefact.settings
        levels = [] if intervals is None else intervals.levels.tolist()
        levels = [level for level in levels if level != ANOMALY_LEVEL]
        # Times with a zone need no parameter.
        tz = None if settings.zone.is_carried else settings.zone.name
        columns = {} if settings.table is None else settings.table.source
        blocks: dict[str, Any] = {
            "source": {"tz": tz, **columns, **(source or {})},
            "calendar": settings.calendar.model_dump(),
            "covariates": artefact.coding.make_spec().model_dump(),
        }
        loaded = cls(
            h=settings.horizon,
            level=levels,
            lookback=settings.lookback,
            freq=settings.freq,
            gaps=settings.gaps.root,
            breaks=settings.breaks.root,
            **blocks,
        )
        loaded._artefacts = {settings.use: artefact}
        loaded._used = settings.use
        return loaded

    def _find_network(self, name: str) -> Network:
        networks = self.networks
        if not networks:
            trained = self._require_training().networks.values()
            needed = max(training.record["values_needed"] for training in trained)
            reason = "no network was trained, because there are too few values"
            raise ParameterError(f"name: {reason}. Fit about {needed} in a series.")
        if not isinstance(name, str) or name not in networks:
            raise ParameterError(
                f"name: expected one of {sorted(networks)}, received {show(name)}."
            )
        return networks[name]

    def _describe(self, is_html: bool) -> str:
        from rnn_pipelines.forecast.description import describe_state, render_html, render_text
        from rnn_pipelines.forecast.report.answer import list_answer

        lines = describe_state(
            self.spec, self._artefacts.get(self._used), self._fitted, sorted(self._replaced)
        )
        answer = []
        metrics = None
        if self._fitted is not None:
            evaluated = self._evaluate()
            metrics = evaluated.metrics
            answer = list_answer(metrics, evaluated.future, self._fitted.panel.profile)
        if is_html:
            return render_html(lines, answer, metrics)
        return render_text(lines, answer)

    def _make_artefact(self) -> Artefact:
        """Return the forecaster in use: as loaded, or as a retraining makes it."""
        return self._require_fit() if self._fitted is None else fitting.make_champion(self._fitted)

    def _require_fit(self) -> Artefact:
        if not self._artefacts:
            raise ParameterError("this forecaster is not fitted. Call fit, or Forecaster.load.")
        return self._artefacts[self._used]

    @property
    def used(self) -> str:
        """The name of the method in use."""
        return self._used

    @property
    def table_form(self) -> TableForm:
        """The form of the table of the training, or that of `source`."""
        form = self._require_fit().settings.table or TableForm()
        source = self.spec.source
        names = {"time": source.time, "id": source.id or form.id}
        if not form.wide:
            names["target"] = source.target
        return form.model_copy(update=names)

    @property
    def _names(self) -> list[str]:
        """The names of the series of the training."""
        return self._require_fit().scaler["unique_id"].tolist()

    def _require_training(self) -> Fitted:
        self._require_fit()
        if self._fitted is None:
            raise ParameterError(
                "a loaded forecaster holds no training data. Call fit, or cross_validation."
            )
        return self._fitted

    def _evaluate(self) -> Evaluated:
        fitted = self._require_training()
        if self._evaluated is None:
            self._evaluated = fitting.evaluate_fitted(fitted)
        return self._evaluated

    def _choose_levels(self, level: Levels) -> list[int]:
        given = read_parameter_model("level", LevelSpec, level).root if level is not None else None
        levels = list(self.levels if given is None else given)
        self._check_levels("level", levels)
        return levels

    def _choose_quantiles(self, quantiles: Quantiles) -> dict[float, int]:
        """Return the level of the interval that each quantile bounds, 0 for the median."""
        levels = read_parameter_model("quantiles", QuantileSpec, quantiles).list_levels()
        self._check_levels("quantiles", levels.values())
        return levels

    def _check_levels(self, name: str, levels: Iterable[int]) -> None:
        """Check that the fit has intervals at least as wide as those of a parameter."""
        intervals = self._require_fit().intervals
        largest = max(levels, default=0)
        largest_of_fit = 0 if intervals is None else int(intervals.levels.max(initial=0))
        if largest > largest_of_fit:
            raise ParameterError(
                f"{name}: expected intervals up to the largest of the fit, {largest_of_fit or 'none'}, received "
                f"{largest}. Fit with level={largest}."
            )

    def _choose_methods(self, methods: Any) -> list[str]:
        self._require_fit()
        if methods is None:
            return [self._used]
        fitted = list(self._artefacts)
        names = fitted if isinstance(methods, str) and methods == "all" else list_values(methods)
        unknown = [name for name in names if not isinstance(name, str) or name not in fitted]
        if unknown or not names:
            received = show(unknown[0]) if unknown else "none"
            raise ParameterError(
                f"methods: expected 'all' or names of {sorted(fitted)}, received {received}."
            )
        return list(dict.fromkeys(names))

    def _forecast_next(
        self, frame: Any, h: int | None, level: Levels, methods: Any
    ) -> tuple[Series, Predictions]:
        """Return the series, and the next values by some methods, with times in the zone of the data."""
        names = self._choose_methods(methods)
        levels = self._choose_levels(level)
        frame, _ = self._read_frame(frame)
        ends = self._find_ends(frame, h)
        forecasts = newer_values.forecast_ends(ends, self._artefacts, names, levels)
        zone = self._find_zone()
        next_values = newer_values.tabulate_ends(forecasts, levels, self._used, zone)
        return show_table(ends.series, zone), next_values

    def _find_ends(self, frame: pd.DataFrame | None, h: int | None) -> Ends:
        """Return the ends of the series, from which all methods forecast."""
        horizon = self._require_fit().settings.horizon
        num_steps = horizon if h is None else check_steps(h, horizon)
        artefact, series, covariates = self._find_series(frame, num_steps)
        artefact, panel, features = lay_out_recursive(artefact, series, num_steps, covariates)
        return Ends(series, num_steps, artefact, panel, features)

    def _find_series(
        self, frame: pd.DataFrame | None, num_steps: int
    ) -> tuple[Artefact, Series, pd.DataFrame | None]:
        """Return the forecaster in use, series that are repaired as in the training, and covariates.

        Warn of unread rows.
        """
        recipe = self.spec
        artefact = self._artefacts[self._used]
        fitted = self._fitted
        continues_fit = frame is None or (
            fitted is not None and newer_values.holds_future_alone(frame, recipe, artefact)
        )
        if frame is not None and not continues_fit:
            newer = newer_values.read_newer(frame, recipe, artefact)
            return newer_values.repair_newer(newer, recipe, artefact, num_steps)
        if fitted is None:
            raise ParameterError("a loaded forecaster holds no series. Call predict with a frame.")
        series = fitted.panel.series
        covariates = self._covariates
        if frame is not None and covariates is not None:
            covariates = newer_values.add_future(
                frame, recipe, artefact, series, covariates, num_steps
            )
        return artefact, series, covariates

    def _total(
        self,
        ends: Ends,
        frame: pd.DataFrame | None,
        spec: TotalsSpec,
        method: ReconcileSpec,
        levels: Sequence[int],
        seed: int,
    ) -> pd.DataFrame:
        """Return the totals of the steps after each series' end by the method in use; see `add_ends`."""
        given = self._groups if frame is None else list_newest(frame, self.spec.source)
        # A frame of future covariates may lack the columns of groups.
        groups = given if {*spec.columns} <= {*given} else self._groups
        ends = reconcile_ends(ends, groups, spec, method)
        forecasts = newer_values.forecast_ends(
            ends, {self._used: ends.forecaster}, [self._used], []
        )
        totals = add_ends(ends, forecasts[self._used], groups, spec, levels, seed=seed)
        bounds = {name: f"{self._used}-{name}" for name in totals if TotalsTable.is_in_family(name)}
        return totals.rename(columns={FORECAST: self._used, **bounds})

    def _make_night(self, frame: Any, version: str) -> tuple[Night, Any]:
        """Return a night with this forecaster and the values of a frame of `predict`, and the dtype of its ids."""
        horizon = self._require_fit().settings.horizon
        frame, id_type = self._read_frame(frame)
        artefact, series, covariates = self._find_series(frame, horizon)
        check_recursive(artefact, series, horizon, covariates)
        return Night(artefact, series, covariates, version), id_type

    def _find_zone(self) -> str | None:
        """Return the zone in which times are shown: that of `source`, or else that of the training; None for none."""
        trained = self._require_fit().settings.tz
        return trained and (self.spec.source.tz or trained)

    def _read_training(self, frame: Any) -> tuple[Source, pd.DataFrame | None, SourceSpec, Any]:
        """Return the series and covariates of a table or file, its columns, and the dtype of its ids."""
        given = self._given.source
        others = self._given.covariates.columns
        if isinstance(frame, str | Path):
            of_file = read_file_source(given, frame)
            of_file = choose_file_columns(of_file, given.model_fields_set, others)
            table, covariates = read_series(of_file, self._given.covariates)
            return table, covariates, copy_columns(of_file, given), None
        frame = convert_frame(frame, given)
        recipe = self._given
        is_named = given.time in frame or "time" in given.model_fields_set
        # Labels that are no texts name nothing.
        has_names = len(frame.columns) > 1 and all(isinstance(name, str) for name in frame)
        if not is_named and not frame.empty and has_names:
            found = choose_columns(frame, given, given.model_fields_set, others)
            recipe = recipe.model_copy(update={"source": found})
        table, covariates, source = newer_values.read_series_frame(frame, recipe)
        return table, covariates, source, find_id_type(frame, source)

    def read(self, frame: Any, has_target: bool = True) -> pd.DataFrame:
        """Return a table or file with the columns of the training, or standard ones, as a DataFrame.

        Args:
            frame: see `predict`.
            has_target: whether a file has values of the series, and not covariates alone.
        """
        if isinstance(frame, str | Path):
            frame = self._read_file(frame, has_target)
        return self.table_form.name_columns(convert_frame(frame, self.spec.source))

    def _read_file(self, path: str | Path, has_target: bool) -> pd.DataFrame:
        source = read_file_source(self.spec.source, path)
        recorded = self._require_fit().settings.table
        try:
            return newer_values.read_newer_file(source, self._names, has_target)
        except MissingColumnsError as error:
            # Standard names stand for those of the training, but not for others that were given.
            if recorded is None or not recorded.fits(source):
                raise
            standard = source.model_copy(update=TableForm().source)
            try:
                return newer_values.read_newer_file(standard, self._names, has_target)
            except MissingColumnsError:
                raise error from None

    def _read_frame(self, frame: Any) -> tuple[pd.DataFrame | None, Any]:
        """Return a frame of `predict` as a DataFrame, and the dtype of its ids or else of those of `fit`."""
        if frame is None:
            return None, self._id_type
        frame = self.read(frame)
        id_type = find_id_type(frame, self.spec.source)
        return frame, self._id_type if id_type is None else id_type

    def _show(self, table: pd.DataFrame, id_type: Any) -> pd.DataFrame:
        """Return a table with times in the zone of the data, and ids of the type of the user's frame."""
        return restore_ids(show_table(table, self._find_zone()), id_type)

    def _with(self, source: SourceSpec) -> ForecastSpec:
        """Return the parameters with the columns of a frame."""
        return self._given.model_copy(update={"source": source})
