"""The errors that a user of the project can meet: each says what was received, what was expected and what to do.

What a message shows of files, ids and parameters can be of any length, and hold what a terminal or a log takes for a
line of its own. So every message is one line of printable characters, and short.
"""

from collections.abc import Iterable

# Characters of a value, of a path, and of a message, that are shown.
MAX_VALUE = 80
MAX_PATH = 300
MAX_MESSAGE = 2_000
MAX_NAMES = 20


def show(value: object) -> str:
    """A value from outside, as a message shows it: texts in quotes, escaped, cut where long."""
    if not isinstance(value, str):
        return make_line(repr(value), MAX_VALUE)
    return repr(value) if len(value) <= MAX_VALUE else f"{value[:MAX_VALUE]!r}… ({len(value):,} characters)"


def show_all(values: Iterable[object]) -> str:
    """Values from outside in brackets; of many the first ones, and how many there are."""
    listed = list(values)
    some = ", ".join(show(value) for value in listed[:MAX_NAMES])
    return f"[{some}]" if len(listed) <= MAX_NAMES else f"[{some}, …] ({len(listed):,} in all)"


def make_line(text: object, most: int = MAX_MESSAGE) -> str:
    """A text on one line, its control characters escaped, without its middle where it is longer than `most`."""
    line = escape(" ".join(part.strip() for part in str(text).splitlines()))
    half = most // 2
    return line if len(line) <= most else f"{line[:half]} … {line[len(line) - half + 3 :]}"


def escape(text: str) -> str:
    """A text with its control characters as Python writes them: `\\x1b`."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


class RnnPipelinesError(Exception):
    """Root of all errors that this project raises on purpose; its message is a line, see `make_line`."""

    def __init__(self, message: object = "") -> None:
        super().__init__(make_line(message))


class TableError(RnnPipelinesError, ValueError):
    """A table is not what its type says; the message holds the received columns, or the first row that is wrong."""


class SeriesError(RnnPipelinesError, ValueError):
    """The series can't be used as it is; the message names source, column and row or timestamp."""


class SeriesTooShortError(SeriesError):
    """A series has fewer steps than its parts need; the message holds the received and the needed length."""


class ReviewError(RnnPipelinesError, ValueError):
    """The reviews can't be used as they are; the message names file, member or column and row, and what to do."""


class DownloadError(ReviewError):
    """The archive of reviews can't be downloaded, and no file on this machine takes its place."""


class TaskError(RnnPipelinesError, ValueError):
    """A task can't be made as asked, or its file can't be read; the message names size or file, part and sequence."""


class TrainingError(RnnPipelinesError, RuntimeError):
    """A training ended without a usable network."""


class NetworkError(RnnPipelinesError, ValueError):
    """A trained network can't be looked into; the message names network or layer, and what to do."""


class ParameterError(RnnPipelinesError, ValueError):
    """A parameter has a name that nothing reads, or a value that can't be used; the message says what was expected."""


class ParallelError(RnnPipelinesError, RuntimeError):
    """Trainings can't be spread over processes as asked; the message says what is missing."""


class LockedError(RnnPipelinesError, TimeoutError):
    """Another process is at the same work, and did not finish in time."""


class RunError(RnnPipelinesError, RuntimeError):
    """A run's results can't be kept, found or read; the message names the folder, and says what to do."""


class LockError(RnnPipelinesError, OSError):
    """The file of a lock can't be used; nobody else holds it."""


class ChampionError(RnnPipelinesError, RuntimeError):
    """There is no champion that can be used, or none of that name."""


class NewerFormatError(ChampionError):
    """A newer version of the project has written this; the message names the format, and says what to do."""


class TrackingError(RnnPipelinesError, RuntimeError):
    """MLflow can't be told of retrainings and champions; the message says what is missing, and how to get it."""
