"""A table of real size is read divided as it is read whole: more rows than a batch, in any number of columns.

`RNN_FUZZ_LARGE` says how many tables are made up; a failure names its seed.
"""

import csv
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from divided_tables import explain_difference, read, read_divided
from fuzzing import Random, choose, happens, list_seeds
from rnn_pipelines.forecast.partitions.dividing import PartitionSpec
from rnn_pipelines.forecast.source.covariates import CovariateSpec
from rnn_pipelines.forecast.source.readable import FILES
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.reading import batches, scatter
from rnn_pipelines.reading.dialect import Dialect
from rnn_pipelines.reading.scatter import scatter_rows, survey_files
from rnn_pipelines.reading.survey import ROW_COLUMN, Roles, Survey

SEEDS = list_seeds("RNN_FUZZ_LARGE", 8)
# Rows of the beginning of a table whose cells can differ from all later ones.
BEGINNING = 200_000


def draw_lengths(random: Random, num_rows: int) -> np.ndarray:
    """Number of rows of each series: equal, very uneven, or all in one."""
    form = choose(random, ["equal", "equal", "uneven", "uneven", "one"])
    if form == "one":
        return np.array([num_rows])
    if form == "equal":
        return np.full(300, num_rows // 300)
    shares = random.pareto(0.7, 200) + 1e-3
    return np.maximum(1, (num_rows * shares / shares.sum()).astype(int))


def name_series(random: Random, numbers: np.ndarray) -> np.ndarray:
    """Names of the series, which look like numbers in the beginning or at the end."""
    form = choose(random, ["text", "digits", "zeros", "mixed", "umlauts"])
    texts = {"text": "s{}", "digits": "{}", "zeros": "{:05d}", "umlauts": "Köln {}", "mixed": "{}"}[
        form
    ]
    names = np.array([texts.format(number) for number in range(numbers.max() + 1)], object)
    if form == "mixed":
        names[len(names) // 2 :] = [f"A{number}" for number in range(len(names) // 2, len(names))]
    return names[numbers]


def make_column(random: Random, values: np.ndarray) -> np.ndarray:
    """The cells of a column besides id and time, as texts."""
    codes = values.astype(int)
    plain = values.round(2).astype(str).astype(object)
    whole = codes.astype(str).astype(object)
    is_beginning = np.arange(len(values)) < BEGINNING
    forms = {
        "plain": lambda: plain,
        "whole": lambda: whole,
        "empty beginning": lambda: np.where(is_beginning, "", plain),
        "empty end": lambda: np.where(is_beginning, plain, ""),
        "words": lambda: np.array(["low", "high", "none", "12", "Zürich"], object)[codes % 5],
        "lines": lambda: np.array(["a\nb", "one, two", 'said "no"', "", "plain"], object)[
            codes % 5
        ],
        "sparse": lambda: np.where(values % 50 < 1, plain, ""),
        "decimals later": lambda: np.where(is_beginning, whole, plain),
        "flags": lambda: np.array(["yes", "no"], object)[codes % 2],
    }
    return forms[choose(random, forms)]()


def make_table(random: Random, num_rows: int, num_others: int) -> pd.DataFrame:
    """The rows of many series as texts: `id, ds, y` and other columns."""
    lengths = draw_lengths(random, num_rows)
    numbers = np.repeat(np.arange(len(lengths)), lengths)
    steps = np.concatenate([np.arange(length) for length in lengths])
    times = np.datetime64("2015-01-01T00:00") + steps.astype("m8[h]")
    values = random.normal(100, 20, (len(numbers), num_others + 1)).clip(1)
    plain = choose(random, ["plain", "whole", "sparse"])
    target = (
        values[:, 0].round({"plain": 2, "whole": 0, "sparse": 1}[plain]).astype(str).astype(object)
    )
    if plain == "whole":
        target = values[:, 0].astype(int).astype(str).astype(object)
    if plain == "sparse":
        target[random.random(len(target)) < 0.1] = ""
    columns: dict[str, Any] = {
        "id": name_series(random, numbers),
        "ds": np.char.replace(np.datetime_as_string(times, unit="m"), "T", " ").astype(object),
        "y": target,
    }
    others = {
        f"x{number}": make_column(random, values[:, number]) for number in range(1, num_others + 1)
    }
    table = pd.DataFrame(columns | others, dtype=object)
    order = choose(random, ["series", "series", "time", "none"])
    if order == "series":
        return table
    if order == "time":
        return table.iloc[np.argsort(steps, kind="stable")].reset_index(drop=True)
    return table.iloc[random.permutation(len(table))].reset_index(drop=True)


def write_csv(random: Random, table: pd.DataFrame, path: Path) -> None:
    quoting = csv.QUOTE_ALL if happens(random, 0.4) else csv.QUOTE_MINIMAL
    table.to_csv(path, index=False, quoting=quoting, sep=choose(random, [",", ",", ";"]))


def write_parquet(random: Random, table: pd.DataFrame, path: Path) -> None:
    """A Parquet file, whose columns of numbers and times have any types that hold the cells of the other files."""
    columns = {
        "id": pa.array(table["id"], pa.string()),
        "ds": pa.array(pd.to_datetime(table["ds"]).to_numpy()),
    }
    unit = choose(random, ["us", "ns", "s"])
    columns["ds"] = columns["ds"].cast(pa.timestamp(unit))
    if happens(random, 0.3):
        columns["id"] = columns["id"].dictionary_encode()
    elif happens(random, 0.3):
        columns["id"] = columns["id"].cast(pa.large_string())
    numbers = pd.to_numeric(table["y"]).astype("float64")
    is_whole = happens(random, 0.3) and bool((numbers.dropna() % 1 == 0).all())
    columns["y"] = pa.array(numbers.astype("Int64") if is_whole else numbers, from_pandas=True)
    for name in table.columns[3:]:
        cells = table[name].where(table[name] != "", None)
        columns[name] = pa.nulls(len(table)) if cells.isna().all() else pa.array(cells, pa.string())
    names = list(columns)
    random.shuffle(names)
    rows = int(choose(random, [1 << 20, 100_000, 30_000]))
    pa.parquet.write_table(
        pa.table({name: columns[name] for name in names}), path, row_group_size=rows
    )


def write_table(random: Random, table: pd.DataFrame, folder: Path) -> Path:
    """One file, or a folder of files with other orders of columns, or with a folder for each name of a store."""
    kind = choose(random, ["csv", "csv", "parquet"])
    write = write_csv if kind == "csv" else write_parquet
    if happens(random, 0.5):
        path = folder / f"table.{kind}"
        write(random, table, path)
        return path
    state = random.bit_generator.state
    stops = np.unique(
        [0, *random.integers(1, len(table), size=int(random.integers(1, 4))), len(table)]
    )
    for number, (first, last) in enumerate(pairwise(stops)):
        part = table[first:last].reset_index(drop=True)
        names = list(part)
        random.shuffle(names)
        writer = np.random.default_rng()
        writer.bit_generator.state = state
        if kind == "csv":
            # Files of one table have the same dialect.
            write_csv(writer, part[names], folder / f"{number}.csv")
        else:
            write_parquet(random, part, folder / f"{number}.parquet")
    return folder


def choose_covariates(random: Random, table: pd.DataFrame) -> CovariateSpec:
    others = list(table.columns[3:])
    chosen = [name for name in others if happens(random, 0.4)]
    return CovariateSpec(past=tuple(chosen[::2]), future=tuple(chosen[1::2]))


def check_equal(
    path: Path, covariates: CovariateSpec, folder: Path, training_rows: int = 60_000
) -> bool:
    """Check that divided reading equals whole reading, and return whether the table was divided."""
    source = SourceSpec(path=str(path), id="id")
    divided = read_divided(
        source, covariates, PartitionSpec(training_rows=training_rows, rows=60_000), folder
    )
    # None if all of few series are beyond the sample.
    if divided is None:
        return False
    assert explain_difference(read(source, covariates), divided) is None
    return True


def test_csv_table_with_more_rows_than_pandas_returns_in_one_piece(tmp_path: Path) -> None:
    """Pandas returns the texts of four columns in two chunks."""
    days = np.datetime_as_string(np.datetime64("2020-01-01") + np.arange(500))
    shops = [f"s{number}" for number in range(300)]
    rows = [f"{shop},{day},{place % 97},note\n" for shop in shops for place, day in enumerate(days)]
    path = tmp_path / "table.csv"
    path.write_text("".join(["id,ds,y,note\n", *rows]))
    assert check_equal(path, CovariateSpec(), tmp_path / "partitions")


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_large_table_is_read_divided_as_it_is_read_whole(seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    (tmp_path / "table").mkdir()
    num_others = int(random.integers(0, 10))
    # As many cells as are read in some seconds.
    num_rows = int(random.integers(140_000, 140_000 + min(460_000, 1_500_000 // (3 + num_others))))
    table = make_table(random, num_rows, num_others)
    path = write_table(random, table, tmp_path / "table")
    check_equal(path, choose_covariates(random, table), tmp_path / "partitions")


@pytest.mark.slow
def test_files_of_two_columns_in_folders_of_the_series_are_read_divided_as_whole(
    tmp_path: Path,
) -> None:
    random = np.random.default_rng(0)
    hours = np.datetime64("2000-01-01T00") + np.arange(280_000)
    times = np.char.replace(np.datetime_as_string(hours, unit="m"), "T", " ")
    for number in range(4):
        folder = tmp_path / "table" / f"id={number}"
        folder.mkdir(parents=True)
        values = random.normal(100, 20, len(times)).round(2)
        pd.DataFrame({"ds": times, "y": values}).to_csv(folder / "rows.csv", index=False)
    # Half of the rows, so that one of so few series is among them.
    assert check_equal(
        tmp_path / "table", CovariateSpec(), tmp_path / "partitions", training_rows=600_000
    )


@pytest.mark.slow
def test_packed_csv_table_is_read_as_the_unpacked_one(tmp_path: Path) -> None:
    table = make_table(np.random.default_rng(5), 400_000, 6)
    covariates = CovariateSpec(past=("x1", "x2", "x3"))
    found = []
    for name in ("table.csv", "table.csv.gz"):
        table.to_csv(tmp_path / name, index=False)
        found.append(read(SourceSpec(path=str(tmp_path / name), id="id"), covariates))
    assert explain_difference(*found) is None


@pytest.mark.slow
def test_rows_of_a_batch_of_real_size_keep_their_order(tmp_path: Path) -> None:
    """With batches, groups and waiting rows of their real sizes: all three are exceeded."""
    num_rows = scatter.WAITING_ROWS + scatter.GROUP_ROWS + batches.BATCH_ROWS
    names = np.char.add("s", (np.arange(num_rows) % 1_000).astype(str))
    table = pa.table({"id": names, "ds": np.arange(num_rows), "y": np.arange(num_rows) / 2})
    pa.parquet.write_table(table, tmp_path / "table.parquet")
    targets = [tmp_path / f"{number}.parquet" for number in range(40)]
    survey = Survey(Roles("id", ("ds",), ("y",)))
    rows = survey_files(tmp_path / "table.parquet", survey, FILES, Dialect(), list_rows)
    counts = scatter_rows(rows, "id", targets)
    assert counts.sum() == num_rows
    found = [pyarrow.parquet.read_table(target)[ROW_COLUMN].to_numpy() for target in targets]
    assert all((np.diff(numbers) > 0).all() for numbers in found)
    np.testing.assert_array_equal(np.sort(np.concatenate(found)), np.arange(1, num_rows + 1))


def list_rows(survey: Survey) -> list[int]:
    return [row for table in survey.decisive for row in table[ROW_COLUMN].to_pylist()]
