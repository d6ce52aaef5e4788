"""Forecasts of any length: beyond its horizon, a forecaster reads its own forecasts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.errors import ParameterError, SeriesError, show, show_all
from rnn_pipelines.forecast.intervals.fitting import bound_forecasts, describe_ends
from rnn_pipelines.forecast.methods.predictions import name_bounds, name_own_bounds
from rnn_pipelines.forecast.model.artefact import (
    FORECAST,
    Forecaster,
    forecast_panel,
    lay_out_cutoffs,
    raise_no_forecast,
)
from rnn_pipelines.forecast.model.newest import check_ahead, find_ends, include_new_series, report_new_series
from rnn_pipelines.forecast.series.columns import CONSTANT, ROLES, count_steps_ahead
from rnn_pipelines.forecast.series.tables import Features, Series
from rnn_pipelines.forecast.source.covariates import check_covariate_columns, list_steps
from rnn_pipelines.forecast.source.unread import report_unread
from rnn_pipelines.forecast.windows.panel import WindowedPanel
from rnn_pipelines.forecast.windows.scaling import unscale
from rnn_pipelines.reading.times import format_time

# Beyond the trained horizon, forecasts are computed horizon by horizon: a typing error in `h` must not run forever.
MAX_HORIZONS = 1_000


def check_steps(h: Any, horizon: int) -> int:
    """Return a number of steps ahead as given by a user.

    Raises:
        ParameterError: it is no whole number, or out of bounds.
    """
    most = MAX_HORIZONS * horizon
    if not isinstance(h, int | np.integer) or isinstance(h, bool) or not 1 <= h <= most:
        raise ParameterError(
            f"h: expected a whole number of steps from 1 to {most:,}, {MAX_HORIZONS:,} times the trained horizon, "
            f"received {show(h)}."
        )
    return int(h)


def lay_out_recursive(
    forecaster: Forecaster, series: Series, num_steps: int, covariate_table: pd.DataFrame | None = None
) -> tuple[Forecaster, WindowedPanel, Features]:
    """Return the forecaster with new series, and the windows at each series' end with rows for all steps ahead.

    Args:
        num_steps: after each series' end.
        covariate_table: checked by `check_recursive`; None if there are none.
    Raises:
        SeriesError: none of the series can be forecast.
    """
    num_future = count_ahead(forecaster, num_steps)
    report_new_series(forecaster, series)
    forecaster = include_new_series(forecaster, series, covariate_table)
    panel, features = lay_out_cutoffs(forecaster, series, find_ends(series), covariate_table, num_future)
    if not len(panel.index("future")):
        raise_no_forecast(forecaster, series)
    return forecaster, panel, features


def count_ahead(forecaster: Forecaster, num_steps: int) -> int:
    """Return the number of steps, rounded up to whole horizons."""
    horizon = forecaster.settings.horizon
    return -(-num_steps // horizon) * horizon


def forecast_recursively(
    forecaster: Forecaster, panel: WindowedPanel, features: Features, num_steps: int
) -> pd.DataFrame:
    """Forecast any number of steps after each series' end.

    Beyond the horizon, forecasts are read as if they were actual values. Their bounds are those of the last step, which
    grow as the errors within the horizon do.

    Args:
        num_steps: after each series' end.
    Returns:
        The columns of `forecast_cutoffs`, and `is_recursive` for steps beyond the trained horizon.
    Raises:
        SeriesError: a forecast exceeds the range of float32.
    """
    found = forecast_panel(forecaster, panel, features)
    if num_steps > panel.horizon:
        found = pd.concat([found, _forecast_beyond_horizon(forecaster, panel, features, num_steps)], ignore_index=True)
    found = found[found["horizon_step"] <= num_steps]
    found = found.assign(is_recursive=found["horizon_step"] > panel.horizon)
    return found.sort_values(["unique_id", "horizon_step"], kind="stable", ignore_index=True)


def forecast_steps(forecaster: Forecaster, panel: WindowedPanel, features: Features, num_steps: int) -> np.ndarray:
    """Return the forecasts of all steps, rounded up to whole horizons: float32[window, step], scaled.

    Raises:
        SeriesError: a forecast exceeds the range of float32.
    """
    horizon, origins, steps = panel.horizon, panel.list_origins("future"), np.arange(panel.horizon)
    # Each horizon is written into the rows that the next one reads.
    own = replace(panel, values=panel.values.copy())
    found = [forecaster.model.forecast(own, origins)]
    for done in range(horizon, num_steps, horizon):
        _check_float32_range(found[-1], features, origins + done - horizon)
        own.values[origins[:, None] + done - horizon + steps, 0] = found[-1]
        found.append(forecaster.model.forecast(own, origins + done))
    return np.concatenate(found, axis=1)


def _forecast_beyond_horizon(
    forecaster: Forecaster, panel: WindowedPanel, features: Features, num_steps: int
) -> pd.DataFrame:
    """Return forecasts of the steps beyond the horizon: the columns of `forecast_cutoffs`."""
    horizon, origins = panel.horizon, panel.list_origins("future")
    scaled = forecast_steps(forecaster, panel, features, num_steps)[:, horizon:]
    steps_ahead = np.arange(horizon, horizon + scaled.shape[1])
    target = features.table.iloc[(origins[:, None] + steps_ahead).ravel()].reset_index(drop=True)
    scale = forecaster.scaler.set_index("unique_id").loc[target["unique_id"]]
    table = pd.DataFrame(
        {
            "unique_id": target["unique_id"],
            "cutoff": np.repeat(features.table["ds"].to_numpy()[origins - 1], len(steps_ahead)),
            "ds": target["ds"],
            "horizon_step": np.tile(steps_ahead + 1, len(origins)),
            FORECAST: unscale(scaled.ravel(), scale["mean"].to_numpy(), scale["deviation"].to_numpy()),
        }
    )
    intervals = forecaster.intervals
    if intervals is None:
        return table
    windows = describe_ends(intervals, panel, features, forecaster.scaler)
    found = bound_forecasts(intervals, FORECAST, windows, scaled, horizon + 1)
    for number, level in enumerate(intervals.levels.tolist()):
        for column, bounds in zip(name_own_bounds(level), found, strict=True):
            table[column] = bounds[number].ravel()
    return table


def _check_float32_range(scaled: np.ndarray, features: Features, origins: np.ndarray) -> None:
    """Check that forecasts are finite, because recursive forecasts can grow without bound."""
    wrong = np.argwhere(~np.isfinite(scaled))
    if len(wrong):
        window, step = wrong[0]
        row = features.table.iloc[origins[window] + step]
        raise SeriesError(
            f"series {show(row['unique_id'])} at {format_time(row['ds'])}: the forecast is not finite, because "
            "recursive forecasts grow from step to step. Give a smaller h, or train with a longer horizon."
        )


def check_recursive(
    forecaster: Forecaster, series: Series, num_steps: int, covariate_table: pd.DataFrame | None = None
) -> None:
    """Check the covariates once for all forecasters of a training, and warn of rows between steps.

    Args:
        covariate_table: see `read_series`; None if there are none.
    Raises:
        SeriesError: a covariate is missing, or lacks values ahead; past covariates would be needed beyond the horizon.
    """
    horizon, roles = forecaster.settings.horizon, set(ROLES) - set(CONSTANT)
    past = forecaster.coding.list_columns([role for role in roles if count_steps_ahead(role, num_steps) < num_steps])
    if num_steps > horizon and past:
        raise SeriesError(
            f"h: expected at most the trained horizon, {horizon}, because the past covariates {show_all(past)} are "
            f"missing beyond it. Received {num_steps}. Give a smaller h, or train with a longer horizon."
        )
    check_covariate_columns(covariate_table, forecaster.coding.list_columns())
    num_read = count_ahead(forecaster, num_steps)
    try:
        check_ahead(forecaster, series, covariate_table, num_read)
    except SeriesError as error:
        if num_read == num_steps:
            raise
        why = f"A forecast reads whole horizons of {horizon} steps: {num_read} steps for h={num_steps}."
        raise SeriesError(f"{error} {why}") from error


def report_ahead(forecaster: Forecaster, series: Series, given: pd.DataFrame, num_steps: int) -> None:
    """Warn of rows of covariates that a forecast does not read.

    Args:
        series: of the training, repaired.
        given: `unique_id, ds` of the rows.
        num_steps: after each series' end.
    """
    settings = forecaster.settings
    report_unread(given, list_steps(series, count_ahead(forecaster, num_steps), settings.freq), settings.tz)


def lay_side_by_side(
    forecasts: Mapping[str, pd.DataFrame],
    levels: Sequence[int],
    key: Sequence[str] = ("unique_id", "ds", "is_recursive"),
) -> pd.DataFrame:
    """Return the forecasts of several forecasters side by side.

    Returns:
        The key, a column for each forecaster, and two for each of its levels.
    """
    table = next(iter(forecasts.values()))[list(key)]
    points: dict[str, pd.Series] = {}
    bounds: dict[str, pd.Series] = {}
    for name, found in forecasts.items():
        points[name] = found[FORECAST]
        for level in levels:
            bounds |= dict(zip(name_bounds(name, level), (found[own] for own in name_own_bounds(level)), strict=True))
    return table.assign(**points, **bounds)
