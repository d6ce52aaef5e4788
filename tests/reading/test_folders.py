"""Tables in many files of a folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.errors import MissingColumnsError, SeriesError
from rnn_pipelines.forecast.source.reading import read_file, read_source, read_table
from rnn_pipelines.forecast.source.specs import SourceSpec

Save = Callable[[str, pd.DataFrame], Path]


def make_table(num_series: int = 3, num_steps: int = 20) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": np.repeat([f"s{number}" for number in range(num_series)], num_steps),
            "ds": np.tile(pd.date_range("2024-01-01", periods=num_steps), num_series),
            "y": np.random.default_rng(0).normal(size=num_series * num_steps),
            "other": "unused",
        }
    )


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def write(name: str, table: pd.DataFrame) -> Path:
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".csv":
            table.to_csv(path, index=False)
        else:
            table.to_parquet(path, index=False)
        return path

    return write


def read(folder: Path, **source: Any) -> pd.DataFrame:
    return read_source(SourceSpec(path=str(folder), id="id", **source))


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_files_of_a_folder_are_read_like_one(save: Save, tmp_path: Path, ending: str) -> None:
    table = make_table()
    for number, part in enumerate((table[:7], table[7:45], table[45:])):
        save(f"part/{number}.{ending}", part)
    save("whole." + ending, table).rename(tmp_path / f"whole.{ending}")
    of_folder, of_file = read(tmp_path / "folder"), read(tmp_path / f"whole.{ending}")
    pd.testing.assert_frame_equal(of_folder.reset_index(drop=True), of_file.reset_index(drop=True))


def test_folders_name_the_values_of_a_partitioned_data_set(save: Save, tmp_path: Path) -> None:
    table = make_table()
    folder = tmp_path / "partitioned"
    table.drop(columns="other").assign(region="a b/c").to_parquet(
        folder, partition_cols=["region", "id"], index=False
    )
    (folder / "_SUCCESS").touch()
    spec = SourceSpec(path=str(folder), id="id")
    read_back, columns = read_table(spec, ["region"])
    expected = read_source(SourceSpec(name="catalog", id="id"), table)
    pd.testing.assert_frame_equal(read_back, expected, check_dtype=False)
    assert set(columns["region"]) == {"a b/c"}


def test_only_wanted_columns_are_read(save: Save, tmp_path: Path) -> None:
    save("a.parquet", make_table().assign(nested=[[1]] * 60))
    save("b.parquet", make_table().assign(id="other").drop(columns="other"))
    assert len(read(tmp_path / "folder")) == 120
    assert list(read_file(SourceSpec(path=str(tmp_path / "folder" / "b.parquet"), id="id"))) == [
        "ds",
        "y",
        "id",
    ]


def test_wide_files_may_have_different_series(save: Save, tmp_path: Path) -> None:
    times = pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=6)})
    save("a.csv", times[:3].assign(one=[1, 2, 3]))
    save("b.csv", times[3:].assign(one=[4, 5, 6], two=[7, 8, 9]))
    values = (
        read_source(SourceSpec(path=str(tmp_path / "folder"), wide=True))
        .dropna()
        .set_index("unique_id")["y"]
    )
    assert values["one"].tolist() == [1, 2, 3, 4, 5, 6]
    assert values["two"].tolist() == [7, 8, 9]


def test_markers_of_missing_values_in_one_csv_file_leave_numbers(
    save: Save, tmp_path: Path
) -> None:
    save("a.csv", make_table(1))
    save("b.csv", make_table(1).assign(id="b", y=["n/a", *range(19)]))
    values = read(tmp_path / "folder")["y"]
    assert values[values.isna()].index.tolist() == [21]
    assert values.iloc[-1] == 18


def test_fault_names_the_row_of_its_file(save: Save, tmp_path: Path) -> None:
    save("a.csv", make_table(1))
    path = save("b.csv", make_table(1).assign(y=[*range(4), "wrong", *range(15)]))
    with pytest.raises(SeriesError, match=rf"^{path}: .*row 6.*wrong"):
        read(tmp_path / "folder")


def test_missing_column_names_the_file(save: Save, tmp_path: Path) -> None:
    save("a.csv", make_table(1))
    path = save("b.csv", make_table(1).drop(columns="ds"))
    with pytest.raises(MissingColumnsError, match=rf"^{path}: .*ds"):
        read(tmp_path / "folder")


def test_different_types_name_the_file(save: Save, tmp_path: Path) -> None:
    save("a.parquet", make_table(1))
    path = save("b.parquet", make_table(1).assign(ds="2024-01-01"))
    with pytest.raises(SeriesError, match=rf"^{path}: .*'ds'"):
        read(tmp_path / "folder")


def test_column_that_is_empty_in_one_file_has_the_type_of_the_others(
    save: Save, tmp_path: Path
) -> None:
    save("a.parquet", make_table(1).assign(y=None))
    save("b.parquet", make_table(1).assign(id="b"))
    values = read(tmp_path / "folder")["y"]
    assert values.dtype == np.float64
    assert values.isna().sum() == 20
