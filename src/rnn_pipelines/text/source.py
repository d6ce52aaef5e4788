"""Where reviews come from, and their one form after that: `review_id, split, film, rating, label, text`."""

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, model_validator

from rnn_pipelines.errors import ReviewError
from rnn_pipelines.text.archive import read_archive
from rnn_pipelines.text.download import fetch_archive

LABELS = {"0": 0, "false": 0, "neg": 0, "negative": 0, "1": 1, "true": 1, "pos": 1, "positive": 1}
# What whole numbers become in a Parquet column that was one of decimals.
LABELS |= {"0.0": 0, "1.0": 1}


class ReviewSourceSpec(BaseModel, extra="forbid", frozen=True):
    """Which reviews to read. A `path` wins over the archive.

    Attributes:
        archive: the Large Movie Review Dataset on this machine. Else the environment variable IMDB_ARCHIVE, else the
            file that was downloaded before, else it is downloaded.
        download_to: folder of the downloaded archive.
        unlabelled: whether the 50,000 unlabelled reviews of the archive are read too.
        path: your own CSV or Parquet file with one row for each review.
        text: column of the texts.
        label: column of the labels: 0/1, false/true, neg/pos or negative/positive.
        group: column whose rows stay on one side of every split, such as a film, a shop or an author.
        split: column that says train or test; without it, the test part is drawn (`ReviewSplitSpec.test`).
    """

    archive: str | None = None
    download_to: str = "data/01_raw/sentiment"
    unlabelled: bool = False
    path: str | None = None
    text: str = "text"
    label: str = "label"
    group: str | None = None
    split: str | None = None

    @model_validator(mode="after")
    def _refuse_shared_columns(self) -> "ReviewSourceSpec":
        columns = [column for column in (self.text, self.label, self.group, self.split) if column is not None]
        if len(set(columns)) < len(columns):
            raise ValueError("text, label, group and split name the same column twice; each needs one of its own")
        return self

    @model_validator(mode="after")
    def _refuse_columns_without_a_table(self) -> "ReviewSourceSpec":
        if self.path is None and (self.text, self.label, self.group, self.split) != ("text", "label", None, None):
            raise ValueError("text, label, group and split are for your own table: give path")
        if self.path is not None and self.unlabelled:
            raise ValueError("unlabelled is for the archive, and path wins over it: leave one of them out")
        return self

    @property
    def origin(self) -> str:
        """What messages and reports call this source."""
        return self.path or "Large Movie Review Dataset"


def read_reviews(source: ReviewSourceSpec) -> pd.DataFrame:
    """Reads the reviews that `source` asks for: the user's own table, or the Large Movie Review Dataset.

    Args:
        source: which reviews.
    Returns:
        `review_id` (str), `split` (str: train, test or unlabelled), `film` (str), `rating` (Int8, missing where there
        is none), `label` (Int8, 0 negative, 1 positive, missing where unlabelled), `text` (str, as it is). In the
        user's own table, `review_id` counts the data rows from 1, `film` is the group, or the review's ID where there
        is none, and without a split column all reviews are of the split train: `split_reviews` draws the test part.
    Raises:
        ReviewError: no such file, a damaged or foreign archive, a missing column, an empty cell, a label or a split
            that is none, reviews of one class only.
    """
    if source.path is None:
        return read_archive(fetch_archive(source), source.unlabelled)
    table = _read_columns(source, Path(source.path))
    if table.empty:
        raise ReviewError(f"{source.path}: no rows below the header.")
    ids = pd.Series(range(1, len(table) + 1), index=table.index).astype("str")
    return pd.DataFrame(
        {
            "review_id": ids,
            "split": _parse_splits(table, source),
            "film": ids if source.group is None else _parse_names(table, source.group, source),
            "rating": pd.Series(pd.NA, index=table.index, dtype="Int8"),
            "label": _parse_labels(table, source),
            "text": _parse_texts(table, source),
        }
    )


def _read_columns(source: ReviewSourceSpec, path: Path) -> pd.DataFrame:
    wanted = [column for column in (source.text, source.label, source.group, source.split) if column is not None]
    if path.is_dir():
        raise ReviewError(
            f"{path}: expected a CSV or Parquet file, received a folder. Name one file in sentiment.source.path."
        )
    if not path.is_file():
        raise ReviewError(f"{path}: no such file (looked in {Path.cwd()}). Check sentiment.source.path.")
    if path.name.lower().endswith((".parquet", ".pq")):
        return _read_parquet(path, wanted)
    if path.name.lower().endswith((".csv", ".csv.gz")):
        return _read_csv(path, wanted)
    raise ReviewError(
        f"{path}: expected a file that ends in .csv or .parquet, received '{path.suffix}'. "
        "An archive of the Large Movie Review Dataset is named in sentiment.source.archive."
    )


def _read_parquet(path: Path, wanted: list[str]) -> pd.DataFrame:
    import pyarrow.parquet

    _require_columns(wanted, _load(path, "a Parquet file", lambda: pyarrow.parquet.read_schema(path)).names, path)
    # Without pandas' own notes in the file, which make an index of some columns.
    return _load(
        path,
        "a Parquet file",
        lambda: pyarrow.parquet.ParquetFile(path).read(columns=wanted).to_pandas(ignore_metadata=True),
    )


def _read_csv(path: Path, wanted: list[str]) -> pd.DataFrame:
    def read(**options: Any) -> pd.DataFrame:
        return _load(
            path,
            "a CSV file in UTF-8, with a header line and as many cells in each row",
            lambda: pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True, **options),
        )

    header = read(header=None, nrows=1).iloc[0].tolist()
    _require_columns(wanted, header, path)
    # All columns, for pandas passes over surplus cells where it is to read a choice of them.
    table = read()
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


def _require_columns(wanted: list[str], received: list[str], path: Path) -> None:
    missing = [column for column in wanted if column not in received]
    if missing:
        hint = "Name them with sentiment.source.text, label, group and split."
        if len(received) == 1 and any(mark in str(received[0]) for mark in ";|\t"):
            hint = "Separate the cells of each line by commas."
        raise ReviewError(f"{path}: no column {missing}; its columns are {received}. {hint}")
    repeated = [column for column in wanted if received.count(column) > 1]
    if repeated:
        raise ReviewError(f"{path}: more than one column {repeated}; its columns are {received}. Rename one of them.")


def _parse_texts(table: pd.DataFrame, source: ReviewSourceSpec) -> pd.Series:
    is_text = table[source.text].map(lambda cell: isinstance(cell, str)).astype(bool)
    _refuse_cell(~is_text & table[source.text].notna(), table, source.text, source, "text")
    return _parse_names(table, source.text, source)


def _parse_names(table: pd.DataFrame, column: str, source: ReviewSourceSpec) -> pd.Series:
    names = table[column].astype("str")
    _refuse_cell(table[column].isna() | (names.str.strip() == ""), table, column, source, "a cell that is not empty")
    return names


def _parse_labels(table: pd.DataFrame, source: ReviewSourceSpec) -> pd.Series:
    labels = _parse_names(table, source.label, source).str.strip().str.lower().map(LABELS)
    _refuse_cell(labels.isna(), table, source.label, source, "0/1, false/true, neg/pos or negative/positive")
    if labels.nunique() < 2:
        only = "positive" if labels.iloc[0] else "negative"
        raise ReviewError(
            f"{source.path}: column '{source.label}': expected negative and positive reviews, received {only} ones "
            "only. Add reviews of the other class."
        )
    return labels.astype("Int8")


def _parse_splits(table: pd.DataFrame, source: ReviewSourceSpec) -> pd.Series:
    if source.split is None:
        return pd.Series("train", index=table.index, dtype="str")
    splits = _parse_names(table, source.split, source).str.strip().str.lower()
    _refuse_cell(~splits.isin(["train", "test"]), table, source.split, source, "train or test")
    if splits.nunique() < 2:
        raise ReviewError(
            f"{source.path}: column '{source.split}': expected train and test, received {splits.iloc[0]} only. Leave "
            "out sentiment.source.split to have the test part drawn."
        )
    return splits


def _refuse_cell(faulty: pd.Series, table: pd.DataFrame, column: str, source: ReviewSourceSpec, expected: str) -> None:
    if faulty.any():
        row = int(faulty.to_numpy().argmax())
        raise ReviewError(
            f"{source.path}: column '{column}', row {row + 1}: expected {expected}, received "
            f"{str(table[column].iloc[row])[:80]!r}. Mend the row, or leave it out."
        )
