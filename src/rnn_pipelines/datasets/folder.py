"""A folder that a node reads and fills while it runs."""

from pathlib import Path
from typing import Any

from kedro.io.core import AbstractDataset, DatasetError, get_protocol_and_path


def find_local_path(path: str, kind: str = "folder") -> Path:
    """Return the path without its protocol.

    Raises:
        DatasetError: the path is not on this machine; other file systems lack locks and atomic replacement.
    """
    protocol, local = get_protocol_and_path(path)
    if protocol != "file":
        raise DatasetError(f"{path}: expected a {kind} on this machine, received {protocol}.")
    return Path(local)


class FolderDataset(AbstractDataset[None, Any]):
    """Dataset that loads the path of a folder.

    Args:
        path: the folder, on this machine; the node that fills it creates it.
        metadata: for Kedro's plugins.
    """

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = find_local_path(path)
        self.metadata = metadata

    def load(self) -> Any:
        return self._folder

    def save(self, data: None) -> None:
        raise DatasetError(
            f"{self._folder}: a node fills this folder while it runs, so that nothing is saved after it."
        )

    def _exists(self) -> bool:
        # A folder that does not exist yet counts as empty.
        return True

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._folder)}
