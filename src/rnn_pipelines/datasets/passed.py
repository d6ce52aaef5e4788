"""Values that nodes pass on in memory, and messages of nodes: with any runner, also between processes."""

from typing import Any

from kedro.framework.project import settings
from kedro.io import (
    DataCatalog,
    MemoryDataset,
    SharedMemoryDataCatalog,
    SharedMemoryDataset,
)
from kedro.io.core import TCopyMode
from kedro.pipeline import Pipeline

from rnn_pipelines.printing import PACKAGE

# The entries of the catalog for the messages of nodes.
MESSAGES = "messages of "


class PassedDataset(SharedMemoryDataset):
    """Dataset of a value in memory: that of this process, or with `ParallelRunner` that of the runner's manager.

    A `MemoryDataset` in the catalog is lost with the process that saved it.
    """

    def __init__(
        self, *, copy_mode: TCopyMode | None = None, metadata: dict[str, object] | None = None
    ) -> None:
        super().__init__()
        self.shared_memory_dataset: Any = MemoryDataset(copy_mode=copy_mode)
        self.metadata = metadata

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        # In a process that is not a copy of the main one, Kedro would know no hooks of the project.
        if not settings.configured:
            settings.configure(f"{PACKAGE}.settings")

    def _release(self) -> None:
        self.shared_memory_dataset.release()


def is_parallel(catalog: DataCatalog) -> bool:
    """Return whether nodes run in processes of their own, so that the main process does not see what hooks keep."""
    return isinstance(catalog, SharedMemoryDataCatalog)


def prepare_messages(catalog: DataCatalog, pipeline: Pipeline) -> None:
    """Let the hooks of nodes in other processes leave messages in the catalog, which goes to them and back."""
    if is_parallel(catalog):
        for node in pipeline.nodes:
            catalog[f"{MESSAGES}{node.name}"] = PassedDataset()


def send_message(catalog: DataCatalog, node: str, kind: str, message: Any) -> None:
    """Leave a message of a node, if it runs in a process of its own."""
    if is_parallel(catalog):
        name = f"{MESSAGES}{node}"
        before = catalog.load(name) if catalog[name].exists() else {}
        catalog.save(name, {**before, kind: message})


def read_messages(catalog: DataCatalog, kind: str) -> list[Any]:
    """Return the messages of the nodes that have ended, in the order of the pipeline."""
    names = [name for name in catalog if name.startswith(MESSAGES) and catalog[name].exists()]
    messages = map(catalog.load, names)
    return [message[kind] for message in messages if kind in message]
