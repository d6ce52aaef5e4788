"""A stamp of the log of forecasts, which is kept in the champion's folder, so that a lost or foreign log is noticed."""

import logging
from typing import Any, TypedDict

import pandas as pd

from rnn_pipelines.champion.verdict import LOG_REMEDY
from rnn_pipelines.errors import count
from rnn_pipelines.forecast.methods.predictions import RECORDED, ForecastLog

logger = logging.getLogger(__name__)


class LogStamp(TypedDict):
    """The numbers of nights and rows of the log up to the last night, whose time is ISO 8601, UTC.

    `is_alarm` is whether the log of the run lacked the nights of the stamp before, for the `reason`; the stamp is then
    still that of before.
    """

    num_nights: int
    num_rows: int
    last_recorded_at: str | None
    is_alarm: bool
    reason: str | None


def stamp_log(log: ForecastLog, before: Any) -> LogStamp:
    """Return the stamp of a log; that of `before`, with an alarm, if the log lacks its nights."""
    reason = None if before is None else find_loss(log[RECORDED], before)
    if reason is not None:
        logger.error("%s", reason)
        return LogStamp(**{**before, "is_alarm": True, "reason": reason})  # type: ignore[typeddict-item]
    return LogStamp(
        num_nights=int(log[RECORDED].nunique()),
        num_rows=len(log),
        last_recorded_at=log[RECORDED].max().isoformat() if len(log) else None,
        is_alarm=False,
        reason=None,
    )


def find_loss(recorded: pd.Series, stamp: LogStamp) -> str | None:
    """Return what a log lacks of the nights of its stamp, with a remedy; None if nothing.

    `recorded` is the time of record of each of its rows.
    """
    if stamp["last_recorded_at"] is None:
        return None
    last = pd.Timestamp(stamp["last_recorded_at"])
    num_rows = int((recorded <= last).sum())
    if num_rows >= stamp["num_rows"] and (recorded == last).any():
        return None
    nights = f"{count(stamp['num_nights'], 'night')} with {count(stamp['num_rows'], 'row')} until {last}"
    return f"the log of forecasts has lost rows: there were {nights}, of which {num_rows:,} are left. {LOG_REMEDY}"
