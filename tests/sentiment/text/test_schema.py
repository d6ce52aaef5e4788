"""A table of reviews that isn't one never passes the catalog."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from rnn_pipelines.errors import ReviewError
from rnn_pipelines.sentiment.text.schema import (
    ReviewsTable,
    list_classes,
    make_labels,
    make_reviews_table,
    sort_classes,
)

ROWS: list[tuple[object, ...]] = [
    ("1", "train", "a", 1, "negative", "bad"),
    ("2", "test", "b", None, "positive", "good"),
    ("3", "unlabelled", "c", None, None, "seen"),
]


@pytest.fixture
def table() -> pd.DataFrame:
    return make_reviews_table(ROWS)


def fail(table: pd.DataFrame) -> str:
    """The message of the error that the check ends in."""
    with pytest.raises(ReviewError) as caught:
        ReviewsTable.validate(table)
    return str(caught.value)


def test_table_without_faults_passes_as_it_is(table: pd.DataFrame, tmp_path: Path) -> None:
    before = table.copy()
    assert ReviewsTable.validate(table) is table
    pd.testing.assert_frame_equal(table, before)
    in_parts = table.assign(part=["validation", "test", "unlabelled"])
    assert ReviewsTable.validate(in_parts) is in_parts
    table.to_parquet(tmp_path / "reviews.parquet")
    pd.testing.assert_frame_equal(
        ReviewsTable.validate(pd.read_parquet(tmp_path / "reviews.parquet")), table
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.drop(columns="group"),
        lambda table: table.assign(num_words=1),
        lambda table: table.astype({"rating": "float64"}),
        lambda table: table.astype({"label": "str"}),
    ],
    ids=["missing", "more", "another kind", "labels that are texts"],
)
def test_other_columns_are_refused(
    table: pd.DataFrame, change: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    assert fail(change(table)).startswith(
        "ReviewsTable: expected the columns review_id (text), split (text), group"
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda table: table.assign(review_id="1"), "the same review_id a second time"),
        (lambda table: table.assign(split="dev"), "a split is none of"),
        (lambda table: table.assign(part="dev"), "a part is none of"),
        (
            lambda table: table.assign(rating=pd.array([0, 10, 1], "Int8")),
            "a rating is not 1 to 10",
        ),
        (
            lambda table: table.assign(rating=pd.array([11, 1, 1], "Int8")),
            "a rating is not 1 to 10",
        ),
        (
            lambda table: table.assign(label=make_labels(pd.Series(["only", "only", None]))),
            r"expected 2 to 50 classes in order, received ['only']",
        ),
        (
            lambda table: table.assign(label=pd.Categorical(["a", "b", None], ["b", "a"])),
            "expected 2 to 50 classes in order",
        ),
        (
            lambda table: table.assign(label=pd.Categorical([None] * 3, ["a", "b"])),
            "a label contradicts the split",
        ),
        (
            lambda table: table.assign(label=pd.Categorical(["a"] * 3, ["a", "b"])),
            "a label contradicts the split",
        ),
        (
            lambda table: table.assign(text=table["text"].mask(table["text"] == "bad")),
            "text is missing",
        ),
        (
            lambda table: table.assign(group=table["group"].mask(table["group"] == "b")),
            "group is missing",
        ),
    ],
)
def test_wrong_rows_fail(
    table: pd.DataFrame, change: Callable[[pd.DataFrame], pd.DataFrame], expected: str
) -> None:
    assert fail(change(table)).startswith(f"ReviewsTable: {expected}")


def test_first_wrong_row_is_shown_without_its_text(table: pd.DataFrame) -> None:
    message = fail(table.assign(review_id="1"))
    assert message.endswith(
        "{'review_id': '1', 'split': 'test', 'group': 'b', 'rating': None, 'label': 'positive'}."
    )


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (["10", "9", "-1", "4.5"], ["-1", "4.5", "9", "10"]),
        (["10", "9", "none"], ["10", "9", "none"]),
        (
            ["delivery", "Billing", "Ärger", "billing-2"],
            ["Billing", "billing-2", "delivery", "Ärger"],
        ),
        (["positive", "negative", "positive"], ["negative", "positive"]),
    ],
    ids=["numbers", "not all numbers", "texts", "repeated"],
)
def test_classes_are_in_order(names: list[str], classes: list[str]) -> None:
    assert sort_classes(names) == classes


def test_a_file_keeps_the_numbers_of_classes(tmp_path: Path) -> None:
    """Also if rows of one class alone are written."""
    table = make_reviews_table([(str(n), "train", "a", None, "cab"[n], "x") for n in range(3)])
    table.iloc[[0]].to_parquet(tmp_path / "reviews.parquet")
    read = pd.read_parquet(tmp_path / "reviews.parquet")
    assert (list_classes(read), read["label"].cat.codes.tolist()) == (["a", "b", "c"], [2])
