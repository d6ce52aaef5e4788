"""The folders of divided panels: they appear when they are complete, and are removed when no run uses them."""

import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from rnn_pipelines.forecast.partitions.manifest import find_manifest, require_removed
from rnn_pipelines.storage.files import is_folder, is_regular
from rnn_pipelines.storage.lock import hold_lock

MANIFEST, LOCK = "partitions.json", "partitions.lock"
# Another run may use the files of another panel.
KEPT_SECONDS = 86_400
# The files of an earlier run are checked meanwhile.
LOCK_SECONDS = 600
# All that a run writes into the folder of a divided panel: its rows, and the results of its partitions.
OWN_FOLDER = re.compile(r"[0-9a-f]{16}")
OWN_FILES = re.compile(
    rf"{re.escape(MANIFEST)}|(rows|covariates)/((training|others)/\d{{5}}|survey)\.parquet"
    r"|results-[0-9a-f]{16}/((\d{5}|\.\d{5}\.\w{8})/\w+\.(parquet|json)|faults\.txt)"
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
        facts = find_manifest(own / MANIFEST)
        if facts is not None:
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
    """Remove all that a run wrote into a folder, and the folder if it is empty then.

    Args:
        folder: of a divided panel, or inside it; nothing happens if it is missing.
        root: of the divided panel; None for the folder.
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
