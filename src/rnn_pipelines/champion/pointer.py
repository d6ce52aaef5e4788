"""Which version is the champion: one small file, which is replaced whole."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rnn_pipelines.champion.files import replace_file
from rnn_pipelines.champion.formats import FORMAT, read_object
from rnn_pipelines.errors import ChampionError


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
        fields = read_object(path.read_text(encoding="utf-8"), path)
        fields.pop("format", None)
        pointer = Pointer(**fields)
        if not isinstance(pointer.previous, list):
            raise TypeError("expected a list of the champions before")
        return pointer
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
