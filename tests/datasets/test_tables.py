"""Tables that are saved one after another as one Parquet file."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest

from rnn_pipelines.datasets import TablesDataset


def make_tables(num_tables: int = 3) -> list[pd.DataFrame]:
    return [
        pd.DataFrame({"unique_id": [f"s{number}"] * 4, "y": np.arange(4, dtype="float32") + number})
        for number in range(num_tables)
    ]


@pytest.fixture
def dataset(tmp_path: Path) -> TablesDataset:
    return TablesDataset(filepath=str(tmp_path / "folder/tables.parquet"))


def test_tables_are_loaded_as_one(dataset: TablesDataset) -> None:
    dataset.save(make_tables())
    pd.testing.assert_frame_equal(dataset.load(), pd.concat(make_tables(), ignore_index=True))


def test_every_table_is_a_group_of_rows(dataset: TablesDataset, tmp_path: Path) -> None:
    dataset.save(make_tables())
    assert pyarrow.parquet.read_metadata(tmp_path / "folder/tables.parquet").num_row_groups == 3


def test_preview_has_the_first_rows(dataset: TablesDataset) -> None:
    dataset.save(make_tables())
    shown = dataset.preview(nrows=2)
    assert shown["columns"] == ["unique_id", "y"]
    assert shown["data"] == [["s0", "0.0"], ["s0", "1.0"]]


def test_no_tables_are_no_file(dataset: TablesDataset) -> None:
    dataset.save(make_tables())
    dataset.save([])
    assert not dataset.exists()


def test_tables_that_fail_leave_the_earlier_file(dataset: TablesDataset) -> None:
    def fail() -> Iterator[pd.DataFrame]:
        yield from make_tables(1)
        raise OSError

    dataset.save(make_tables())
    with pytest.raises(Exception, match="Failed while saving"):
        dataset.save(fail())
    assert len(dataset.load()) == 12
