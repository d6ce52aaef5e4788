"""A frozen dataclass of arrays and numbers as one `.npz` file."""

import dataclasses
from typing import Any

import numpy as np
from kedro.io import DatasetError
from kedro.utils import load_obj
from kedro_datasets._typing import TablePreview

from rnn_pipelines.datasets.one_file import DataclassDataset
from rnn_pipelines.errors import show_all


class ArraysDataset(DataclassDataset):
    """Dataset of a dataclass of arrays and plain numbers, saved field by field as an `.npz` file, without pickle.

    A dataclass whose arrays are not its fields has methods `to_arrays` and `from_arrays`.
    """

    def load(self) -> Any:
        """Return the dataclass; raise a DatasetError with the command to run if another version saved other fields."""
        arrays = self._read()
        kind = load_obj(self._holds)
        values = {name: a if a.ndim else a.item() for name, a in arrays.items()}
        if hasattr(kind, "from_arrays"):
            return kind.from_arrays(values)
        differing = values.keys() ^ {field.name for field in dataclasses.fields(kind)}
        if differing:
            raise DatasetError(
                f"{self._filepath}: saved by another version of the project with other "
                f"{show_all(sorted(differing))}. Run kedro run --pipelines={self._holds.split('.')[1]} again."
            )
        return kind(**values)

    def save(self, data: Any) -> None:
        fields = {field.name: getattr(data, field.name) for field in dataclasses.fields(data)}
        arrays = data.to_arrays() if hasattr(data, "to_arrays") else fields
        with self._open_to_write() as file:
            np.savez(file, allow_pickle=False, **arrays)

    def preview(self) -> TablePreview:
        """Return name, shape and type of each array, for kedro-viz."""
        rows = [[name, str(list(a.shape)), str(a.dtype)] for name, a in self._read().items()]
        return TablePreview(
            {"index": list(range(len(rows))), "columns": ["array", "shape", "dtype"], "data": rows}
        )

    def _read(self) -> dict[str, np.ndarray]:
        with self._open_to_read() as file, np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
