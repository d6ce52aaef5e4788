"""Forecasts of any length: beyond its horizon, a forecaster reads its own forecasts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.errors import ParameterError, SeriesError, show, show_all
from rnn_pipelines.forecast.intervals.bounding import bound_forecasts, describe_ends
from rnn_pipelines.forecast.intervals.network_widths import find_network_of
from rnn_pipelines.forecast.methods.predictions import name_bounds, name_own_bounds
from rnn_pipelines.forecast.model.artefact import (
    FORECAST,
    Forecaster,
    forecast_panel,
    lay_out_cutoffs,
    raise_no_forecast,
)
from rnn_pipelines.forecast.model.newest import (
    check_ahead,
    find_ends,
    include_new_series,
    report_new_series,
)
from rnn_pipelines.forecast.series.columns import CONSTANT, ROLES, count_steps_ahead
from rnn_pipelines.forecast.series.tables import Features, Series
from rnn_pipelines.forecast.source.covariates import check_covariate_columns, list_all_steps
from rnn_pipelines.forecast.source.unread import report_unread
from rnn_pipelines.forecast.windows.panel import WindowedPanel
from rnn_pipelines.forecast.windows.scaling import unscale
from rnn_pipelines.networks.time_limit import check_time
from rnn_pipelines.reading.times import format_time

# Beyond the trained horizon, forecasts are computed horizon by horizon: a typing error in `h` must not run forever.
MAX_HORIZONS = 1_000


def check_steps(h: Any, horizon: int) -> int:
    """Return a number of steps ahead as given by a user, or raise a ParameterError."""
    most = MAX_HORIZONS * horizon
    if not isinstance(h, int | np.integer) or isinstance(h, bool) or not 1 <= h <= most:
        bounds = f"from 1 to {most:,}, {MAX_HORIZONS:,} times the trained horizon"
        raise ParameterError(f"h: expected a whole number of steps {bounds}, received {show(h)}.")
    return int(h)


def lay_out_recursive(
    forecaster: Forecaster,
    series: Series,
    num_steps: int,
    covariate_table: pd.DataFrame | None = None,
) -> tuple[Forecaster, WindowedPanel, Features]:
    """Return the forecaster with new series, windows at each series' end, and rows for all steps.

    Raises:
        SeriesError: no series can be forecast; see `check_recursive`.
    """
    check_recursive(forecaster, series, num_steps, covariate_table)
    num_future = count_ahead(forecaster, num_steps)
    report_new_series(forecaster, series)
    forecaster = include_new_series(forecaster, series, covariate_table)
    panel, features = lay_out_cutoffs(
        forecaster, series, find_ends(series), covariate_table, num_future
    )
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
    """Forecast any number of steps: the columns of `forecast_cutoffs`, and `is_recursive` beyond the trained horizon.

    There, forecasts are read as if they were actual values. Their bounds are those of the last step, which grow as the
    errors within the horizon do.

    Raises:
        SeriesError: a forecast exceeds the range of float32.
    """
    table = forecast_panel(forecaster, panel, features)
    if num_steps > panel.horizon:
        table = pd.concat(
            [table, _forecast_beyond_horizon(forecaster, panel, features, num_steps)],
            ignore_index=True,
        )
    table = table[table["horizon_step"] <= num_steps]
    table = table.assign(is_recursive=table["horizon_step"] > panel.horizon)
    return table.sort_values(["unique_id", "horizon_step"], kind="stable", ignore_index=True)


def forecast_steps(
    forecaster: Forecaster, panel: WindowedPanel, features: Features, num_steps: int
) -> np.ndarray:
    """Return forecasts of whole horizons: float32[window, step], scaled; a SeriesError if one is not finite."""
    horizon = panel.horizon
    origins = panel.list_origins("future")
    steps = np.arange(panel.horizon)
    # Each horizon is written into the rows that the next one reads.
    extended = replace(panel, values=panel.values.copy())
    forecasts = [forecaster.model.forecast(extended, origins)]
    for done in range(horizon, num_steps, horizon):
        check_time()
        _check_float32_range(forecasts[-1], features, origins + done - horizon)
        extended.values[origins[:, None] + done - horizon + steps, 0] = forecasts[-1]
        forecasts.append(forecaster.model.forecast(extended, origins + done))
    return np.concatenate(forecasts, axis=1)


def _forecast_beyond_horizon(
    forecaster: Forecaster, panel: WindowedPanel, features: Features, num_steps: int
) -> pd.DataFrame:
    """Return forecasts of the steps beyond the horizon: the columns of `forecast_cutoffs`."""
    horizon = panel.horizon
    origins = panel.list_origins("future")
    scaled = forecast_steps(forecaster, panel, features, num_steps)[:, horizon:]
    steps_ahead = np.arange(horizon, horizon + scaled.shape[1])
    target = features.table.iloc[(origins[:, None] + steps_ahead).ravel()].reset_index(drop=True)
    scale = forecaster.scaler.set_index("unique_id").loc[target["unique_id"]]
    forecasts = unscale(scaled.ravel(), scale["mean"].to_numpy(), scale["deviation"].to_numpy())
    numbers = {"horizon_step": np.tile(steps_ahead + 1, len(origins)), FORECAST: forecasts}
    table = target[["unique_id", "ds"]].assign(**numbers)
    table.insert(
        1, "cutoff", np.repeat(features.table["ds"].to_numpy()[origins - 1], len(steps_ahead))
    )
    if forecaster.intervals is not None:
        network = find_network_of(forecaster.model)
        windows = describe_ends(forecaster.intervals, panel, features, forecaster.scaler, network)
        points = forecasts.reshape(scaled.shape)
        sides = bound_forecasts(forecaster.intervals, FORECAST, windows, points, horizon + 1)
        for number, level in enumerate(forecaster.intervals.levels.tolist()):
            for column, bounds in zip(name_own_bounds(level), sides, strict=True):
                table[column] = bounds[number].ravel()
    return table


def _check_float32_range(scaled: np.ndarray, features: Features, origins: np.ndarray) -> None:
    """Check that forecasts are finite, because recursive forecasts can grow without bound."""
    if len(wrong := np.argwhere(~np.isfinite(scaled))):
        window, step = wrong[0]
        row = features.table.iloc[origins[window] + step]
        place = f"series {show(row['unique_id'])} at {format_time(row['ds'])}"
        reason = "the forecast is not finite, because recursive forecasts grow from step to step"
        raise SeriesError(f"{place}: {reason}. Give a smaller h, or train with a longer horizon.")


def check_recursive(
    forecaster: Forecaster,
    series: Series,
    num_steps: int,
    covariate_table: pd.DataFrame | None = None,
) -> None:
    """Check the covariates once for all forecasters of a training, and warn of rows between steps.

    Raises:
        SeriesError: a covariate is missing, or lacks values ahead; past covariates would be needed beyond the horizon.
    """
    horizon = forecaster.settings.horizon
    roles = set(ROLES) - set(CONSTANT)
    past = forecaster.coding.list_columns(
        [role for role in roles if count_steps_ahead(role, num_steps) < num_steps]
    )
    if num_steps > horizon and past:
        reason = f"because the past covariates {show_all(past)} are missing beyond it"
        remedy = "Give a smaller h, or train with a longer horizon."
        message = f"h: expected at most the trained horizon, {horizon}, {reason}. Received {num_steps}. {remedy}"
        raise SeriesError(message)
    check_covariate_columns(covariate_table, forecaster.coding.list_columns())
    num_read = count_ahead(forecaster, num_steps)
    try:
        check_ahead(forecaster, series, covariate_table, num_read)
    except SeriesError as error:
        if num_read == num_steps:
            raise
        why = f"A forecast reads whole horizons of {horizon} steps: {num_read} steps for h={num_steps}."
        raise SeriesError(f"{error} {why}") from error


def report_ahead(
    forecaster: Forecaster, series: Series, given: pd.DataFrame, num_steps: int
) -> None:
    """Warn of rows of covariates, `unique_id, ds`, that a forecast of the repaired series does not read."""
    settings = forecaster.settings
    report_unread(
        given,
        list_all_steps(series, count_ahead(forecaster, num_steps), settings.freq),
        settings.tz,
    )


def lay_side_by_side(
    forecasts: Mapping[str, pd.DataFrame],
    levels: Sequence[int],
    key: Sequence[str] = ("unique_id", "ds", "is_recursive"),
) -> pd.DataFrame:
    """Return the key, a column for each forecaster, and two for each of its levels."""
    columns: dict[str, pd.Series] = {name: table[FORECAST] for name, table in forecasts.items()}
    for name, table in forecasts.items():
        for level in levels:
            low, high = name_bounds(name, level)
            own_low, own_high = name_own_bounds(level)
            columns[low] = table[own_low]
            columns[high] = table[own_high]
    return next(iter(forecasts.values()))[list(key)].assign(**columns)
