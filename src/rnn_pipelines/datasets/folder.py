"""A folder that a node reads and fills while it runs, so that an interrupted run can be resumed."""

import json
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

from kedro.io.core import AbstractDataset, DatasetError, get_protocol_and_path

from rnn_pipelines.storage.files import replace_file


def find_local_path(path: str, kind: str = "folder") -> Path:
    """Return the path without its protocol. Other file systems lack locks, so that they raise a DatasetError."""
    protocol, local = get_protocol_and_path(path)
    if protocol != "file":
        raise DatasetError(f"{path}: expected a {kind} on this machine, received {protocol}.")
    return Path(local)


class FolderDataset(AbstractDataset[None, Any]):
    """Dataset that loads the `path` of a folder on this machine; the node that fills it creates it."""

    def __init__(self, *, path: str, metadata: dict[str, object] | None = None) -> None:
        self._folder = find_local_path(path)
        self.metadata = metadata

    def load(self) -> Any:
        return self._folder

    def save(self, data: None) -> None:
        raise DatasetError(
            f"{self._folder}: a node fills this folder while it runs; nothing is saved after it."
        )

    def _exists(self) -> bool:
        # A folder that does not exist yet counts as empty.
        return True

    def _describe(self) -> dict[str, object]:
        return {"path": str(self._folder)}


class JSONFolder(MutableMapping[str, Any]):
    """Mapping of the JSON files of a folder, by their names without `.json`. Setting a key writes a file atomically."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, key: str) -> Any:
        try:
            return json.loads(self._path(key).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise KeyError(key) from None

    def __setitem__(self, key: str, value: Any) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        replace_file(self._path(key), json.dumps(value).encode())

    def __delitem__(self, key: str) -> None:
        try:
            self._path(key).unlink()
        except FileNotFoundError:
            raise KeyError(key) from None

    def __iter__(self) -> Iterator[str]:
        return (path.stem for path in sorted(self._folder.glob("*.json")))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _path(self, key: str) -> Path:
        if Path(key).name != key:
            raise KeyError(f"{key!r}: expected the name of a file, without a folder")
        return self._folder / f"{key}.json"


class JSONFolderDataset(FolderDataset):
    """Dataset that loads a mapping, which the node reads and fills; see `FolderDataset`."""

    def load(self) -> JSONFolder:
        return JSONFolder(self._folder)

    def _exists(self) -> bool:
        return self._folder.is_dir()
