"""Texts in the user's files: tables in CSV, Parquet or Excel, and lines of text."""

from pathlib import Path
from typing import Annotated

import pandas as pd

from rnn_pipelines.errors import ReviewError
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.reading.table_files import (
    Selection,
    TableFiles,
    expand_home,
    explain_cells,
    load_file,
    require_file,
)
from rnn_pipelines.reading.user_files import read_columns
from rnn_pipelines.storage.tables import Column, Table

FILES = TableFiles(
    error=ReviewError,
    path="predict_sentiment.path",
    columns="predict_sentiment.text",
    other="A .txt file holds one text in each line.",
)


class TextFileSpec(ParameterModel, frozen=True):
    """Texts to score.

    Attributes:
        path: a CSV, Parquet or Excel file with one row for each text, or a `.txt` file with one text in each line.
        text: column of the texts in a table.
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


def holds_lines(path: str) -> bool:
    """Return whether a file has one text in each line, by its name; other files are tables."""
    return path.lower().endswith(".txt")


def read_texts(file: TextFileSpec) -> Texts:
    """Read texts without labels; an empty cell or line is an empty text.

    A ReviewError says that the path is not set, the file is missing or of another kind, a column is missing, a cell is
    not text, or there are no rows. A file without texts does not replace earlier scores.
    """
    if file.path is None:
        raise ReviewError(
            "No texts to score. Name a CSV, Parquet or text file in predict_sentiment.path, and the column of its "
            "texts in predict_sentiment.text."
        )
    path = expand_home(file.path)
    if holds_lines(path.name):
        require_file(path, FILES)
        content = load_file(
            path, "a text file in UTF-8", lambda: path.read_bytes().decode("utf-8-sig"), FILES
        )
        # Not splitlines(), which also splits at characters that may occur in a text. Files of old Macs have only "\r".
        end = "\n" if "\n" in content else "\r"
        lines = content.removesuffix(end).split(end) if content else []
        texts = pd.Series([line.removesuffix("\r") for line in lines], dtype="str")
    else:
        # As objects, because a categorical column accepts no new value.
        column = read_columns(path, Selection([file.text]), FILES)[file.text].astype("object")
        is_text = column.map(lambda cell: isinstance(cell, str)).astype(bool)
        check_text_cells(~is_text & column.notna(), column, path, "text")
        texts = column.where(column.notna(), "").astype("str")
    if texts.empty:
        raise ReviewError(
            f"{path}: expected a text in each row or line, received none. Check predict_sentiment.path."
        )
    return pd.DataFrame({"row": range(1, len(texts) + 1), "text": texts})


def check_text_cells(
    faulty: pd.Series,
    column: pd.Series,
    path: Path | str | None,
    expected: str,
    remedy: str = "Correct or remove the row.",
) -> None:
    """Raise a ReviewError for the first faulty cell of a column, as it was read with its name, if there is one."""
    if faulty.any():
        raise ReviewError(explain_cells(faulty, column, path, expected, [remedy]))
