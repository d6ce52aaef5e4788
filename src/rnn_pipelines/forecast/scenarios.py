"""Scenarios: forecasts for several tables of future covariates, and their differences.

Both forecasts of a difference share the error of the series, so the interval of a forecast does not apply to it. The
effect of the covariates that differ is uncertain. The interval is therefore that of a factor of each series: 1
plus the slope of the errors of the evaluated model, after its training, over the effect that it expected there. It
multiplies the difference by the evaluated model, and is widened to contain that by the model in use. It holds for the
association in the data, not for a cause.

Source: Mincer & Zarnowitz (1969), regression of the actual on the forecast; jackknife over cut-offs: Bell & McCaffrey
    (2002), Survey Methodology 28, 169-181.
"""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from rnn_pipelines.errors import ParameterError, SeriesError, count, show, show_all
from rnn_pipelines.forecast.methods.predictions import name_bounds
from rnn_pipelines.forecast.model.artefact import FORECAST, Forecaster, lay_out_cutoffs
from rnn_pipelines.forecast.model.recursion import (
    forecast_recursively,
    lay_out_recursive,
    lay_side_by_side,
    report_ahead,
)
from rnn_pipelines.forecast.newer_values import add_levels, name_columns
from rnn_pipelines.forecast.recipe import Recipe
from rnn_pipelines.forecast.series.columns import AHEAD
from rnn_pipelines.forecast.series.tables import Series
from rnn_pipelines.forecast.source.covariates import join_rows, read_future
from rnn_pipelines.forecast.source.frames import ID
from rnn_pipelines.report.numbers import list_some

logger = logging.getLogger(__name__)

# The newest cut-offs, a horizon apart, at which an effect is measured, and the fewest for an interval.
MAX_CUTOFFS, MIN_CUTOFFS = 100, 5
NAMES_IN_MESSAGE = 5
# Smaller deviations of an effect, in deviations of the series, are rounding.
MIN_EFFECT = 1e-3
RESERVED = ("unique_id", "ds", "is_recursive")
DIFFERENCE = "-difference"
# After the name of a scenario, its other columns.
SUFFIX = re.compile(rf"({DIFFERENCE})?(-(lo|hi)-\d+)?")


class Situation(NamedTuple):
    """The series up to now, and the forecaster in use."""

    forecaster: Forecaster
    evaluated: Forecaster  # the same forecaster with the model that was evaluated
    series: Series  # repaired
    # See `read_series`; None if there are none. Rows after the end of a series are not read.
    covariates: pd.DataFrame | None
    num_steps: int  # after each series' end


def check_scenarios(futures: Any) -> dict[str, Any]:
    """Return tables of future covariates by the name of the scenario.

    Raise a ParameterError if they are no dictionary, empty, or a name is no text or the name of another column.
    """
    if not isinstance(futures, Mapping) or not futures:
        raise ParameterError(
            f"scenarios: expected a dictionary of tables by name, received {show(futures)}."
        )
    wrong = [
        name
        for name in futures
        if not isinstance(name, str) or not name.strip() or name in RESERVED
    ]
    if wrong:
        raise ParameterError(
            f"scenarios: expected names other than {show_all(RESERVED)}, received {show(wrong[0])}."
        )
    for name, other in permutations(futures, 2):
        if name.startswith(other) and SUFFIX.fullmatch(name[len(other) :]):
            raise ParameterError(
                f"scenarios: {show(name)} is also a column of {show(other)}. Rename one of them."
            )
    return dict(futures)


def compare_scenarios(
    situation: Situation,
    recipe: Recipe,
    futures: Mapping[str, Any],
    levels: Sequence[int],
    convert: Callable[[Any], pd.DataFrame],
) -> pd.DataFrame:
    """Forecast each scenario, all future covariates over the horizon by its name, and subtract the first one.

    Return `unique_id, ds, is_recursive`; by scenario its name with the forecast and its bounds; for each but the first,
    `<name>-difference` with its bounds, NaN if the effect could not be measured. Raise a ParameterError without future
    covariates, and a SeriesError that names the scenario if a table lacks one of them or steps.
    """
    columns = situation.forecaster.coding.list_columns(AHEAD)
    if not columns or situation.covariates is None:
        raise ParameterError(
            "scenarios: the forecaster reads no future covariates. Fit it with some."
        )
    tables = {}
    forecasts = {}
    evaluated = {}
    for name, future in futures.items():
        try:
            tables[name] = replace_future(situation, recipe, convert(future))
            forecast = _forecast(situation, situation.forecaster, tables[name])
            forecasts[name] = add_levels(forecast, situation.forecaster, levels)
        except SeriesError as error:
            raise SeriesError(f"scenario {show(name)}: {error}") from error
        if len(futures) > 1:
            evaluated[name] = _forecast(situation, situation.evaluated, tables[name])[FORECAST]
    table = lay_side_by_side(forecasts, levels)
    first, *others = futures
    for name in others:
        changed = [
            column for column in columns if not tables[name][column].equals(tables[first][column])
        ]
        difference = table[name] - table[first]
        expected = evaluated[name] - evaluated[first]
        table[f"{name}{DIFFERENCE}"] = difference
        effects = measure_effects(situation, changed, levels)
        for level in levels:
            factors = np.array([effects[series][level] for series in table["unique_id"]])
            ends = np.column_stack([difference, expected.to_numpy()[:, None] * factors])
            low, high = name_bounds(f"{name}{DIFFERENCE}", level)
            table[low] = ends.min(axis=1)
            table[high] = ends.max(axis=1)
    return table


def replace_future(situation: Situation, recipe: Recipe, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the covariates of a scenario: those up to the end of each series, then those of a table alone."""
    series = situation.series
    covariates = situation.covariates
    assert covariates is not None
    names = series["unique_id"].unique()
    # A frame without names stands for all series, as that of a wide table does.
    if not {ID, recipe.source.id} & {*frame} and not recipe.source.is_wide:
        frame = pd.concat([frame.assign(**{recipe.source.id or ID: name}) for name in names])
    future_rows = read_future(
        covariates, name_columns(frame, recipe.source), recipe.covariates.list_columns(AHEAD), frame
    )
    report_ahead(situation.forecaster, series, future_rows, situation.num_steps)
    ends = series.groupby("unique_id")["ds"].max()
    past = covariates[~(covariates["ds"] > covariates["unique_id"].map(ends))]
    ahead = future_rows[future_rows["ds"] > future_rows["unique_id"].map(ends)]
    return join_rows(past, ahead)


def _forecast(
    situation: Situation, forecaster: Forecaster, covariates: pd.DataFrame
) -> pd.DataFrame:
    series = situation.series
    num_steps = situation.num_steps
    forecaster, panel, features = lay_out_recursive(forecaster, series, num_steps, covariates)
    return forecast_recursively(forecaster, panel, features, num_steps)


def measure_effects(
    situation: Situation, changed: Sequence[str], levels: Sequence[int]
) -> dict[str, dict[int, tuple[float, float]]]:
    """Return the interval of the true effect of covariates over the expected one, by series and level.

    Each series has its own, because a model of a panel can share coefficients that differ between the series. The
    effect of the changed covariates in a window is the forecast less that with the most frequent value of each series
    instead, after the cut-off alone. It is NaN for series with fewer than `MIN_CUTOFFS` cut-offs after the training, or
    with a constant effect.
    """
    names = situation.series["unique_id"].unique()
    # Scenarios that are equal have no difference, whatever the effect.
    if not changed:
        return {name: dict.fromkeys(levels, (1.0, 1.0)) for name in names}
    of_series = dict(tuple(_tabulate_effects(situation, changed).groupby("unique_id")))
    measured = {
        name: _measure_slope(effects, levels)
        for name, effects in of_series.items()
        if effects["cutoff"].nunique() >= MIN_CUTOFFS and effects["effect"].std(ddof=0) > MIN_EFFECT
    }
    if unknown := [name for name in names if name not in measured]:
        names_of_unknown = list_some(unknown, NAMES_IN_MESSAGE)
        logger.warning(
            "differences of %s have no interval: there are fewer than %d cut-offs after the training, or %s changed "
            "no forecast there (%s)",
            count(len(unknown), "series", "series"),
            MIN_CUTOFFS,
            ", ".join(changed),
            names_of_unknown,
        )
    return {name: measured.get(name, dict.fromkeys(levels, (np.nan, np.nan))) for name in names}


def _measure_slope(effects: pd.DataFrame, levels: Sequence[int]) -> dict[int, tuple[float, float]]:
    """Return the interval of 1 plus the slope of the errors over the expected effect, by level."""
    from scipy import stats

    effect = effects["effect"] - effects["effect"].mean()
    error = effects["error"] - effects["error"].mean()
    products = (effect * error).groupby(effects["cutoff"]).sum()
    squares = (effect * effect).groupby(effects["cutoff"]).sum()
    slope = float(products.sum() / squares.sum())
    # The errors of a cut-off depend on each other.
    num = len(products)
    slopes_without_cutoff = (products.sum() - products) / (squares.sum() - squares)
    variance = (num - 1) / num * ((slopes_without_cutoff - slope) ** 2).sum()
    deviation = float(np.sqrt(variance))
    reaches = {level: stats.t.ppf(0.5 + level / 200, num - 1) * deviation for level in levels}
    return {level: (1 + slope - reach, 1 + slope + reach) for level, reach in reaches.items()}


def _tabulate_effects(situation: Situation, changed: Sequence[str]) -> pd.DataFrame:
    """Return `unique_id, cutoff, error, effect` of past forecasts, the last two over the deviation of the series."""
    forecaster = situation.evaluated
    series = situation.series
    covariates = situation.covariates
    assert covariates is not None
    learnt = series["unique_id"].map(forecaster.settings.trained_until)
    from_end = series.groupby("unique_id")["ds"].cumcount(ascending=False)
    horizon = forecaster.settings.horizon
    times = np.sort(series.loc[(series["ds"] >= learnt) & (from_end >= horizon), "ds"].unique())
    newest = times[::-1][::horizon][:MAX_CUTOFFS]
    is_cutoff = series["ds"].isin(newest) & (series["ds"] >= learnt) & (from_end >= horizon)
    cutoffs = series.loc[is_cutoff, ["unique_id", "ds"]].rename(columns={"ds": "cutoff"})
    if cutoffs.empty:
        return pd.DataFrame({"unique_id": [], "cutoff": [], "error": [], "effect": []})
    usual = covariates.groupby("unique_id")[list(changed)].transform(
        lambda values: values.mode().get(0, np.nan)
    )
    panel, features = lay_out_cutoffs(forecaster, series, cutoffs, covariates)
    exchanged, _ = lay_out_cutoffs(forecaster, series, cutoffs, covariates.assign(**usual))
    origins = panel.list_origins("future")
    times = features.table["ds"].to_numpy()
    expected = forecaster.model.forecast(panel, origins)
    without = np.empty_like(expected)
    cutoff = times[origins - 1]
    # Only the rows after each cut-off, as scenarios differ: the window may read the covariates, too.
    for time in np.unique(cutoff):
        values = np.where((times > time)[:, None], exchanged.values, panel.values)
        without[cutoff == time] = forecaster.model.forecast(
            replace(panel, values=values), origins[cutoff == time]
        )
    rows = origins[:, None] + np.arange(horizon)
    actual = np.where(
        features.table["observed"].to_numpy(bool)[rows], panel.values[rows, 0], np.nan
    )
    names = features.table["unique_id"].to_numpy()[origins]
    arrays = {
        "unique_id": np.repeat(names, horizon),
        "cutoff": np.repeat(cutoff, horizon),
        "error": actual - expected,
        "effect": expected - without,
    }
    return pd.DataFrame({name: array.ravel() for name, array in arrays.items()}).dropna()
