"""Splits of reviews into train, validation and test by group.

Reviews of one film resemble each other, so a split that divides a film gives optimistic metrics.
"""

import logging
from collections.abc import Callable
from typing import Annotated, TypedDict

import numpy as np
import pandas as pd
from pydantic import Field

from rnn_pipelines.errors import ReviewError, show
from rnn_pipelines.networks.specs import Seed
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.sentiment.text.schema import DTYPES, Reviews, list_classes

Fraction = Annotated[float, Field(gt=0, lt=1)]
# Classes with fewer training texts are named.
FEW_TEXTS = 10
# Draws the groups of a part from the training reviews: a fraction of them.
Draw = Callable[[Reviews, float, np.random.Generator], pd.Series]

logger = logging.getLogger(__name__)


class ReviewSplitSpec(ParameterModel, frozen=True):
    """The sizes of the validation and test parts, drawn by group, such as a film, or without groups by class.

    Attributes:
        validation: fraction of the training reviews, used to choose the epoch and the settings.
        test: fraction of all reviews, used for the final evaluation; drawn if the source has no test part of its own.
        seed: seed of the draw.
    """

    validation: Fraction = 0.1
    test: Fraction = 0.2
    seed: Seed = 0


class ReviewProfile(TypedDict):
    """Statistics of the reviews by part; `num_texts_by_class` has the labelled parts only.

    If the source has its own split, training (with validation) and test part may share groups. `num_words` has `mean`,
    `median` and `max` of the words of a review, separated by white space. `num_dropped` has the reviews whose text also
    occurs in the test part (`in_test`), and the `repeated` ones; of both, `other_label` had another label than the text
    that was kept.
    """

    num_reviews: dict[str, int]
    num_groups: dict[str, int]
    num_texts_by_class: dict[str, dict[str, int]]
    num_groups_in_train_and_test: int
    num_words: dict[str, float]
    num_dropped: dict[str, int]


def split_reviews(table: Reviews, split: ReviewSplitSpec) -> tuple[Reviews, ReviewProfile]:
    """Assign each review to a part, and drop duplicate texts, which may differ in case and white space.

    A training or unlabelled review is dropped if its text is in the test part. Repeats outside the test part are
    dropped too: a labelled review is kept before an unlabelled one, then the first ID. The test part is unchanged.
    Groups are drawn at random until their reviews reach the fraction; the order of the rows does not matter. If each
    text is a group of its own, texts are drawn within each class.

    Return the kept rows in their order, with their parts, and the profile. No group is in two of the drawn parts. A
    part that is empty or has only one class, and a class without training texts, raise a ReviewError.
    """
    rng = np.random.default_rng(split.seed)
    is_labelled = table["split"] != "unlabelled"
    draw = _draw_texts if table.loc[is_labelled, "group"].is_unique else _draw_groups
    reviews = table[list(DTYPES)].assign(part=table["split"])
    if not (reviews["part"] == "test").any():
        reviews = _hold_back(reviews, "test", draw, split.test, rng)
    duplicates = _find_duplicates(reviews)
    reviews = reviews.drop(index=duplicates.index)
    reviews = _hold_back(reviews, "validation", draw, split.validation, rng).reset_index(drop=True)
    profile = _profile_reviews(reviews, _count_duplicates(duplicates))
    _check_parts(profile, split)
    return reviews, profile


def find_texts(reviews: Reviews, *parts: str) -> np.ndarray:
    """Return the positions of the reviews in these parts, int64[num_found]."""
    return np.flatnonzero(reviews["part"].isin(parts))


def assign_folds(reviews: Reviews, num_folds: int) -> np.ndarray:
    """Return the fold of each review, from 0, and −1 outside the training part: int64[num_reviews].

    The folds do not depend on the order of the rows. No fold divides a group; with few groups there are fewer folds. If
    each text is a group of its own, each fold has its share of each class.
    """
    is_train = reviews["part"] == "train"
    training = reviews[is_train]
    rng = np.random.default_rng(0)
    if training["group"].is_unique:
        # In the order of classes, so that a class with as many texts as folds is in all of them.
        shuffled = training.sort_values("group").iloc[rng.permutation(len(training))]
        groups = shuffled.sort_values("label", kind="stable")["group"]
        fold = pd.Series(np.arange(len(groups)) % num_folds, index=groups)
    else:
        groups = np.sort(training["group"].unique())
        fold = pd.Series(rng.permutation(len(groups)) % num_folds, index=groups)
    return np.where(is_train, reviews["group"].map(fold).fillna(-1), -1).astype(np.int64)


def _hold_back(
    reviews: pd.DataFrame, part: str, draw: Draw, fraction: float, rng: np.random.Generator
) -> pd.DataFrame:
    """Move random groups with this fraction of the training reviews to a part."""
    is_train = reviews["part"] == "train"
    held = is_train & reviews["group"].isin(draw(reviews[is_train], fraction, rng))
    return reviews.assign(part=reviews["part"].mask(held, part))


def _draw_groups(training: Reviews, fraction: float, rng: np.random.Generator) -> pd.Series:
    """Return random groups of at least this fraction of the reviews, but not the last ones of a class."""
    sizes = training["group"].value_counts().sort_index()
    drawn = sizes.iloc[rng.permutation(len(sizes))]
    held = training["group"].isin(select_first(drawn, fraction))
    return training.loc[keep_classes(held, training["group"], training["label"]), "group"]


def _draw_texts(training: Reviews, fraction: float, rng: np.random.Generator) -> pd.Series:
    """Return a fraction of each class, at least one of three texts, and never all."""
    drawn = [training["group"].iloc[:0]]
    for _, groups in training.groupby("label", observed=True)["group"]:
        number = min(max(1, round(fraction * len(groups))), len(groups) - 1)
        order = rng.permutation(len(groups))
        drawn.append(groups.sort_values().iloc[order[: number if len(groups) > 2 else 0]])
    return pd.concat(drawn)


def select_first(sizes: pd.Series, fraction: float) -> pd.Index:
    """Return the first units, as many as are needed to reach this fraction of the total size."""
    return sizes.index[sizes.cumsum() - sizes < fraction * sizes.sum()]


def keep_classes(held: pd.Series, units: pd.Series, labels: pd.Series) -> pd.Series:
    """Return which rows stay held out if the units with the only texts of a class do not: bool[num_rows]."""
    is_only = held & ~labels.isin(labels[~held])
    return held & ~units.isin(units[is_only])


def _find_duplicates(reviews: pd.DataFrame) -> pd.DataFrame:
    """Return the reviews to drop, with the part and the label of the one that stays, `kept_part` and `kept_label`."""
    ids = reviews["review_id"]
    # Shorter IDs first, so that 9 comes before 10.
    order = reviews[["part", "label"]].assign(
        rest=reviews["part"] != "test",
        unlabelled=reviews["part"] == "unlabelled",
        length=ids.str.len(),
        id=ids,
        key=reviews["text"].map(lambda text: " ".join(text.casefold().split())),
    )
    order = order.sort_values(["rest", "unlabelled", "length", "id"])
    kept = order.drop_duplicates("key").set_index("key")[["part", "label"]]
    repeated = order[order["key"].duplicated() & order["rest"]]
    return repeated.join(kept.add_prefix("kept_"), on="key")


def _count_duplicates(duplicates: pd.DataFrame) -> dict[str, int]:
    in_test = duplicates["kept_part"] == "test"
    is_other = duplicates["label"].notna() & (duplicates["label"] != duplicates["kept_label"])
    counts = {"in_test": in_test, "repeated": ~in_test, "other_label": is_other}
    num_dropped = {name: int(mask.sum()) for name, mask in counts.items()}
    if len(duplicates):
        message = "%d that the test part has, %d repeated; %d had another label"
        logger.info(f"duplicate texts left out of training: {message}", *num_dropped.values())
    return num_dropped


def _check_parts(profile: ReviewProfile, split: ReviewSplitSpec) -> None:
    """Raise a ReviewError for a part of fewer than two classes, or a class without training texts; log rare classes."""
    by_class = profile["num_texts_by_class"]
    for part in ("train", "validation", "test"):
        sizes = [parts[part] for parts in by_class.values() if parts[part]]
        if len(sizes) < 2:
            received = f"{sum(sizes)} of one class" if sizes else "none"
            raise ReviewError(
                f"{part}: expected reviews of two classes or more, received {received} (of "
                f"{sum(profile['num_reviews'].values())} reviews; validation {split.validation}, test {split.test}, "
                f"seed {split.seed}). Choose another sentiment.split.seed or larger fractions, or add reviews."
            )
    few = {name: parts["train"] for name, parts in by_class.items() if parts["train"] < FEW_TEXTS}
    for name, size in few.items():
        if size == 0:
            raise ReviewError(
                f"train: no text of the class {show(name)}. Add some, or leave it out with sentiment.source.labels."
            )
    if few:
        named = ", ".join(f"{show(name)} ({size})" for name, size in few.items())
        logger.info("classes with fewer than %d training texts: %s", FEW_TEXTS, named)


def _profile_reviews(reviews: Reviews, num_dropped: dict[str, int]) -> ReviewProfile:
    parts = reviews.groupby("part")
    by_class = pd.crosstab(reviews["label"], reviews["part"]).reindex(
        index=list_classes(reviews), columns=["train", "validation", "test"], fill_value=0
    )
    words = reviews["text"].map(lambda text: len(text.split()))
    trained = reviews["part"].isin(["train", "validation"])
    shared = set(reviews.loc[trained, "group"]) & set(
        reviews.loc[reviews["part"] == "test", "group"]
    )
    return {
        "num_reviews": {part: int(size) for part, size in parts.size().items()},
        "num_groups": {part: int(size) for part, size in parts["group"].nunique().items()},
        "num_texts_by_class": by_class.to_dict("index"),
        "num_groups_in_train_and_test": len(shared),
        "num_words": {
            "mean": float(words.mean()),
            "median": float(words.median()),
            "max": int(words.max()),
        },
        "num_dropped": num_dropped,
    }
