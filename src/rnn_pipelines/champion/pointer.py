"""Which version is the champion: one small file, which is replaced whole."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from rnn_pipelines.errors import ChampionError, show
from rnn_pipelines.storage.files import replace_file
from rnn_pipelines.storage.formats import FORMAT, is_plain, read_object


@dataclass(frozen=True)
class Pointer:
    """Which version is the champion.

    Attributes:
        version: its name.
        checksum: sha256 of its list of checksums.
        since: ISO 8601, UTC.
        reasons: why.
        previous: the champions before, the newest first.
    """

    version: str
    checksum: str
    since: str
    reasons: Sequence[str]
    previous: Sequence[str]


def read_pointer(path: Path) -> Pointer | None:
    """The pointer as it is written; None where there is no such file.

    Args:
        path: the file.
    Raises:
        ChampionError: it is damaged.
        NewerFormatError: a newer version of the project has written it.
    """
    try:
        fields = read_object(path.read_bytes(), path)
        fields.pop("format", None)
        return _check(Pointer(**fields))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise ChampionError(f"{path}: it is damaged ({error}).") from error


def write_pointer(path: Path, pointer: Pointer) -> None:
    """Puts the pointer in the place of the one before.

    Args:
        path: the file.
        pointer: all of it.
    Raises:
        OSError: see `replace_file`.
    """
    replace_file(path, json.dumps({"format": FORMAT, **asdict(pointer)}, indent=2).encode())


def _check(pointer: Pointer) -> Pointer:
    """Raises a TypeError or ValueError where one field isn't what its type says, as JSON may hold anything."""
    lists = {"reasons": pointer.reasons, "previous": pointer.previous}
    for name, found in lists.items():
        if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
            raise TypeError(f"{name}: expected a list of texts")
    if not all(map(is_plain, [pointer.version, *pointer.previous])):
        raise ValueError("expected names of versions")
    if not isinstance(pointer.checksum, str):
        raise TypeError("checksum: expected a text")
    if datetime.fromisoformat(pointer.since).tzinfo is None:
        raise ValueError(f"since: expected a time with its zone, received {show(pointer.since)}")
    return pointer
