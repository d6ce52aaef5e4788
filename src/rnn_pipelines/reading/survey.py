"""Survey of a table that is too large for memory: the rows that decide how all of its rows are read.

These are the first rows of each shape of cells (see `shapes`), and the last rows of each file, which can be a footer.
The reader of small tables reads them instead of all rows, and so decides, and refuses, as it does in a small table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from rnn_pipelines.reading.csv_files import infer_numbers
from rnn_pipelines.reading.folders import join_tables
from rnn_pipelines.reading.shapes import (
    MAX_TIMES,
    Shapes,
    combine_chunks,
    find_cell_shapes,
    find_name_shapes,
    find_time_shapes,
    generalise,
)
from rnn_pipelines.reading.table_files import (
    ROW,
    WEIGHTS,
    Selection,
    TableFiles,
    Weights,
    load_file,
)

# The column with the numbers of the rows in their table.
ROW_COLUMN = "rnn_pipelines.row"
# Rows of the end of a table that are searched for a footer.
TAIL_ROWS = 21


@dataclass(frozen=True)
class Roles:
    """The columns of a table."""

    id: str  # names the series
    times: tuple[str, ...]  # hold the time, or its parts
    others: tuple[str, ...]  # hold values and covariates

    @property
    def columns(self) -> list[str]:
        return [*self.times, *self.others, self.id]

    @property
    def shaped(self) -> list[str]:
        """The columns with shapes; the parts of a time are one column."""
        return [self.id, "+".join(self.times), *self.others]

    def find_shapes(self, table: pa.Table) -> dict[str, Shapes]:
        """Return the shapes in each column."""
        names = find_name_shapes(combine_chunks(table[self.id]))
        times = find_time_shapes([combine_chunks(table[name]) for name in self.times])
        others = [find_cell_shapes(combine_chunks(table[name])) for name in self.others]
        return dict(zip(self.shaped, [names, times, *others], strict=True))


@dataclass
class FileSurvey:
    """The survey of one file."""

    path: Path | None  # of the file; None for a query
    found: Mapping[str, str] | None = (
        None  # the detected dialect of a CSV file; None for another one
    )
    is_comma_separated: bool = False  # whether it is a CSV file with commas between cells
    is_alone: bool = False  # whether it is the only file of the table
    num_above: int = 0  # the number of its rows above the data
    # The number of rows in the files before, or of those above the data of the only file.
    first: int = 0
    num_rows: int = 0  # of the file
    # those that decide, with their numbers in the file
    rows: list[pa.Table] = field(default_factory=list)
    tail: pa.Table | None = None  # the last rows
    # For each column of `Roles.shaped`, the first row and the number of rows of each shape; none for rows in the tail.
    shapes: dict[str, dict[str, list[int]]] = field(default_factory=dict)

    def add(self, table: pa.Table, roles: Roles) -> None:
        """Add rows, with their numbers in the file."""
        if not len(table):
            return
        kept = {0} if not self.rows else set()
        numbers = table[ROW_COLUMN].to_numpy()
        for name, shapes in roles.find_shapes(table).items():
            known = self.shapes[name]
            counts = np.bincount(shapes.codes, minlength=len(shapes.names)).tolist()
            for shape, place, count in zip(
                shapes.names, shapes.find_first().tolist(), counts, strict=True
            ):
                one = generalise(shape) if len(known) > MAX_TIMES and shape not in known else shape
                if one in known:
                    known[one][1] += count
                else:
                    known[one] = [int(numbers[place]), count]
                    kept.add(place)
        if kept:
            self.rows.append(table.take(sorted(kept)))

    def to_arrow(self) -> pa.Table:
        """Return the rows that decide, with their numbers in the file."""

        tables = [*self.rows, *([] if self.tail is None else [self.tail])]
        return pa.concat_tables(tables, promote_options="permissive")

    def to_frame(self, selection: Selection, start: int) -> pd.DataFrame:
        """Return the rows that decide, as `read_columns` returns a file; `start` rows are before those of the file."""
        table = self.to_arrow()
        index = pd.Index(table[ROW_COLUMN].to_numpy() + start, name=ROW)
        frame: pd.DataFrame = table.select(selection.names).to_pandas(ignore_metadata=True)
        frame = frame.set_axis(index)
        if self.is_comma_separated:
            numbers = selection.numbers or ()
            frame = frame.assign(**{name: infer_numbers(frame[name]) for name in numbers})
        frame.attrs = {} if self.found is None else {"found": dict(self.found)}
        return frame

    def weigh_rows(self, column: str, start: int) -> pd.Series:
        """Return the number of rows that each row stands for by its shape in a column, see `Weights`."""
        in_tail = [] if self.tail is None else self.tail[ROW_COLUMN].to_pylist()
        counts = [*self.shapes[column].values(), *((row, 1) for row in in_tail)]
        return pd.Series({row + start: number for row, number in counts}, dtype="int64")


@dataclass
class Survey:
    """The survey of all files of a table."""

    roles: Roles  # of its columns
    files: list[FileSurvey] = field(default_factory=list)  # in the order of the table
    # The rows of each file, with the types of all files and their numbers in the table.
    decisive: list[pa.Table] = field(default_factory=list)
    # The type of each column in all files, None if there is none; no columns for a query.
    types: dict[str, pa.DataType | None] = field(default_factory=dict)
    is_mixed: bool = False  # whether texts of a file are no numbers as in other files

    @property
    def has_other_types(self) -> bool:
        """Whether a column of a file has another type than in other files."""
        return self.is_mixed or None in self.types.values()

    def list_found(self) -> dict[str, str] | None:
        """Return the detected dialect of all files, see `read_tables`; None for a single file without one."""
        if len(self.files) == 1 and self.files[0].found is None:
            return None
        return {name: value for file in self.files for name, value in (file.found or {}).items()}

    def read(self, path: Path | None, selection: Selection, files: TableFiles) -> pd.DataFrame:
        """Return the rows that decide, as `read_tables` returns a table or, by its path, one of its files."""
        surveys = [file for file in self.files if file.path == path] or self.files
        by_path = {file.path or Path(): file for file in surveys}
        # A file alone has its own numbers of rows.
        starts = {
            path: file.num_above if len(surveys) == 1 else file.first
            for path, file in by_path.items()
        }

        def read(file: Path, selection: Selection) -> Any:
            load = partial(by_path[file].to_frame, selection, starts[file])
            return load_file(file, "a Parquet file", load, files)

        table = join_tables([*by_path], read, selection, files)
        weights = {}
        for name in self.roles.shaped:
            parts = [by_path[file].weigh_rows(name, start) for file, start in starts.items()]
            weights[name] = pd.concat(parts)
        table.attrs[WEIGHTS] = Weights(weights)
        return table
