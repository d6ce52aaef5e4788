"""A divided panel is read like the whole one, or refused in the same words with the user's file and row."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from divided_tables import explain_difference, read, read_divided
from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.partitions.dividing import PartitionSpec, Sample, draw_sample
from rnn_pipelines.forecast.source.covariates import CovariateSpec, read_series
from rnn_pipelines.forecast.source.specs import SourceSpec

NAMES = [f"s{number}" for number in range(20)]
DAYS = pd.date_range("2024-01-01", periods=20)
ROWS = [(name, day, 10.0 + place) for place, name in enumerate(NAMES) for day in DAYS]


def divide(path: Path, **given: Any) -> Sample:
    source = SourceSpec(**{"path": str(path), "id": "id", **given})
    spec = PartitionSpec(training_rows=200, rows=100)
    sample = draw_sample(source, CovariateSpec(), spec, path.parent / "partitions")
    assert sample.partitions.folder is not None
    return sample


def list_parts(path: Path, **given: Any) -> list[pd.DataFrame]:
    sample = divide(path, **given)
    parts = map(sample.select, sample.partitions.list_numbers())
    return [read_series(part.source, part.covariates)[0] for part in parts]


def read_parts(path: Path, **given: Any) -> pd.DataFrame:
    return pd.concat(list_parts(path, **given)).sort_index()


def read_whole(path: Path, **given: Any) -> pd.DataFrame:
    return read_series(SourceSpec(**{"path": str(path), "id": "id", **given}), CovariateSpec())[0]


def check_equal(path: Path, **given: Any) -> pd.DataFrame:
    found = read_parts(path, **given)
    pd.testing.assert_frame_equal(found, read_whole(path, **given), check_dtype=False)
    return found


def check_refused(path: Path, match: str) -> None:
    with pytest.raises(SeriesError, match=match) as whole:
        read_whole(path)
    with pytest.raises(SeriesError) as divided:
        divide(path)
    assert str(divided.value) == str(whole.value)


def write_lines(path: Path, lines: list[str], encoding: str = "utf-8") -> Path:
    path.write_text("\n".join([*lines, ""]), encoding=encoding)
    return path


def list_lines(
    write: Callable[[float, int], str] = lambda value, _: str(value), day: str = "%Y-%m-%d"
) -> list[str]:
    rows = (
        f"{name},{time:{day}},{write(value, place)}"
        for place, (name, time, value) in enumerate(ROWS)
    )
    return ["id,ds,y", *rows]


def write_files(folder: Path, first: dict[str, pa.Array], second: dict[str, pa.Array]) -> Path:
    """Two Parquet files of one table, which differ in the named columns."""
    folder.mkdir()
    for file, own in (("a", first), ("b", second)):
        ids, times, values = zip(*ROWS, strict=True)
        columns = {
            "id": pa.array(ids),
            "ds": pa.array(times, pa.timestamp("us")),
            "y": pa.array(values),
        } | own
        pa.parquet.write_table(pa.table(columns), folder / f"{file}.parquet")
    return folder


NUM_ROWS = len(ROWS)
NUMBERS = np.arange(NUM_ROWS)
ZONED = pa.array(
    [time.tz_localize("UTC") for _, time, _ in ROWS], pa.timestamp("us", "Europe/Berlin")
)
# The times of a later file.
LATER = {
    "ds": pa.array([day + pd.Timedelta(days=20) for _ in NAMES for day in DAYS], pa.timestamp("us"))
}
DATES = pa.array([date(2024, 1, 1)] * NUM_ROWS)
HOURS = pa.array([datetime(2024, 1, 1, 15, 30)] * NUM_ROWS, pa.timestamp("us"))


@pytest.mark.parametrize(
    ("first", "second", "match"),
    [
        (
            {"ds": ZONED},
            {},
            r"b\.parquet: column 'ds' holds datetime64\[us\], but datetime64\[us, Europe/Berlin\]",
        ),
        ({}, {"ds": ZONED}, r"b\.parquet: column 'ds' holds datetime64\[us, Europe/Berlin\]"),
        ({"ds": DATES}, {"ds": HOURS}, r"b\.parquet: column 'ds' holds datetime64"),
        (
            {"id": pa.array(NUMBERS % 9)},
            {"id": pa.array(["0100"] * NUM_ROWS)},
            "column 'id' holds str, but int64",
        ),
        ({}, {"id": pa.array([b"s1"] * NUM_ROWS)}, "column 'id' holds object, but str"),
        ({}, {"y": pa.array(["1.229"] * NUM_ROWS)}, "column 'y' holds str, but float64"),
        ({}, {"ds": pa.array(NUMBERS + 1_700_000_000)}, "column 'ds' holds int64"),
        (
            {"ds": pa.array(NUMBERS + 20240101)},
            {},
            r"column 'ds' holds datetime64\[us\], but int64",
        ),
    ],
)
def test_files_of_other_types_are_refused(
    tmp_path: Path, first: dict[str, pa.Array], second: dict[str, pa.Array], match: str
) -> None:
    check_refused(write_files(tmp_path / "table", first, second), match)


def test_numbers_of_all_files_are_widened(tmp_path: Path) -> None:
    small = pa.array(NUMBERS % 7, pa.int8())
    columns = {
        "id": pa.array(["other"] * NUM_ROWS),
        "ds": pa.array(NUMBERS.astype("M8[D]")).cast(pa.timestamp("us")),
    }
    folder = write_files(
        tmp_path / "table", {"y": pa.array(NUMBERS / 3, pa.float32())}, {"y": pa.array(NUMBERS / 3)}
    )
    pa.parquet.write_table(pa.table(columns | {"y": small}), folder / "c.parquet")
    assert check_equal(folder)["y"].iloc[-1] == (NUM_ROWS - 1) % 7


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (
            lambda lines: [*lines[:30], lines[30] + ",5", *lines[31:]],
            "Expected 3 fields in line 31, saw 4",
        ),
        (
            lambda lines: [lines[0], *(f"{line},5" for line in lines[1:])],
            "row 2 has more cells than the header",
        ),
        (
            lambda lines: ["id,ds,y,y", *(f"{line},5" for line in lines[1:])],
            "more than one column 'y'",
        ),
        (
            lambda lines: [*lines[:77], lines[77].rsplit(",", 1)[0], *lines[78:]],
            "row 78 has 2 of the 3 cells",
        ),
        (
            lambda lines: [*lines[:77], "s3,soon,5", *lines[78:]],
            "row 78: expected a time .* received 'soon'",
        ),
        (
            lambda lines: [*lines[:77], "s3,2024-01-05,x", *lines[78:]],
            "row 78: expected a number .* received 'x'",
        ),
    ],
)
def test_faults_name_the_row_of_the_file(
    tmp_path: Path, change: Callable[[list[str]], list[str]], match: str
) -> None:
    check_refused(
        write_lines(tmp_path / "table.csv", change(list_lines())), rf"table\.csv: .*{match}"
    )


def test_faults_are_counted_in_all_rows(tmp_path: Path) -> None:
    lines = list_lines(lambda value, place: "x" if place % 4 == 1 else str(value))
    check_refused(write_lines(tmp_path / "table.csv", lines), r"row 3: .*\(100 such cells in all\)")


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([*list_lines(), "Total,,4000", "Source: office,,"], id="footer"),
        pytest.param([line + "," for line in list_lines()], id="separator at the end of each line"),
        pytest.param(
            [*list_lines()[:200], "id,ds,y", ",,", *list_lines()[200:]], id="repeated header"
        ),
        pytest.param([" id , ds , y ", *list_lines()[1:]], id="header with blanks"),
        pytest.param(
            [f"{number},{line}" for number, line in enumerate(list_lines())],
            id="first column of numbers",
        ),
        pytest.param([f",{line}" for line in list_lines()], id="first column is empty"),
        pytest.param(
            list_lines(lambda value, place: "0.5" if place == 390 else f"{value:.0f}"),
            id="a decimal late",
        ),
        pytest.param(list_lines(day="%d.%m.%Y"), id="days settle the order"),
        pytest.param(
            [
                "id;ds;y",
                *(
                    line.replace(",", ";")
                    for line in list_lines(lambda value, _: f"{value:.3f}")[1:]
                ),
                "s3;2024-01-21;12.5",
            ],
            id="one value settles the decimal point",
        ),
    ],
)
def test_forms_are_those_of_all_rows(tmp_path: Path, lines: list[str]) -> None:
    assert len(check_equal(write_lines(tmp_path / "table.csv", lines))) >= NUM_ROWS


def test_one_series_settles_the_order_of_a_date(tmp_path: Path) -> None:
    """All other series have dates such as 05.04.2024."""
    lines = [
        "id,ds,y",
        *(f"{name},{day:02d}/04/2024,{day}" for name in NAMES for day in range(1, 13)),
    ]
    lines += [f"long,{day:02d}/04/2024,{day}" for day in range(1, 31)]
    path = write_lines(tmp_path / "table.csv", lines)
    assert check_equal(path)["ds"].max() == pd.Timestamp("2024-04-30")


def test_zone_is_that_of_all_offsets(tmp_path: Path) -> None:
    """One series has summer time."""
    lines = list_lines(day="%Y-%m-%dT06:00+01:00")
    lines += [
        f"summer,{day:%Y-%m-%d}T06:00+02:00,5" for day in pd.date_range("2024-06-01", periods=20)
    ]
    found = read_parts(write_lines(tmp_path / "table.csv", lines))
    pd.testing.assert_frame_equal(found, read_whole(tmp_path / "table.csv"), check_dtype=False)
    assert {part.attrs["zone"]["name"] for part in list_parts(tmp_path / "table.csv")} == {"UTC"}


@pytest.mark.parametrize(
    ("offset", "of_one"), [("+01:00", "+02:00"), ("+00:00", "+01:00"), ("+05:30", "+05:30")]
)
def test_midnights_that_are_other_days_in_utc_are_refused(
    tmp_path: Path, offset: str, of_one: str
) -> None:
    """Even if all series but one would be days of UTC."""
    lines = list_lines(day=f"%Y-%m-%dT%H:%M{offset}")
    lines += [
        f"summer,{day:%Y-%m-%d}T00:00{of_one},5" for day in pd.date_range("2024-06-01", periods=20)
    ]
    check_refused(write_lines(tmp_path / "table.csv", lines), "are midnights")


def test_encoding_is_that_of_the_whole_file(tmp_path: Path) -> None:
    lines = [*list_lines(), "Köln,2024-01-01,5"]
    assert (
        check_equal(write_lines(tmp_path / "table.csv", lines, "cp1252"))["unique_id"].iloc[-1]
        == "Köln"
    )


def test_sentinels_are_those_of_all_partitions(tmp_path: Path) -> None:
    """A partition with a single -999 could not tell."""
    is_broken = {25, 217, 390}
    lines = list_lines(
        lambda value, place: "-999" if place in is_broken else str(value + place % 3)
    )
    found = check_equal(write_lines(tmp_path / "table.csv", lines))
    assert found["y"].isna().sum() == len(is_broken)


@pytest.mark.parametrize("kind", ["bytes", "no text", "uint64"])
def test_names_of_any_type(tmp_path: Path, kind: str) -> None:
    ids = {
        "bytes": pa.array([name.encode() for name, _, _ in ROWS]),
        "no text": pa.array([b"\xff" + name.encode() for name, _, _ in ROWS]),
        "uint64": pa.array((NUMBERS // 20).astype("uint64") + np.uint64(2**63)),
    }[kind]
    path = write_files(tmp_path / "table", {"id": ids}, {"id": ids}) / "a.parquet"
    if kind == "no text":
        check_refused(path, "column 'id', row 1: expected a text that UTF-8 can hold")
    else:
        assert check_equal(path)["unique_id"].nunique() == len(NAMES)


def test_rows_keep_their_numbers(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "table.csv", list_lines())
    for table in list_parts(path):
        assert [ROWS[row - 2][0] for row in table.index] == table["unique_id"].tolist()


def test_own_file_of_the_user_is_not_read(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "table.csv", list_lines())
    sample = divide(path)
    expected, _ = read_series(sample.source, sample.covariates)
    assert sample.partitions.folder is not None
    (sample.partitions.folder / "rows/training/notes.parquet").write_text("mine")
    pd.testing.assert_frame_equal(read_series(sample.source, sample.covariates)[0], expected)


@pytest.mark.parametrize(
    "empty", [pa.float64(), pa.string(), pa.bool_(), pa.decimal128(9, 2)], ids=str
)
@pytest.mark.parametrize("is_first", [True, False], ids=["first", "later"])
def test_column_without_values_has_any_type(
    tmp_path: Path, empty: pa.DataType, is_first: bool
) -> None:
    files = [{"y": pa.nulls(NUM_ROWS, empty)}, LATER]
    check_equal(write_files(tmp_path / "table", *(files if is_first else files[::-1])))


def test_missing_numbers_of_a_column_are_no_texts(tmp_path: Path) -> None:
    """NaN is a number, and no missing cell, in Parquet files."""
    texts = pa.array([f"{number % 7},5" for number in NUMBERS])
    check_equal(
        write_files(
            tmp_path / "table", {"y": pa.array(np.full(NUM_ROWS, np.nan))}, LATER | {"y": texts}
        )
    )


def test_whole_numbers_beyond_those_of_float64_are_rounded(tmp_path: Path) -> None:
    large = pa.array(NUMBERS + 2**53 + 1)
    check_equal(write_files(tmp_path / "table", {"y": large}, LATER))


def test_clock_times_of_all_files_have_the_finest_unit(tmp_path: Path) -> None:
    hours = NUMBERS % 24 * 3_600
    coarse = pa.array(hours, pa.int32()).cast(pa.time32("s"))
    fine = pa.array(hours * 1_000_000).cast(pa.time64("us"))
    folder = write_files(tmp_path / "table", {"hour": coarse}, LATER | {"hour": fine})
    covariates = CovariateSpec(past=("hour",))
    source = SourceSpec(path=str(folder), id="id")
    sizes = PartitionSpec(training_rows=200, rows=100)
    divided = read_divided(source, covariates, sizes, tmp_path / "partitions")
    assert explain_difference(read(source, covariates), divided) is None


def write_small_file(folder: Path, kind: str, num_rows: int, **cells: Any) -> Path:
    """A table, and a later file with few rows."""
    folder.mkdir()
    table = pd.DataFrame(ROWS, columns=["id", "ds", "y"])
    later = table.assign(ds=table["ds"] + pd.Timedelta(days=len(DAYS)), **cells)[:num_rows]
    for name, rows in (("a", table), ("b", later)):
        if kind == "csv":
            rows.to_csv(folder / f"{name}.csv", index=False)
        else:
            rows.to_parquet(folder / f"{name}.parquet", index=False)
    return folder


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("num_rows", [0, 1, 21])
def test_later_file_may_have_as_few_rows_as_a_footer(
    tmp_path: Path, kind: str, num_rows: int
) -> None:
    folder = write_small_file(tmp_path / "table", kind, num_rows)
    assert len(check_equal(folder)) == len(ROWS) + num_rows


@pytest.mark.parametrize("num_rows", [1, 21])
def test_cells_of_a_small_file_count_in_errors(tmp_path: Path, num_rows: int) -> None:
    folder = write_small_file(tmp_path / "table", "csv", num_rows, y="many")
    found = "received 'many'" if num_rows == 1 else r"none of its 21 cells is a number"
    check_refused(folder, found)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_first_file_may_be_empty(tmp_path: Path, kind: str) -> None:
    folder = write_small_file(tmp_path / "table", kind, 0)
    (folder / f"b.{kind}").rename(folder / f"0.{kind}")
    assert len(check_equal(folder)) == len(ROWS)
