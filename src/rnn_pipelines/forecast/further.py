"""Forecasts of any length: what a forecaster says, and beyond its horizon what it says after its own forecasts."""

from collections.abc import Sequence
from typing import NoReturn

import pandas as pd

from rnn_pipelines.errors import SeriesError, SeriesTooShortError, show, show_all
from rnn_pipelines.forecast.forecaster import FORECAST, Forecaster, check_ahead, forecast_cutoffs
from rnn_pipelines.forecast.predictions import BOUNDS, name_bounds, name_own_bounds
from rnn_pipelines.forecast.series.tables import Series
from rnn_pipelines.forecast.series.windowing import find_min_history
from rnn_pipelines.forecast.series.windows import WindowSpec


def forecast_further(
    forecaster: Forecaster, series: Series, num_steps: int, covariate_table: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Forecasts the steps after each series' end, however many.

    Beyond the horizon, forecasts are read as if they had happened. Nobody has measured how far off those are, so that
    they have no bounds.

    Args:
        forecaster: what to forecast with.
        series: one or several.
        num_steps: after each series' end.
        covariate_table: that has passed `check_further`; None if there are none.
    Returns:
        See `forecast_cutoffs`; and `is_recursive`, whether the step lies beyond the trained horizon.
    Raises:
        SeriesError: none of the series can be forecast.
    """
    horizon, ends = forecaster.settings.horizon, find_ends(series)
    found = [forecast_cutoffs(forecaster, series, ends, covariate_table)]
    if found[0].empty:
        refuse_all(forecaster, series)
    series = series.loc[series["unique_id"].isin(found[0]["unique_id"]), ["unique_id", "ds", "y", "observed"]]
    for done in range(horizon, num_steps, horizon):
        series = _go_on(series, found[-1])
        further = forecast_cutoffs(forecaster, series, find_ends(series), covariate_table)
        found.append(further.assign(horizon_step=further["horizon_step"] + done))
    forecasts = pd.concat(found, ignore_index=True).merge(ends, on="unique_id", suffixes=("_own", ""))
    forecasts = forecasts[forecasts["horizon_step"] <= num_steps].drop(columns="cutoff_own")
    forecasts["is_recursive"] = forecasts["horizon_step"] > horizon
    bounds = [column for column in forecasts if str(column).startswith(tuple(BOUNDS))]
    forecasts.loc[forecasts["is_recursive"], bounds] = float("nan")
    return forecasts.sort_values(["unique_id", "horizon_step"], kind="stable", ignore_index=True)


def check_further(
    forecaster: Forecaster, series: Series, num_steps: int, covariate_table: pd.DataFrame | None = None
) -> None:
    """Checks once what several forecasters of one training read, and tells of rows between steps.

    Args:
        forecaster: one of them.
        series, num_steps: see `forecast_further`.
        covariate_table: see `read_covariates`; None if there are none.
    Raises:
        SeriesError: a covariate that the forecaster reads is not there, or lacks values ahead; one of the past would be
            read beyond the horizon, where nobody knows it.
    """
    horizon, past = forecaster.settings.horizon, forecaster.coding.list_columns("past")
    if num_steps > horizon and past:
        raise SeriesError(
            f"{num_steps} steps were asked for. Beyond the trained horizon of {horizon} nothing is known of the past "
            f"covariates {show_all(past)}. Ask for fewer steps, or train with a longer horizon."
        )
    check_ahead(forecaster, series, covariate_table, -(-num_steps // horizon) * horizon)


def refuse_all(forecaster: Forecaster, series: Series) -> NoReturn:
    """Says why none of the series can be forecast.

    Args:
        forecaster: what was to forecast.
        series: repaired.
    Raises:
        SeriesTooShortError: those that the forecaster knows have too few steps.
        SeriesError: it knows none, or there are gaps at their ends.
    """
    settings, names = forecaster.settings, forecaster.scaler["unique_id"]
    lengths = series.loc[series["unique_id"].isin(names), "unique_id"].value_counts()
    what = "the frame: none of its series can be forecast"
    if lengths.empty:
        raise SeriesError(
            f"{what}: they are not those of the training. Expected {show_all(names)}, received "
            f"{show_all(series['unique_id'].unique())}."
        )
    window = WindowSpec(lookback=settings.lookback, horizon=settings.horizon)
    needed, longest = find_min_history(window, settings.season_length, len(names)), lengths.max()
    if longest < needed:
        raise SeriesTooShortError(
            f"{what}: they are too short. Expected {needed} steps or more, received {longest} of series "
            f"{show(lengths.idxmax())}. Give more of its past, or train with a shorter lookback."
        )
    raise SeriesError(
        f"{what}: there are gaps at their ends. Expected a value at each of the last {settings.lookback} steps. Fill "
        "them in, or train with gaps='interpolate'."
    )


def find_ends(series: Series) -> pd.DataFrame:
    """The last time of each series: `unique_id, cutoff`."""
    return series.groupby("unique_id", sort=False)["ds"].max().rename("cutoff").reset_index()


def _go_on(series: Series, forecasts: pd.DataFrame) -> Series:
    """The series as if what was forecast had happened."""
    steps = forecasts.rename(columns={FORECAST: "y"})[["unique_id", "ds", "y"]].assign(observed=True)
    return pd.concat([series, steps]).sort_values(["unique_id", "ds"], kind="stable", ignore_index=True)


def lay_side_by_side(forecasts: dict[str, pd.DataFrame], levels: Sequence[int]) -> pd.DataFrame:
    """What several forecasters say about the same steps.

    Args:
        forecasts: of `forecast_further`, by the name of the forecaster.
        levels: of the intervals that are kept.
    Returns:
        `unique_id, ds, is_recursive`, a column for each forecaster, and two for each of its levels.
    """
    key = ["unique_id", "ds", "is_recursive"]
    table = next(iter(forecasts.values()))[key]
    points: dict[str, pd.Series] = {}
    bounds: dict[str, pd.Series] = {}
    for name, found in forecasts.items():
        points[name] = found[FORECAST]
        for level in levels:
            bounds |= dict(zip(name_bounds(name, level), (found[own] for own in name_own_bounds(level)), strict=True))
    return table.assign(**points, **bounds)
