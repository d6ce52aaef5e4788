"""Coverage of the series by forecasts: series and steps without one."""

from typing import Any, NotRequired, TypedDict

import numpy as np
import pandas as pd

from rnn_pipelines.champion.verdict import KnownChampion
from rnn_pipelines.forecast.evaluation.log_stamp import find_loss
from rnn_pipelines.forecast.evaluation.realised import check_same_kind_of_time
from rnn_pipelines.forecast.evaluation.suspects import (
    describe_corrected,
    leave_out_corrected,
    list_corrected,
    list_suspect_values,
)
from rnn_pipelines.forecast.methods.predictions import (
    RECORDED,
    ForecastLog,
    ForecastLogTable,
    keep_last_record,
)
from rnn_pipelines.forecast.preparation.gross_values import is_alarm, list_gross_records
from rnn_pipelines.forecast.series.tables import Profile, Series
from rnn_pipelines.forecast.times.grid import count_steps_between
from rnn_pipelines.reading.zones import read_local

# Newest cut-offs whose corrected values are named.
NUM_CUTOFFS = 30


class Suspects(TypedDict, total=False):
    """Gross values and the loss of rows of the log, as JSON.

    `gross_values`: see `list_gross_records`; `is_gross`: whether they are an alarm. `corrected`: the values that were
    corrected, in words, with the number of forecasts from them. `lost_log`: see `find_loss`.
    """

    gross_values: list[dict[str, Any]]
    is_gross: bool
    corrected: str
    num_corrected: int
    lost_log: str | None


class Coverage(Suspects):
    """Missing forecasts, as JSON.

    `missed_steps`: the number of newest steps without a forecast from them, for each series that the forecaster in use
    knows. `unknown_series`: the other series. `num_not_finite`: its forecasts of future steps that are not finite.
    `lost_steps`: the number of steps from the end of a series to a later time from which a forecast was made.
    `idle_days` and `idle_steps`: the time since the first forecast from the newest time of all, in days and in steps of
    the series; 0 if it is unknown. `newest_value` is the newest time of all series, without a zone taken as UTC;
    `newest_forecast` is the time of the newest record of a forecast. Both are ISO 8601, UTC, and None if unknown,
    or missing without a forecaster in use.
    """

    missed_steps: dict[str, int]
    unknown_series: list[str]
    num_not_finite: int
    lost_steps: dict[str, int]
    idle_days: float
    idle_steps: int
    newest_value: NotRequired[str | None]
    newest_forecast: NotRequired[str | None]


def check_coverage(
    log: ForecastLog | None, series: Series, profile: Profile, champion: KnownChampion
) -> Coverage:
    """Find series without forecasts from their ends, non-finite forecasts of future steps, and suspect forecasts.

    A series without any forecast counts from the end of the data of the first promoted version.

    Raises:
        SeriesError: the forecasts have dates and the series have steps, or vice versa.
    """
    if champion["version"] is None:
        return Coverage(
            missed_steps={},
            unknown_series=[],
            num_not_finite=0,
            lost_steps={},
            idle_days=0,
            idle_steps=0,
        )
    ends = series.groupby("unique_id", sort=False)["ds"].max()
    trained = champion["settings"].get("trained_until", {})
    first = _parse_end(champion["first_data_end"], ends)
    newest = {}
    num_not_finite = 0
    lost = {}
    idle = pd.Timedelta(0)
    if log is not None and len(log):
        check_same_kind_of_time(log, series)
        end = log["unique_id"].map(ends)
        past = keep_last_record(log[log["cutoff"] <= end])
        newest = past.groupby("unique_id")["cutoff"].max().to_dict()
        to_come = past[
            (past["model_version"] == champion["version"]) & (past["ds"] > end[past.index])
        ]
        num_not_finite = int((~np.isfinite(to_come["y_hat"])).sum())
        lost = _count_after(ends, log.groupby("unique_id")["cutoff"].max(), profile["freq"])
        # The first forecast from the newest time of all series.
        recorded = log.loc[log["cutoff"] == ends.max(), RECORDED]
        idle = pd.Timestamp.now("UTC") - recorded.min() if len(recorded) else idle
    idle_steps = 0
    if isinstance(profile["freq"], str):
        times = np.array([ends.max(), ends.max() + max(idle, pd.Timedelta(0))], "datetime64[us]")
        idle_steps = int(count_steps_between(times[:1], times[1:], profile["freq"])[0][0])
    since = pd.Series(
        {name: newest.get(name, first) for name in ends.index if name in trained}
    ).dropna()
    return Coverage(
        missed_steps=dict.fromkeys(since.index, 0) | _count_after(since, ends, profile["freq"]),
        unknown_series=[name for name in ends.index if name not in trained],
        num_not_finite=num_not_finite,
        lost_steps=lost,
        idle_days=idle / pd.Timedelta("1D"),
        idle_steps=idle_steps,
        newest_value=_format_utc(ends),
        newest_forecast=None if log is None else _format_utc(log[RECORDED]),
        **_check_suspects(log, series, profile, champion),
    )


def _check_suspects(
    log: ForecastLog | None, series: Series, profile: Profile, champion: KnownChampion
) -> Suspects:
    gross_values = list_suspect_values(log, series, champion["settings"].get("lookback", 1))
    num_found = gross_values["unique_id"].nunique()
    num_series = series["unique_id"].nunique()
    if log is None:
        log = ForecastLogTable.make_empty()
        log[RECORDED] = log[RECORDED].dt.tz_localize("UTC")
    stamp = champion.get("log")
    newest = log[log["cutoff"].isin(np.sort(log["cutoff"].unique())[-NUM_CUTOFFS:])]
    corrected = list_corrected(newest, series)
    return Suspects(
        gross_values=list_gross_records(gross_values, profile.get("tz")),
        is_gross=is_alarm(num_found, num_series),
        # A series whose value was replaced by another gross one is not well again.
        corrected=describe_corrected(
            corrected[~corrected["unique_id"].isin(gross_values["unique_id"])]
        ),
        num_corrected=len(newest) - len(leave_out_corrected(newest, corrected)),
        lost_log=None if stamp is None else find_loss(log[RECORDED], stamp),
    )


def _format_utc(times: pd.Series) -> str | None:
    """Return the newest time in UTC, ISO 8601; None for steps, and without times."""
    newest = times.max() if times.dtype.kind == "M" else pd.NaT
    return (
        None if pd.isna(newest) else pd.to_datetime(newest, utc=True).isoformat(timespec="seconds")
    )


def _count_after(firsts: pd.Series, lasts: pd.Series, freq: int | str) -> dict[str, int]:
    """Return the number of steps from one time to a later one, by series; those without a later one are left out."""
    names = firsts.index.intersection(lasts.index)
    names = names[firsts[names].to_numpy() < lasts[names].to_numpy()]
    if names.empty:
        return {}
    steps, _ = count_steps_between(firsts[names].to_numpy(), lasts[names].to_numpy(), freq)
    return dict(zip(names, steps.tolist(), strict=True))


def _parse_end(text: str | None, ends: pd.Series) -> Any:
    """Return a time of the data profile; None if it is invalid, or a date for series of steps, or vice versa."""
    try:
        is_date = text is not None and "-" in text.lstrip("-")
        if text is None or is_date is not (ends.dtype.kind == "M"):
            return None
        return read_local(pd.Timestamp(text), None) if is_date else int(text)
    except ValueError:
        return None
