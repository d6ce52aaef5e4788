"""Files that are replaced atomically, and new folders that appear when they are complete."""

import hashlib
import logging
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rnn_pipelines.errors import ParameterError, RunError, show

logger = logging.getLogger(__name__)

# The temporary name that `replace_file` gives to a file, see `name_temporary`.
TEMPORARY = re.compile(r"\.(.+)\.([0-9a-f]{8})([0-9a-f]{8})\.part", re.DOTALL | re.ASCII)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file atomically: at any moment, and after a crash, it holds the complete old or new content.

    The new content goes into a temporary file in the same folder, which is renamed once it is on disk. Then the folder
    is synced; if that fails, the OSError leaves the new content, which may not survive a power cut.
    """
    # Hidden and with another suffix, so that no search for files finds it.
    temporary = path.with_name(name_temporary(path.name))
    file = temporary.open("xb")
    try:
        with file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_new(path: Path, content: bytes) -> None:
    """Write a file as `replace_file` does; raise a RunError if it can't be written."""
    try:
        replace_file(path, content)
    except OSError as error:
        raise RunError(
            f"{path}: it can't be written ({error.strerror}). Name another file."
        ) from error


def check_path(path: object) -> Path:
    """Return a path as given by a user, with ~ replaced by the home folder; raise a ParameterError if it is none."""
    if not isinstance(path, str | os.PathLike):
        raise ParameterError(f"path: expected the name of a file or folder, received {show(path)}.")
    # Unlike Path.expanduser, this raises no RuntimeError for the home of an unknown user.
    expanded = Path(os.path.expanduser(path))
    if os.fspath(path).startswith("~") and str(expanded).startswith("~"):
        raise ParameterError(
            f"path: expected a path, or ~ for your home folder, received {show(str(path))}."
        )
    return expanded


def require_new(path: Path, remedy: str) -> None:
    """Raise a RunError that ends with the remedy if there is something at a path, be it a link to nowhere."""
    if os.path.lexists(path):
        raise RunError(f"{path}: it exists, and nothing is overwritten. {remedy}")


@contextmanager
def draft_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to fill. It becomes `folder`, which is new in an existing one, or is removed if the block fails."""
    draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        yield draft
        draft.chmod(0o755)
        os.rename(draft, folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def name_temporary(name: str) -> str:
    """Return a new name for a temporary file, which proves that the project made it.

    Half of the added characters are drawn, and half are a hash of the others, because files of other programs can have
    names of the same form.
    """
    drawn = secrets.token_hex(4)
    return f".{name}.{drawn}{_hash_name(name, drawn)}.part"


def find_target(name: str) -> str | None:
    """Return the final name of a temporary file of `replace_file`; None for any other file."""
    match = TEMPORARY.fullmatch(name)
    return None if match is None or match[3] != _hash_name(match[1], match[2]) else match[1]


def _hash_name(name: str, drawn: str) -> str:
    # Names on disk need not be valid UTF-8.
    return hashlib.sha256(os.fsencode(f"{name}.{drawn}")).hexdigest()[:8]


def remove_temporary(folder: Path, is_own: Callable[[str], bool]) -> None:
    """Remove the temporary files of killed processes from a folder; the caller holds the lock of its writers.

    A file that can't be removed is logged; it is harmless, and the next writer tries again. `is_own` returns whether
    `replace_file` writes files of a name there.
    """
    for path in folder.glob(".*.part"):
        target = find_target(path.name)
        if target is not None and is_own(target) and is_regular(path):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                logger.warning(
                    "%s: a killed process left this file, and it can't be removed (%s)", path, error
                )


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder, and not a link to one."""
    return path.is_dir() and not path.is_symlink()


def is_regular(path: Path) -> bool:
    """Return whether a path is a regular file: not missing, and neither a link to one nor a device."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def sync_folder(folder: Path) -> None:
    """Write a folder's entries to disk, so that a renamed file keeps its new name after a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def list_folder(folder: Path) -> list[Path]:
    """Return the paths in a folder, without hidden ones; an unreadable folder is logged and counts as empty."""
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(".")]
    except FileNotFoundError:
        return []
    except OSError as error:
        logger.error("%s: it can't be read (%s)", folder, error)
        return []
