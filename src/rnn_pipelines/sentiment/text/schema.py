"""The table of reviews, the same for all sources."""

from typing import Annotated

import pandas as pd

from rnn_pipelines.errors import ReviewError
from rnn_pipelines.storage.tables import Column, Table

DTYPES = {
    "review_id": "str",
    "split": "str",
    "group": "str",
    "rating": "Int8",
    "label": "Int8",
    "text": "str",
}
SPLITS = ("train", "test", "unlabelled")
PARTS = ("train", "validation", "test", "unlabelled")


def make_reviews_table(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    """Return a table of `DTYPES` from rows in the order of its columns; None is a missing rating or label."""
    return pd.DataFrame(rows, columns=list(DTYPES)).astype(DTYPES)


class ReviewsTable(Table):
    """Reviews.

    `split` is the split of the source, `part` the part in training. `group` is a film or the user's own group, which no
    drawn split divides. `rating` is 1 to 10. `label` is 0 (negative) or 1 (positive), missing if the split is
    unlabelled. `text` is the raw text.
    """

    review_id = Column("text")
    split = Column("text")
    group = Column("text")
    rating = Column("int", can_be_empty=True)
    label = Column("int", can_be_empty=True)
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
        cls._check_rows(data, is_labelled & ~data["label"].isin([0, 1]), "a label is not 0 or 1")
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
