"""The folders of divided panels: they appear when they are complete, and are removed when no run uses them.

The manifest of a folder has facts about its files, and the sha256 of each. It is written last, so that a folder with a
manifest is complete. A file that changed since is found before it is used.
"""

import errno
import hashlib
import json
import logging
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from rnn_pipelines.errors import SeriesError, show_all
from rnn_pipelines.reading.folders import list_data_files, list_tables
from rnn_pipelines.storage.files import draft_folder, is_folder, is_regular, replace_file
from rnn_pipelines.storage.formats import dump_object, has_checksum
from rnn_pipelines.storage.lock import hold_lock

logger = logging.getLogger(__name__)

# Of a user's file, its end, which has the description of a Parquet file, and blocks at equal distances are measured: at
# most 1.25 MiB.
END_BYTES = 1 << 20
NUM_BLOCKS = 64
BLOCK_BYTES = 1 << 12
MANIFEST, LOCK = "partitions.json", "partitions.lock"
# The manifest of a folder of results.
FACTS = "facts.json"
# Another run may use the files of another panel.
KEPT_SECONDS = 86_400
# The files of an earlier run are checked meanwhile.
LOCK_SECONDS = 600
# All that a run writes into the folder of a divided panel: its rows, and the results of its partitions.
OWN_FOLDER = re.compile(r"[0-9a-f]{16}")
OWN_FILES = re.compile(
    rf"{re.escape(MANIFEST)}|(rows|covariates)/(((training|others)/\d{{5}}|survey)\.parquet|\d{{5}}\.arrow)"
    r"|results-[0-9a-f]{16}/(\.?(\d{5}|fit|joined)(\.\w{8})?/\w+\.(parquet|json|npz)|faults\.txt)"
)


@contextmanager
def draft_panel(folder: Path) -> Iterator[Path]:
    """Give a new folder for the files of a divided panel, which is removed if the block fails."""
    # The name of an own folder, so that a later run removes it if this process is killed.
    draft = folder / secrets.token_hex(8)
    try:
        yield draft
    except BaseException:
        remove_panel(draft)
        raise


def find_panel(own: Path) -> dict[str, Any] | None:
    """Return the facts of a panel that an earlier run divided; None if there is none, or a file of it has changed."""
    with _hold_lock(own):
        if (facts := find_manifest(own / MANIFEST)) is not None:
            # So that no other run removes it.
            os.utime(own / MANIFEST)
        return facts


def publish_panel(draft: Path, own: Path) -> None:
    """Give a complete folder its final name, unless another run has written the same files meanwhile.

    Raises:
        SeriesError: a damaged folder has the name, and files of others in it; the message names them.
    """
    with _hold_lock(own):
        if find_manifest(own / MANIFEST) is not None:
            remove_panel(draft)
            return
        remove_panel(own)
        require_removed(own)
        draft.rename(own)


def remove_others(own: Path) -> None:
    """Remove other divided panels, and results of this one, that no run has used for a day; foreign files stay."""
    with _hold_lock(own):
        for folder in own.parent.iterdir():
            if folder != own and OWN_FOLDER.fullmatch(folder.name) and is_folder(folder):
                used = folder / MANIFEST if (folder / MANIFEST).exists() else folder
                if _is_old(used):
                    remove_panel(folder)
        for folder in own.glob("results-*"):
            if is_folder(folder) and _is_old(folder):
                remove_panel(folder, own)


def remove_panel(folder: Path, root: Path | None = None) -> None:
    """Remove all that a run wrote into a folder, and the folder if it is then empty; nothing if it is missing.

    It is that of a divided panel, or inside its root.
    """
    root = root or folder
    # First, so that a folder without some of its files does not look complete.
    (folder / MANIFEST).unlink(missing_ok=True)
    for parent, _, names in os.walk(folder, topdown=False):
        for path in (Path(parent, name) for name in names):
            if OWN_FILES.fullmatch(path.relative_to(root).as_posix()) and is_regular(path):
                path.unlink()
        if not os.listdir(parent):
            os.rmdir(parent)


def _is_old(path: Path) -> bool:
    return time.time() - path.stat().st_mtime > KEPT_SECONDS


def _hold_lock(own: Path) -> AbstractContextManager[None]:
    return hold_lock(own.parent / LOCK, LOCK_SECONDS)


def write_manifest(path: Path, facts: Mapping[str, Any]) -> dict[str, str]:
    """Write the manifest of a complete folder, and return the sha256 of each file by its path in the folder."""
    files = sorted(file for file in path.parent.rglob("*") if file.is_file())
    checksums = {file.relative_to(path.parent).as_posix(): _measure(file) for file in files}
    replace_file(path, dump_object({"facts": facts, "files": checksums}))
    return checksums


def read_manifest(path: Path) -> dict[str, Any]:
    """Return the facts of a folder; or raise a SeriesError that names a missing, changed or additional file."""
    try:
        content = path.read_bytes()
        if not has_checksum(content):
            raise ValueError("it has no checksum")
    except (OSError, ValueError) as error:
        raise SeriesError(f"{path}: it is damaged or missing ({error}).") from error
    found = json.loads(content)
    checksums = found["files"]
    folder = path.parent
    if changed := [
        name for name, checksum in checksums.items() if not _is_unchanged(folder / name, checksum)
    ]:
        raise SeriesError(f"{folder}: {show_all(changed)} changed after it was written.")
    # The files of a subfolder are read together.
    subfolders = {file.parent for file in map(folder.joinpath, checksums)} - {folder}
    there = [
        file.relative_to(folder).as_posix()
        for subfolder in subfolders
        for file in list_data_files(subfolder)
    ]
    if foreign := sorted(set(there) - checksums.keys()):
        raise SeriesError(f"{folder}: {show_all(foreign)} came after the others were written.")
    return dict(found["facts"])


def complete_folder(folder: Path, write: Callable[[Path], Mapping[str, Any]]) -> dict[str, Any]:
    """Write a folder, which appears with its manifest when it is complete. Return the facts that `write` returns.

    If another process has written the same results meanwhile, these stay.
    """
    try:
        with draft_folder(folder) as draft:
            facts = dict(write(draft))
            write_manifest(draft / FACTS, facts)
            return facts
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        return read_manifest(folder / FACTS)


def remove_unusable(folder: Path, root: Path) -> None:
    """Remove a folder of results below a root if a file of it changed, or if it has the fault of an earlier run.

    That fault may have had another reason than the data.
    """
    if folder.exists() and (find_manifest(folder / FACTS) or {"fault": True}).get("fault"):
        remove_panel(folder, root)
        require_removed(folder)


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
    """Raise a SeriesError that names the files of others, if there are any in a folder whose own files were removed."""
    if folder.exists():
        names = sorted(
            file.relative_to(folder).as_posix() for file in folder.rglob("*") if not file.is_dir()
        )
        raise SeriesError(
            f"{folder}: it has files that are not of the project: {show_all(names)}. Move them away."
        )


def list_facts(*paths: str | Path | None) -> list[tuple[str, int, int, str]]:
    """Return path, size, time and a hash of some content of each file of some tables."""
    files = [
        file.absolute() for path in paths if path is not None for file in list_tables(Path(path))
    ]
    # A file that is missing since it was listed is left to its reader.
    present = ((file, file.stat()) for file in files if file.is_file())
    return [
        (str(file), stat.st_size, stat.st_mtime_ns, _measure_sample(file)) for file, stat in present
    ]


def require_rows(label: str, num_expected: int, num_found: int) -> None:
    """Raise a SeriesError, which begins with `label`, if two numbers of rows differ."""
    if num_found != num_expected:
        raise SeriesError(
            f"{label}: expected {num_expected:,} rows, found {num_found:,}. Run this command again."
        )


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
    digest = hashlib.blake2b(digest_size=16)
    size = file.stat().st_size
    with file.open("rb") as opened:
        for number in range(NUM_BLOCKS):
            opened.seek(number * size // NUM_BLOCKS)
            digest.update(opened.read(BLOCK_BYTES))
        opened.seek(max(0, size - END_BYTES))
        digest.update(opened.read(END_BYTES))
    return digest.hexdigest()
