"""The errors that users can meet; each message names the received value, the expected one and a remedy.

File names, ids and parameters can be long, and can hold control characters or line breaks. So every message is a
short line of printable characters.
"""

from collections.abc import Iterable, Mapping
from typing import Self

# Characters shown of a value, of a path, and of a message; and the number of values shown of a list.
MAX_VALUE = 80
MAX_PATH = 300
MAX_MESSAGE = 2_000
MAX_NAMES = 20


def show(value: object) -> str:
    """Return an external value as messages show it: texts in quotes, escaped, and cut if they are long."""
    if not isinstance(value, str):
        try:
            return make_line(repr(value), MAX_VALUE)
        # Python writes no integers of more than 4,300 digits, and a `repr` of others can fail in any way.
        except Exception:
            return f"{type(value).__name__} without a text"
    return (
        repr(value)
        if len(value) <= MAX_VALUE
        else f"{value[:MAX_VALUE]!r}… ({len(value):,} characters)"
    )


def show_all(values: Iterable[object]) -> str:
    """Return external values in brackets; of a long list, the first values and the number of all."""
    listed = list(values)
    shown = ", ".join(show(value) for value in listed[:MAX_NAMES])
    return f"[{shown}]" if len(listed) <= MAX_NAMES else f"[{shown}, …] ({len(listed):,} in all)"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: `1 window`, `1,200 windows`; `plural` if it is not the noun with an s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def make_line(text: object, most: int = MAX_MESSAGE) -> str:
    """Return a text as one line with escaped control characters, without its middle if it is longer than `most`."""
    line = escape(" ".join(part.strip() for part in str(text).splitlines()))
    half = most // 2
    return line if len(line) <= most else f"{line[:half]} … {line[len(line) - half + 3 :]}"


def escape(text: str) -> str:
    """Return a text with its control characters as Python escapes them: `\\x1b`."""
    return (
        text
        if text.isprintable()
        else "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)
    )


class RnnPipelinesError(Exception):
    """Base class of all errors that this project raises on purpose; the message is one line, see `make_line`."""

    def __init__(self, message: object = "") -> None:
        super().__init__(make_line(message))


class TableError(RnnPipelinesError, ValueError):
    """A table does not match its type; the message holds the received columns, or the first wrong row."""


class SeriesError(RnnPipelinesError, ValueError):
    """A series can't be used; the message names source, column and row or timestamp."""


class MissingColumnsError(SeriesError):
    """A table of series lacks columns: those `missing`, beside a number of others that were not asked for."""

    def __init__(self, message: str, missing: list[str], num_others: int) -> None:
        super().__init__(message)
        self.missing, self.num_others = missing, num_others

    def __reduce__(self) -> tuple[type[Self], tuple[str, list[str], int]]:
        """Return how other processes copy the error."""
        return type(self), (str(self), self.missing, self.num_others)


class SeriesTooShortError(SeriesError):
    """A series is too short for its parts; the message holds the received and the required length."""


class ReviewError(RnnPipelinesError, ValueError):
    """Reviews can't be used; the message names file, member or column and row, and a remedy."""


class DownloadError(ReviewError):
    """The archive of reviews can't be downloaded, and there is no local copy."""


class TaskError(RnnPipelinesError, ValueError):
    """A task can't be generated, or its file can't be read; the message names size or file, part and sequence."""


class TrainingError(RnnPipelinesError, RuntimeError):
    """A training ended without a usable network."""


class NetworkError(RnnPipelinesError, ValueError):
    """A trained network can't be inspected; the message names network or layer, and a remedy."""


class ParameterError(RnnPipelinesError, ValueError):
    """A parameter has an unknown name or an invalid value; the message names the expected ones."""


class MissingLibraryError(RnnPipelinesError, ImportError):
    """An optional library is not installed; the message names the extra that installs it."""


class ParallelError(RnnPipelinesError, RuntimeError):
    """Trainings can't run in parallel as requested; the message names the cause."""


class TimeLimitError(RnnPipelinesError, TimeoutError):
    """A computation takes longer than its limit; the message names the limit and a remedy."""


class LockedError(RnnPipelinesError, TimeoutError):
    """Another process holds the lock, and did not finish in time."""


class RunError(RnnPipelinesError, RuntimeError):
    """The results of a run can't be stored, found or read; the message names the folder and a remedy."""


class LockError(RnnPipelinesError, OSError):
    """A lock file can't be used; no other process holds it."""


class RunStopped(RnnPipelinesError):  # noqa: N818 - it is no failure
    """A run ended where its parameters say; the message names the next commands."""


class ChampionError(RnnPipelinesError, RuntimeError):
    """There is no usable champion, or no version of that name."""


class FormatError(ChampionError):
    """Another version of the project wrote the file; the message names the format and a remedy."""


class TrackingError(RnnPipelinesError, RuntimeError):
    """Retrainings and champions can't be published to MLflow; the message names the cause and a remedy."""


class BrokenChainError(RnnPipelinesError, ValueError):
    """A row of a log, by the columns of its key, does not match the hashes of its nights, for the reason."""

    def __init__(self, reason: str, key: Mapping[str, object]) -> None:
        super().__init__(
            f"{', '.join(f'{name} {value}' for name, value in key.items())}: {reason}."
        )
        self.reason = reason
        self.key = dict(key)
