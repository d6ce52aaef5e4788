"""One line on a terminal with the stage of a long run, its share and the time left."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from statistics import median
from threading import Event, Thread
from typing import TYPE_CHECKING

from rnn_pipelines.networks.fan_out import is_first_process

if TYPE_CHECKING:
    from tqdm import tqdm

SECONDS_BETWEEN = 1.0
# A stage that takes longer than typical is taken to need half of its time so far again.
MORE = 0.5
# A stage with a smaller multiple of its typical seconds had nothing to do.
MIN_MULTIPLE = 0.2
# The later stages grow more slowly with a file than the first ones, which read it.
GROWTH = 0.75
# A smaller share of a stage says little about its end.
MIN_SHARE = 0.05

# A stage by its name, and its typical seconds: only their ratios count after the first stage.
Stage = tuple[str, float]


class StageTimes:
    """The times of the stages of a run, from which the time left is estimated.

    Each stage so far took some multiple of its typical seconds. The stages left are expected to take about the median
    of these multiples.
    """

    def __init__(
        self, stages: Sequence[Stage], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stages = stages
        self._clock = clock
        self._place = -1
        self._began = self._started = clock()
        self._multiples: list[float] = []
        self._share = 0.0
        # The part of the stage that the shares are of, as in 1 of 2 networks: its first share, and its size.
        self._part = (0.0, 1.0)

    def begin(self, name: str) -> None:
        """Begin a stage; those before it are done, or left out."""
        now = self._clock()
        if self._place >= 0:
            multiple = (now - self._began) / self._stages[self._place][1]
            if multiple > MIN_MULTIPLE:
                self._multiples.append(multiple)
        names = [name for name, _ in self._stages]
        self._place = names.index(name, self._place + 1)
        self._began = now
        self._share = 0.0
        self._part = (0.0, 1.0)

    def begin_part(self, number: int, num_parts: int) -> None:
        """Begin one of several equal parts of the stage, by its number from 0."""
        self._part = (number / num_parts, 1 / num_parts)

    def set_share(self, share: float) -> None:
        """Set how much of the stage, or of its part, is done: from 0 to 1."""
        first, size = self._part
        self._share = max(self._share, first + share * size)

    def estimate_left(self) -> float:
        """Return the seconds until the end of the last stage."""
        multiple = median(self._multiples) ** GROWTH if self._multiples else 1.0
        elapsed = self._clock() - self._began
        if self._share > MIN_SHARE:
            of_stage = elapsed / self._share - elapsed
        else:
            typical = multiple * self._stages[self._place][1]
            of_stage = max(typical - elapsed, MORE * elapsed)
        return of_stage + multiple * sum(seconds for _, seconds in self._stages[self._place + 1 :])

    def describe(self) -> str:
        """Return the stage, the share of the time so far, the time itself, and the time left."""
        if self._place < 0:
            return ""
        elapsed = self._clock() - self._started
        left = self.estimate_left()
        percent = 100 * elapsed / (elapsed + left) if elapsed + left > 0 else 0.0
        name = self._stages[self._place][0]
        return f"{name}: {percent:.0f} %, {_format(elapsed)}, {_format(left)} left"


def _format(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:02d}:{rest:02d}"


class _Line(StageTimes):
    """The line of a run."""

    def __init__(self, stages: Sequence[Stage], bar: "tqdm") -> None:
        super().__init__(stages)
        self._bar = bar

    def draw(self) -> None:
        self._bar.set_description_str(self.describe())


# The line of the run in this context; None outside a run, and without a terminal.
_LINE: ContextVar[_Line | None] = ContextVar("line", default=None)


@contextmanager
def show_stages(stages: Sequence[Stage], verbose: bool | None = None) -> Iterator[None]:
    """Show the stages of a run on the standard error while it goes on; a run inside another one shows nothing more.

    If `verbose` is None, they are shown in a terminal.
    """
    is_shown = sys.stderr.isatty() if verbose is None else verbose
    if not is_shown or _LINE.get() is not None or not is_first_process():
        yield
        return
    # Exported forecasters do without it.
    from tqdm import tqdm

    with tqdm(leave=False, bar_format="{desc}") as bar:
        line = _Line(stages, bar)
        token = _LINE.set(line)
        ended = Event()

        def refresh() -> None:
            while not ended.wait(SECONDS_BETWEEN):
                line.draw()

        # A stage may take minutes, in which the time moves on.
        clock = Thread(target=refresh, daemon=True)
        clock.start()
        try:
            yield
        finally:
            ended.set()
            clock.join()
            _LINE.reset(token)


def begin_stage(name: str) -> None:
    """Name the stage that begins; those before it are done."""
    line = _LINE.get()
    if line is not None:
        line.begin(name)
        line.draw()


def begin_part(number: int, num_parts: int) -> None:
    """Begin one of several equal parts of the stage, by its number from 0."""
    line = _LINE.get()
    if line is not None:
        line.begin_part(number, num_parts)


def set_share(share: float) -> None:
    """Say how much of the stage, or of its part, is done: from 0 to 1."""
    line = _LINE.get()
    if line is not None:
        line.set_share(share)
