"""Files that are replaced whole, whatever happens while they are written."""

import logging
import os
import re
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

logger = logging.getLogger(__name__)

# The name that `replace_file` gives to a file until it is whole; `tempfile` fills in the eight characters.
TEMPORARY = re.compile(r"\.(.+)\.[a-z0-9_]{8}\.part", re.DOTALL)


def replace_file(path: Path, content: bytes) -> None:
    """Writes a file so that at any moment, and after a crash, it holds the old content or the new, whole.

    The new content goes into a file beside it, which takes its name once it is on disk; then the folder's entry is
    written too.

    Args:
        path: in a folder that exists.
        content: all of it.
    Raises:
        OSError: the content could not be written and the file is as it was; or it holds the new content, and only the
            last step failed, which makes it outlast a power cut.
    """
    # Hidden and of another suffix, so that nothing that looks for files takes it for one.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def find_target(name: str) -> str | None:
    """Return the name that a temporary file of `replace_file` was to get; None for the name of any other file."""
    found = TEMPORARY.fullmatch(name)
    return None if found is None else found[1]


def remove_temporary(folder: Path, is_own: Callable[[str], bool]) -> None:
    """Remove the temporary files that killed processes left in a folder.

    A file that can't be removed is named in the log: it harms nothing, and the next writer tries again.

    Args:
        folder: all its writers hold one lock, which the caller holds, so that none of these files is in use.
        is_own: whether `replace_file` writes files of that name there.
    """
    for path in folder.glob(".*.part"):
        target = find_target(path.name)
        if target is not None and is_own(target) and is_regular(path):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                logger.warning("%s: a killed process left this file, and it can't be removed (%s)", path, error)


def is_folder(path: Path) -> bool:
    """Whether it is one, and not a link to one."""
    return path.is_dir() and not path.is_symlink()


def is_regular(path: Path) -> bool:
    """Return whether a path is a regular file: not missing, and neither a link to one nor a device."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def sync_folder(folder: Path) -> None:
    """Writes a folder's entries to disk, so that a file that was renamed keeps its new name after a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def list_folder(folder: Path) -> list[Path]:
    """What lies in a folder but for what is hidden; where it can't be read, nothing, with an error in the log."""
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(".")]
    except FileNotFoundError:
        return []
    except OSError as error:
        logger.error("%s: it can't be read (%s)", folder, error)
        return []
