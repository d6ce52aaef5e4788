"""The zone of a table's times, and the check that other tables fit the same axis."""

from typing import NamedTuple

import pandas as pd
from pydantic import BaseModel

from rnn_pipelines.errors import SeriesError


class TimeZone(BaseModel, extra="forbid", frozen=True):
    """The zone of a table's times.

    Attributes:
        name: `source.tz`, or else the zone of the times (UTC if it has no name); None for times without one.
        is_carried: whether the times carry the zone and `source.tz` does not name it.
    """

    name: str | None = None
    is_carried: bool = False


class TimeAxis(NamedTuple):
    """The axis for the times of other tables.

    Attributes:
        zone: of its times; None for times without one.
        is_utc: whether they are counted in UTC, see `place_in_zone`.
        owner: owner of the times, for messages.
    """

    zone: str | None
    is_utc: bool
    owner: str


def find_axis(table: pd.DataFrame) -> TimeAxis | None:
    """Return the axis of a table of series as read; None for steps and for packaged series."""
    zone = table.attrs.get("zone")
    return None if zone is None else TimeAxis(zone["name"], table.attrs.get("tz") is not None, "the series")


def check_same_zone(zone: TimeZone, axis: TimeAxis, column: str, is_zoned: bool) -> None:
    """Raise an error if times cannot be converted to the zone of an axis.

    Args:
        zone: of the times.
        axis: target of the times.
        column: source and column of the times, for messages.
        is_zoned: whether each time has an offset from UTC.
    Raises:
        SeriesError: only one has a zone, or the times are local times of longer steps in another zone.
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
