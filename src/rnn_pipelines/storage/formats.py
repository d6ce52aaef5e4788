"""The format number of stored files; a file of another format is an error."""

import json
from collections.abc import Container, Iterable
from typing import Any

from rnn_pipelines.errors import ChampionError, FormatError, show
from rnn_pipelines.storage.embedded_checksums import KEY, has_checksum

# The format of versions, pointer and records.
FORMAT = 1
# Files that mark the kind of a model: each forecaster has the first, and each text classifier the second.
SCALER, VOCABULARY = "scaler.json", "vocabulary.json"


def read_object(content: str | bytes, label: object, known: int = FORMAT) -> dict[str, Any]:
    """Parse a JSON object, and check its format and its checksum if it has one.

    Args:
        content: of the file.
        label: start of error messages.
        known: the format that this version of the project reads.
    Raises:
        ValueError: the content is no JSON object, lacks a format, is nested too deeply, has text that can't be
            encoded, or does not match its checksum.
        FormatError: another version of the project wrote it.
    """
    try:
        found = json.loads(content)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if "\\ud" in str(content).lower():
        # A lone surrogate can't be printed or written; a UnicodeEncodeError is a ValueError.
        json.dumps(found, ensure_ascii=False).encode()
    if not isinstance(found, dict):
        raise ValueError(f"expected an object, received {type(found).__name__}")
    check_format(found.get("format"), label, known)
    if has_checksum(content.encode() if isinstance(content, str) else content):
        found.pop(KEY, None)
    return found


def check_format(number: object, label: object, known: int = FORMAT) -> None:
    """Check the format number of a file.

    Args:
        number: in the file.
        label: start of the message of a FormatError.
        known: the format that this version of the project reads.
    Raises:
        ValueError: it is not a number, so that the file is damaged.
        FormatError: another version of the project wrote the file.
    """
    if not isinstance(number, int):
        raise ValueError(f"expected a number as its format, received {show(number)}")
    if number != known:
        remedy = "Update the project" if number > known else "Use the version of the project that wrote it"
        raise FormatError(
            f"{label}: it has format {number}, and this version of the project reads format {known}. {remedy}."
        )


def check_needed_files(files: Container[str], needed: Iterable[str], label: object) -> None:
    """Raise a ChampionError, which begins with `label` and names the files, if needed files are missing."""
    missing = [name for name in needed if name not in files]
    if missing:
        raise ChampionError(f"{label}: its files lack {', '.join(missing)}. Train the model again.")


def check_kind(files: Container[str], mark: str, label: object) -> None:
    """Raise a ChampionError, which begins with `label`, if the files are a model of another kind.

    Args:
        files: of the model, by name.
        mark: a file that all models of the other kind have, and no model of this kind.
        label: start of error messages.
    """
    if mark in files:
        raise ChampionError(f"{label}: received a model of another kind, with {mark}. Load it with its own class.")


def is_plain(name: object) -> bool:
    """Return whether a name is that of a visible file in a folder; names in damaged files could be other paths."""
    return isinstance(name, str) and name != "" and not name.startswith(".") and not {"/", "\0"} & set(name)
