"""The covariates that were read, and the effect on forecasts of each one that is known ahead."""

from collections.abc import Iterator, Mapping
from typing import Annotated

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.methods.linear.layout import make_layout
from rnn_pipelines.forecast.methods.linear.models import LinearModels
from rnn_pipelines.forecast.methods.normalization import LOG_OFFSET
from rnn_pipelines.forecast.series.columns import AHEAD
from rnn_pipelines.forecast.series.tables import Scaler
from rnn_pipelines.forecast.times.holidays import HOLIDAYS
from rnn_pipelines.forecast.windows.coding import Coding
from rnn_pipelines.forecast.windows.panel import WindowedPanel
from rnn_pipelines.storage.tables import Column, Table


class CovariatesTable(Table):
    """One row for each covariate, and for each category of a future covariate.

    `role` is that of `CovariateSpec`; `read_as` describes the encoding. `effect` is the change of the forecast at the
    same step in the ensemble of simple methods: per unit, or for a category relative to the average category. It is in
    the unit of `y`, or in percent if `is_percent`. In a panel, it is the median over series. It is missing for past and
    static covariates.
    """

    covariate = role = read_as = Column("text")
    effect = Column("float", can_be_empty=True, can_be_infinite=True)
    is_percent = Column("bool")


Covariates = Annotated[pd.DataFrame, CovariatesTable]


def describe_covariates(
    panel: WindowedPanel, linear: LinearModels, coding: Coding, scaler: Scaler
) -> Covariates:
    """List the covariates, with their effects in the unit of the data.

    The effects are those of the baseline ensemble on the forecast of the covariate's own step, averaged over the
    horizon. The spread of the window cancels out, because both targets and covariates are divided by it.
    """
    combined = linear.combine()
    layout = make_layout(panel, linear.normalizer)
    is_log = linear.kind == "log"
    columns = np.unique(layout.covariates.columns[layout.covariates.are_ahead])
    names = panel.names[columns - panel.columns.covariates.start].tolist()
    effects = [float(np.sum(combined * read) / read.sum()) for read in layout.list_future()]
    rows = list(_list_rows(coding, scaler, dict(zip(names, effects, strict=True)), is_log))
    table = pd.DataFrame(rows, columns=["covariate", "role", "read_as", "effect"])
    return table.assign(is_percent=is_log).astype({"effect": np.float64, "is_percent": bool})


def _list_rows(
    coding: Coding, scaler: Scaler, effects: Mapping[str, float], is_log: bool
) -> Iterator[tuple[str, str, str, float]]:
    def to_unit(effect: float, deviations: np.ndarray) -> float:
        if is_log:
            # The effect on a value equal to the level. The logarithm has an offset.
            return float(np.median(100 * (1 + LOG_OFFSET) * np.expm1(effect / deviations)))
        return float(np.median(effect * scaler["deviation"].to_numpy() / deviations))

    ones = np.ones(len(scaler))
    for column in coding.columns:
        if column.role not in AHEAD:
            yield column.name, column.role, column.kind, np.nan
            continue
        by_output = np.array([effects[name] for name in column.outputs])
        if not column.levels:
            whole = (column.mean, column.deviation)
            deviations = np.array(
                [column.by_series.get(str(name), whole)[1] for name in scaler["unique_id"]]
            )
            yield column.name, column.role, column.kind, to_unit(by_output[0], deviations)
        for level, effect in zip(
            column.levels, by_output - by_output @ np.array(column.shares or [0.0]), strict=False
        ):
            yield f"{column.name} = {level}", column.role, "category", to_unit(effect, ones)
    if coding.holidays:
        for name in HOLIDAYS:
            yield (
                name.replace("_", " "),
                "future",
                f"holidays of {coding.holidays}",
                to_unit(effects[name], ones),
            )
