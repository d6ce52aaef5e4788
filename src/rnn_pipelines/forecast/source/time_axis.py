"""The zone of a table's times, the check that other tables fit the same axis, and times beside regular steps."""

import logging
import re
from typing import NamedTuple

import pandas as pd
from pandas.api.types import is_datetime64_any_dtype
from pydantic import BaseModel

from rnn_pipelines.errors import SeriesError, show
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.times.frequency import find_own_frequency
from rnn_pipelines.reading.time_forms import COUNTS
from rnn_pipelines.reading.times import ISO
from rnn_pipelines.reading.zones import (
    UTC,
    find_offset_zone,
    find_zone,
    has_zone,
    place_in_zone,
    show_local,
)

# The midnight of a day with an offset from UTC, and the offset of UTC itself.
_MIDNIGHT, _NO_OFFSET = r"[T ]00(?::?00(?::?00(?:\.0+)?)?)?\s*[+-]", r"[+-]00(?::?00)?\s*$"
_UNITS = {"min": "minutes", "h": "hours", "D": "days"}
# Series that show the spacing.
_MAX_SERIES = 20

logger = logging.getLogger(__name__)


class TimeZone(BaseModel, extra="forbid", frozen=True):
    """The zone of a table's times."""

    # `source.tz`, or else the zone of the times (UTC if it has no name); None for times without one.
    name: str | None = None
    is_carried: bool = False  # whether the times carry the zone and `source.tz` does not name it


class TimeAxis(NamedTuple):
    """The axis for the times of other tables."""

    zone: str | None  # of its times; None for times without one
    is_utc: bool  # whether they are counted in UTC, see `place_in_zone`
    owner: str  # owner of the times, for messages


def find_axis(table: pd.DataFrame) -> TimeAxis | None:
    """Return the axis of a table of series as read; None for steps and for packaged series."""
    zone = table.attrs.get("zone")
    return (
        None
        if zone is None
        else TimeAxis(zone["name"], table.attrs.get("tz") is not None, "the series")
    )


def check_same_zone(zone: TimeZone, axis: TimeAxis, column: str, is_zoned: bool) -> None:
    """Raise a SeriesError if times cannot be converted to the zone of an axis.

    That is so if only one has a zone, or if the times, without an offset from UTC each, are local times of longer steps
    in another zone.
    """
    if zone.name is None and axis.zone is not None:
        raise SeriesError(
            f"{column}: the times have no zone, and those of {axis.owner} are of {axis.zone}. Write the zone into the "
            f"times (2024-03-01T00:00+01:00, or .dt.tz_localize('{axis.zone}') in pandas), or name it as source.tz."
        )
    if zone.name is not None and axis.zone is None:
        raise SeriesError(
            f"{column}: the times are of {zone.name}, and those of {axis.owner} have no zone. Leave the zone out "
            "(.dt.tz_localize(None) in pandas, and no source.tz), or train with times of a zone."
        )
    if zone.name != axis.zone and not is_zoned and not axis.is_utc:
        raise SeriesError(
            f"{column}: the times are local times of {zone.name}, and those of {axis.owner} of {axis.zone}. Steps of "
            f"this length are not converted: give source.tz={axis.zone}, or train with times of {zone.name}."
        )


def check_midnights(raw: pd.Series, source: SourceSpec) -> None:
    """Raise a SeriesError if all times are midnights of offsets that are shown in UTC, where they are other days."""
    if source.tz or find_zone(raw) or raw.empty or not re.search(_MIDNIGHT, str(raw.iloc[0])):
        return
    text = raw.astype(str)
    if (
        not text.str.contains(_MIDNIGHT).all()
        or text.str.contains(_NO_OFFSET).all()
        or find_offset_zone(raw) != UTC
    ):
        return
    raise SeriesError(
        f"{source.label}: column '{source.time}': the times, such as {show(text.iloc[0])}, are midnights, and their "
        "offsets from UTC change or are no whole hours. Name their zone in source.tz, such as Europe/Berlin."
    )


def place_on_axis(
    table: pd.DataFrame, raw: pd.Series, source: SourceSpec, axis: TimeAxis | None
) -> pd.DataFrame:
    """Return the table with times, as read in `raw`, on an axis; `attrs` has their zone (`zone`) and that shown (`tz`).

    Times with offsets but without a named zone are shown in UTC, or with their offset if all have the same. Without an
    axis, the result has that of the times. Raise a SeriesError for steps with a zone, or times of another zone than
    that of the axis.
    """
    tz = source.tz or find_zone(raw)
    is_short = None
    if not is_datetime64_any_dtype(table["ds"]):
        if tz is None:
            return table
        raise SeriesError(
            f"{source.label}: column '{source.time}' holds steps, which have no source.tz. Leave it out."
        )
    # One cell suffices, because all have the same form, see `parse_times`.
    is_zoned = raw.empty or has_zone(raw.iloc[:1], source.label, source.time_format or ISO)
    if tz is None and is_zoned and len(raw):
        tz = find_offset_zone(raw)
        # Offsets name the moments of steps within days, and no longer steps, which are local days.
        local = show_local(table["ds"], tz)
        is_short = True if (local != local.dt.normalize()).any() else None
        if axis is None:
            reason = (
                "counts in UTC"
                if source.time_format in COUNTS
                else "has offsets from UTC and no named zone"
            )
            logger.warning(
                "%s: column '%s' %s, so that times are shown %s. Name their zone "
                "in source.tz, such as Europe/Berlin, for local time and changes of the clock.",
                source.label,
                source.time,
                reason,
                "in UTC" if tz == UTC else "with the offset that all have",
            )
    zone = TimeZone(name=tz, is_carried=is_zoned and source.tz is None)
    placed = table
    if axis is not None:
        if len(raw):
            check_same_zone(zone, axis, f"{source.label}: column '{source.time}'", is_zoned)
        # Local times of another zone are converted through UTC.
        tz = axis.zone if is_zoned else tz
        is_short = axis.is_utc
    if tz is not None:
        placed, is_utc = place_in_zone(table, is_zoned, tz, source.label, is_short)
        shown = tz if axis is None else axis.zone
        placed.attrs["tz"] = shown if is_utc else None
    placed.attrs["zone"] = zone.model_dump()
    return placed


def round_times(table: pd.DataFrame, label: str, freq: int | str | None) -> pd.DataFrame:
    """Return the table with times as whole minutes, hours or days, if only these are regular; report it.

    Each time of a series must stay unique. Days begin at midnight, so that 23:50 is of the same day. Times with a given
    frequency stay.
    """
    if table.empty or freq is not None or not is_datetime64_any_dtype(table["ds"]):
        return table
    some = table[["unique_id", "ds"]][
        table["unique_id"].isin(table["unique_id"].unique()[:_MAX_SERIES])
    ]
    some = some.sort_values(["unique_id", "ds"])
    if find_own_frequency(some) is not None:
        return table
    for unit, name in _UNITS.items():
        rounded = _round(some, unit)
        if not rounded.duplicated().any() and find_own_frequency(rounded) is not None:
            logger.warning(
                "%s: times are rounded to whole %s, because only these are regular",
                label,
                name,
            )
            return _round(table, unit)
    return table


def _round(table: pd.DataFrame, unit: str) -> pd.DataFrame:
    ds = table["ds"]
    return table.assign(ds=ds.dt.floor(unit) if unit == "D" else ds.dt.round(unit))
