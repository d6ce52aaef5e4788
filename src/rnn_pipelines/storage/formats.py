"""The format number and the checksum of stored files; a file of another format is an error.

The checksum is inside the file, so that content and checksum are replaced in one step. The file is written with zeros
in its place; it is the sha256 of this content. So any changed bit is found, in the values and in their description.
"""

import hashlib
import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from rnn_pipelines.errors import ChampionError, FormatError, MissingLibraryError, show

# The format of versions, pointer and records.
FORMAT = 1
# Those that this version of the project reads.
FORMATS = (FORMAT,)
KEY = "content_sha256"
BLANK = "0" * 64
# As `json.dumps` writes the key; inside a JSON text, the quotation marks would be escaped.
MARK = f'"{KEY}": "'.encode()
# The key of the settings of a model that holds the sha256 of each of its other files.
FILES = "files"
# Files that mark the kind of a model: each forecaster has the first, and each text classifier the second.
SCALER, VOCABULARY = "scaler.json", "vocabulary.json"
_find_adapter = cache(TypeAdapter)
# Decorates the types of records. Keys that a task or another version of the project adds are kept.
as_written = with_config(ConfigDict(extra="allow", strict=True))


def read_object(
    content: str | bytes, label: object, known: Sequence[int] = FORMATS
) -> dict[str, Any]:
    """Parse a JSON object, and check its format and its checksum if it has one.

    Raise a FormatError if another version of the project wrote it, and a ValueError if it is no such object.
    """
    try:
        fields = json.loads(content)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if "\\ud" in str(content).lower():
        # A lone surrogate can't be printed or written; a UnicodeEncodeError is a ValueError.
        json.dumps(fields, ensure_ascii=False).encode()
    if not isinstance(fields, dict):
        raise ValueError(f"expected an object, received {type(fields).__name__}")
    check_format(fields.get("format"), label, known)
    if has_checksum(content.encode() if isinstance(content, str) else content):
        fields.pop(KEY, None)
    return fields


def check_format(number: object, label: object, known: Sequence[int] = FORMATS) -> None:
    """Check the format number of a file against the ones that this version of the project reads, in order.

    Raise a ValueError if it is no number, as in a damaged file, and a FormatError if another version wrote the file.
    """
    if not isinstance(number, int):
        raise ValueError(f"expected a number as its format, received {show(number)}")
    if number not in known:
        remedy = (
            "Update the project"
            if number > known[-1]
            else "Use the version of the project that wrote it"
        )
        raise FormatError(
            f"{label}: it has format {number}, and this version of the project reads format {known[-1]}. {remedy}."
        )


def check_needed_files(files: Container[str], needed: Iterable[str], label: object) -> None:
    """Raise a ChampionError, which begins with `label` and names the files, if needed files are missing."""
    missing = [name for name in needed if name not in files]
    if missing:
        raise ChampionError(f"{label}: its files lack {', '.join(missing)}. Train the model again.")


def check_kind(files: Container[str], mark: str, label: object) -> None:
    """Raise a ChampionError, which begins with `label`, if there is `mark`, a file of models of another kind alone."""
    if mark in files:
        raise ChampionError(
            f"{label}: received a model of another kind, with {mark}. Load it with its own class."
        )


def seal_files(settings: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
    """Return the file of a model's settings, with the sha256 of its other files; see `read_sealed`."""
    return dump_object(
        {**settings, FILES: {name: hashlib.sha256(files[name]).hexdigest() for name in files}}
    )


def read_sealed(
    files: Mapping[str, bytes], name: str, label: str, known: Sequence[int]
) -> dict[str, Any]:
    """Return the settings of a model, which are its file `name`, without format and checksums.

    Settings that were written before there were checksums are read without them. Raise a ChampionError that names the
    file if one is missing, damaged or changed, or a FormatError if another version of the project wrote the settings.
    """
    check_needed_files(files, [name], label)
    with naming_damage(name):
        settings = read_object(files[name], label, known)
        del settings["format"]
        checksums = dict(settings.pop(FILES, {}))
    check_needed_files(files, checksums, label)
    for other, checksum in checksums.items():
        with naming_damage(other):
            if hashlib.sha256(files[other]).hexdigest() != checksum:
                raise ValueError("it changed after it was written")
    return settings


@contextmanager
def naming_damage(name: str) -> Iterator[None]:
    """Turn any error of a damaged file of a model into a ChampionError that names the file."""
    try:
        yield
    except (ChampionError, MissingLibraryError):
        raise
    # Keras, h5py, NumPy, pandas and zipfile can raise any error for a damaged file.
    except Exception as error:
        # The operating system's errors, such as that of a full disk, are no damage.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        reason = f"{type(error).__name__}: {error}"
        raise ChampionError(
            f"{name}: it is damaged ({reason}). Copy it back, or train the model again."
        ) from error


def is_plain(name: object) -> bool:
    """Return whether a name is that of a visible file in a folder; names in damaged files could be other paths."""
    return (
        isinstance(name, str)
        and name != ""
        and not name.startswith(".")
        and not {"/", "\0"} & set(name)
    )


def check_types(found: Mapping[str, Any], kind: Any) -> None:
    """Raise a ValueError that names the key if a value does not have the type of this kind of record."""
    try:
        _find_adapter(kind).validate_python(found)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(map(str, first["loc"]))
        raise ValueError(f"{path}: {first['msg'].removeprefix('Value error, ')}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def embed_checksum(content: bytes) -> bytes:
    """Return the content of a file with its checksum in place of `BLANK`, the value of the JSON key `KEY`, in UTF-8."""
    begin = _find(content)
    return b"".join([content[:begin], _measure(content, begin), content[begin + len(BLANK) :]])


def has_checksum(content: bytes) -> bool:
    """Return whether a file has a checksum; raise a ValueError if it is not that of the content."""
    if MARK not in content:
        return False
    begin = _find(content)
    if content[begin : begin + len(BLANK)] != _measure(content, begin):
        raise ValueError("it changed after it was written")
    return True


def dump_object(fields: Mapping[str, Any]) -> bytes:
    """Return a JSON object with a checksum, which `read_object` checks and removes."""
    return embed_checksum(json.dumps({**fields, KEY: BLANK}, indent=2).encode())


def _find(content: bytes) -> int:
    # The last one, because the values of a Parquet file come before their description.
    return content.rindex(MARK) + len(MARK)


def _measure(content: bytes, begin: int) -> bytes:
    view = memoryview(content)
    digest = hashlib.sha256(view[:begin])
    digest.update(BLANK.encode())
    digest.update(view[begin + len(BLANK) :])
    return digest.hexdigest().encode()
