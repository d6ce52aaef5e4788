"""Reading of a table in one file, or in many files of a folder."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote

import pandas as pd

from rnn_pipelines.errors import MissingColumnsError
from rnn_pipelines.reading.dialect import Dialect
from rnn_pipelines.reading.table_files import (
    Selection,
    TableFiles,
    expand_home,
)
from rnn_pipelines.reading.user_files import read_columns

Table = TypeVar("Table")

# The value that Hive and Spark write for a missing one.
NO_PARTITION = "__HIVE_DEFAULT_PARTITION__"


def list_data_files(path: Path) -> list[Path]:
    """Return the files of a folder and of its subfolders, by name; none if it is no folder.

    Names that begin with a point or an underscore are left out, as other readers of partitioned data sets do.
    """
    # Unlike `Path.is_dir`, this accepts invalid names.
    if not os.path.isdir(path):
        return []
    files = (file for file in path.rglob("*") if file.is_file())
    return sorted(
        file for file in files if not any(part[0] in "._" for part in file.relative_to(path).parts)
    )


def list_tables(path: Path) -> list[Path]:
    """Return the files of a table: those of a folder, or the file itself."""
    path = expand_home(path)
    return list_data_files(path) or [path]


def read_tables(
    path: Path, selection: Selection, files: TableFiles, dialect: Dialect
) -> pd.DataFrame:
    """Read some columns of a file, or of all files of a folder, one after another in the order of their names.

    A column that a file lacks is read from the name of its folder, such as `store=12`. See `read_columns` for the
    parameters and errors. A folder without files, or a column with numbers in one file and texts or times in another
    one, is a `files.error`, too.
    """
    path = expand_home(path)
    paths = list_data_files(path) if os.path.isdir(path) else [path]
    if not paths:
        raise files.error(
            f"{path}: expected CSV, Parquet or Excel files, received none. Check {files.path}."
        )

    def read(file: Path, selection: Selection) -> pd.DataFrame:
        table, named = read_with_names(
            file,
            selection.names,
            lambda names: read_columns(file, selection._replace(names=names), files, dialect),
        )
        for name, value in named.items():
            table[name] = pd.Series(value, table.index, "str")
        return table[selection.list_columns(table.columns)] if named else table

    return join_tables(paths, read, selection, files).reset_index(drop=True)


def join_tables(
    paths: Sequence[Path],
    read: Callable[[Path, Selection], pd.DataFrame],
    selection: Selection,
    files: TableFiles,
) -> pd.DataFrame:
    """Return the columns that `read` returns of each file as one table, each row with its label; see `read_tables`."""
    tables = [read(file, selection) for file in paths]
    if len(tables) == 1:
        return tables[0]
    mixed = _find_mixed(tables)
    if mixed and selection.numbers:
        # Cells of CSV files are texts in all files if they are in one.
        numbers = [name for name in selection.numbers if name not in mixed]
        tables = [read(file, selection._replace(numbers=numbers)) for file in paths]
        mixed = _find_mixed(tables)
    for name, (first, other) in mixed.items():
        raise files.error(
            f"{paths[other]}: column '{name}' holds {tables[other][name].dtype}, but {tables[first][name].dtype} in "
            f"{paths[first].name}. Write the same type to all files."
        )
    filled = [table for table in tables if len(table)] or tables[:1]
    parts = [table.dropna(axis=1, how="all") for table in filled]
    joined = pd.concat(parts).reindex(columns=_list_columns(tables))
    joined.attrs = {
        "found": {
            name: value for table in tables for name, value in table.attrs.get("found", {}).items()
        },
        "unread": list(
            dict.fromkeys(name for table in tables for name in table.attrs.get("unread", ()))
        ),
    }
    return joined


def read_with_names(
    path: Path, wanted: list[str], read: Callable[[list[str]], Table]
) -> tuple[Table, dict[str, str | None]]:
    """Return what `read` finds of a file, and the values of columns that only the names of its folders have."""
    try:
        return read(wanted), {}
    except MissingColumnsError as error:
        # Such as `store=12`.
        parts = (part.partition("=") for part in path.parent.parts if "=" in part)
        named = {
            name: None if value == NO_PARTITION else unquote(value) for name, _, value in parts
        }
        missing = error.missing
        if not set(missing) <= set(named):
            raise
    return read([name for name in wanted if name not in missing]), {
        name: named[name] for name in missing
    }


def _list_columns(tables: list[pd.DataFrame]) -> list[str]:
    """Return the columns of any of the tables; those of wide tables may differ."""
    return list(dict.fromkeys(str(name) for table in tables for name in table))


def _find_mixed(tables: list[pd.DataFrame]) -> dict[str, tuple[int, int]]:
    """Return the columns with cells of different kinds, and the numbers of two tables of each."""
    mixed = {}
    for name in _list_columns(tables):
        kinds: dict[str, int] = {}
        for number, table in enumerate(tables):
            if name in table and table[name].notna().any():
                kinds.setdefault(_find_kind(table[name]), number)
        if len(kinds) > 1:
            first, other, *_ = kinds.values()
            mixed[name] = first, other
    return mixed


def _find_kind(cells: pd.Series) -> str:
    kind = cells.dtype
    if kind.kind == "O":
        # Truth values with a missing cell, and the texts of bytes and decimal numbers differ from other texts.
        inferred = pd.api.types.infer_dtype(cells, skipna=True)
        return {"boolean": "b", "bytes": inferred, "decimal": inferred}.get(inferred, kind.kind)
    return "number" if kind.kind in "iuf" else str(getattr(kind, "tz", kind.kind))
