"""The path of a dataset's file. Kedro keeps it in a private attribute, which is read and changed here alone."""

from pathlib import PurePosixPath
from typing import Any

from kedro.io import AbstractVersionedDataset, CatalogProtocol, DataCatalog


def find_dataset(catalog: CatalogProtocol[Any, Any], name: str) -> Any:
    """Return a dataset of the catalog, without a dataset that wraps it."""
    dataset = catalog.get(name)
    return getattr(dataset, "_dataset", dataset)


def find_path(dataset: Any) -> PurePosixPath | None:
    """Return the path of a dataset's file; None if it has none that `change_path` could change."""
    return dataset._filepath if isinstance(dataset, AbstractVersionedDataset) else None


def change_path(dataset: AbstractVersionedDataset[Any, Any], path: PurePosixPath) -> None:
    """Let a dataset load and save another file."""
    dataset._filepath = path


def list_fixed_paths(catalog: DataCatalog, name: str) -> list[str]:
    """Return the texts, such as paths, of the entry of a dataset of another project whose path can't be changed."""
    dataset = find_dataset(catalog, name)
    is_own = type(dataset).__module__.startswith(("rnn_pipelines.", "kedro.io."))
    if dataset is None or is_own or find_path(dataset) is not None:
        return []
    entry = catalog.config_resolver.resolve_pattern(name)
    return [text for text in entry.values() if isinstance(text, str)]
