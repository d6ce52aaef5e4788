"""A stamp of the log of forecasts, which is kept in the champion's folder, so that a lost or foreign log is noticed."""

import logging
from pathlib import Path
from typing import TypedDict

import pandas as pd

from rnn_pipelines.champion.verdict import LOG_REMEDY, LogStamp, read_log_stamp, write_log_stamp
from rnn_pipelines.errors import count
from rnn_pipelines.forecast.methods.predictions import RECORDED, ForecastLog

logger = logging.getLogger(__name__)


class StampedLog(TypedDict):
    """Whether the log of a run lacks nights of the stamp before, for the `reason`."""

    is_alarm: bool
    reason: str | None


def stamp_log(log: ForecastLog, folder: Path) -> StampedLog:
    """Write the stamp of a log into the champion's folder; that of before stays if the log lacks its nights."""
    before = read_log_stamp(folder)
    reason = None if before is None else find_loss(log[RECORDED], before)
    if reason is None:
        write_log_stamp(folder, measure_log(log))
    else:
        logger.error("%s", reason)
    return StampedLog(is_alarm=reason is not None, reason=reason)


def measure_log(log: ForecastLog) -> LogStamp:
    """Return the stamp of a log."""
    return LogStamp(
        num_nights=int(log[RECORDED].nunique()),
        num_rows=len(log),
        last_recorded_at=log[RECORDED].max().isoformat() if len(log) else None,
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
    nights = (
        f"{count(stamp['num_nights'], 'night')} with {count(stamp['num_rows'], 'row')} until {last}"
    )
    return f"the log of forecasts has lost rows: there were {nights}, of which {num_rows:,} are left. {LOG_REMEDY}"
