"""The files of a version on disk. Links are never followed, because the project makes none."""

import hashlib
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

# pydantic does not accept `typing.TypedDict` before Python 3.12.
from typing_extensions import TypedDict

from rnn_pipelines.storage.files import is_regular
from rnn_pipelines.storage.formats import as_written


@as_written
class FileFacts(TypedDict):
    """Checksum and size of a file."""

    sha256: str
    num_bytes: int


def list_all_files(folder: Path) -> list[str]:
    """List all files and links below a folder, also links to folders, as paths relative to it; raise an OSError."""
    paths = []
    for path, folders, files in os.walk(folder, onerror=_raise):
        links = [name for name in folders if os.path.islink(os.path.join(path, name))]
        paths += [os.path.relpath(os.path.join(path, name), folder) for name in [*files, *links]]
    return sorted(paths)


def measure(content: bytes) -> str:
    """Return the sha256 of a file's content, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def measure_file(path: Path) -> FileFacts | None:
    """Return checksum and size of a file; None if it is missing or not a regular file, such as a link."""
    if not is_regular(path):
        return None
    try:
        with path.open("rb") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
            return {"sha256": checksum, "num_bytes": file.tell()}
    except FileNotFoundError:
        return None


def measure_files(folder: Path, names: Iterable[str]) -> dict[str, FileFacts]:
    """Return checksum and size of each named file below a folder; links and missing files are left out."""
    present = set(list_all_files(folder)).intersection(names)
    measured = {name: measure_file(folder / name) for name in sorted(present)}
    return {name: facts for name, facts in measured.items() if facts is not None}


def find_unchanged(folder: Path, files: Mapping[str, FileFacts]) -> list[str]:
    """Return the names of the files, relative to the folder, that still have the recorded size and checksum."""
    return [name for name, facts in measure_files(folder, files).items() if facts == files[name]]


def remove_files(folder: Path, names: Collection[str], last: str) -> None:
    """Remove all files in the folder of a version, or of a copy of one, and then the folder.

    Only empty folders are removed, so that a file added meanwhile is not lost. The file `last` is removed last, because
    it lists the others. Raise an OSError if a folder holds another file, or something can't be removed.
    """
    for name in names:
        if name != last:
            (folder / name).unlink()
    for path, _, _ in os.walk(folder, topdown=False, onerror=_raise):
        if path != str(folder):
            os.rmdir(path)
    if last in names:
        (folder / last).unlink()
    folder.rmdir()


def _raise(error: OSError) -> None:
    raise error
