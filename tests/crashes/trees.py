"""A folder as a value, to be compared with what it was before."""

import os
from pathlib import Path


def read_tree(folder: Path) -> dict[str, bytes | str | None]:
    """Return all that lies below a folder, by path: content, the target of a link, or None for a folder."""
    return {
        str(path.relative_to(folder)): (
            os.readlink(path)
            if path.is_symlink()
            else path.read_bytes()
            if path.is_file()
            else None
        )
        for path in folder.rglob("*")
    }
