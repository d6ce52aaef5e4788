"""Texts in the user's files: tables in CSV or Parquet, and lines of text."""

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import pandas as pd
from pydantic import BaseModel

from rnn_pipelines.errors import ReviewError
from rnn_pipelines.tables import Column, Table


class ParameterNames(NamedTuple):
    """What messages tell the user to look at.

    Attributes:
        path: the parameter that names the file.
        columns: the parameters that name its columns.
        other: a hint for files of another kind.
    """

    path: str
    columns: str
    other: str


PARAMETERS = ParameterNames(
    path="predict_sentiment.path", columns="predict_sentiment.text", other="A .txt file holds one text in each line."
)


class TextFileSpec(BaseModel, extra="forbid", frozen=True):
    """Texts to score.

    Attributes:
        path: a CSV or Parquet file with one row for each text, or a `.txt` file with one text in each line.
        text: column of the texts in a CSV or Parquet file.
    """

    path: str | None = None
    text: str = "text"


class TextsTable(Table):
    """Texts to score; `row` is the number of the data row or line, from 1."""

    row = Column("int")
    text = Column("text")
    key = ("row",)
    error = ReviewError


Texts = Annotated[pd.DataFrame, TextsTable]


def read_texts(file: TextFileSpec) -> Texts:
    """Reads texts of which nothing is known; an empty cell or line is an empty text.

    A file without any is refused, so that it doesn't take the place of earlier scores.

    Args:
        file: where they are.
    Raises:
        ReviewError: no path, no such file, another kind of file, a missing column, a cell that is not text, no rows.
    """
    if file.path is None:
        raise ReviewError(
            "No texts to score: name a CSV, Parquet or text file in predict_sentiment.path, and the column of its "
            "texts in predict_sentiment.text."
        )
    path = Path(file.path)
    if path.name.lower().endswith(".txt"):
        texts = pd.Series(_read_lines(path), dtype="str")
    else:
        # As objects, because a column of categories takes no other value.
        column = read_columns(path, [file.text], PARAMETERS)[file.text].astype("object")
        is_text = column.map(lambda cell: isinstance(cell, str)).astype(bool)
        refuse_cell(~is_text & column.notna(), column, path, "text")
        texts = column.where(column.notna(), "").astype("str")
    if texts.empty:
        raise ReviewError(f"{path}: expected a text in each row or line, received none. Check predict_sentiment.path.")
    return pd.DataFrame({"row": range(1, len(texts) + 1), "text": texts})


def _read_lines(path: Path) -> list[str]:
    require_file(path, PARAMETERS)
    content = _load(path, "a text file in UTF-8", lambda: path.read_bytes().decode("utf-8-sig"))
    # By newlines alone: a text may hold other signs that Python takes for the end of a line.
    lines = content.removesuffix("\n").split("\n") if content else []
    return [line.removesuffix("\r") for line in lines]


def read_columns(path: Path, wanted: list[str], names: ParameterNames) -> pd.DataFrame:
    """Reads some columns of a table.

    Args:
        path: a CSV or Parquet file; it is only read.
        wanted: the columns.
        names: of the parameters that messages point to.
    Returns:
        The columns with a row for each data row; text in a CSV file is never taken for numbers or for no value.
    Raises:
        ReviewError: no such file, another kind of file, a missing or repeated column.
    """
    require_file(path, names)
    if path.name.lower().endswith((".parquet", ".pq")):
        return _read_parquet(path, wanted, names)
    if path.name.lower().endswith((".csv", ".csv.gz")):
        return _read_csv(path, wanted, names)
    raise ReviewError(f"{path}: expected a file that ends in .csv or .parquet, received '{path.suffix}'. {names.other}")


def require_file(path: Path, names: ParameterNames) -> None:
    """Raises a ReviewError where there is no file at `path`."""
    if path.is_dir():
        raise ReviewError(f"{path}: expected a CSV or Parquet file, received a folder. Name one file in {names.path}.")
    if not path.is_file():
        raise ReviewError(f"{path}: no such file (looked in {Path.cwd()}). Check {names.path}.")


def refuse_cell(
    faulty: pd.Series,
    column: pd.Series,
    path: Path | str | None,
    expected: str,
    remedy: str = "Mend the row, or leave it out.",
) -> None:
    """Raises a ReviewError that names the first faulty cell of a column, if there is one.

    Args:
        faulty: bool for each row.
        column: as it was read, with its name.
        path: the file, for the message.
        expected: what the cell should hold.
        remedy: what to do.
    """
    if faulty.any():
        row = int(faulty.to_numpy().argmax())
        raise ReviewError(
            f"{path}: column '{column.name}', row {row + 1}: expected {expected}, received "
            f"{str(column.iloc[row])[:80]!r}. {remedy}"
        )


def _read_parquet(path: Path, wanted: list[str], names: ParameterNames) -> pd.DataFrame:
    import pyarrow.parquet

    _require_columns(
        wanted, _load(path, "a Parquet file", lambda: pyarrow.parquet.read_schema(path)).names, path, names
    )
    # Without pandas' own notes in the file, which make an index of some columns.
    return _load(
        path,
        "a Parquet file",
        lambda: pyarrow.parquet.ParquetFile(path).read(columns=wanted).to_pandas(ignore_metadata=True),
    )


def _read_csv(path: Path, wanted: list[str], names: ParameterNames) -> pd.DataFrame:
    def read(**options: Any) -> pd.DataFrame:
        return _load(
            path,
            "a CSV file in UTF-8, with a header line and as many cells in each row",
            lambda: pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True, **options),
        )

    header = read(header=None, nrows=1).iloc[0].tolist()
    _require_columns(wanted, header, path, names)
    # All columns, because pandas passes over surplus cells where it is to read a choice of them. Of a single column, an
    # empty line is an empty cell; leaving it out would shift the rows after it.
    table = read(skip_blank_lines=len(header) > 1)
    if len(header) == 1 and list(table.columns) != header:
        raise ReviewError(f"{path}: expected the header in the first line, received an empty line. Remove it.")
    if not isinstance(table.index, pd.RangeIndex):
        raise ReviewError(
            f"{path}: row 1 has more cells than the header has columns ({header}). Quote the texts that hold a comma."
        )
    return table[wanted]


def _load(path: Path, expected: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except (ValueError, OSError, EOFError, zlib.error) as error:
        reason = str(error).strip().rstrip(".")
        raise ReviewError(f"{path}: expected {expected}, but: {reason}. Save it again as one.") from error


def _require_columns(wanted: list[str], received: list[str], path: Path, names: ParameterNames) -> None:
    missing = [column for column in wanted if column not in received]
    if missing:
        hint = f"Name them with {names.columns}."
        if len(received) == 1 and any(mark in str(received[0]) for mark in ";|\t"):
            hint = "Separate the cells of each line by commas."
        raise ReviewError(f"{path}: no column {missing}; its columns are {received}. {hint}")
    repeated = [column for column in wanted if received.count(column) > 1]
    if repeated:
        raise ReviewError(f"{path}: more than one column {repeated}; its columns are {received}. Rename one of them.")
