"""The optional output of another pipeline. A node cannot omit an input, but can receive None."""

from typing import Any

from kedro.io.core import AbstractDataset, DatasetError


class OptionalDataset(AbstractDataset[None, Any]):
    """Read-only dataset that loads another dataset if it exists, else None.

    The other one is given by its entry in the catalog, as `${its_name}`. This dataset has the same layer. It omits the
    validator, which has checked the data at the time of saving.
    """

    def __init__(self, *, dataset: dict[str, Any]) -> None:
        entry = {name: value for name, value in dataset.items() if name != "validator"}
        self._dataset = AbstractDataset.from_config("optional", entry)
        self.metadata = entry.get("metadata")

    def load(self) -> Any:
        return self._dataset.load() if self._dataset.exists() else None

    def save(self, data: None) -> None:
        raise DatasetError(
            f"{self._dataset}: this dataset belongs to another pipeline, and can only be loaded."
        )

    def _exists(self) -> bool:
        return bool(self._dataset.exists())

    def _describe(self) -> dict[str, object]:
        return dict(self._dataset._describe())
