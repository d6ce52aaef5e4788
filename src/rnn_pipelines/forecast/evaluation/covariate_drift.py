"""Drift of covariates: their newest values compared with those of the training data."""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.evaluation.drift import DriftSpec, compare_with_past
from rnn_pipelines.forecast.series.tables import Series
from rnn_pipelines.forecast.source.covariates import KEY
from rnn_pipelines.forecast.windows.coding import Coding, find_cells, read_cells, scale_cells
from rnn_pipelines.storage.tables import Column, Table

# Deviations from the training mean beyond which a number is unusual. By Chebyshev's inequality, this holds for at most
# 1 in 25 of the training numbers.
FAR = 5.0


class CovariateDriftTable(Table):
    """Drift of each covariate, over all series.

    Time-varying numbers: `num_drifted` of the `num_series` series with enough values have drifted; `distance` and
    `p_value` are those of the series with the largest distance. All covariates: `num_unknown` of the `num_values`
    newest cells are rare in training, that is, categories without a code of their own, or numbers more than `FAR`
    deviations from the mean. `usual_fraction` is the share of such cells in training, or an upper bound of it.
    """

    key = ("covariate",)
    covariate = Column("text")
    num_values = Column("int")
    num_series = Column("int")
    num_drifted = Column("int")
    distance = Column("float", can_be_empty=True)
    p_value = Column("float", can_be_empty=True)
    num_unknown = Column("int")
    usual_fraction = Column("float")


CovariateDrift = Annotated[pd.DataFrame, CovariateDriftTable]


def compare_covariates(
    series: Series,
    covariate_table: pd.DataFrame,
    coding: Coding,
    trained_until: Mapping[str, Any],
    season_length: int,
    spec: DriftSpec,
) -> CovariateDrift:
    """Compare the newest cells of each covariate with those of the training data.

    Time-varying numbers are compared like series, see `compare_with_past`, which finds current changes. Cells
    that are rare in training are counted, which finds lasting changes. Holidays are not checked.

    Args:
        series: covariates are compared at its steps only.
        covariate_table: see `read_series`.
    """
    trained = series[series["unique_id"].isin(list(trained_until))].reset_index(drop=True)
    is_newest = trained.groupby("unique_id", sort=False).cumcount(ascending=False) < spec.num_steps
    rows = []
    for column in coding.columns if len(trained) else ():
        text, number = read_cells(find_cells(trained[KEY], covariate_table)[column.name], column.levels)
        found = {"covariate": column.name, "num_series": 0, "num_drifted": 0, "distance": np.nan, "p_value": np.nan}
        if column.levels:
            is_unknown = ~text.isin(column.levels)
        else:
            is_unknown = pd.Series(np.abs(scale_cells(column, number, trained["unique_id"])[column.outputs[0]]) > FAR)
        newest = is_unknown[is_newest & text.notna()]
        usual = max(0.0, 1 - sum(column.shares)) if column.levels else FAR**-2
        found |= {"num_values": len(newest), "num_unknown": int(newest.sum()), "usual_fraction": usual}
        if not column.levels and column.role != "static":
            cells = trained.assign(y=number, observed=number.notna())
            found |= _sum_up(compare_with_past(cells, trained_until, season_length, spec.num_steps), spec)
        rows.append(found)
    types = CovariateDriftTable.make_empty().dtypes
    return pd.DataFrame(rows, columns=list(CovariateDriftTable.columns)).astype(types)


def _sum_up(drift: pd.DataFrame, spec: DriftSpec) -> dict[str, float]:
    compared = drift.dropna(subset=["distance", "p_value"])
    found: dict[str, float] = {"num_series": len(compared)}
    if compared.empty:
        return found
    has_drifted = (compared["distance"] >= spec.min_distance) & (compared["p_value"] <= spec.significance)
    farthest = (compared[has_drifted] if has_drifted.any() else compared).sort_values("distance").iloc[-1]
    distance = {name: float(farthest[name]) for name in ("distance", "p_value")}
    return found | {"num_drifted": int(has_drifted.sum())} | distance
