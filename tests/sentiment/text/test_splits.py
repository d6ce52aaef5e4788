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

Row = tuple[str, str, str, int | str | None, str]
CLASSES: dict[object, str] = {0: "negative", 1: "positive"}


def make(rows: list[Row]) -> pd.DataFrame:
    """A table of rows `review_id, split, group, label, text`."""
    return make_reviews_table(
        [
            (name, split, film, None, CLASSES.get(label, label), text)
            for name, split, film, label, text in rows
        ]
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


def test_unlabelled_reviews_of_one_film_do_not_move_single_texts() -> None:
    rows = [(f"{n}", "train", f"{n}", n % 2, f"text {n}") for n in range(40)]
    more = [(f"u{n}", "unlabelled", "u", None, f"more {n}") for n in range(2)]
    expected = get_parts(split(rows)[0])
    received = get_parts(split([*rows, *more])[0])
    assert received == expected | {"u0": "unlabelled", "u1": "unlabelled"}


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
DUPLICATES: dict[str, tuple[list[Row], set[str], tuple[int, int, int]]] = {
    "training text in the test part": ([("x", "train", "x", 1, "test 0 0")], set(), (1, 0, 1)),
    "unlabelled text in the test part": (
        [("x", "unlabelled", "x", None, "test 0 0")],
        set(),
        (1, 0, 0),
    ),
    "repeat in the test part": ([("x", "test", "x", 1, "test 0 0")], {"x"}, (0, 0, 0)),
    "first of two": (
        [("10", "train", "a", 1, "same"), ("9", "train", "b", 0, "same")],
        {"9"},
        (0, 1, 1),
    ),
    "labelled first": (
        [("1", "unlabelled", "a", None, "same"), ("22", "train", "b", 0, "same")],
        {"22"},
        (0, 1, 0),
    ),
    **{
        text: ([("x", "train", "x", 0, text)], set(), (1, 0, 0))
        for text in ("TEST 0 0", "test 0 0 ", "test\n 0 0")
    },
    "another text": ([("x", "train", "x", 0, "test00")], {"x"}, (0, 0, 0)),
}


@pytest.mark.parametrize(("rows", "kept", "dropped"), DUPLICATES.values(), ids=DUPLICATES)
def test_repeated_texts_are_dropped(
    rows: list[Row], kept: set[str], dropped: tuple[int, int, int]
) -> None:
    reviews, profile = split([*OFFICIAL, *rows])
    assert {row[0] for row in rows} & set(reviews["review_id"]) == kept
    reasons = ("in_test", "repeated", "other_label")
    assert profile["num_dropped"] == dict(zip(reasons, dropped, strict=True))


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
        "num_texts_by_class": {
            "negative": {"train": 36, "validation": 4, "test": 20},
            "positive": {"train": 36, "validation": 4, "test": 20},
        },
        "num_groups_in_train_and_test": 0,
        "num_words": {"mean": 365 / 121, "median": 3.0, "max": 5},
        "num_dropped": {"in_test": 0, "repeated": 0, "other_label": 0},
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
        "validation: .*received none .of 12 reviews;",
    ),
    "test of one class": (
        [*make_groups(20), ("x", "test", "x", 1, "new"), ("y", "test", "y", 1, "newer")],
        {},
        "test: .*received 2 of one class",
    ),
    "validation of one class": (
        [(f"{n}", "train", f"{n // 2}", n // 2 % 2, f"{n}") for n in range(10)]
        + make_groups(2, "test"),
        {"validation": 0.05},
        r"validation: .*received 2 of one class.*sentiment\.split\.seed",
    ),
    "a class that only the test part has": (
        [*OFFICIAL, ("x", "test", "x", "new", "x")],
        {},
        "train: no text of the class 'new'",
    ),
    "two texts of each class": (
        [(f"{n}", "train", f"{n}", n % 2, f"{n}") for n in range(4)],
        {},
        "validation: .*received none",
    ),
}


@pytest.mark.parametrize(("rows", "options", "message"), REFUSED.values(), ids=REFUSED)
def test_part_without_both_classes_is_refused(
    rows: list[Row], options: dict[str, float], message: str
) -> None:
    assert re.match(message, fail(rows, **options))


def make_texts(**sizes: int) -> list[Row]:
    """As many texts of each class, in no groups."""
    return [
        (f"{name}{number}", "train", f"{name}{number}", name, f"{name} {number}")
        for name, size in sizes.items()
        for number in range(size)
    ]


def test_texts_without_groups_are_drawn_within_each_class() -> None:
    rows = make_texts(frequent=1000, rare=10, four=4, three=3, two=2, one=1)
    assert split(rows)[1]["num_texts_by_class"] == {
        "four": {"train": 2, "validation": 1, "test": 1},
        "frequent": {"train": 720, "validation": 80, "test": 200},
        "one": {"train": 1, "validation": 0, "test": 0},
        "rare": {"train": 7, "validation": 1, "test": 2},
        "three": {"train": 2, "validation": 0, "test": 1},
        "two": {"train": 2, "validation": 0, "test": 0},
    }


def test_texts_without_groups_are_drawn_the_same_in_any_order() -> None:
    rows = make_texts(a=30, b=20, c=10)
    parts = get_parts(split(rows)[0])
    assert parts == get_parts(split(rows[::-1])[0])
    assert parts != get_parts(split(rows, seed=1)[0])


# The films of validation and test before there were other classes than two.
DRAWN = {
    ("official", 0): (
        "train12 train9",
        "test0 test1 test2 test3 test4 test5 test6 test7 test8 test9",
    ),
    ("official", 3): (
        "train2 train6",
        "test0 test1 test2 test3 test4 test5 test6 test7 test8 test9",
    ),
    ("drawn", 0): ("train17 train3 train8", "train10 train12 train18 train19 train28 train6"),
    ("drawn", 3): ("train0 train24 train28", "train11 train2 train27 train3 train6 train7"),
}


@pytest.mark.parametrize(("case", "films"), DRAWN.items(), ids=str)
def test_films_are_drawn_as_ever(case: tuple[str, int], films: tuple[str, str]) -> None:
    reviews, _ = split(OFFICIAL if case[0] == "official" else make_groups(30), seed=case[1])
    drawn = reviews.groupby("part")["group"].unique().map(sorted).map(" ".join)
    assert (drawn["validation"], drawn["test"]) == films


def test_films_are_in_the_folds_as_ever() -> None:
    folds = assign_folds(make(make_groups(9)).assign(part="train"), 4)
    assert folds[::4].tolist() == [0, 1, 2, 2, 3, 0, 3, 0, 1]


def test_a_film_with_the_last_texts_of_a_class_is_not_drawn() -> None:
    rows = [*make_groups(30), *(("x" + str(n), "train", "x", "new", f"x {n}") for n in range(3))]
    parts = [get_parts(split(rows, seed=seed)[0])["x0"] for seed in range(20)]
    assert parts == ["train"] * 20


def test_each_fold_has_each_class_without_groups() -> None:
    reviews = make(make_texts(a=97, b=13, c=5, d=1)).assign(part="train")
    folds = pd.crosstab(assign_folds(reviews, 5), reviews["label"])
    assert (folds[["a", "b", "c"]].min().tolist(), folds.sum(axis=1).max()) == ([19, 2, 1], 24)


def test_duplicates_and_rare_classes_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    rows = make_texts(a=30, b=20, c=9)
    with caplog.at_level("INFO"):
        split([*rows, ("x", "train", "x", "b", "A  1"), ("y", "train", "y", "a", "a 2")])
    assert [record.getMessage() for record in caplog.records] == [
        "duplicate texts left out of training: 0 that the test part has, 2 repeated; 1 had another label",
        "classes with fewer than 10 training texts: 'c' (6)",
    ]


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
    dropped = imdb[1]["num_dropped"]
    assert (dropped["in_test"], dropped["repeated"]) == (123, 96)
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
