"""Names of records, versions and runs, which sort by their creation time."""

import re
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

NAME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d)\.(\d\d)\.(\d\d\.\d{6})Z-[0-9a-f]{6}", re.ASCII)


def make_later_name(names: Iterable[str]) -> str:
    """Return a unique name that sorts after all others.

    The name holds the current time, or a time just after the newest name if that is later. Otherwise, names from a
    clock that was ahead would stay the newest ones.
    """
    newest = max(filter(None, map(find_moment, names)), default=None)
    now = datetime.now(UTC)
    at = now if newest is None else max(now, newest + timedelta(microseconds=1))
    return f"{at:%Y-%m-%dT%H.%M.%S.%fZ}-{uuid.uuid4().hex[:6]}"


def is_name(name: str) -> bool:
    """Return whether a name has the form of `make_later_name`; other names are not of this project."""
    return NAME.fullmatch(name) is not None


def find_moment(name: str) -> datetime | None:
    """Return the time in a name of `make_later_name`; None for any other name."""
    match = NAME.fullmatch(name)
    try:
        moment = (
            None
            if match is None
            else datetime.fromisoformat("{}T{}:{}:{}+00:00".format(*match.groups()))
        )
    except ValueError:  # no date, such as the 40th of May
        return None
    # No name could sort after one of the last possible year.
    return None if moment is None or moment.year == datetime.max.year else moment


def give_order(name: str) -> tuple[bool, str]:
    """Return the sort key of a name; names of another form come first, so that none of them is the newest."""
    return find_moment(name) is not None, name


def make_timestamp() -> str:
    """Return the current time: ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
