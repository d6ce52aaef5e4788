"""A limit of the time of a computation, which the loops of long ones check."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from rnn_pipelines.errors import TimeLimitError


class _Limit(NamedTuple):
    """The seconds that a computation may take, and the monotonic time of their end."""

    seconds: float
    end: float


# None for no limit.
_LIMIT: ContextVar[_Limit | None] = ContextVar("limit", default=None)


@contextmanager
def limit_time(seconds: float, waited: float = 0.0) -> Iterator[None]:
    """Let `check_time` raise an error after some seconds in this context, of which some were spent waiting."""
    token = _LIMIT.set(_Limit(seconds, time.monotonic() + seconds - waited))
    try:
        yield
    finally:
        _LIMIT.reset(token)


def check_time() -> None:
    """Raise a TimeLimitError after the end of the time, if there is a limit."""
    limit = _LIMIT.get()
    if limit is not None and time.monotonic() > limit.end:
        remedy = "Ask for fewer steps or series, or allow more seconds."
        raise TimeLimitError(f"the computation takes more than {limit.seconds:g} seconds. {remedy}")
