"""The number of the format in which the files of a champion are written; a newer one is not guessed at."""

import json
from collections.abc import Container, Iterable
from typing import Any

from rnn_pipelines.errors import ChampionError, NewerFormatError

# Of versions, of the pointer and of records. What has no number is from before there were numbers, and is read.
FORMAT = 1


def read_object(content: str | bytes, label: object, known: int = FORMAT) -> dict[str, Any]:
    """The JSON object that a file holds.

    Args:
        content: of the file.
        label: what an error begins with.
        known: newest format of such files that is read.
    Raises:
        ValueError: it holds something else, is nested too deeply, or has text that no file can hold.
        NewerFormatError: a newer version of the project has written it.
    """
    try:
        found = json.loads(content)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if "\\ud" in str(content).lower():
        # Half of a pair, which can't be printed or written again; a UnicodeEncodeError is a ValueError.
        json.dumps(found, ensure_ascii=False).encode()
    if not isinstance(found, dict):
        raise ValueError(f"expected an object, received {type(found).__name__}")
    number = found.get("format", 0)
    if not isinstance(number, int):
        raise ValueError(f"expected a number as its format, received {number!r}")
    check_format(number, label, known)
    return found


def check_format(number: int, label: object, known: int = FORMAT) -> None:
    """Raises a NewerFormatError, which begins with `label`, where a format is newer than the newest known one."""
    if number > known:
        raise NewerFormatError(
            f"{label}: it has format {number}, and this version of the project reads formats up to {known}. "
            "Update the project."
        )


def check_future_values(files: Container[str], needed: Iterable[str], label: object) -> None:
    """Raise a ChampionError, which begins with `label`, if a needed file is missing; it names all that are."""
    missing = [name for name in needed if name not in files]
    if missing:
        raise ChampionError(f"{label}: its files lack {', '.join(missing)}. Train the model again.")


def refuse_other_kind(files: Container[str], mark: str, label: object) -> None:
    """Raise a ChampionError, which begins with `label`, if the files are a model of another kind.

    Args:
        files: of the model, by name.
        mark: a file that models of the other kind have in each format, and those of this kind in none.
        label: what was expected.
    """
    if mark in files:
        raise ChampionError(f"{label}: received a model of another kind, with {mark}. Load it with its own class.")


def is_plain(name: object) -> bool:
    """Whether it names something in a folder that is not hidden: what a damaged file names must not lead elsewhere."""
    return isinstance(name, str) and name != "" and not name.startswith(".") and not {"/", "\0"} & set(name)
