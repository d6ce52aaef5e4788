"""Sources of reviews: the archive of the Large Movie Review Dataset, or the user's own table."""

import logging
from pathlib import Path

import pandas as pd
from pydantic import model_validator

from rnn_pipelines.errors import ReviewError
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.reading.table_files import ROW, Selection, TableFiles, is_broken, name_row
from rnn_pipelines.reading.user_files import read_columns
from rnn_pipelines.sentiment.text.archive import read_archive
from rnn_pipelines.sentiment.text.cleaning import clean_text
from rnn_pipelines.sentiment.text.download import fetch_archive
from rnn_pipelines.sentiment.text.files import check_text_cells
from rnn_pipelines.sentiment.text.labels import (
    Label,
    has_content,
    name_labels,
    parse_labels,
    validate_labels,
)
from rnn_pipelines.sentiment.text.schema import Reviews, make_labels

FILES = TableFiles(
    error=ReviewError,
    path="sentiment.source.path",
    columns="sentiment.source.text, label, group and split, and retrain_sentiment.time",
    other="An archive of the Large Movie Review Dataset is named in sentiment.source.archive.",
)

# The column of the archive that can replace its labels: 1 to 4 and 7 to 10.
RATING = "rating"

logger = logging.getLogger(__name__)


class ReviewSourceSpec(ParameterModel, frozen=True):
    """The source of the reviews. A `path` takes precedence over the archive.

    Attributes:
        archive: path of the Large Movie Review Dataset. Defaults to the environment variable IMDB_ARCHIVE, then to the
            downloaded file; without one, the archive is downloaded.
        download_to: folder of the downloaded archive.
        unlabelled: whether texts without a label are kept, from which networks can learn.
        path: your own CSV, Parquet or Excel file with one row for each review.
        text: column of the texts.
        label: column of the labels, whose 2 to 50 different ones are the classes. All of 0/1, false/true, neg/pos or
            negative/positive are negative and positive. Of the archive, `rating` makes its ratings the classes.
        labels: labels by class, such as `{good: [4, 5], bad: [1, 2]}`; rows with another label are left out.
        group: column of the groups, such as films, shops or authors. A split never divides a group.
        split: column with train or test; without it, the test part is drawn (`ReviewSplitSpec.test`).
    """

    archive: str | None = None
    download_to: str = "data/01_raw/sentiment"
    unlabelled: bool = False
    path: str | None = None
    text: str = "text"
    label: str = "label"
    labels: dict[str, list[Label]] | None = None
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
        if self.path is None and (
            columns not in (["text", "label"], ["text", RATING]) or self.group or self.split
        ):
            raise ValueError("text, label, group and split require your own table: set path")
        if self.labels is not None:
            validate_labels(self.labels)
        return self

    @property
    def origin(self) -> str:
        """The name of this source in messages and reports."""
        return self.path or "Large Movie Review Dataset"


def read_reviews(source: ReviewSourceSpec) -> Reviews:
    """Read the user's own table or the Large Movie Review Dataset.

    Returns:
        In the user's own table, row numbers from 1 are the IDs and, without a group column, the groups. Without a split
        column the split of all labelled reviews is train, and `split_reviews` draws the test part. Rows without a text,
        with a label that `labels` does not name, or, without `unlabelled`, without a label are left out.
    Raises:
        ReviewError: the file is missing, the archive is damaged or has another layout, a column is missing, a group is
            empty, a label or a split is invalid, or the number of classes is not 2 to 50.
    """
    if source.path is not None:
        return parse_reviews(read_labelled_rows(source), source).reset_index(drop=True)
    reviews = read_archive(fetch_archive(source.archive, source.download_to), source.unlabelled)
    if source.label == RATING or source.labels is not None:
        is_unlabelled = reviews["split"] == "unlabelled"
        labels = parse_labels(reviews[source.label], ~is_unlabelled, source.labels, source.origin)
        reviews = reviews.assign(label=make_labels(labels))
        reviews = reviews[is_unlabelled | labels.notna()].reset_index(drop=True)
    return reviews


def read_labelled_rows(source: ReviewSourceSpec, time: str | None = None) -> pd.DataFrame:
    """Read the named columns of the user's own table, and the one of the times, if there is one.

    The index has the numbers of the rows, for messages; errors are those of `read_reviews`.
    """
    columns = [source.text, source.label, source.group, source.split, time]
    wanted = list(dict.fromkeys(column for column in columns if column is not None))
    table = read_columns(Path(str(source.path)), Selection(wanted), FILES)
    if table.empty:
        remedy = "Add a row for each review, or name another file with sentiment.source.path."
        raise ReviewError(f"{source.path}: no rows below the header. {remedy}")
    first = name_row(table[source.text], 0)
    return table.set_axis(pd.RangeIndex(first, first + len(table), name=ROW))


def parse_reviews(table: pd.DataFrame, source: ReviewSourceSpec) -> Reviews:
    """Convert the columns of the user's own table to reviews; see `read_reviews`. Those that stay keep their index."""
    ids = pd.Series(range(1, len(table) + 1), index=table.index).astype("str")
    texts = table[source.text].astype("object")
    is_text = texts.map(lambda cell: isinstance(cell, str) and not is_broken(cell)).astype(bool)
    check_text_cells(~is_text & texts.notna(), texts, source.path, "text")
    has_text = texts.map(lambda cell: isinstance(cell, str) and has_content(clean_text(cell)))
    has_text = has_text.astype(bool)
    labels = parse_labels(table[source.label], has_text, source.labels, source.path)
    is_labelled = labels.notna()
    is_used = is_labelled
    if source.unlabelled:
        is_used = is_labelled | (has_text & name_labels(table[source.label]).isna())
    _log_left_out(has_text, is_used, source)
    used = table[is_used]
    labelled = table[is_labelled]
    splits = _parse_splits(labelled, source)
    # Each text without a label is a group of its own, because no split divides them.
    groups = ids if source.group is None else _parse_names(labelled, source.group, source)
    return pd.DataFrame(
        {
            "review_id": ids[is_used],
            "split": splits.reindex(used.index, fill_value="unlabelled"),
            "group": groups.reindex(used.index).fillna(ids),
            "rating": pd.Series(pd.NA, index=used.index, dtype="Int8"),
            "label": make_labels(labels[is_used]),
            "text": texts[is_used].astype("str"),
        },
        index=used.index,
    )


def _log_left_out(has_text: pd.Series, is_used: pd.Series, source: ReviewSourceSpec) -> None:
    if not is_used.all():
        label = "a label" if source.labels is None else "a label of sentiment.source.labels"
        num_rows = len(is_used), (~is_used).sum(), (~has_text).sum(), (has_text & ~is_used).sum()
        message = f"of %d rows, %d left out: %d without a text, %d without {label}"
        logger.info(f"%s: {message}", source.path, *num_rows)


def _parse_names(table: pd.DataFrame, column: str, source: ReviewSourceSpec) -> pd.Series:
    names = table[column].astype("str")
    is_empty = table[column].isna() | (names.str.strip() == "")
    check_text_cells(is_empty, table[column], source.path, "a cell that is not empty")
    return names


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
