"""A frozen dataclass of arrays and numbers as one `.npz` file."""

import dataclasses
from pathlib import PurePosixPath
from typing import Any

import fsspec
import numpy as np
from kedro.io.core import AbstractDataset, get_filepath_str, get_protocol_and_path
from kedro.utils import load_obj
from kedro_datasets._typing import TablePreview


class ArraysDataset(AbstractDataset[Any, Any]):
    """Saves every field of a dataclass under its name, and loads them into the same class; never with pickle.

    Args:
        filepath: the `.npz` file, on any file system of fsspec that needs no
            credentials here (cloud SDKs find theirs in the environment).
        holds: import path of the dataclass, all of whose fields are NumPy arrays or plain numbers.
        metadata: for Kedro's plugins.
    """

    def __init__(self, *, filepath: str, holds: str, metadata: dict[str, Any] | None = None) -> None:
        self._protocol, path = get_protocol_and_path(filepath)
        self._filepath = PurePosixPath(path)
        self._fs = fsspec.filesystem(self._protocol, **({"auto_mkdir": True} if self._protocol == "file" else {}))
        self._holds = holds
        self.metadata = metadata

    def load(self) -> Any:
        arrays = self._read()
        return load_obj(self._holds)(**{name: a if a.ndim else a.item() for name, a in arrays.items()})

    def save(self, data: Any) -> None:
        with self._fs.transaction, self._fs.open(get_filepath_str(self._filepath, self._protocol), "wb") as file:
            arrays = {field.name: getattr(data, field.name) for field in dataclasses.fields(data)}
            np.savez(file, allow_pickle=False, **arrays)

    def preview(self) -> TablePreview:
        """Name, shape and type of each array, for kedro-viz."""
        rows = [[name, str(list(a.shape)), str(a.dtype)] for name, a in self._read().items()]
        return TablePreview({"index": list(range(len(rows))), "columns": ["array", "shape", "dtype"], "data": rows})

    def _read(self) -> dict[str, np.ndarray]:
        with (
            self._fs.open(get_filepath_str(self._filepath, self._protocol), "rb") as file,
            np.load(file, allow_pickle=False) as arrays,
        ):
            return dict(arrays)

    def _exists(self) -> bool:
        return bool(self._fs.exists(get_filepath_str(self._filepath, self._protocol)))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "holds": self._holds}
