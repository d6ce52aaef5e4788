"""The table of reviews, the same for all sources."""

import re
from collections.abc import Iterable
from typing import Annotated

import pandas as pd

from rnn_pipelines.errors import ReviewError, show_all
from rnn_pipelines.storage.tables import Column, Table

DTYPES = {
    "review_id": "str",
    "split": "str",
    "group": "str",
    "rating": "Int8",
    "label": "category",
    "text": "str",
}
SPLITS = ("train", "test", "unlabelled")
PARTS = ("train", "validation", "test", "unlabelled")
MAX_CLASSES = 50
# The labels of texts without a known word, and of those whose confidence is too low; no class has these names.
UNKNOWN_LABEL, ABSTAINED_LABEL = "unknown", "abstained"
RESERVED_LABELS = (UNKNOWN_LABEL, ABSTAINED_LABEL)
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def make_reviews_table(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    """Return a table of `DTYPES` from rows in the order of its columns; None is a missing rating or label."""
    table = pd.DataFrame(rows, columns=list(DTYPES))
    return table.assign(label=make_labels(table["label"])).astype(DTYPES)


def make_labels(names: pd.Series) -> pd.Series:
    """Return names of classes as categories in the order of `sort_classes`; missing ones stay missing."""
    return names.astype(pd.CategoricalDtype(sort_classes(names.dropna())))


def sort_classes(names: Iterable[str]) -> list[str]:
    """Return the different names of classes in order: by value if all of them are numbers, else alphabetically."""
    classes = sorted(set(names))
    are_numbers = all(map(NUMBER.fullmatch, classes))
    return sorted(classes, key=float if are_numbers else str.casefold)


def list_classes(reviews: "Reviews") -> list[str]:
    """Return the names of the classes; the position of a name is the number of its class."""
    return list(reviews["label"].cat.categories)


class ReviewsTable(Table):
    """Reviews.

    `split` is the split of the source, `part` the part in training. `group` is a film or the user's own group, which no
    drawn split divides. `rating` is 1 to 10. `label` is a class, missing if the split is unlabelled; its categories are
    the names of the classes, see `sort_classes`. `text` is the raw text.
    """

    review_id = Column("text")
    split = Column("text")
    group = Column("text")
    rating = Column("int", can_be_empty=True)
    label = Column("category", can_be_empty=True)
    text = Column("text")
    part = Column("text", is_optional=True)
    key = ("review_id",)
    error = ReviewError

    @classmethod
    def validate(cls, data: pd.DataFrame) -> pd.DataFrame:
        """Return `data` unchanged; a cell with a value that its column does not allow raises a ReviewError."""
        super().validate(data)
        is_labelled = data["label"].notna()
        cls._check_rows(data, ~data["split"].isin(SPLITS), f"a split is none of {SPLITS}")
        cls._check_rows(
            data,
            ~data["rating"].between(1, 10).fillna(True).astype(bool),
            "a rating is not 1 to 10",
        )
        classes = list_classes(data)
        if not 2 <= len(classes) <= MAX_CLASSES or classes != sort_classes(classes):
            expected = f"expected 2 to {MAX_CLASSES} classes in order"
            raise cls.error(f"{cls.__name__}: {expected}, received {show_all(classes)}.")
        contradicts = is_labelled == (data["split"] == "unlabelled")
        cls._check_rows(data, contradicts, "a label contradicts the split unlabelled")
        if "part" in data:
            cls._check_rows(data, ~data["part"].isin(PARTS), f"a part is none of {PARTS}")
        return data

    @classmethod
    def _check_rows(cls, data: pd.DataFrame, wrong: pd.Series, why: str) -> None:
        # Leave out the text, which may be long.
        super()._check_rows(data.drop(columns="text"), wrong, why)


Reviews = Annotated[pd.DataFrame, ReviewsTable]
