"""Each format of files with typed columns is read whole, and divided if it is large."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from divided_tables import explain_difference, read, read_divided
from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.partitions.dividing import PartitionSpec
from rnn_pipelines.forecast.source.covariates import CovariateSpec
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.reading.typed_files import FORMATS

# How a table is written, by the ending of the file.
WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    ".parquet": pd.DataFrame.to_parquet,
    ".pq": pd.DataFrame.to_parquet,
}
TABLE = pd.DataFrame(
    {
        "id": pd.Categorical(np.repeat([f"s{number}" for number in range(30)], 40)),
        "ds": np.tile(pd.date_range("2024-01-01", periods=40), 30),
        "y": np.random.default_rng(0).normal(size=1200),
        "price": 1.5,
    }
)


def test_all_formats_are_tested() -> None:
    assert WRITERS.keys() == FORMATS.keys()


@pytest.mark.parametrize("ending", FORMATS)
def test_format_is_read_like_a_frame(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{ending}"
    WRITERS[ending](TABLE, path)
    expected = read_source(SourceSpec(name="catalog", id="id"), TABLE)
    found = read_source(SourceSpec(path=str(path), id="id"))
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


@pytest.mark.parametrize("ending", FORMATS)
def test_format_is_divided(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{ending}"
    WRITERS[ending](TABLE, path)
    source = SourceSpec(path=str(path), id="id")
    covariates = CovariateSpec(past=("price",))
    sizes = PartitionSpec(training_rows=600, rows=300)
    divided = read_divided(source, covariates, sizes, tmp_path / "parts")
    assert divided is not None
    assert explain_difference(read(source, covariates), divided) is None


@pytest.mark.parametrize("ending", FORMATS)
def test_damaged_file_is_refused(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{ending}"
    path.write_bytes(b"half a file")
    with pytest.raises(SeriesError, match=FORMATS[ending].kind):
        read_source(SourceSpec(path=str(path), id="id"))
