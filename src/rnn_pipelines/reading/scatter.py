"""Division of tables that are too large for memory into Parquet files, by a hash of the series' names.

Rows are distributed as they come, not sorted, so that memory depends on the size of a batch and not on that of the
table. A file gets all rows of its series, in their order, with their numbers in the table. Because of the hash, the
series of each file are a random sample of all.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute
import pyarrow.compute as pc
import pyarrow.parquet

from rnn_pipelines.reading.batches import (
    has_values,
    is_empty,
    is_text,
    join_types,
    list_types,
    read_batches,
)
from rnn_pipelines.reading.csv_files import infer_numbers
from rnn_pipelines.reading.dialect import Dialect
from rnn_pipelines.reading.folders import list_tables
from rnn_pipelines.reading.shapes import combine_chunks, encode_cells
from rnn_pipelines.reading.survey import ROW_COLUMN, TAIL_ROWS, FileSurvey, Survey
from rnn_pipelines.reading.table_files import TableFiles, load_file
from rnn_pipelines.reading.typed_files import find_format, open_typed

CSV = (".csv", ".tsv", ".txt")
# Rows of a file that are written at once, and rows of all files that wait in memory.
GROUP_ROWS = 1 << 17
WAITING_ROWS = 1 << 22
# The beginning of a CSV file, which shows the mean length of its rows.
HEAD_BYTES = 1 << 20

# Reads a file as `read_batches` does.
ReadFile = Callable[[FileSurvey, list[str], TableFiles, Dialect], Iterator[pa.Table]]


def can_scatter(path: Path) -> bool:
    """Return whether a table is in plain CSV files, or those of `FORMATS`, which are read in batches."""
    return all(
        file.is_file() and (file.name.lower().endswith(CSV) or find_format(file) is not None)
        for file in list_tables(path)
    )


def count_table_rows(path: Path, files: TableFiles) -> int:
    """Return the number of rows of a table; that of CSV files is estimated from their sizes."""
    num_rows = 0
    for file in list_tables(path):
        form = find_format(file)
        if form is None:
            num_rows += load_file(file, "a CSV file", partial(_estimate_rows, file), files)
        else:
            num_rows += open_typed(file, form, [], files).content.num_rows
    return num_rows


def is_counted_exactly(path: Path) -> bool:
    """Return whether `count_table_rows` counts the rows of a table, and does not estimate them."""
    return None not in map(find_format, list_tables(path))


def survey_files(
    path: Path,
    survey: Survey,
    files: TableFiles,
    dialect: Dialect,
    decide: Callable[[Survey], Collection[int]],
    read: ReadFile = read_batches,
) -> Iterator[pa.Table]:
    """Yield the rows of a file or a folder in batches of one schema, without dictionaries, and survey them.

    `decide` is called with the whole survey before the last rows, and returns the numbers of its rows without those
    that are left out, such as a footer. Cells of CSV files are texts. Files are read in their order.
    """
    columns = survey.roles.columns
    paths = list_tables(path)
    by_file = {file: list_types(file, columns, files) for file in paths}
    for name in columns:
        kinds = {file: own[name] for file, own in by_file.items() if name in own}
        if len(set(kinds.values())) > 1:
            # Columns without values have any type.
            kinds = {file: kind for file, kind in kinds.items() if has_values(file, name, files)}
        survey.types[name] = join_types(kinds.values())
    surveys = [FileSurvey(file, is_alone=len(paths) == 1) for file in paths]
    batches = ((file, read(file, columns, files, dialect)) for file in surveys)
    return _survey(batches, survey, decide, files)


def survey_batches(
    batches: Iterable[pa.Table],
    survey: Survey,
    files: TableFiles,
    decide: Callable[[Survey], Collection[int]],
) -> Iterator[pa.Table]:
    """Yield the rows of a query, and survey them; see `survey_files`."""
    return _survey([(FileSurvey(None), batches)], survey, decide, files)


def _survey(
    read: Iterable[tuple[FileSurvey, Iterable[pa.Table]]],
    survey: Survey,
    decide: Callable[[Survey], Collection[int]],
    files: TableFiles,
) -> Iterator[pa.Table]:

    waiting: list[pa.Table] = []
    for file, batches in read:
        file.first = sum(one.num_rows for one in survey.files)
        file.shapes = {name: {} for name in survey.roles.shaped}
        survey.files.append(file)
        for batch in batches:
            # From 1 in each file.
            numbers = np.arange(file.num_rows + 1, file.num_rows + len(batch) + 1)
            file.num_rows += len(batch)
            rows = batch.append_column(ROW_COLUMN, pa.array(numbers, pa.int64()))
            found, file.tail = _split_tail(
                [rows] if file.tail is None else [file.tail, rows], survey
            )
            body = _leave_rows(found, survey)
            file.add(body, survey.roles)
            if len(found):
                # So that the end of the files before is not that of the table.
                yield from (_leave_rows(table, survey) for table in waiting)
                waiting = []
                yield from _cast(body, file, survey, files)
        if file.tail is not None:
            waiting += _cast(file.tail, file, survey, files)
            survey.decisive += _cast(file.to_arrow(), file, survey, files)
        if waiting:
            found, rest = _split_tail(waiting, survey)
            yield _leave_rows(found, survey)
            waiting = [rest]
    kept = decide(survey)
    if survey.has_other_types:
        names = [name for name, kind in survey.types.items() if kind is None] or list(survey.types)
        raise files.error(
            f"{survey.files[0].path}: column '{names[0]}' has another type in other files. Write the same type to all "
            "files."
        )
    for table in waiting:
        yield table.filter(pc.is_in(table[ROW_COLUMN], pa.array(sorted(kept), pa.int64())))


def _split_tail(tables: Sequence[pa.Table], survey: Survey) -> tuple[pa.Table, pa.Table]:
    """Return rows in two parts: the last ones can be a footer, with empty rows before, in it and after it."""

    table = pa.concat_tables(tables)
    # The rows at the end show enough, unless they are empty.
    for num_rows in (2 * TAIL_ROWS, len(table)):
        start = max(0, len(table) - num_rows)
        end = start + int((~_find_blank(table[start:], survey)).nonzero()[0].max(initial=-1)) + 1
        if end - start >= TAIL_ROWS or not start:
            break
    first = max(0, end - TAIL_ROWS)
    tail = pa.concat_tables([table[first:end], table[max(end, len(table) - TAIL_ROWS) :]])
    return table[:first], tail


def _find_blank(table: pa.Table, survey: Survey) -> np.ndarray:
    """Return whether all cells of each row are empty: bool[row]."""

    is_blank = np.ones(len(table), bool)
    for name in (*survey.roles.times[:1], *survey.roles.columns):
        if not is_blank.any():
            break
        cells = table[name]
        found = pc.is_null(cells, nan_is_null=True).to_numpy()
        if is_text(cells.type):
            is_empty = pc.or_(pc.equal(cells, ""), pc.starts_with(cells, "#"))
            found = found | is_empty.fill_null(False).to_numpy()
        is_blank &= found
    return is_blank


def _leave_rows(table: pa.Table, survey: Survey) -> pa.Table:
    """Return the rows without empty ones and repeated headers."""

    time = survey.roles.times[0]
    is_left_out = _find_blank(table, survey)
    if is_text(table[time].type):
        is_left_out |= pc.equal(table[time], time).fill_null(False).to_numpy()
    return table.filter(pa.array(~is_left_out)) if is_left_out.any() else table


def _cast(table: pa.Table, file: FileSurvey, survey: Survey, files: TableFiles) -> list[pa.Table]:
    """Return rows with the types of all files, and their numbers in the table; none if files have other types."""
    columns = {
        name: _convert_cells(table[name], survey.types.get(name, table[name].type), file, survey)
        for name in survey.roles.columns
    }
    if survey.has_other_types:
        return []
    rows = pa.array(table[ROW_COLUMN].to_numpy() + file.first, pa.int64())
    fields = [(name, survey.types.get(name, cells.type)) for name, cells in columns.items()]
    schema = pa.schema([*fields, (ROW_COLUMN, pa.int64())])
    cast = partial(pa.table({**columns, ROW_COLUMN: rows}).cast, schema)
    expected = "columns of the types of the other files"
    return [load_file(Path(file.path or ""), expected, cast, files)]


def _convert_cells(
    cells: pa.ChunkedArray, kind: pa.DataType | None, file: FileSurvey, survey: Survey
) -> pa.ChunkedArray:
    """Return cells that Arrow can cast to the type of all files; set `survey.is_mixed` if there are none."""
    if kind is None or kind == cells.type:
        return cells
    if is_empty(cells):
        return pa.nulls(len(cells), kind)
    if is_text(cells.type) and not is_text(kind):
        # Cells of a CSV file beside Parquet files with numbers.
        numbers = cells.to_pandas()
        if file.is_comma_separated:
            numbers = infer_numbers(numbers)
        if isinstance(numbers.dtype, pd.StringDtype):
            survey.is_mixed = True
            return cells
        return pa.chunked_array([pa.array(numbers, from_pandas=True)])
    if pa.types.is_integer(cells.type) and pa.types.is_floating(kind):
        # Rounded beyond 2⁵³, as when the tables of all files are joined.
        return cells.cast(kind, safe=False)
    return cells


def scatter_rows(batches: Iterable[pa.Table], key: str, targets: Sequence[Path]) -> np.ndarray:
    """Write the rows of batches of one schema to Parquet files, by a hash of the column with the series' names.

    Return the number of rows of each target, int64[target], a file to write in a folder that exists.
    """

    waiting: list[list[pa.Table]] = [[] for _ in targets]
    counts = np.zeros(len(targets), np.int64)
    num_waiting = np.zeros(len(targets), np.int64)
    with ExitStack() as stack:
        writers: list[pa.parquet.ParquetWriter] = []

        def write(number: int) -> None:
            if waiting[number]:
                writers[number].write_table(pa.concat_tables(waiting[number]))
            waiting[number] = []
            num_waiting[number] = 0

        for batch in batches:
            if not writers:
                # The numbers of rows ascend, and take a tenth of the space by their differences.
                others = [name for name in batch.schema.names if name != ROW_COLUMN]
                form = {
                    "use_dictionary": others,
                    "column_encoding": {ROW_COLUMN: "DELTA_BINARY_PACKED"},
                }
                opened = (pa.parquet.ParquetWriter(file, batch.schema, **form) for file in targets)
                writers = [stack.enter_context(writer) for writer in opened]
            for number, rows in _divide(batch, key, len(targets)):
                waiting[number].append(rows)
                counts[number] += len(rows)
                num_waiting[number] += len(rows)
            is_all = num_waiting.sum() >= WAITING_ROWS
            for ready in np.flatnonzero(is_all | (num_waiting >= GROUP_ROWS)):
                write(int(ready))
        for number in range(len(writers)):
            write(number)
    return counts


def count_values(paths: Sequence[Path], name: str) -> int:
    """Return the number of different values in a column of Parquet files, none of which is in two files."""

    columns = (pyarrow.parquet.read_table(path, columns=[name])[name] for path in paths)
    return sum(
        int(pyarrow.compute.count_distinct(column, mode="all").as_py()) for column in columns
    )


def _divide(batch: pa.Table, key: str, num_parts: int) -> Iterator[tuple[int, pa.Table]]:
    """Yield the rows of each part of a batch."""
    codes, cells = encode_cells(combine_chunks(batch[key]))
    names = np.array([str(name) for name in cells], object)
    # Ranges of the hash, so that the series of the first part stay nearly the same if the number of parts grows.
    hashes = pd.util.hash_array(names, categorize=False) >> np.uint64(32)
    part_of_name = (hashes * np.uint64(num_parts) >> np.uint64(32)).astype(np.int64)
    parts = part_of_name[codes]
    order = np.argsort(parts, kind="stable")
    ends = np.cumsum(np.bincount(parts, minlength=num_parts))
    sorted_rows = batch.take(order)
    for number, (begin, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
        if end > begin:
            yield number, sorted_rows.slice(begin, end - begin)


def _estimate_rows(path: Path) -> int:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    return round(head.count(b"\n") * path.stat().st_size / len(head)) if head else 0
