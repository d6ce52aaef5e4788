"""Whether the newest values of a series behave as those did that a forecaster has learnt from."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from rnn_pipelines.forecast.series.tables import Series
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.storage.tables import Column, Table

# Windows of the past that the newest one is compared with: enough for p-values of a half percent.
MAX_WINDOWS = 250
# Fewer observed values than this part of a window say nothing about it.
MIN_OBSERVED_FRACTION = 0.5
SIDES: tuple[Literal["left", "right"], ...] = ("left", "right")


class DriftSpec(ParameterModel, frozen=True):
    """When the newest values of a series count as others than those before.

    Attributes:
        num_steps: newest steps that are looked at.
        significance: greatest p-value at which a series counts as drifted.
        min_distance: least distance for that, from 0 to 1.
        max_drifted_fraction: greatest part of the series that may drift.
    """

    num_steps: int = Field(30, ge=5, le=10**7)
    significance: float = Field(0.01, gt=0, lt=1)
    min_distance: float = Field(0.3, ge=0, le=1)
    max_drifted_fraction: float = Field(0.1, ge=0, lt=1)


class DriftTable(Table):
    """How far the newest values of each series are from those of the past.

    `num_values` of the newest stretch and `num_windows` of the past were compared. `shift` is the mean of the newest
    residuals in deviations of those of the past, `distance` goes from 0 to 1; these two and `p_value` are missing if
    there is too little to compare.
    """

    key = ("unique_id",)
    unique_id = Column("text")
    num_values = Column("int")
    num_windows = Column("int")
    shift = Column("float", can_be_empty=True)
    distance = Column("float", can_be_empty=True)
    p_value = Column("float", can_be_empty=True)


Drift = Annotated[pd.DataFrame, DriftTable]


def compare_with_past(series: Series, trained_until: Mapping[str, Any], season_length: int, num_steps: int) -> Drift:
    """Compares the newest steps of each series with all stretches of that length that its forecaster has learnt from.

    Values have seasons and trends, and neighbours are alike, so that a plain test of the values would call every winter
    a drift. Here a stretch of steps is taken as seasonal naive would forecast it from its first step on: what is
    compared is how far it goes away from the season before it. Its distance (Kolmogorov and Smirnov's: the greatest
    difference of the two distribution functions) to all such residuals of the past is the effect; the p-value is how
    often a stretch of the past is at least as far from them. A change of the spread alone is seldom seen.

    Args:
        series: of which only observed values count.
        trained_until: for each series the last time that its forecaster has learnt from; other series are left out.
        season_length: steps in a season.
        num_steps: of a stretch.
    """
    known = series[series["unique_id"].isin(list(trained_until))]
    rows = [
        {"unique_id": name, **_compare(group, _parse_like(trained_until[str(name)], group), season_length, num_steps)}
        for name, group in known.groupby("unique_id", sort=False)
    ]
    kinds = {"int": "int64", "float": "float64"}
    types = {name: kinds[column.kind] for name, column in DriftTable.columns.items() if column.kind in kinds}
    return pd.DataFrame(rows, columns=list(DriftTable.columns)).astype(types)


def _parse_like(last: Any, group: pd.DataFrame) -> Any:
    return pd.Timestamp(last) if group["ds"].dtype.kind == "M" else int(last)


def _compare(group: pd.DataFrame, last: Any, season_length: int, num_steps: int) -> dict[str, float]:
    values = group["y"].where(group["observed"]).to_numpy()
    num_learnt = int((group["ds"] <= last).sum())
    starts = np.arange(season_length, num_learnt - num_steps + 1)
    chosen = starts[np.unique(np.linspace(0, len(starts) - 1, min(len(starts), MAX_WINDOWS)).astype(int))]
    past = [window for window in (_take_residuals(values, s, season_length, num_steps) for s in chosen) if len(window)]
    newest = np.zeros(0)
    if len(values) >= season_length + num_steps:
        newest = _take_residuals(values, len(values) - num_steps, season_length, num_steps)
    pool = np.sort(np.concatenate([np.zeros(0), *past]))
    found = {"num_values": len(newest), "num_windows": len(past)}
    if not len(newest) or not past:
        return found | dict.fromkeys(("shift", "distance", "p_value"), float("nan"))
    distance = measure_distance(newest, pool)
    num_as_far = sum(measure_distance(window, pool) >= distance for window in past)
    deviation = float(pool.std())
    return found | {
        "shift": float(newest.mean() - pool.mean()) / deviation if deviation > 0 else float("nan"),
        "distance": distance,
        "p_value": (num_as_far + 1) / (len(past) + 1),
    }


def _take_residuals(values: np.ndarray, start: int, season_length: int, num_steps: int) -> np.ndarray:
    """Observed values minus those of the last season before `start`; empty where too few are observed."""
    season = values[start - season_length : start]
    residuals = values[start : start + num_steps] - np.resize(season, num_steps)
    residuals = residuals[np.isfinite(residuals)]
    return residuals if len(residuals) >= MIN_OBSERVED_FRACTION * num_steps else np.zeros(0)


def measure_distance(one: np.ndarray, other: np.ndarray) -> float:
    """The greatest difference of two samples' distribution functions, 0 to 1.

    Taken at the values of `one` and just before them: in between, its function stands still and that of the other only
    rises. With `other` sorted once, hundreds of samples are held against it in the time that
    `scipy.stats.ks_2samp` needs for a few.

    Args:
        one: float64[num_values].
        other: float64[num_others], sorted.
    """
    places, values = np.unique(one), np.sort(one)
    return max(
        float(np.abs(_find_shares(values, places, side) - _find_shares(other, places, side)).max()) for side in SIDES
    )


def _find_shares(values: np.ndarray, places: np.ndarray, side: Literal["left", "right"]) -> np.ndarray:
    return np.searchsorted(values, places, side) / len(values)
