"""Splits of reviews into train, validation and test by group.

Reviews of one film resemble each other, so a split that divides a film gives optimistic metrics.
"""

from typing import Annotated, TypedDict

import numpy as np
import pandas as pd
from pydantic import Field

from rnn_pipelines.errors import ReviewError
from rnn_pipelines.networks.specs import Seed
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.sentiment.text.schema import DTYPES, Reviews

Fraction = Annotated[float, Field(gt=0, lt=1)]


class ReviewSplitSpec(ParameterModel, frozen=True):
    """The sizes of the validation and test parts, drawn by group, such as a film.

    Attributes:
        validation: fraction of the training reviews, used to choose the epoch and the settings.
        test: fraction of all reviews, used for the final evaluation; drawn if the source has no test part of its own.
        seed: seed of the draw.
    """

    validation: Fraction = 0.1
    test: Fraction = 0.2
    seed: Seed = 0


class ReviewProfile(TypedDict):
    """Statistics of the reviews by part; `positive_fraction` has the labelled parts only.

    If the source has its own split, training (with validation) and test part may share groups. `num_words` has `mean`,
    `median` and `max` of the words of a review, separated by white space. `num_dropped` has the reviews whose text also
    occurs in the test part (`in_test`), and the `repeated` ones.
    """

    num_reviews: dict[str, int]
    num_groups: dict[str, int]
    positive_fraction: dict[str, float]
    num_groups_in_train_and_test: int
    num_words: dict[str, float]
    num_dropped: dict[str, int]


def split_reviews(table: Reviews, split: ReviewSplitSpec) -> tuple[Reviews, ReviewProfile]:
    """Assign each review to a part, and drop duplicate texts.

    A training or unlabelled review is dropped if its exact text is in the test part. Repeats outside the test part are
    dropped too: a labelled review is kept before an unlabelled one, then the first ID. The test part is unchanged.
    Groups are drawn at random until their reviews reach the fraction; the order of the rows does not matter.

    Return the kept rows in their order, with their parts, and the profile. No group is in two of the drawn parts. A
    part that is empty or has only one class raises a ReviewError.
    """
    rng = np.random.default_rng(split.seed)
    part = table["split"]
    if not (part == "test").any():
        part = _hold_back(table["group"], part, split.test, "test", rng)
    in_test, repeated = _find_duplicates(table, part)
    kept = ~(in_test | repeated)
    part = _hold_back(table.loc[kept, "group"], part[kept], split.validation, "validation", rng)
    reviews = table.loc[kept, list(DTYPES)].assign(part=part).reset_index(drop=True)
    for name in ("train", "validation", "test"):
        labels = reviews.loc[reviews["part"] == name, "label"]
        if labels.nunique() < 2:
            received = f"{len(labels)} of one class" if len(labels) else "none"
            raise ReviewError(
                f"{name}: expected negative and positive reviews, received {received} (of {len(reviews)} reviews on "
                f"{reviews['group'].nunique()} groups; validation {split.validation}, test {split.test}, "
                f"seed {split.seed}). Choose another sentiment.split.seed or larger fractions, or add reviews."
            )
    return reviews, _profile_reviews(
        reviews, {"in_test": int(in_test.sum()), "repeated": int(repeated.sum())}
    )


def find_texts(reviews: Reviews, *parts: str) -> np.ndarray:
    """Return the positions of the reviews in these parts, int64[num_found]."""
    return np.flatnonzero(reviews["part"].isin(parts))


def assign_folds(reviews: Reviews, num_folds: int) -> np.ndarray:
    """Return the fold of each review, from 0, and −1 outside the training part: int64[num_reviews].

    The folds do not depend on the order of the rows. No fold divides a group; with few groups there are fewer folds.
    """
    is_train = reviews["part"] == "train"
    groups = np.sort(reviews.loc[is_train, "group"].unique())
    fold = pd.Series(np.random.default_rng(0).permutation(len(groups)) % num_folds, index=groups)
    return np.where(is_train, reviews["group"].map(fold).fillna(-1), -1).astype(np.int64)


def _hold_back(
    group: pd.Series, part: pd.Series, fraction: float, name: str, rng: np.random.Generator
) -> pd.Series:
    """Move random groups from training to the part `name` until they have this fraction of the training reviews."""
    sizes = group[part == "train"].value_counts().sort_index()
    drawn = sizes.iloc[rng.permutation(len(sizes))]
    return part.mask((part == "train") & group.isin(select_first(drawn, fraction)), name)


def select_first(sizes: pd.Series, fraction: float) -> pd.Index:
    """Return the first units, as many as are needed to reach this fraction of the total size."""
    return sizes.index[sizes.cumsum() - sizes < fraction * sizes.sum()]


def _find_duplicates(table: Reviews, part: pd.Series) -> tuple[pd.Series, pd.Series]:
    is_test = part == "test"
    in_test = ~is_test & table["text"].isin(table.loc[is_test, "text"])
    ids = table["review_id"]
    # Shorter IDs first, so that 9 comes before 10.
    order = pd.DataFrame({"unlabelled": part == "unlabelled", "length": ids.str.len(), "id": ids})
    duplicates = order[~is_test & ~in_test].sort_values(["unlabelled", "length", "id"]).index
    repeated = table.loc[duplicates, "text"].duplicated()
    return in_test, repeated.reindex(table.index, fill_value=False)


def _profile_reviews(reviews: Reviews, dropped: dict[str, int]) -> ReviewProfile:
    parts = reviews.groupby("part")
    labelled = reviews[reviews["label"].notna()].groupby("part")
    words = reviews["text"].map(lambda text: len(text.split()))
    trained = reviews["part"].isin(["train", "validation"])
    shared = set(reviews.loc[trained, "group"]) & set(
        reviews.loc[reviews["part"] == "test", "group"]
    )
    return {
        "num_reviews": {part: int(size) for part, size in parts.size().items()},
        "num_groups": {part: int(size) for part, size in parts["group"].nunique().items()},
        "positive_fraction": {part: float(mean) for part, mean in labelled["label"].mean().items()},
        "num_groups_in_train_and_test": len(shared),
        "num_words": {
            "mean": float(words.mean()),
            "median": float(words.median()),
            "max": int(words.max()),
        },
        "num_dropped": dropped,
    }
