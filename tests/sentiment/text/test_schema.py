"""A table of reviews that isn't one never passes the catalog."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from rnn_pipelines.errors import ReviewError
from rnn_pipelines.sentiment.text.schema import ReviewsTable, make_reviews_table

ROWS: list[tuple[object, ...]] = [
    ("1", "train", "a", 1, 0, "bad"),
    ("2", "test", "b", None, 1, "good"),
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
        lambda table: table.astype({"label": "float64"}),
    ],
    ids=["missing", "more", "another kind"],
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
        (lambda table: table.assign(label=pd.array([2, 0, None], "Int8")), "a label is not 0 or 1"),
        (
            lambda table: table.assign(label=pd.array([None] * 3, "Int8")),
            "a label contradicts the split",
        ),
        (
            lambda table: table.assign(label=pd.array([1] * 3, "Int8")),
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
        "{'review_id': '1', 'split': 'test', 'group': 'b', 'rating': None, 'label': 1}."
    )
