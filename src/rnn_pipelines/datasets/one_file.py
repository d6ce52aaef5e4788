"""Datasets of one file, which is replaced atomically: HTML pages and JSON, and the base classes of others."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import fsspec
from kedro.io.core import AbstractVersionedDataset, Version, get_filepath_str, get_protocol_and_path
from kedro_datasets._typing import JSONPreview

from rnn_pipelines.champion.records import dump_plain, make_plain
from rnn_pipelines.report.origin import name_run


class OneFileDataset(AbstractVersionedDataset[Any, Any]):
    """Base class of datasets of one file; subclasses define its format.

    The file is on any file system of fsspec that needs no credentials here (cloud SDKs find theirs in the environment).
    """

    run: str | None = (
        None  # the name of the current run, saved in the file if its format permits; None outside of runs
    )

    def __init__(
        self,
        *,
        filepath: str,
        version: Version | None = None,
        metadata: dict[str, object] | None = None,
    ) -> None:
        self._protocol, path = get_protocol_and_path(filepath, version)
        options = {"auto_mkdir": True} if self._protocol == "file" else {}
        # Not cached, because transactions belong to a file system: with a shared one, two datasets that save at once
        # (`--async`) would end each other's transaction.
        self._fs = fsspec.filesystem(self._protocol, skip_instance_cache=True, **options)
        self.metadata = metadata
        super().__init__(PurePosixPath(path), version, self._fs.exists, self._fs.glob)

    @contextmanager
    def _open_to_read(self) -> Iterator[BinaryIO]:
        with self._fs.open(get_filepath_str(self._get_load_path(), self._protocol), "rb") as file:
            yield file

    @contextmanager
    def _open_to_write(self) -> Iterator[BinaryIO]:
        """Yield a file that replaces the older one when it is complete."""
        with (
            self._fs.transaction,
            self._fs.open(get_filepath_str(self._get_save_path(), self._protocol), "wb") as file,
        ):
            yield file
        self._fs.invalidate_cache(get_filepath_str(self._filepath, self._protocol))

    def _remove(self) -> None:
        """Remove the file of an earlier run, which would be that of other data."""
        if self._exists():
            self._fs.rm(get_filepath_str(self._get_load_path(), self._protocol))

    def _exists(self) -> bool:
        return bool(self._fs.exists(get_filepath_str(self._get_load_path(), self._protocol)))

    def _describe(self) -> dict[str, object]:
        return {
            "filepath": str(self._filepath),
            "protocol": self._protocol,
            "version": self._version,
        }


class DataclassDataset(OneFileDataset):
    """Base class of datasets of a dataclass; `holds` is its import path."""

    def __init__(
        self,
        *,
        filepath: str,
        holds: str,
        version: Version | None = None,
        metadata: dict[str, object] | None = None,
    ) -> None:
        super().__init__(filepath=filepath, version=version, metadata=metadata)
        self._holds = holds


class PageDataset(OneFileDataset):
    """Dataset of one HTML page of `rnn_pipelines.report.page`."""

    facts: Sequence[str] = ()  # of the current run, written beside its name

    def load(self) -> str:
        with self._open_to_read() as file:
            return file.read().decode()

    def save(self, data: str) -> None:
        with self._open_to_write() as file:
            file.write(name_run(data, self.run, self.facts).encode())


class StrictJSONDataset(OneFileDataset):
    """Dataset of plain values as JSON.

    JSON has no infinity and no NaN: a number that is not finite is saved as null and loaded as None. An object gets the
    key `run`, which `load` removes.
    """

    def load(self) -> Any:
        with self._open_to_read() as file:
            content = json.load(file)
        if isinstance(content, dict):
            content.pop("run", None)
        return content

    def save(self, data: Any) -> None:
        plain = make_plain(data)
        if self.run is not None and isinstance(plain, dict):
            plain = {"run": self.run, **plain}
        with self._open_to_write() as file:
            file.write(dump_plain(plain))

    def preview(self) -> JSONPreview:
        with self._open_to_read() as file:
            return JSONPreview(file.read().decode())
