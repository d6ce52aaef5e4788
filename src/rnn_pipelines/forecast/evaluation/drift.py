"""Drift of series and covariates: their newest values compared with those of the training data."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from rnn_pipelines.forecast.preparation.reference import (
    MIN_OBSERVED_FRACTION,
    MIN_WINDOWS,
    Change,
    Reference,
    find_level_range,
    iterate_series,
)
from rnn_pipelines.forecast.series.tables import Series
from rnn_pipelines.forecast.source.covariates import KEY
from rnn_pipelines.forecast.windows.coding import (
    Coding,
    look_up_covariates,
    read_cells,
    scale_cells,
)
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.storage.tables import Column, Table

# Past windows to compare with: enough for p-values of half a percent.
MAX_WINDOWS = 250
# A level counts as outside the range of the past ones if it lies beyond it by this share of the range.
MARGIN = 0.25
# Means of equal values differ by rounding.
ROUNDING = 1e-9
SIDES: tuple[Literal["left", "right"], ...] = ("left", "right")
# Deviations from the training mean beyond which a number is unusual. By Chebyshev's inequality, this holds for at most
# 1 in 25 of the training numbers.
FAR = 5.0


class DriftSpec(ParameterModel, frozen=True):
    """Thresholds of drift.

    Attributes:
        num_steps: newest steps to compare.
        significance: largest p-value at which a series counts as drifted.
        min_distance: smallest distance at which it does, from 0 to 1.
        max_drifted_fraction: largest share of drifted series that is tolerated.
    """

    num_steps: int = Field(30, ge=5, le=10**7)
    significance: float = Field(0.01, gt=0, lt=1)
    min_distance: float = Field(0.3, ge=0, le=1)
    max_drifted_fraction: float = Field(0.1, ge=0, lt=1)


class DriftTable(Table):
    """Distance of the newest values of each series from its past.

    `num_values` newest values are compared with `num_windows` past windows. `shift` is the mean of the newest residuals
    less that of the past ones, in standard deviations of the past ones; `distance` is from 0 to 1. These two and
    `p_value` are missing if there are too few values. `level` is the mean of the newest values, between `lowest_level`
    and `highest_level` if training windows of the same length had such means; all three can be missing, too. `change`
    is the kind of a change since the training, see `Change`, with its `detail`; both are empty if there is none.
    """

    key = ("unique_id",)
    unique_id = Column("text")
    num_values = num_windows = Column("int")
    shift = distance = p_value = level = lowest_level = highest_level = Column(
        "float", can_be_empty=True
    )
    change = detail = Column("text")


Drift = Annotated[pd.DataFrame, DriftTable]


def compare_with_past(
    series: Series, trained_until: Mapping[str, Any], season_length: int, num_steps: int
) -> Drift:
    """Compare the newest steps of each series with training windows of the same length.

    Values have seasons and trends, and neighbours are correlated, so that a plain test of the values would report drift
    every winter. The residuals of a seasonal naive forecast from the first step of each window are compared instead.
    The effect is the Kolmogorov-Smirnov distance between the newest residuals and all past ones. The p-value is the
    share of past windows that are at least as far from the past residuals. A change of the spread alone is rarely
    detected. A shift that is older than a window is in the season before it too, and has no residual: the levels show
    it if it leaves their past range.

    Args:
        series: only observed values count.
        trained_until: the last training time of each series; other series are left out.
    """
    trained = series[series["unique_id"].isin(list(trained_until))]
    rows = []
    for name, values, times in iterate_series(trained):
        last = (
            pd.Timestamp(trained_until[name])
            if times.dtype.kind == "M"
            else int(trained_until[name])
        )
        num_learnt = int((times <= last).sum())
        compared = _compare(values, num_learnt, season_length, num_steps)
        newest = values[-num_steps:][np.isfinite(values[-num_steps:])]
        is_enough = (
            len(newest) >= max(1, MIN_OBSERVED_FRACTION * num_steps)
            and num_learnt >= MIN_WINDOWS * num_steps
        )
        lowest, highest = find_level_range(values[:num_learnt], num_steps)
        levels = {
            "level": newest.mean() if is_enough else np.nan,
            "lowest_level": lowest,
            "highest_level": highest,
        }
        rows.append({"unique_id": name, "change": "", "detail": "", **compared, **levels})
    return pd.DataFrame(rows, columns=list(DriftTable.columns)).astype(
        DriftTable.make_empty().dtypes
    )


def add_reference(drift: Drift, reference: Reference, changes: Mapping[str, Change]) -> Drift:
    """Return the drift with the levels of the training as the champion keeps them, and changes since the training.

    Args:
        drift: of today's series, whose history may have changed.
        reference: of the champion; its levels are of windows of the same length.
        changes: by series; those that today's series lack get a row.
    """
    names = [
        *drift["unique_id"],
        *(name for name in changes if name not in set(drift["unique_id"])),
    ]
    table = drift.set_index("unique_id").reindex(names)
    learnt = reference.set_index("unique_id").reindex(names)
    for name in ("lowest_level", "highest_level"):
        table[name] = learnt[name].astype("float64").fillna(table[name])
    table["change"] = [changes[name].kind if name in changes else "" for name in names]
    table["detail"] = [changes[name].detail if name in changes else "" for name in names]
    table = table.fillna({"num_values": 0, "num_windows": 0}).rename_axis("unique_id").reset_index()
    return table[list(DriftTable.columns)].astype(DriftTable.make_empty().dtypes)


def is_outside(level: float, lowest: float, highest: float) -> bool:
    """Return whether a level lies clearly outside the range of the past ones; False if one is missing."""
    margin = max(MARGIN * (highest - lowest), ROUNDING * max(abs(lowest), abs(highest)))
    return level < lowest - margin or level > highest + margin


def _compare(
    values: np.ndarray, num_learnt: int, season_length: int, num_steps: int
) -> dict[str, float]:
    starts = np.arange(season_length, num_learnt - num_steps + 1)
    tested = starts[
        np.unique(np.linspace(0, len(starts) - 1, min(len(starts), MAX_WINDOWS)).astype(int))
    ]
    past = [
        window
        for window in (_find_residuals(values, s, season_length, num_steps) for s in tested)
        if len(window)
    ]
    has_newest = len(values) >= season_length + num_steps
    last = len(values) - num_steps
    newest = _find_residuals(values, last, season_length, num_steps) if has_newest else np.zeros(0)
    pool = np.sort(np.concatenate([np.zeros(0), *past]))
    counts = {"num_values": len(newest), "num_windows": len(past)}
    if not len(newest) or not past:
        return counts | dict.fromkeys(("shift", "distance", "p_value"), float("nan"))
    distance = measure_distance(newest, pool)
    num_as_far = sum(measure_distance(window, pool) >= distance for window in past)
    deviation = float(pool.std())
    shift = float(newest.mean() - pool.mean()) / deviation if deviation > 0 else float("nan")
    return counts | {
        "shift": shift,
        "distance": distance,
        "p_value": (num_as_far + 1) / (len(past) + 1),
    }


def _find_residuals(
    values: np.ndarray, start: int, season_length: int, num_steps: int
) -> np.ndarray:
    """Return the observed values minus those of the season before `start`; empty if too few are observed."""
    season = values[start - season_length : start]
    residuals = values[start : start + num_steps] - np.resize(season, num_steps)
    residuals = residuals[np.isfinite(residuals)]
    return residuals if len(residuals) >= MIN_OBSERVED_FRACTION * num_steps else np.zeros(0)


def measure_distance(one: np.ndarray, other: np.ndarray) -> float:
    """Return the Kolmogorov-Smirnov distance of two samples, float64 each, from 0 to 1.

    It is evaluated at the values of `one` and just before them: in between, its distribution function is constant and
    the other one only rises. `other` is sorted once, so that hundreds of comparisons take the time of a few calls of
    `scipy.stats.ks_2samp`.
    """
    places = np.unique(one)
    values = np.sort(one)
    pairs = [
        [np.searchsorted(sample, places, side) / len(sample) for sample in (values, other)]
        for side in SIDES
    ]
    return max(float(np.abs(shares - other_shares).max()) for shares, other_shares in pairs)


class CovariateDriftTable(Table):
    """Drift of each covariate, over all series.

    Time-varying numbers: `num_drifted` of the `num_series` series with enough values have drifted; `distance` and
    `p_value` are those of the series with the largest distance. All covariates: `num_unknown` of the `num_values`
    newest cells are rare in training, that is, categories without a code of their own, or numbers more than `FAR`
    deviations from the mean. `usual_fraction` is the share of such cells in training, or an upper bound of it.
    """

    key = ("covariate",)
    covariate = Column("text")
    num_values = num_series = num_drifted = Column("int")
    distance = p_value = Column("float", can_be_empty=True)
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
    """Compare the newest cells of each covariate with those of the training data, at the steps of the series.

    Time-varying numbers are compared like series, see `compare_with_past`, which finds current changes. Cells that are
    rare in training are counted, which finds lasting changes. Holidays are not checked.
    """
    trained = series[series["unique_id"].isin(list(trained_until))].reset_index(drop=True)
    is_newest = trained.groupby("unique_id", sort=False).cumcount(ascending=False) < spec.num_steps
    rows = []
    for column in coding.columns if len(trained) else ():
        text, number = read_cells(
            look_up_covariates(trained[KEY], covariate_table)[column.name], column.levels
        )
        if column.levels:
            is_unknown = ~text.isin(column.levels)
            usual_fraction = max(0.0, 1 - sum(column.shares))
        else:
            scaled = scale_cells(column, number, trained["unique_id"])[column.outputs[0]]
            is_unknown = pd.Series(np.abs(scaled) > FAR)
            usual_fraction = FAR**-2
        newest = is_unknown[is_newest & text.notna()]
        row = {
            "covariate": column.name,
            "num_values": len(newest),
            "num_series": 0,
            "num_drifted": 0,
            "distance": np.nan,
            "p_value": np.nan,
            "num_unknown": int(newest.sum()),
            "usual_fraction": usual_fraction,
        }
        if not column.levels and column.role != "static":
            cells = trained.assign(y=number, observed=number.notna())
            drift = compare_with_past(cells, trained_until, season_length, spec.num_steps)
            row.update(_summarize_drift(drift, spec))
        rows.append(row)
    types = CovariateDriftTable.make_empty().dtypes
    return pd.DataFrame(rows, columns=list(CovariateDriftTable.columns)).astype(types)


def _summarize_drift(drift: Drift, spec: DriftSpec) -> dict[str, float]:
    """Return the numbers of series and of drifted ones, and distance and p-value of the series that drifted most."""
    drift = drift.dropna(subset=["distance", "p_value"])
    is_far = drift["distance"] >= spec.min_distance
    has_drifted = is_far & (drift["p_value"] <= spec.significance)
    summary: dict[str, float] = {"num_series": len(drift), "num_drifted": int(has_drifted.sum())}
    if drift.empty:
        return summary
    candidates = drift[has_drifted] if has_drifted.any() else drift
    farthest = candidates.sort_values("distance").iloc[-1]
    return {**summary, "distance": farthest["distance"], "p_value": farthest["p_value"]}
