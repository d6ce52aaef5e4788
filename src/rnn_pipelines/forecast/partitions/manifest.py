"""The manifest of a folder of data: facts about its files, and the sha256 of each.

It is written last, so that a folder with a manifest is complete. A file that changed since is found before it is used.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnn_pipelines.errors import SeriesError, show_all
from rnn_pipelines.reading.folders import list_files, list_tables
from rnn_pipelines.storage.files import replace_file
from rnn_pipelines.storage.formats import dump_object, has_checksum

logger = logging.getLogger(__name__)

# Of a user's file, its end, which has the description of a Parquet file, and blocks at equal distances are measured: at
# most 1.25 MiB.
END_BYTES, NUM_BLOCKS, BLOCK_BYTES = 1 << 20, 64, 1 << 12


def write_manifest(path: Path, facts: Mapping[str, Any]) -> dict[str, str]:
    """Write the manifest of a complete folder, and return the sha256 of each file by its path in the folder."""
    files = sorted(file for file in path.parent.rglob("*") if file.is_file())
    checksums = {file.relative_to(path.parent).as_posix(): _measure(file) for file in files}
    replace_file(path, dump_object({"facts": facts, "files": checksums}))
    return checksums


def read_manifest(path: Path) -> dict[str, Any]:
    """Return the facts of a folder whose files are as they were written.

    Raises:
        SeriesError: a file is missing or changed, or a subfolder has another one; the message names the file.
    """
    try:
        content = path.read_bytes()
        if not has_checksum(content):
            raise ValueError("it has no checksum")
    except (OSError, ValueError) as error:
        raise SeriesError(f"{path}: it is damaged or missing ({error}).") from error
    found = json.loads(content)
    checksums, folder = found["files"], path.parent
    changed = [name for name, checksum in checksums.items() if not _is_unchanged(folder / name, checksum)]
    if changed:
        raise SeriesError(f"{folder}: {show_all(changed)} changed after it was written.")
    # The files of a subfolder are read together.
    subfolders = {file.parent for file in map(folder.joinpath, checksums)} - {folder}
    there = [file.relative_to(folder).as_posix() for subfolder in subfolders for file in list_files(subfolder)]
    foreign = sorted(set(there) - checksums.keys())
    if foreign:
        raise SeriesError(f"{folder}: {show_all(foreign)} came after the others were written.")
    return dict(found["facts"])


def find_manifest(path: Path) -> dict[str, Any] | None:
    """Return the facts of a folder; None if it is not complete, or with a warning if a file has changed."""
    if not path.exists():
        return None
    try:
        return read_manifest(path)
    except SeriesError as error:
        logger.warning("%s It is not used.", error)
        return None


def require_removed(folder: Path) -> None:
    """Check that nothing is left of a folder whose own files were removed.

    Raises:
        SeriesError: there are files of others; the message names them.
    """
    if folder.exists():
        names = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if not file.is_dir())
        raise SeriesError(f"{folder}: it has files that are not of the project: {show_all(names)}. Move them away.")


def list_facts(*paths: str | Path | None) -> list[tuple[str, int, int, str]]:
    """Return path, size, time and a hash of some content of each file of some tables."""
    files = [file.absolute() for path in paths if path is not None for file in list_tables(Path(path))]
    # A file that is missing since it was listed is left to its reader.
    present = ((file, file.stat()) for file in files if file.is_file())
    return [(str(file), stat.st_size, stat.st_mtime_ns, _measure_sample(file)) for file, stat in present]


def require_rows(label: str, num_expected: int, num_found: int) -> None:
    """Raise a SeriesError, which begins with `label`, if two numbers of rows differ."""
    if num_found != num_expected:
        raise SeriesError(f"{label}: expected {num_expected:,} rows, found {num_found:,}. Run this command again.")


def _is_unchanged(file: Path, checksum: str) -> bool:
    try:
        return _measure(file) == checksum
    except OSError:
        return False


def _measure(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _measure_sample(file: Path) -> str:
    """Return a hash of parts of a file, which notices a change under the same size and time in them."""
    digest, size = hashlib.blake2b(digest_size=16), file.stat().st_size
    with file.open("rb") as opened:
        for number in range(NUM_BLOCKS):
            opened.seek(number * size // NUM_BLOCKS)
            digest.update(opened.read(BLOCK_BYTES))
        opened.seek(max(0, size - END_BYTES))
        digest.update(opened.read(END_BYTES))
    return digest.hexdigest()
