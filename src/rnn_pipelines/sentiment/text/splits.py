"""Train, validation and test by group: reviews of one film resemble each other, and a split through them flatters."""

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
    """Which groups of reviews are held back: films, or what the user's reviews are about.

    Attributes:
        validation: fraction of the training reviews, which chooses the epoch and the settings.
        test: fraction of all reviews, which judges; drawn where the source has no test part of its own.
        seed: seed of the draw.
    """

    validation: Fraction = 0.1
    test: Fraction = 0.2
    seed: Seed = 0


class WordCounts(TypedDict):
    """Words of a review, parted by spaces."""

    mean: float
    median: float
    max: int


class DroppedReviews(TypedDict):
    """How many were dropped: because the text is `in_test` too, or because it is `repeated`."""

    in_test: int
    repeated: int


class ReviewProfile(TypedDict):
    """What stands in the reviews: numbers by part, of the labelled parts alone in `positive_fraction`.

    `num_groups` are groups. A source's own split may share some between training (with validation) and test part.
    """

    num_reviews: dict[str, int]
    num_groups: dict[str, int]
    positive_fraction: dict[str, float]
    num_groups_in_train_and_test: int
    num_words: WordCounts
    num_dropped: DroppedReviews


def split_reviews(table: Reviews, split: ReviewSplitSpec) -> tuple[Reviews, ReviewProfile]:
    """Puts each review into its part, and drops the texts that would be learnt and then asked.

    A training or unlabelled review whose exact text is in the test part is dropped, and so are repeats of a text
    outside the test part: the first ID stays, a labelled one before an unlabelled one. The test part stays as it is.
    Groups are drawn at random until their reviews reach the fraction; the order of the rows doesn't matter.

    Args:
        table: without parts.
        split: sizes of the parts.
    Returns:
        The kept rows in their order, with their parts; no group is in two of the parts that are drawn. And the profile.
    Raises:
        ReviewError: a part is empty or of one class only.
    """
    rng = np.random.default_rng(split.seed)
    part = table["split"]
    if not (part == "test").any():
        part = _hold_back(table["group"], part, split.test, "test", rng)
    in_test, repeated = _find_duplicates(table, part)
    kept = ~(in_test | repeated)
    part = _hold_back(table.loc[kept, "group"], part[kept], split.validation, "validation", rng)
    reviews = table.loc[kept, list(DTYPES)].assign(part=part).reset_index(drop=True)
    _check_classes_in_parts(reviews, split)
    dropped = DroppedReviews(in_test=int(in_test.sum()), repeated=int(repeated.sum()))
    return reviews, _profile_reviews(reviews, dropped)


def find_texts(reviews: Reviews, *parts: str) -> np.ndarray:
    """The numbers of the reviews in these parts, int64[num_found]."""
    return np.flatnonzero(reviews["part"].isin(parts))


def assign_folds(reviews: Reviews, num_folds: int) -> np.ndarray:
    """Spreads the groups of the training part over folds, whatever the order of the rows.

    Args:
        reviews: with their parts.
        num_folds: at most so many, numbered from 0.
    Returns:
        int64[num_reviews], −1 outside the training part.
    """
    is_train = reviews["part"] == "train"
    groups = np.sort(reviews.loc[is_train, "group"].unique())
    fold = pd.Series(np.random.default_rng(0).permutation(len(groups)) % num_folds, index=groups)
    return np.where(is_train, reviews["group"].map(fold).fillna(-1), -1).astype(np.int64)


def _hold_back(group: pd.Series, part: pd.Series, fraction: float, name: str, rng: np.random.Generator) -> pd.Series:
    """Moves groups from the training part to the part `name`, until it has the fraction of the training reviews."""
    sizes = group[part == "train"].value_counts().sort_index()
    drawn = sizes.iloc[rng.permutation(len(sizes))]
    return part.mask((part == "train") & group.isin(take_first(drawn, fraction)), name)


def take_first(sizes: pd.Series, fraction: float) -> pd.Index:
    """The first units of all, by their sizes: as many as it takes to reach the fraction."""
    return sizes.index[sizes.cumsum() - sizes < fraction * sizes.sum()]


def _find_duplicates(table: Reviews, part: pd.Series) -> tuple[pd.Series, pd.Series]:
    is_test = part == "test"
    in_test = ~is_test & table["text"].isin(table.loc[is_test, "text"])
    ids = table["review_id"]
    # Shorter IDs first, so that 9 comes before 10.
    order = pd.DataFrame({"unlabelled": part == "unlabelled", "length": ids.str.len(), "id": ids})
    others = order[~is_test & ~in_test].sort_values(["unlabelled", "length", "id"]).index
    repeated = table.loc[others, "text"].duplicated()
    return in_test, repeated.reindex(table.index, fill_value=False)


def _check_classes_in_parts(reviews: Reviews, split: ReviewSplitSpec) -> None:
    for part in ("train", "validation", "test"):
        labels = reviews.loc[reviews["part"] == part, "label"]
        if labels.nunique() < 2:
            received = f"{len(labels)} of one class" if len(labels) else "none"
            raise ReviewError(
                f"{part}: expected negative and positive reviews, received {received} (of {len(reviews)} reviews on "
                f"{reviews['group'].nunique()} groups; validation {split.validation}, test {split.test}, "
                f"seed {split.seed}). Choose another sentiment.split.seed or larger fractions, or add reviews."
            )


def _profile_reviews(reviews: Reviews, dropped: DroppedReviews) -> ReviewProfile:
    parts = reviews.groupby("part")
    labelled = reviews[reviews["label"].notna()].groupby("part")
    words = reviews["text"].map(lambda text: len(text.split()))
    trained = reviews["part"].isin(["train", "validation"])
    shared = set(reviews.loc[trained, "group"]) & set(reviews.loc[reviews["part"] == "test", "group"])
    return {
        "num_reviews": {part: int(size) for part, size in parts.size().items()},
        "num_groups": {part: int(size) for part, size in parts["group"].nunique().items()},
        "positive_fraction": {part: float(mean) for part, mean in labelled["label"].mean().items()},
        "num_groups_in_train_and_test": len(shared),
        "num_words": {"mean": float(words.mean()), "median": float(words.median()), "max": int(words.max())},
        "num_dropped": dropped,
    }
