"""The list of a model's files with their sha256; only listed files with matching content are read."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from rnn_pipelines.errors import ChampionError
from rnn_pipelines.storage.files import find_target, is_regular
from rnn_pipelines.storage.formats import FORMAT, is_plain, read_object

CHECKSUMS = "checksums.json"
SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


def measure(content: bytes) -> str:
    """Return the sha256 of a file's content, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def list_checksums(files: Mapping[str, bytes], **others: str) -> bytes:
    """Return the content of a list of checksums.

    Args:
        files: content by name.
        others: further fields of the list.
    """
    checksums = {name: measure(content) for name, content in files.items()}
    return json.dumps({"format": FORMAT, **others, "files": checksums}, indent=2).encode()


def parse_checksums(listed: bytes, label: object) -> dict[str, str]:
    """Return the sha256 of each file by name.

    Args:
        listed: content of the list.
        label: start of error messages.
    Raises:
        ValueError: the content is no list of checksums.
        FormatError: another version of the project wrote it.
    """
    found = read_object(listed, label)
    checksums = found.get("files")
    if not isinstance(checksums, dict) or not checksums or not all(map(is_plain, checksums)):
        raise ValueError("expected names of files with their checksums")
    if not all(isinstance(checksum, str) and SHA256.fullmatch(checksum) for checksum in checksums.values()):
        raise ValueError("expected the sha256 of each file")
    return checksums


def read_listed(
    folder: Path, listed: bytes, label: object, locate: Callable[[str, str], str] = lambda name, _: name
) -> dict[str, bytes]:
    """Return the listed files: content by name.

    Args:
        folder: of the files.
        listed: content of the list.
        label: start of error messages.
        locate: returns the name on disk of a file, from its name and sha256.
    Raises:
        ChampionError: a file is missing or changed, or the list is damaged; the message names the file.
        FormatError: another version of the project wrote the list.
    """
    try:
        checksums = parse_checksums(listed, label)
        files = {name: (folder / locate(name, checksum)).read_bytes() for name, checksum in checksums.items()}
    except (OSError, ValueError) as error:
        raise ChampionError(f"{label}: it is damaged or missing ({error}).") from error
    changed = [name for name in files if measure(files[name]) != checksums[name]]
    if changed:
        raise ChampionError(f"{label}: {', '.join(changed)} changed after it was written.")
    return files


def list_foreign(folder: Path) -> list[str]:
    """Return the names in a version's folder that the project did not write, or that changed since.

    The list is written first, so that it also covers the files of an unfinished version.

    Args:
        folder: of a version, complete or not.
    Raises:
        OSError: the folder can't be read.
    """
    there = list(folder.iterdir())
    try:
        listed = folder / CHECKSUMS
        checksums = parse_checksums(listed.read_bytes(), folder) if listed in there else {}
    except (OSError, ValueError, ChampionError):
        return sorted(path.name for path in there)
    return sorted(path.name for path in there if not _is_own(path, checksums))


def _is_own(path: Path, checksums: Mapping[str, str]) -> bool:
    if not is_regular(path):
        return False
    target = find_target(path.name)
    if target is not None:
        return target == CHECKSUMS or target in checksums
    return path.name == CHECKSUMS or checksums.get(path.name) == measure(path.read_bytes())
