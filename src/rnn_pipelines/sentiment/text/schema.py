"""The one form of all reviews, wherever they come from."""

from typing import Annotated

import pandas as pd

from rnn_pipelines.errors import ReviewError
from rnn_pipelines.storage.tables import Column, Table

DTYPES = {"review_id": "str", "split": "str", "group": "str", "rating": "Int8", "label": "Int8", "text": "str"}
SPLITS = ("train", "test", "unlabelled")
PARTS = ("train", "validation", "test", "unlabelled")


def tabulate(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    """Makes a table of `DTYPES` from rows in their order; None is a missing rating or label."""
    return pd.DataFrame(rows, columns=list(DTYPES)).astype(DTYPES)


class ReviewsTable(Table):
    """Reviews.

    `split` is that of the source, `part` the one that they have in training. `group` is the group whose reviews stay on
    one side of each split: a film, or what the user names. `rating` is 1 to 10, `label` 0 (negative) or 1 (positive),
    missing where the split is unlabelled. `text` is as it was written.
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
        """Returns `data` as it is.

        Raises:
            ReviewError: see `Table.validate`; or a cell holds another value than its column may.
        """
        super().validate(data)
        is_labelled = data["label"].notna()
        cls._check_rows(data, ~data["split"].isin(SPLITS), f"a split is none of {SPLITS}")
        cls._check_rows(data, ~data["rating"].between(1, 10).fillna(True).astype(bool), "a rating is not 1 to 10")
        cls._check_rows(data, is_labelled & ~data["label"].isin([0, 1]), "a label is not 0 or 1")
        cls._check_rows(
            data, is_labelled == (data["split"] == "unlabelled"), "a label contradicts the split unlabelled"
        )
        if "part" in data:
            cls._check_rows(data, ~data["part"].isin(PARTS), f"a part is none of {PARTS}")
        return data

    @classmethod
    def _check_rows(cls, data: pd.DataFrame, wrong: pd.Series, why: str) -> None:
        # Without the text, which may be long.
        super()._check_rows(data.drop(columns="text"), wrong, why)


Reviews = Annotated[pd.DataFrame, ReviewsTable]
