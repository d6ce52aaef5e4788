"""What another pipeline may have left: a node can't leave an input out, but it can be given None."""

from typing import Any

from kedro.io.core import AbstractDataset, DatasetError


class OptionalDataset(AbstractDataset[None, Any]):
    """Loads another dataset where it is there, else None; it is only read.

    Args:
        dataset: the other dataset's entry in the catalog, as `${its_name}`. Its layer is this one's too; its validator
            has seen the data when they were saved.
    """

    def __init__(self, *, dataset: dict[str, Any]) -> None:
        entry = {name: value for name, value in dataset.items() if name != "validator"}
        self._dataset = AbstractDataset.from_config("optional", entry)
        self.metadata = entry.get("metadata")

    def load(self) -> Any:
        return self._dataset.load() if self._dataset.exists() else None

    def save(self, data: None) -> None:
        raise DatasetError(
            f"{self._dataset}: expected nothing to save, because this dataset belongs to another pipeline."
        )

    def _exists(self) -> bool:
        return bool(self._dataset.exists())

    def _describe(self) -> dict[str, Any]:
        return dict(self._dataset._describe())
