"""Which covariates were read, and what those that are known ahead add to forecasts."""

from collections.abc import Iterator
from typing import Annotated

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.methods.linear import LinearModels
from rnn_pipelines.forecast.methods.normalization import LOG_OFFSET
from rnn_pipelines.forecast.series.coding import CodedColumn, Coding
from rnn_pipelines.forecast.series.holidays import HOLIDAYS
from rnn_pipelines.forecast.series.tables import Scaler
from rnn_pipelines.forecast.series.windows import WindowedPanel
from rnn_pipelines.storage.tables import Column, Table

PERCENT = 100


class CovariatesTable(Table):
    """One row for each covariate, and for each category of one that is known ahead.

    `role` is as in `CovariateSpec`, `read_as` in words. `effect` is what one unit more, or this category in place of
    the mean one, adds to the forecast of its own step in the mix of simple methods: in the unit of `y`, or in percent
    where `is_percent`, in a panel the median over series; missing of what is past or static.
    """

    covariate = Column("text")
    role = Column("text")
    read_as = Column("text")
    effect = Column("float", can_be_empty=True, can_be_infinite=True)
    is_percent = Column("bool")


Covariates = Annotated[pd.DataFrame, CovariatesTable]


def describe_covariates(panel: WindowedPanel, linear: LinearModels, coding: Coding, scaler: Scaler) -> Covariates:
    """Lists what was read, with its effects in the data's own unit.

    Args:
        panel, base: the windows, and what is linear in them.
        coding: of the covariates.
        scaler: of the series.
    """
    rows = list(_list_rows(coding, scaler, find_effects(panel, linear), is_log=linear.kind == "log"))
    table = pd.DataFrame(rows, columns=["covariate", "role", "read_as", "effect"])
    return table.assign(is_percent=linear.kind == "log").astype({"effect": np.float64, "is_percent": bool})


def find_effects(panel: WindowedPanel, linear: LinearModels) -> np.ndarray:
    """What the mix adds at a step for one more of each covariate there, as the panel has it: float64[future].

    The spread of the window, which both sides are divided by, is no part of it any more.
    """
    num_seasons = (linear.season > 0) + (linear.long_season > 0)
    first = panel.lookback + num_seasons * panel.horizon
    ahead = linear.combine()[first : first + panel.num_future * panel.horizon]
    effects: np.ndarray = ahead.reshape(panel.num_future, panel.horizon, panel.horizon).diagonal(0, 1, 2).mean(axis=1)
    return effects


def _list_rows(
    coding: Coding, scaler: Scaler, effects: np.ndarray, is_log: bool
) -> Iterator[tuple[str, str, str, float]]:
    def to_unit(effect: float, deviations: np.ndarray) -> float:
        if is_log:
            # Of a value as large as the level, which the logarithm has an offset beside.
            return float(np.median(PERCENT * (1 + LOG_OFFSET) * np.expm1(effect / deviations)))
        return float(np.median(effect * scaler["deviation"].to_numpy() / deviations))

    place, ones = 0, np.ones(len(scaler))
    for column in coding.columns:
        if column.role != "future":
            yield column.name, column.role, column.kind, np.nan
            continue
        own = effects[place : place + len(column.outputs)]
        place += len(own)
        if not column.levels:
            yield column.name, column.role, column.kind, to_unit(own[0], _find_deviations(column, scaler))
        for level, effect in zip(column.levels, own - own @ np.array(column.shares or [0.0]), strict=False):
            yield f"{column.name} = {level}", column.role, "category", to_unit(effect, ones)
    if coding.holidays:
        for name, effect in zip(HOLIDAYS, effects[place:], strict=True):
            yield name.replace("_", " "), "future", f"holidays of {coding.holidays}", to_unit(effect, ones)


def _find_deviations(column: CodedColumn, scaler: Scaler) -> np.ndarray:
    """By which a number was divided in each series, float64[series]."""
    whole = (column.mean, column.deviation)
    return np.array([column.by_series.get(str(name), whole)[1] for name in scaler["unique_id"]])
