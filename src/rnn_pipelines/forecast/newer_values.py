"""The reading of frames in Python, forecasts for newer values, and their errors once the actual values are known."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.errors import MissingColumnsError, ParameterError, SeriesError, show
from rnn_pipelines.forecast.evaluation.metrics import MEANS, METRICS, average_errors
from rnn_pipelines.forecast.intervals.quantiles import interpolate_levels
from rnn_pipelines.forecast.methods.ensemble import EnsembleModel
from rnn_pipelines.forecast.methods.method import PanelModel
from rnn_pipelines.forecast.methods.predictions import (
    ANOMALY_LEVEL,
    Predictions,
    name_bounds,
    name_own_bounds,
)
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.model.artefact import (
    FORECAST,
    Forecaster,
    forecast_panel,
    lay_out_cutoffs,
)
from rnn_pipelines.forecast.model.newest import repair_as_trained, select_series
from rnn_pipelines.forecast.model.recursion import (
    forecast_recursively,
    lay_side_by_side,
    report_ahead,
)
from rnn_pipelines.forecast.model.settings import (
    ForecasterSettings,
    find_trained_axis,
    refuse_other_beginnings,
)
from rnn_pipelines.forecast.recipe import Recipe
from rnn_pipelines.forecast.series.columns import AHEAD
from rnn_pipelines.forecast.series.tables import Features, Series, Source
from rnn_pipelines.forecast.source.covariates import join_rows, read_future, read_series
from rnn_pipelines.forecast.source.frames import ID, has_no_values
from rnn_pipelines.forecast.source.reading import add_unavailable, read_file
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.source.time_parts import TIME_SIGN, join_times, lay_out_years
from rnn_pipelines.forecast.windows.panel import WindowedPanel
from rnn_pipelines.parameter_models import list_values
from rnn_pipelines.reading.table_files import is_broken
from rnn_pipelines.reading.times import format_time
from rnn_pipelines.reading.zones import show_table

logger = logging.getLogger(__name__)

MEDIAN = 0.5
# The method that every forecast is compared with.
NAIVE = "seasonal_naive"

STEPS = ("unique_id", "cutoff", "ds", "horizon_step")


@dataclass(frozen=True)
class Newer:
    """A frame of newer values as read."""

    table: Source
    covariates: pd.DataFrame | None
    source: SourceSpec  # the columns, and the frequency of the training


@dataclass(frozen=True)
class Ends:
    """The ends of the series, from which all methods forecast. They share scale, calendar and covariates."""

    series: Series
    num_steps: int
    forecaster: Forecaster  # any one of the training, with the scales of new series
    # `panel` and `features`: see `lay_out_recursive`.
    panel: WindowedPanel
    features: Features


def read_series_frame(
    frame: pd.DataFrame, recipe: Recipe, learnt: ForecasterSettings | None = None
) -> tuple[Source, pd.DataFrame, SourceSpec]:
    """Read a frame, and warn of columns that are not read; return the series, the covariates, and the columns.

    Newer values are read on the time axis of a training, of which `learnt` are the settings. Raise a SeriesError with
    the reason and a remedy if the frame is empty, or cannot be used.
    """
    if frame.empty:
        raise SeriesError(
            f"the frame: expected a row for each time, received {frame.shape[0]} rows of {frame.shape[1]} columns. "
            "Check how it was made."
        )
    source = name_columns(frame, recipe.source)
    covariates = recipe.covariates
    axis = None
    if learnt is not None:
        # Numbers that can be dates are steps if the training had steps.
        freq = learnt.freq if isinstance(learnt.freq, int) else source.freq
        source = source.model_copy(update={"freq": freq})
        axis = find_trained_axis(learnt)
    columns_read = {
        source.id,
        source.time,
        *source.time.split(TIME_SIGN),
        source.target,
        *add_unavailable(source, covariates.columns),
    }
    unread = [str(name) for name in frame if name not in columns_read]
    if unread and not source.is_wide and source.target in frame:
        logger.warning("the frame: columns that are not read: %s", ", ".join(unread))
    table, covariate_table = read_series(source, covariates, frame, axis)
    if learnt is not None:
        refuse_other_beginnings(table, learnt, source.label)
    return table, covariate_table, source


def name_columns(frame: pd.DataFrame, source: SourceSpec) -> SourceSpec:
    """Return the columns of a frame, in which a column `unique_id` needs no parameter."""
    is_named = source.id is None and ID in frame and not source.is_wide
    return source.model_copy(update={"id": ID}) if is_named else source


def read_newer_file(
    source: SourceSpec, names: Collection[str], has_target: bool = True
) -> pd.DataFrame:
    """Return the table of a file of newer values, or of future covariates alone.

    `names` are those of the model's series. The column of the target helps to find the header, if the table has it.
    """
    keys = [source.time, *([source.id] if source.id else [])]
    try:
        frame = read_file(source, None if has_target else keys)
    except MissingColumnsError as error:
        if error.missing != [source.target]:
            raise
        frame = read_file(source, keys)
        # A wide table has a column for each series of the model, and a table of years one for each month.
        is_wide = bool({*names} & {*map(str, frame)} or lay_out_years(frame, source.time))
        if source.id or not is_wide:
            raise
    parts = source.time.split(TIME_SIGN)
    if source.time not in frame and {*parts} <= {*map(str, frame)}:
        frame = join_times(frame, parts)
    return frame


def holds_future_alone(frame: pd.DataFrame, recipe: Recipe, forecaster: Forecaster) -> bool:
    """Return whether a frame has future covariates, and no values of the series."""
    source = recipe.source
    columns = forecaster.scaler[ID] if source.is_wide else [source.target]
    return bool(recipe.covariates.list_columns(AHEAD)) and has_no_values(frame, columns)


def read_newer(frame: pd.DataFrame, recipe: Recipe, forecaster: Forecaster) -> Newer:
    """Read newer values on the time axis of the training; see `read_series_frame`."""
    source = recipe.source
    names = forecaster.scaler[ID]
    if not frame.empty and not {ID, source.id} & {*frame}:
        # A frame without names stands for the only series of the training, whatever its name.
        if source.target in frame and len(names) == 1 and names.iloc[0] != source.target:
            frame = frame.assign(**{source.id or ID: names.iloc[0]})
        columns = tuple(str(name) for name in frame if str(name) in set(names))
        # So does a wide table with columns that have the names of the series.
        if source.target not in frame and columns:
            recipe = recipe.model_copy(
                update={"source": source.model_copy(update={"series": columns, "id": None})}
            )
    table, covariates, source = read_series_frame(frame, recipe, forecaster.settings)
    return Newer(table, covariates, source.model_copy(update={"freq": forecaster.settings.freq}))


def repair_newer(
    newer: Newer, recipe: Recipe, forecaster: Forecaster, num_steps: int
) -> tuple[Forecaster, Series, pd.DataFrame | None]:
    """Return the forecaster in the unit of newer values, these, repaired as in the training, and the covariates.

    Warn of unread rows.
    """
    forecaster, series = repair_as_trained(forecaster, newer.table, newer.source)
    # A table of `covariates.path` may hold values for years ahead, which need no warning.
    if (
        newer.covariates is not None
        and forecaster.coding.list_columns(AHEAD)
        and recipe.covariates.path is None
    ):
        series_of_training = select_series(forecaster, series)
        names = series_of_training["unique_id"]
        given = newer.covariates[newer.covariates["unique_id"].isin(names)]
        report_ahead(forecaster, series_of_training, given, num_steps)
    return forecaster, series, newer.covariates


def add_future(
    frame: pd.DataFrame,
    recipe: Recipe,
    forecaster: Forecaster,
    series: Series,
    covariates: pd.DataFrame,
    num_steps: int,
) -> pd.DataFrame:
    """Return the covariates of a training, replaced and extended by those of a frame; warn of unread rows."""
    future = read_future(
        covariates, name_columns(frame, recipe.source), recipe.covariates.list_columns(AHEAD), frame
    )
    report_ahead(forecaster, series, future, num_steps)
    return join_rows(covariates, future)


def forecast_ends(
    ends: Ends, artefacts: Mapping[str, Forecaster], names: Sequence[str], levels: Sequence[int]
) -> dict[str, pd.DataFrame]:
    """Return the forecasts of some methods by name with bounds of some levels; see `forecast_recursively`."""
    forecasts = {}
    for name in names:
        forecaster = artefacts[name].copy_scales(ends.forecaster)
        forecast = forecast_recursively(forecaster, ends.panel, ends.features, ends.num_steps)
        forecasts[name] = add_levels(forecast, forecaster, levels)
    return forecasts


def add_levels(
    forecast: pd.DataFrame, forecaster: Forecaster, levels: Sequence[int]
) -> pd.DataFrame:
    """Return a forecast with bounds of levels that its intervals do not have, which lie between theirs.

    They lie there as those of a normal distribution do.
    """
    intervals = forecaster.intervals
    fitted = [] if intervals is None else intervals.levels.tolist()
    columns = {}
    for level in set(levels) - set(fitted):
        for side, name in enumerate(name_own_bounds(level)):
            bounds = [forecast[name_own_bounds(known)[side]] for known in fitted]
            of_known = np.stack([forecast[FORECAST], *bounds], axis=1)
            columns[name] = interpolate_levels(of_known, [0, *fitted], [level])[:, 0]
    return forecast.assign(**columns)


def forecast_end_quantiles(
    ends: Ends,
    artefacts: Mapping[str, Forecaster],
    names: Sequence[str],
    quantiles: Mapping[float, int],
) -> pd.DataFrame:
    """Return quantiles of some methods, in columns such as `ensemble-q-10`.

    `quantiles` has the level in percent of the interval that each quantile bounds, 0 for the forecast itself.
    """
    levels = sorted({*quantiles.values()} - {0})
    table = lay_side_by_side(forecast_ends(ends, artefacts, names, levels), levels)
    columns = {}
    for name in names:
        for quantile, level in quantiles.items():
            bound = name_bounds(name, level)[quantile > MEDIAN] if level else name
            columns[f"{name}-q-{100 * quantile:g}"] = table[bound]
    return table[["unique_id", "ds", "is_recursive"]].assign(**columns)


def tabulate_ends(
    forecasts: Mapping[str, pd.DataFrame], levels: Sequence[int], use: str, tz: str | None
) -> Predictions:
    """Return the forecasts of `forecast_ends` for a figure, with times in the zone of the data."""
    table = show_table(lay_side_by_side(forecasts, levels, STEPS), tz)
    return Predictions(
        table, tuple(forecasts), tuple(levels), use if use in forecasts else next(iter(forecasts))
    )


def choose_ids(predictions: Predictions, ids: Sequence[Any] | None) -> Predictions:
    """Return the forecasts of some series; raise a ParameterError if there is no such series, or none is named."""
    if ids is None:
        return predictions
    wanted = list_values(ids)
    names = predictions.table["unique_id"]
    existing = set(names)
    missing = [name for name in wanted if is_broken(name) or str(name) not in existing]
    if missing or not wanted:
        received = show(missing[0]) if missing else "none"
        raise ParameterError(
            f"ids: expected names of the series that are forecast, received {received}."
        )
    return predictions.keep(names.isin([str(name) for name in wanted]))


def continue_rows(newer: Newer, table: Source, covariates: pd.DataFrame | None) -> Newer:
    """Return the rows of a training with those of a frame that are newer than the end of their series."""
    last = find_last(table)
    past = table[table["ds"] <= table["unique_id"].map(last)]
    # Series without a last value are new as a whole.
    is_past = newer.table["ds"] <= newer.table["unique_id"].map(last)
    joined = pd.concat([past, newer.table[~is_past]], ignore_index=True)
    joined.attrs |= table.attrs
    if covariates is not None and newer.covariates is not None:
        covariates = join_rows(covariates, newer.covariates)
    return replace(newer, table=joined, covariates=covariates)


def find_last(table: Source) -> pd.Series:
    """Return the time of the last value of each series, by its name."""
    return table[table["y"].notna()].groupby("unique_id")["ds"].max()


def measure_newer(
    artefacts: Mapping[str, Forecaster], newer: Newer, until: pd.Series, levels: Sequence[int]
) -> pd.DataFrame:
    """Return the errors of forecasts from each step after a training, by series, step ahead and method.

    They are `unique_id, horizon_step, forecaster, num_forecasts, mse, rmse, mae` and `coverage_80` of each level. The
    rows are those of the training, or at least a lookback before its end, and newer ones. `until` is the last time of
    the training by series; others are left out with a warning. Raise a SeriesError if no row is newer, or none can be
    forecast.
    """
    forecasts, series = _forecast_newer(artefacts, newer, until)
    table = _join_actuals(lay_side_by_side(forecasts, levels, STEPS), series)
    return _measure_steps(table, list(artefacts), levels)


def forecast_actuals(forecaster: Forecaster, newer: Newer) -> Predictions:
    """Forecast newer values once each by the model in use: from the end of its fit, and then once in each horizon.

    A model without the end of its fit on record is the one before its refit, from the end of its training. Other
    forecasters are the simple methods of its ensemble, and seasonal naive. Errors are those of `measure_newer`.
    """
    settings = forecaster.settings
    if not settings.fitted_until:
        forecaster = forecaster.as_evaluated()
    until = pd.Series(settings.fitted_until or settings.trained_until)
    model = forecaster.model
    assert isinstance(model, PanelModel)
    assert isinstance(model.model, EnsembleModel)
    simple = {
        name: replace(forecaster, model=PanelModel(model.normalizer, method), intervals=None)
        for name, method in model.model.models.items()
        if name in METHODS and name not in {NAIVE, settings.use}
    }
    artefacts = {settings.use: forecaster, **simple}
    forecasts, series = _forecast_newer(artefacts, newer, until, settings.horizon)
    levels = [] if forecaster.intervals is None else forecaster.intervals.levels.tolist()
    levels = [level for level in levels if level != ANOMALY_LEVEL]
    table = lay_side_by_side({settings.use: forecasts.pop(settings.use)}, levels, STEPS)
    columns = {name: forecast[FORECAST] for name, forecast in forecasts.items()}
    if settings.use != NAIVE:
        columns[NAIVE] = _repeat_season(table, series, settings.season_length)
    table = _join_actuals(table.assign(**columns), series)
    return Predictions(table, (settings.use, *columns), tuple(levels), settings.use)


def _repeat_season(table: pd.DataFrame, series: Series, season: int) -> pd.Series:
    """Return the value of the newest season before each cut-off, at the same step of the season."""
    y = series.set_index(["unique_id", "ds"])["y"]
    values = pd.Series(np.nan, table.index)
    for num_seasons, rows in table.groupby(-(-table["horizon_step"] // season)):
        earlier = y.groupby("unique_id").shift(season * num_seasons)
        values[rows.index] = earlier.reindex(pd.MultiIndex.from_frame(rows[["unique_id", "ds"]]))
    return values


def _join_actuals(table: pd.DataFrame, series: Series) -> pd.DataFrame:
    actuals = series.loc[series["observed"], ["unique_id", "ds", "y"]]
    return table.merge(actuals, on=["unique_id", "ds"])


def _forecast_newer(
    artefacts: Mapping[str, Forecaster], newer: Newer, until: pd.Series, stride: int = 1
) -> tuple[dict[str, pd.DataFrame], Series]:
    """Return the forecasts of each method from the end of the training, and each `stride` steps on; and the series."""
    forecaster = next(iter(artefacts.values()))
    forecaster, series = repair_as_trained(forecaster, newer.table, newer.source)
    last = series["unique_id"].map(until)
    ends = series["unique_id"].map(find_last(series))
    cutoffs = series.loc[
        last.isna() | (series["ds"] >= last) & (series["ds"] < ends), ["unique_id", "ds"]
    ]
    cutoffs = cutoffs[cutoffs.groupby("unique_id").cumcount() % stride == 0]
    if not cutoffs["unique_id"].isin(until.index).any():
        raise SeriesError(
            f"the frame: expected rows after the training, which ends at {format_time(until.max())}, received none up "
            f"to {format_time(series['ds'].max())}."
        )
    # An imputed value depends on later ones.
    cutoffs = cutoffs[series.loc[cutoffs.index, "observed"]]
    panel, features = lay_out_cutoffs(
        forecaster, series, cutoffs.rename(columns={"ds": "cutoff"}), newer.covariates
    )
    if not len(panel.index("future")):
        raise SeriesError(
            "the frame: expected values over a lookback before the newer rows. Give more rows."
        )
    forecasts = {
        name: forecast_panel(artefact.copy_scales(forecaster), panel, features)
        for name, artefact in artefacts.items()
    }
    return forecasts, series


def _measure_steps(
    table: pd.DataFrame, names: Sequence[str], levels: Sequence[int]
) -> pd.DataFrame:
    key = ["unique_id", "horizon_step"]
    columns = {}
    for metric in MEANS:
        errors = average_errors(table, names, METRICS[metric].statistic, by="horizon_step")
        columns[metric] = errors.set_index(key)
    for level in levels:
        is_inside = table[key]
        for name in names:
            low, high = (table[bound] for bound in name_bounds(name, level))
            is_inside = is_inside.assign(**{name: table["y"].between(low, high).where(low.notna())})
        columns[f"coverage_{level}"] = is_inside.groupby(key).mean()
    measured = pd.DataFrame(
        {name: means.rename_axis(columns="forecaster").stack() for name, means in columns.items()}
    )
    num_forecasts = table.groupby(key).size().reindex(measured.index.droplevel(2))
    measured.insert(0, "num_forecasts", num_forecasts.to_numpy())
    measured.insert(2, "rmse", np.sqrt(measured["mse"]))
    return measured.reset_index()
