"""The pointer to the champion: one small file, replaced atomically."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from rnn_pipelines.errors import ChampionError, show
from rnn_pipelines.storage.files import replace_file
from rnn_pipelines.storage.formats import FORMAT, dump_object, is_plain, read_object


@dataclass(frozen=True)
class Pointer:
    """The pointer to the champion: its version, with the sha256 of its list of checksums, and when it was promoted.

    `since` is in ISO 8601, UTC. The previous champions are the newest first.
    """

    version: str
    checksum: str
    since: str
    reasons: Sequence[str]
    previous: Sequence[str]


def read_pointer(path: Path) -> Pointer | None:
    """Read the pointer; None if the file is missing, a ChampionError if it is damaged.

    A pointer that another version of the project wrote raises a FormatError.
    """
    try:
        fields = read_object(path.read_bytes(), path)
        del fields["format"]
        pointer = Pointer(**fields)
        # JSON may hold anything.
        for name, texts in (("reasons", pointer.reasons), ("previous", pointer.previous)):
            if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
                raise TypeError(f"{name}: expected a list of texts")
        if not all(map(is_plain, [pointer.version, *pointer.previous])):
            raise ValueError("expected names of versions")
        if not isinstance(pointer.checksum, str):
            raise TypeError("checksum: expected a text")
        if datetime.fromisoformat(pointer.since).tzinfo is None:
            raise ValueError(
                f"since: expected a time with its zone, received {show(pointer.since)}"
            )
        return pointer
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise ChampionError(f"{path}: it is damaged ({error}).") from error


def write_pointer(path: Path, pointer: Pointer) -> None:
    replace_file(path, dump_object({"format": FORMAT, **asdict(pointer)}))
