"""The one form of all reviews, wherever they come from."""

import pandas as pd

from rnn_pipelines.errors import ReviewError

COLUMNS = {"review_id": "str", "split": "str", "film": "str", "rating": "Int8", "label": "Int8", "text": "str"}
SPLITS = ("train", "test", "unlabelled")
PARTS = ("train", "validation", "test", "unlabelled")


def tabulate(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    """Makes a table of `COLUMNS` from rows in their order; None is a missing rating or label."""
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


class ReviewSchema:
    """What every table of reviews is; Kedro holds the catalog entry against it at each load and save."""

    def validate(self, data: pd.DataFrame) -> pd.DataFrame:
        """Returns `data` as it is.

        Raises:
            ReviewError: a column is missing or of another type, an ID stands twice, a cell is empty or holds another
                value than its column may.
        """
        expected = COLUMNS | ({"part": "str"} if "part" in data else {})
        received = dict(data.dtypes.astype(str))
        if {column: received.get(column) for column in expected} != expected:
            raise ReviewError(f"reviews: expected the columns {expected}, received {received}.")
        for column in sorted(expected.keys() - {"rating", "label"}):
            _refuse(data, data[column].isna(), f"no {column}")
        _refuse(data, data["review_id"].duplicated(), "a review_id that stands twice")
        _refuse(data, ~data["split"].isin(SPLITS), f"a split other than {SPLITS}")
        _refuse(data, ~data["rating"].between(1, 10).fillna(True).astype(bool), "a rating other than 1 to 10")
        _refuse(data, ~data["label"].isin([0, 1]) & data["label"].notna(), "a label other than 0 and 1")
        _refuse(
            data,
            data["label"].isna() != (data["split"] == "unlabelled"),
            "a label and the split unlabelled, or neither",
        )
        if "part" in data:
            _refuse(data, ~data["part"].isin(PARTS), f"a part other than {PARTS}")
        return data


def _refuse(data: pd.DataFrame, faulty: pd.Series, what: str) -> None:
    if faulty.any():
        row = data[faulty].iloc[0].drop("text").to_dict()
        raise ReviewError(f"reviews: {int(faulty.sum())} of {len(data)} rows have {what}; the first of them: {row}.")
