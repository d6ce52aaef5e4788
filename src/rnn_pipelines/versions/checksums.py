"""A list of files with their sha256, as JSON; only listed files with matching content are read."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from rnn_pipelines.errors import ChampionError, show
from rnn_pipelines.storage.formats import FORMAT, is_plain, read_object
from rnn_pipelines.versions.files import measure
from rnn_pipelines.versions.folder import OwnFiles

CHECKSUMS = "checksums.json"
SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


def list_checksums(files: Mapping[str, bytes], **others: str) -> bytes:
    """Return the content of a list of checksums."""
    checksums = {name: measure(content) for name, content in files.items()}
    return json.dumps({"format": FORMAT, **others, "files": checksums}, indent=2).encode()


def parse_checksums(listed: bytes, label: object) -> dict[str, str]:
    """Return the sha256 of each file by name; raise a ValueError for no list of checksums, or a FormatError."""
    content = read_object(listed, label)
    checksums = content.get("files")
    if not isinstance(checksums, dict) or not checksums or not all(map(is_plain, checksums)):
        raise ValueError("expected names of files with their checksums")
    if not all(
        isinstance(checksum, str) and SHA256.fullmatch(checksum) for checksum in checksums.values()
    ):
        raise ValueError("expected the sha256 of each file")
    return checksums


def read_listed(
    folder: Path,
    listed: bytes,
    label: object,
    locate: Callable[[str, str], str] = lambda name, _: name,
) -> dict[str, bytes]:
    """Return the listed files: content by name. `locate` returns the name on disk of a file, from its name and sha256.

    Raise a ChampionError that names the file if one is missing or changed or the list is damaged, or a FormatError.
    """
    try:
        checksums = parse_checksums(listed, label)
        files = {
            name: (folder / locate(name, checksum)).read_bytes()
            for name, checksum in checksums.items()
        }
    except (OSError, ValueError) as error:
        raise ChampionError(f"{label}: it is damaged or missing ({error}).") from error
    changed = [name for name in files if measure(files[name]) != checksums[name]]
    if changed:
        raise ChampionError(f"{label}: {', '.join(changed)} changed after it was written.")
    return files


def list_own_files(folder: Path) -> OwnFiles:
    """Return the own files of a version with a list of checksums; raise a ChampionError if that is damaged."""
    listed = folder / CHECKSUMS
    try:
        return OwnFiles(parse_checksums(listed.read_bytes(), listed), has_folders=False)
    except (OSError, ValueError) as error:
        raise ChampionError(f"{listed}: it is damaged ({error}).") from error


def read_version(folder: Path, version: str) -> tuple[dict[str, bytes], str]:
    """Return the files of a version, and the checksum of their list.

    Raise a ChampionError if there is no such version or it is damaged, and a FormatError if it is of another format.
    """
    if not is_plain(version):
        raise ChampionError(f"expected the name of a version, received {show(version)}.")
    try:
        listed = (folder / version / CHECKSUMS).read_bytes()
    except (OSError, ValueError) as error:
        raise ChampionError(f"{version}: it is damaged or missing ({error}).") from error
    return read_listed(folder / version, listed, version), measure(listed)
