"""The base class of datasets of one file, which is replaced atomically."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import fsspec
from kedro.io.core import AbstractVersionedDataset, Version, get_filepath_str, get_protocol_and_path


class OneFileDataset(AbstractVersionedDataset[Any, Any]):
    """Base class of datasets of one file; subclasses define its format.

    The file is on any file system of fsspec that needs no credentials here (cloud SDKs find theirs in the environment).
    """

    run: str | None = None  # the name of the current run, saved in the file if its format permits; None outside of runs

    def __init__(
        self, *, filepath: str, version: Version | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        self._protocol, path = get_protocol_and_path(filepath, version)
        options = {"auto_mkdir": True} if self._protocol == "file" else {}
        # Not cached, because transactions belong to a file system: with a shared one, two datasets that save at once
        # (`--async`) would end each other's transaction.
        self._fs = fsspec.filesystem(self._protocol, skip_instance_cache=True, **options)
        self.metadata = metadata
        super().__init__(
            filepath=PurePosixPath(path), version=version, exists_function=self._fs.exists, glob_function=self._fs.glob
        )

    @contextmanager
    def _open_to_read(self) -> Iterator[BinaryIO]:
        with self._fs.open(get_filepath_str(self._get_load_path(), self._protocol), "rb") as file:
            yield file

    @contextmanager
    def _open_to_write(self) -> Iterator[BinaryIO]:
        """Yield a file that replaces the older one when it is complete."""
        with self._fs.transaction, self._fs.open(get_filepath_str(self._get_save_path(), self._protocol), "wb") as file:
            yield file
        self._fs.invalidate_cache(get_filepath_str(self._filepath, self._protocol))

    def _remove(self) -> None:
        """Remove the file of an earlier run, which would be that of other data."""
        if self._exists():
            self._fs.rm(get_filepath_str(self._get_load_path(), self._protocol))

    def _exists(self) -> bool:
        return bool(self._fs.exists(get_filepath_str(self._get_load_path(), self._protocol)))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "protocol": self._protocol, "version": self._version}


class DataclassDataset(OneFileDataset):
    """Base class of datasets of a dataclass; `holds` is its import path."""

    def __init__(
        self, *, filepath: str, holds: str, version: Version | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        super().__init__(filepath=filepath, version=version, metadata=metadata)
        self._holds = holds
