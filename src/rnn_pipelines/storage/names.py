"""Names of records, versions and runs, which sort by the time at which they were made."""

import re
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

NAME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d)\.(\d\d)\.(\d\d\.\d{6})Z-[0-9a-f]{6}", re.ASCII)


def make_later_name(names: Iterable[str]) -> str:
    """A name that no other process makes, and that sorts after others.

    It is the time, but never earlier than the newest name: where a clock was ahead once, what comes later would sort
    before what is older, and the newest retraining, failure, champion and run would for ever be those of that night.

    Args:
        names: all that there are.
    """
    newest = max(filter(None, map(find_moment, names)), default=None)
    now = datetime.now(UTC)
    at = now if newest is None else max(now, newest + timedelta(microseconds=1))
    return f"{at:%Y-%m-%dT%H.%M.%S.%fZ}-{uuid.uuid4().hex[:6]}"


def is_name(name: str) -> bool:
    """Whether a name is of the form of `make_name`: whatever is called otherwise, somebody else put there."""
    return NAME.fullmatch(name) is not None


def find_moment(name: str) -> datetime | None:
    """The time that a name of `make_name` tells; None of any other name."""
    found = NAME.fullmatch(name)
    try:
        moment = None if found is None else datetime.fromisoformat("{}T{}:{}:{}+00:00".format(*found.groups()))
    except ValueError:  # the 40th of May
        return None
    # None comes after the last year that can be written.
    return None if moment is None or moment.year == datetime.max.year else moment


def give_order(name: str) -> tuple[bool, str]:
    """By which names sort: what `make_name` did not make comes first, so that it never is the newest."""
    return find_moment(name) is not None, name


def make_timestamp() -> str:
    """Now: ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
