"""The time that a long loop still needs, estimated from its steps so far."""

import logging
import math
import time

logger = logging.getLogger(__name__)

# Shorter estimates are not worth a line; longer ones are logged once, and then not more often than this.
MIN_SECONDS = 20.0
SECONDS_BETWEEN = 60.0


class TimeLeft:
    """A clock for a loop of similar steps, of which an earlier process completed some, and `num_parallel` run at once.

    `what` is the plural of a step, for the log; `can_stop` whether the loop can end early.
    """

    def __init__(
        self,
        num_steps: int,
        what: str,
        num_before: int = 0,
        num_parallel: int = 1,
        can_stop: bool = False,
    ) -> None:
        self._num_steps = num_steps
        self._what = what
        self._num_before = num_before
        self._num_parallel, self._can_stop = num_parallel, can_stop
        self._started = time.monotonic()
        self._next_line = 0.0

    def describe(self, num_done: int) -> str:
        """Return `about 4 min left`, given the completed steps, more than before; empty if the loop ends soon."""
        elapsed = time.monotonic() - self._started
        num_parallel = self._num_parallel
        rounds_done = math.ceil((num_done - self._num_before) / num_parallel)
        rounds_left = max(self._num_steps - num_done - (num_parallel - 1), 0) / num_parallel
        seconds = elapsed / rounds_done * rounds_left
        if seconds < MIN_SECONDS:
            return ""
        return f"{'at most ' if self._can_stop else ''}about {format_duration(seconds)} left"

    def log(self, num_done: int, num_steps: int | None = None) -> None:
        """Log the progress with the time left, after the first step and then once a minute.

        `num_steps` is the number of steps as now expected; None if it is known from the start.
        """
        self._num_steps = num_steps or self._num_steps
        now = time.monotonic() - self._started
        if now >= self._next_line and (left := self.describe(num_done)):
            logger.info("%d of %d %s; %s", num_done, self._num_steps, self._what, left)
            self._next_line = now + SECONDS_BETWEEN


def format_duration(seconds: float) -> str:
    """Return a duration to one or two digits: 40 s, 4 min, 1.5 h."""
    if seconds < 90:
        return f"{max(round(seconds, -1), 10):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
