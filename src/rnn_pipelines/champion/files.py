"""Files that are replaced whole, whatever happens while they are written."""

import os
import tempfile
from pathlib import Path


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


def is_folder(path: Path) -> bool:
    """Whether it is one, and not a link to one."""
    return path.is_dir() and not path.is_symlink()


def sync_folder(folder: Path) -> None:
    """Writes a folder's entries to disk, so that a file that was renamed keeps its new name after a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
