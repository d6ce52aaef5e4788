"""Folders of a divided panel at an address such as s3://bucket/nights, by fsspec.

Such stores have no rename. So the manifest of a folder is sent last, and a folder without one is not complete.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fsspec.core import url_to_fs

from rnn_pipelines.errors import RunError
from rnn_pipelines.forecast.partitions.folders import FACTS, MANIFEST


def is_remote(address: str) -> bool:
    """Return whether an address is no path of this machine."""
    return "://" in address


def send_files(files: Iterable[Path], folder: Path, address: str) -> None:
    """Copy files of a folder to the same names below an address, manifests last."""
    with _open_store(address) as (store, root):
        for file in sorted(files, key=lambda file: (file.name in (FACTS, MANIFEST), file)):
            store.put_file(str(file), f"{root}/{file.relative_to(folder).as_posix()}")


def fetch_files(address: str, within: str, folder: Path) -> None:
    """Copy a file, or all files below a name, from an address into a folder; nothing if there are none."""
    with _open_store(address) as (store, root):
        for path in store.find(f"{root}/{within}"):
            target = folder / path.removeprefix(f"{root}/")
            target.parent.mkdir(parents=True, exist_ok=True)
            store.get_file(path, str(target))


def has_file(address: str, name: str) -> bool:
    """Return whether there is a file of this name below an address."""
    with _open_store(address) as (store, root):
        return bool(store.exists(f"{root}/{name}"))


def read_content(address: str, name: str) -> bytes | None:
    """Return the content of a file below an address or a path; None if there is none."""
    with _open_store(address) as (store, root):
        content: bytes | None = (
            store.cat_file(f"{root}/{name}") if store.exists(f"{root}/{name}") else None
        )
        return content


@contextmanager
def _open_store(address: str) -> Iterator[tuple[Any, str]]:
    try:
        # Other processes add files.
        store, root = url_to_fs(address, use_listings_cache=False)
        yield store, root.rstrip("/")
    # Libraries of stores raise errors of their own types.
    except Exception as error:
        remedy = "Check the address, and the credentials in the environment"
        raise RunError(
            f"{address}: files could not be read or written ({error}). {remedy}."
        ) from error
