"""What is learnt is never asked: neither a film nor a text is on two sides of a drawn split."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rnn_pipelines.errors import ReviewError
from rnn_pipelines.sentiment.text.archive import read_archive
from rnn_pipelines.sentiment.text.schema import ReviewsTable, make_reviews_table
from rnn_pipelines.sentiment.text.splits import (
    ReviewSplitSpec,
    assign_folds,
    find_texts,
    split_reviews,
)

Row = tuple[str, str, str, int | None, str]


def make(rows: list[Row]) -> pd.DataFrame:
    """A table of rows `review_id, split, group, label, text`."""
    return make_reviews_table(
        [(name, split, film, None, label, text) for name, split, film, label, text in rows]
    )


def make_groups(num_groups: int, split: str = "train", reviews: int = 4) -> list[Row]:
    """As many reviews of each film, of both classes, all different."""
    return [
        (
            f"{split}/{film}/{number}",
            split,
            f"{split}{film}",
            number % 2,
            f"{split} {film} {number}",
        )
        for film in range(num_groups)
        for number in range(reviews)
    ]


OFFICIAL = make_groups(20) + make_groups(10, "test")


def split(rows: list[Row] | pd.DataFrame, **options: float) -> tuple[pd.DataFrame, dict]:
    table = rows if isinstance(rows, pd.DataFrame) else make(rows)
    return split_reviews(table, ReviewSplitSpec(**options))


def fail(rows: list[Row], **options: float) -> str:
    """The message of the error that splitting ends in."""
    with pytest.raises(ReviewError) as caught:
        split(rows, **options)
    return str(caught.value)


def get_parts(reviews: pd.DataFrame) -> dict[str, str]:
    return dict(zip(reviews["review_id"], reviews["part"], strict=True))


def test_films_sit_on_one_side() -> None:
    reviews, _ = split(make_groups(40), validation=0.3, test=0.3)
    assert reviews.groupby("group")["part"].nunique().max() == 1


def test_the_official_test_part_stays() -> None:
    reviews, _ = split(OFFICIAL)
    assert (reviews["part"] == "test").equals(reviews["split"] == "test")
    assert (reviews["part"] == "test").sum() == 40


def test_reviews_keep_their_order() -> None:
    table = make(OFFICIAL)
    reviews, _ = split(table)
    assert ReviewsTable.validate(reviews)["review_id"].tolist() == [row[0] for row in OFFICIAL]


def test_splitting_does_not_change_the_table() -> None:
    table = make(OFFICIAL)
    before = table.copy()
    _reviews, _ = split(table)
    pd.testing.assert_frame_equal(table, before)


def test_splits_depend_on_the_seed() -> None:
    assert get_parts(split(OFFICIAL, seed=1)[0]) != get_parts(split(OFFICIAL, seed=2)[0])


def test_unlabelled_reviews_do_not_move_others() -> None:
    rows = [*OFFICIAL, ("unsup", "unlabelled", "u", None, "seen")]
    assert {"unsup": "unlabelled"} | get_parts(split(OFFICIAL)[0]) == get_parts(split(rows)[0])


@pytest.mark.parametrize(
    ("rows", "options", "sizes"),
    [
        (OFFICIAL, {"validation": 0.25}, {"test": 40, "train": 60, "validation": 20}),
        (
            make_groups(20),
            {"validation": 0.25, "test": 0.2},
            {"test": 16, "train": 48, "validation": 16},
        ),
        # A part exceeds its fraction by less than a film.
        (OFFICIAL, {"validation": 0.26}, {"test": 40, "train": 56, "validation": 24}),
        (
            [*OFFICIAL, ("u", "unlabelled", "u", None, "seen")],
            {"validation": 0.25},
            {"test": 40, "train": 60, "unlabelled": 1, "validation": 20},
        ),
    ],
    ids=["validation", "test too", "whole films", "unlabelled"],
)
def test_parts_have_their_fractions(
    rows: list[Row], options: dict[str, float], sizes: dict[str, int]
) -> None:
    assert split(rows, **options)[1]["num_reviews"] == sizes


@pytest.mark.parametrize("rows", [OFFICIAL, make_groups(30)], ids=["official test", "drawn test"])
def test_same_seed_draws_the_same_films_in_any_order(rows: list[Row]) -> None:
    pd.testing.assert_frame_equal(split(rows, seed=3)[0], split(rows, seed=3)[0])
    repeated = [*rows, ("train/99/9", "train", "train3", 1, "train 4 1")]
    assert get_parts(split(repeated[::-1])[0]) == get_parts(split(repeated)[0])


# Rows beside the official ones, the IDs of those that stay, and the numbers of dropped ones.
DUPLICATES: dict[str, tuple[list[Row], set[str], tuple[int, int]]] = {
    "training text in the test part": ([("x", "train", "x", 1, "test 0 0")], set(), (1, 0)),
    "unlabelled text in the test part": (
        [("x", "unlabelled", "x", None, "test 0 0")],
        set(),
        (1, 0),
    ),
    "repeat in the test part": ([("x", "test", "x", 1, "test 0 0")], {"x"}, (0, 0)),
    "first of two": (
        [("10", "train", "a", 1, "same"), ("9", "train", "b", 0, "same")],
        {"9"},
        (0, 1),
    ),
    "labelled first": (
        [("1", "unlabelled", "a", None, "same"), ("22", "train", "b", 0, "same")],
        {"22"},
        (0, 1),
    ),
    **{
        text: ([("x", "train", "x", 1, text)], {"x"}, (0, 0))
        for text in ("TEST 0 0", "test 0 0 ", "test  0 0")
    },
}


@pytest.mark.parametrize(("rows", "kept", "dropped"), DUPLICATES.values(), ids=DUPLICATES)
def test_repeated_texts_are_dropped(
    rows: list[Row], kept: set[str], dropped: tuple[int, int]
) -> None:
    reviews, profile = split([*OFFICIAL, *rows])
    assert {row[0] for row in rows} & set(reviews["review_id"]) == kept
    assert profile["num_dropped"] == dict(zip(("in_test", "repeated"), dropped, strict=True))


def test_repeated_texts_are_on_one_side() -> None:
    rows = make_groups(30)
    copied = [(f"copy{row[0]}", row[1], f"copy{row[2]}", *row[3:]) for row in rows]
    reviews, profile = split(rows + copied)
    test = reviews["part"] == "test"
    assert not set(reviews.loc[test, "text"]) & set(reviews.loc[~test, "text"])
    assert profile["num_dropped"]["in_test"] > 0


def test_profile_describes_the_parts() -> None:
    rows = [*OFFICIAL, ("u", "unlabelled", "u", None, "only five words stand here")]
    assert split(rows)[1] == {
        "num_reviews": {"test": 40, "train": 72, "unlabelled": 1, "validation": 8},
        "num_groups": {"test": 10, "train": 18, "unlabelled": 1, "validation": 2},
        "positive_fraction": {"test": 0.5, "train": 0.5, "validation": 0.5},
        "num_groups_in_train_and_test": 0,
        "num_words": {"mean": 365 / 121, "median": 3.0, "max": 5},
        "num_dropped": {"in_test": 0, "repeated": 0},
    }


def test_profile_is_json() -> None:
    profile = split(OFFICIAL)[1]
    assert json.loads(json.dumps(profile)) == profile


def test_profile_counts_films_on_both_sides() -> None:
    assert (
        split([*OFFICIAL, ("x", "train", "test0", 1, "new")])[1]["num_groups_in_train_and_test"]
        == 1
    )


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcdefgh"),
            st.integers(0, 1),
            st.integers(0, 25),
            st.sampled_from(["train", "test"]),
        ),
        min_size=4,
        max_size=60,
    ),
    st.booleans(),
    st.integers(0, 5),
)
def test_whatever_the_table_nothing_crosses_a_drawn_split(
    cells: list[tuple[str, int, int, str]], official: bool, seed: int
) -> None:
    rows = [
        (str(number), part if official else "train", film, label, f"text {text}")
        for number, (film, label, text, part) in enumerate(cells)
    ]
    try:
        reviews, _ = split(rows, seed=seed, validation=0.2)
    except ReviewError:
        return
    sides = {part: reviews[reviews["part"] == part] for part in ("train", "validation", "test")}
    is_official = any(row[1] == "test" for row in rows)
    for one, other in [("train", "validation"), ("train", "test"), ("validation", "test")]:
        assert not set(sides[one]["text"]) & set(sides[other]["text"])
        if not (is_official and other == "test"):
            assert not set(sides[one]["group"]) & set(sides[other]["group"])


@pytest.mark.parametrize(
    ("parts", "places"),
    [(["train"], [1, 3]), (["train", "test"], [0, 1, 3]), (["unlabelled"], [])],
    ids=str,
)
def test_texts_of_parts_are_found_in_the_order_of_the_rows(
    parts: list[str], places: list[int]
) -> None:
    reviews = pd.DataFrame({"part": ["test", "train", "validation", "train"]}, index=[7, 8, 9, 10])
    assert find_texts(reviews, *parts).tolist() == places


def fold(reviews: pd.DataFrame, num_folds: int = 3) -> pd.Series:
    return pd.Series(assign_folds(reviews, num_folds), index=reviews["review_id"])


@pytest.fixture(scope="module")
def reviews() -> pd.DataFrame:
    rows = [*make_groups(21), *make_groups(5, "test"), ("u", "unlabelled", "train1", None, "seen")]
    return split(rows)[0]


def test_reviews_of_a_film_share_a_fold(reviews: pd.DataFrame) -> None:
    is_train = reviews["part"] == "train"
    folds = pd.Series(assign_folds(reviews, 3))[is_train]
    assert folds.groupby(reviews.loc[is_train, "group"]).nunique().max() == 1


def test_only_the_training_part_has_folds(reviews: pd.DataFrame) -> None:
    # Not even those of a film that the training part has too.
    assert ((assign_folds(reviews, 3) == -1) == (reviews["part"] != "train")).all()


def test_folds_have_nearly_equal_numbers_of_films(reviews: pd.DataFrame) -> None:
    films = (
        reviews.assign(fold=assign_folds(reviews, 4))[reviews["part"] == "train"]
        .groupby("fold")["group"]
        .nunique()
    )
    assert (sorted(films.index), films.max() - films.min()) == ([0, 1, 2, 3], 1)


def test_folds_do_not_depend_on_the_order(reviews: pd.DataFrame) -> None:
    shuffled = reviews.sample(frac=1, random_state=0)
    assert fold(shuffled).sort_index().equals(fold(reviews).sort_index())


def test_a_small_table_has_as_many_folds_as_films(reviews: pd.DataFrame) -> None:
    reviews = pd.DataFrame(
        {"part": "train", "group": ["a", "b", "a"], "review_id": ["1", "2", "3"]}
    )
    found = fold(reviews, 10)
    assert (found["1"] == found["3"], sorted(set(found))) == (True, [0, 1])


REFUSED: dict[str, tuple[list[Row], dict[str, float], str]] = {
    "a single film": (
        make_groups(1) + make_groups(2, "test"),
        {},
        "train: .*received none .of 12 reviews on 3 groups",
    ),
    "test of one class": (
        [*make_groups(20), ("x", "test", "x", 1, "new"), ("y", "test", "y", 1, "newer")],
        {},
        "test: .*received 2 of one class",
    ),
    "validation of one class": (
        [(f"{n}", "train", f"{n}", n % 2, f"{n}") for n in range(10)] + make_groups(2, "test"),
        {"validation": 0.05},
        r"validation: .*received 1 of one class.*sentiment\.split\.seed",
    ),
}


@pytest.mark.parametrize(("rows", "options", "message"), REFUSED.values(), ids=REFUSED)
def test_part_without_both_classes_is_refused(
    rows: list[Row], options: dict[str, float], message: str
) -> None:
    assert re.match(message, fail(rows, **options))


@pytest.mark.parametrize(("name", "value"), [("validation", 0), ("test", 1)])
def test_a_fraction_of_all_or_nothing_is_refused(name: str, value: float) -> None:
    with pytest.raises(ValidationError, match=name):
        ReviewSplitSpec(**{name: value})


@pytest.fixture(scope="module")
def imdb(real_data: Path) -> tuple[pd.DataFrame, dict]:
    return split(read_archive(real_data / "imdb/aclImdb_v1.tar.gz"))


@pytest.mark.real_data
@pytest.mark.slow
def test_imdb_loses_repeats(imdb: tuple[pd.DataFrame, dict]) -> None:
    assert imdb[1]["num_dropped"] == {"in_test": 123, "repeated": 96}
    assert imdb[1]["num_reviews"] == {"test": 25_000, "train": 22_300, "validation": 2_481}


@pytest.mark.real_data
@pytest.mark.slow
def test_imdb_shares_no_film(imdb: tuple[pd.DataFrame, dict]) -> None:
    parts = imdb[0].loc[imdb[0]["part"] != "test"].groupby("group")["part"].nunique()
    assert parts.max() == 1


@pytest.mark.real_data
def test_small_archive_can_be_split(real_data: Path) -> None:
    profile = split(read_archive(real_data / "imdb/aclImdb_small.tar.gz"))[1]
    assert profile["num_reviews"]["test"] == 1_000
