"""Division of large tables into files, by a hash of the series."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.errors import MissingColumnsError, SeriesError
from rnn_pipelines.forecast.partitions.dividing import PartitionSpec, draw_sample
from rnn_pipelines.forecast.source.covariates import CovariateSpec
from rnn_pipelines.forecast.source.readable import FILES
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.reading import batches, scatter
from rnn_pipelines.reading.batches import has_column
from rnn_pipelines.reading.dialect import Dialect
from rnn_pipelines.reading.scatter import can_scatter, count_table_rows, scatter_rows, survey_files
from rnn_pipelines.reading.survey import ROW_COLUMN, Roles, Survey

COLUMNS = ["id", "ds", "y"]


def make_table(num_series: int = 40, num_steps: int = 30) -> pd.DataFrame:
    """Return series by date, so that the rows of a series are far from each other."""
    return pd.DataFrame(
        {
            "id": np.tile([f"s{number}" for number in range(num_series)], num_steps),
            "ds": np.repeat(pd.date_range("2024-01-01", periods=num_steps), num_series),
            "y": np.random.default_rng(0).normal(size=num_series * num_steps),
            "other": 1,
        }
    )


def divide(
    path: Path, folder: Path, num_files: int = 4, dialect: Dialect | None = None
) -> list[pd.DataFrame]:
    folder.mkdir()
    targets = [folder / f"{number}.parquet" for number in range(num_files)]
    survey = Survey(Roles("id", ("ds",), ("y",)))
    rows = survey_files(path, survey, FILES, dialect or Dialect(), list_rows)
    counts = scatter_rows(rows, "id", targets)
    tables = [pd.read_parquet(target)[[*COLUMNS]] for target in targets]
    assert counts.tolist() == [len(table) for table in tables]
    return tables


def list_rows(survey: Survey) -> list[int]:
    """All rows of a survey, as if there was no footer."""
    return [row for table in survey.decisive for row in table[ROW_COLUMN].to_pylist()]


@pytest.fixture(params=[1 << 18, 7])
def batch_rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Read in one batch and in many, with files that are written in many groups."""
    monkeypatch.setattr(batches, "BATCH_ROWS", request.param)
    monkeypatch.setattr(scatter, "GROUP_ROWS", request.param)
    monkeypatch.setattr(scatter, "WAITING_ROWS", 3 * request.param)
    return int(request.param)


@pytest.mark.usefixtures("batch_rows")
def test_all_rows_of_a_series_are_in_one_file_in_their_order(tmp_path: Path) -> None:
    table = make_table()
    table.to_parquet(tmp_path / "table.parquet")
    tables = divide(tmp_path / "table.parquet", tmp_path / "parts")
    assert sum(one["id"].nunique() for one in tables) == 40
    assert min(map(len, tables)) > 0
    for one in tables:
        names = one["id"].unique()
        expected = table.loc[table["id"].isin(names), COLUMNS].reset_index(drop=True)
        pd.testing.assert_frame_equal(one, expected, check_dtype=False)


def test_file_of_a_series_does_not_depend_on_the_other_rows(tmp_path: Path) -> None:
    table = make_table()
    table.to_parquet(tmp_path / "all.parquet")
    table[table["id"] > "s2"].to_parquet(tmp_path / "some.parquet")
    whole = divide(tmp_path / "all.parquet", tmp_path / "a")
    some = divide(tmp_path / "some.parquet", tmp_path / "b")
    for one, other in zip(whole, some, strict=True):
        assert set(other["id"]) == {name for name in one["id"] if name > "s2"}


@pytest.mark.usefixtures("batch_rows")
def test_files_of_a_folder_are_one_table(tmp_path: Path) -> None:
    table = make_table()
    folder = tmp_path / "days"
    for day, rows in table.groupby("ds"):
        path = folder / f"{day:%Y-%m-%d}.parquet"
        path.parent.mkdir(exist_ok=True)
        rows.to_parquet(path)
    found = pd.concat(divide(folder, tmp_path / "parts"))
    pd.testing.assert_frame_equal(
        found.sort_values(["ds", "id"], ignore_index=True),
        table[COLUMNS].sort_values(["ds", "id"], ignore_index=True),
        check_dtype=False,
    )


def test_names_of_folders_are_cells(tmp_path: Path) -> None:
    table = make_table(6)
    folder = tmp_path / "stores"
    for name, rows in table.groupby("id"):
        (folder / f"id={name}").mkdir(parents=True)
        rows[["ds", "y"]].to_parquet(folder / f"id={name}" / "rows.parquet", index=False)
    found = pd.concat(divide(folder, tmp_path / "parts"))
    assert found.groupby("id")["y"].sum().to_dict() == pytest.approx(
        table.groupby("id")["y"].sum().to_dict()
    )
    assert [has_column(folder, name, FILES, Dialect()) for name in ("id", "ds", "store")] == [
        True,
        True,
        False,
    ]


@pytest.mark.usefixtures("batch_rows")
@pytest.mark.parametrize(
    ("sep", "dialect"), [(",", Dialect()), (";", Dialect()), ("\t", Dialect(sep="\t"))]
)
def test_cells_of_csv_files_are_texts(tmp_path: Path, sep: str, dialect: Dialect) -> None:
    table = make_table()
    path = tmp_path / "table.csv"
    path.write_text(
        f"Sales of {len(table)} days\n" + table.to_csv(index=False, sep=sep, lineterminator="\n")
    )
    found = pd.concat(divide(path, tmp_path / "parts", dialect=dialect))
    assert found.dtypes.astype(str).eq("str").all() or found.dtypes.eq(object).all()
    numbers = found.assign(y=found["y"].astype(float)).groupby("id")["y"].sum()
    assert numbers.to_dict() == pytest.approx(table.groupby("id")["y"].sum().to_dict())


def test_types_are_those_of_the_first_file(tmp_path: Path) -> None:
    table = make_table()
    folder = tmp_path / "days"
    folder.mkdir()
    table.astype({"id": "category"})[:400].to_parquet(folder / "a.parquet")
    table.assign(y=1)[400:].to_parquet(folder / "b.parquet")
    found = pd.concat(divide(folder, tmp_path / "parts"))
    assert found["y"].dtype == "float64"
    assert len(found) == len(table)


def test_rows_are_counted_without_reading_them(tmp_path: Path) -> None:
    table = make_table(100, 200)
    table.to_parquet(tmp_path / "table.parquet")
    table.to_csv(tmp_path / "table.csv", index=False)
    assert count_table_rows(tmp_path / "table.parquet", FILES) == len(table)
    assert count_table_rows(tmp_path / "table.csv", FILES) == pytest.approx(len(table), rel=0.05)
    assert count_table_rows(tmp_path, FILES) == pytest.approx(2 * len(table), rel=0.05)


@pytest.fixture
def days_of_two_types(tmp_path: Path) -> Path:
    table = make_table()
    folder = tmp_path / "days"
    folder.mkdir()
    table[:400].to_parquet(folder / "a.parquet")
    table.assign(y="many")[400:].to_parquet(folder / "b.parquet")
    return folder


def test_a_column_of_another_type_is_refused(tmp_path: Path, days_of_two_types: Path) -> None:
    with pytest.raises(SeriesError, match="column 'y' has another type"):
        divide(days_of_two_types, tmp_path / "parts")


def test_a_sample_of_another_type_names_the_file(tmp_path: Path, days_of_two_types: Path) -> None:
    source = SourceSpec(path=str(days_of_two_types), id="id")
    with pytest.raises(
        SeriesError, match=r"b\.parquet: column 'y' holds str, but float64 in a\.parquet"
    ):
        draw_sample(
            source, CovariateSpec(), PartitionSpec(training_rows=8), tmp_path / "partitions"
        )


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    make_table().drop(columns="y").to_parquet(tmp_path / "table.parquet")
    with pytest.raises(MissingColumnsError, match="'y'") as error:
        divide(tmp_path / "table.parquet", tmp_path / "others")
    assert error.value.missing == ["y"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.parquet", True), ("a.csv", True), ("a.xlsx", False), ("b.csv", False)],
)
def test_only_plain_files_are_divided(tmp_path: Path, name: str, expected: bool) -> None:
    for file in ("a.parquet", "a.csv", "a.xlsx"):
        (tmp_path / file).touch()
    assert can_scatter(tmp_path / name) is expected
