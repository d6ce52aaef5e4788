"""Labels of two classes."""

import pandas as pd


def flip_labels(reviews: pd.DataFrame, rows: pd.Series) -> pd.DataFrame:
    """Return the reviews with the other of two classes as the label of the rows, bool[num_rows]."""
    labels = reviews["label"]
    first, second = labels.cat.categories
    others = labels.astype("str").map({first: second, second: first}).astype(labels.dtype)
    return reviews.assign(label=labels.mask(rows, others))
