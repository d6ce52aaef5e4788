"""Sources of reviews: the archive of the Large Movie Review Dataset, or the user's own table."""

from pathlib import Path

import pandas as pd
from pydantic import model_validator

from rnn_pipelines.errors import ReviewError
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.reading.table_files import Selection, TableFiles
from rnn_pipelines.reading.user_files import read_columns
from rnn_pipelines.sentiment.text.archive import read_archive
from rnn_pipelines.sentiment.text.download import fetch_archive
from rnn_pipelines.sentiment.text.files import check_text_cells
from rnn_pipelines.sentiment.text.schema import Reviews

FILES = TableFiles(
    error=ReviewError,
    path="sentiment.source.path",
    columns="sentiment.source.text, label, group and split, and retrain_sentiment.time",
    other="An archive of the Large Movie Review Dataset is named in sentiment.source.archive.",
)

# 0.0 and 1.0 are the texts of labels in a floating-point column.
LABELS = {
    **dict.fromkeys(("0", "false", "neg", "negative", "0.0"), 0),
    **dict.fromkeys(("1", "true", "pos", "positive", "1.0"), 1),
}


class ReviewSourceSpec(ParameterModel, frozen=True):
    """The source of the reviews. A `path` takes precedence over the archive.

    Attributes:
        archive: path of the Large Movie Review Dataset. Defaults to the environment variable IMDB_ARCHIVE, then to the
            downloaded file; without one, the archive is downloaded.
        download_to: folder of the downloaded archive.
        unlabelled: whether the 50,000 unlabelled reviews of the archive are read too.
        path: your own CSV, Parquet or Excel file with one row for each review.
        text: column of the texts.
        label: column of the labels: 0/1, false/true, neg/pos or negative/positive.
        group: column of the groups, such as films, shops or authors. A split never divides a group.
        split: column with train or test; without it, the test part is drawn (`ReviewSplitSpec.test`).
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
    def _validate_columns(self) -> "ReviewSourceSpec":
        columns = [
            column
            for column in (self.text, self.label, self.group, self.split)
            if column is not None
        ]
        if len(set(columns)) < len(columns):
            raise ValueError(
                "text, label, group and split: expected different columns, received the same one twice"
            )
        if self.path is None and (self.text, self.label, self.group, self.split) != (
            "text",
            "label",
            None,
            None,
        ):
            raise ValueError("text, label, group and split require your own table: set path")
        if self.path is not None and self.unlabelled:
            raise ValueError(
                "unlabelled requires the archive, and path replaces it: remove one of them"
            )
        return self

    @property
    def origin(self) -> str:
        """The name of this source in messages and reports."""
        return self.path or "Large Movie Review Dataset"


def read_reviews(source: ReviewSourceSpec, time: str | None = None) -> pd.DataFrame:
    """Read the user's own table or the Large Movie Review Dataset.

    Args:
        time: another column of the user's own table.
    Returns:
        `Reviews`, and the other column as `time`, unchanged.
        In the user's own table, row numbers from 1 are the IDs and, without a group column, the groups. Without a split
        column the split of all reviews is train, and `split_reviews` draws the test part.
    Raises:
        ReviewError: the file is missing, the archive is damaged or has another layout, a column is missing, a cell is
            empty, a label or a split is invalid, or there is only one class.
    """
    if source.path is None:
        return read_archive(fetch_archive(source.archive, source.download_to), source.unlabelled)
    wanted = [
        column
        for column in (source.text, source.label, source.group, source.split)
        if column is not None
    ]
    others = {} if time is None else {"time": time}
    columns = Selection(list(dict.fromkeys([*wanted, *others.values()])))
    table = read_columns(Path(source.path), columns, FILES)
    return parse_reviews(table, source).assign(
        **{name: table[column] for name, column in others.items()}
    )


def parse_reviews(table: pd.DataFrame, source: ReviewSourceSpec) -> Reviews:
    """Convert the columns of the user's own table to reviews; results and errors are those of `read_reviews`."""
    if table.empty:
        remedy = "Add a row for each review, or name another file with sentiment.source.path."
        raise ReviewError(f"{source.path}: no rows below the header. {remedy}")
    ids = pd.Series(range(1, len(table) + 1), index=table.index).astype("str")
    is_text = table[source.text].map(lambda cell: isinstance(cell, str)).astype(bool)
    check_text_cells(~is_text & table[source.text].notna(), table[source.text], source.path, "text")
    return pd.DataFrame(
        {
            "review_id": ids,
            "split": _parse_splits(table, source),
            "group": ids if source.group is None else _parse_names(table, source.group, source),
            "rating": pd.Series(pd.NA, index=table.index, dtype="Int8"),
            "label": _parse_labels(table, source),
            "text": _parse_names(table, source.text, source),
        }
    )


def _parse_names(table: pd.DataFrame, column: str, source: ReviewSourceSpec) -> pd.Series:
    names = table[column].astype("str")
    is_empty = table[column].isna() | (names.str.strip() == "")
    check_text_cells(is_empty, table[column], source.path, "a cell that is not empty")
    return names


def _parse_labels(table: pd.DataFrame, source: ReviewSourceSpec) -> pd.Series:
    labels = _parse_names(table, source.label, source).str.strip().str.lower().map(LABELS)
    check_text_cells(
        labels.isna(),
        table[source.label],
        source.path,
        "0/1, false/true, neg/pos or negative/positive",
    )
    if labels.nunique() < 2:
        only = "positive" if labels.iloc[0] else "negative"
        raise ReviewError(
            f"{source.path}: column '{source.label}': expected negative and positive reviews, received only "
            f"{only} ones. Add reviews of the other class."
        )
    return labels.astype("Int8")


def _parse_splits(table: pd.DataFrame, source: ReviewSourceSpec) -> pd.Series:
    if source.split is None:
        return pd.Series("train", index=table.index, dtype="str")
    splits = _parse_names(table, source.split, source).str.strip().str.lower()
    check_text_cells(
        ~splits.isin(["train", "test"]), table[source.split], source.path, "train or test"
    )
    if splits.nunique() < 2:
        raise ReviewError(
            f"{source.path}: column '{source.split}': expected train and test, received only {splits.iloc[0]}. To draw "
            "the test part, remove sentiment.source.split."
        )
    return splits
