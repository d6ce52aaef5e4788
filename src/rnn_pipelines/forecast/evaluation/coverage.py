"""Coverage of the series by forecasts: series and steps without one."""

from typing import Any, TypedDict

import numpy as np
import pandas as pd

from rnn_pipelines.champion.verdict import KnownChampion
from rnn_pipelines.forecast.evaluation.realised import check_same_kind_of_time
from rnn_pipelines.forecast.methods.predictions import ForecastLog
from rnn_pipelines.forecast.series.grid import count_steps
from rnn_pipelines.forecast.series.tables import Profile, Series
from rnn_pipelines.reading.zones import read_local


class Coverage(TypedDict):
    """Missing forecasts, as JSON.

    `missed_steps`: the number of newest steps without a forecast from them, for each series that the forecaster in use
    knows. `unknown_series`: the other series. `num_not_finite`: its forecasts of future steps that are not finite.
    """

    missed_steps: dict[str, int]
    unknown_series: list[str]
    num_not_finite: int


def check_coverage(log: ForecastLog | None, series: Series, profile: Profile, champion: KnownChampion) -> Coverage:
    """Find series without forecasts from their ends, and non-finite forecasts of future steps.

    A series without any forecast counts from the end of the data of the first promoted version.

    Args:
        log: all forecasts ever made; None if there are none.
        series, profile: the data up to the day of the verdict.
        champion: its record.
    Raises:
        SeriesError: the forecasts have dates and the series have steps, or vice versa.
    """
    if champion["version"] is None:
        return Coverage(missed_steps={}, unknown_series=[], num_not_finite=0)
    ends = series.groupby("unique_id", sort=False)["ds"].max()
    trained = champion["settings"].get("trained_until", {})
    first = _parse_end(champion["first_data_end"], ends)
    newest, num_not_finite = {}, 0
    if log is not None and len(log):
        check_same_kind_of_time(log, series)
        end = log["unique_id"].map(ends)
        past = log[log["cutoff"] <= end]
        newest = past.groupby("unique_id")["cutoff"].max().to_dict()
        to_come = past[(past["model_version"] == champion["version"]) & (past["ds"] > end[past.index])]
        num_not_finite = int((~np.isfinite(to_come["y_hat"])).sum())
    since = pd.Series({name: newest.get(name, first) for name in ends.index if name in trained}).dropna()
    missed, _ = count_steps(since.to_numpy(), ends[since.index].to_numpy(), profile["freq"]) if len(since) else ((), ())
    return Coverage(
        missed_steps={name: max(int(steps), 0) for name, steps in zip(since.index, missed, strict=True)},
        unknown_series=[name for name in ends.index if name not in trained],
        num_not_finite=num_not_finite,
    )


def _parse_end(text: str | None, ends: pd.Series) -> Any:
    """Return a time of the data profile; None if it is invalid, or a date for series of steps, or vice versa."""
    try:
        is_date = text is not None and "-" in text.lstrip("-")
        if text is None or is_date is not (ends.dtype.kind == "M"):
            return None
        return read_local(pd.Timestamp(text), None) if is_date else int(text)
    except ValueError:
        return None
