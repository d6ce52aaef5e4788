"""A table of reviews that isn't one never passes the catalog."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from rnn_pipelines.errors import ReviewError
from rnn_pipelines.sentiment.text.schema import ReviewSchema, tabulate

ROWS: list[tuple[object, ...]] = [
    ("1", "train", "a", 1, 0, "bad"),
    ("2", "test", "b", None, 1, "good"),
    ("3", "unlabelled", "c", None, None, "seen"),
]


@pytest.fixture
def table() -> pd.DataFrame:
    return tabulate(ROWS)


def fail(table: pd.DataFrame) -> str:
    """The message of the error that the check ends in."""
    with pytest.raises(ReviewError) as caught:
        ReviewSchema().validate(table)
    return str(caught.value)


def test_table_without_faults_passes_as_it_is(table: pd.DataFrame) -> None:
    before = table.copy()
    assert ReviewSchema().validate(table) is table
    pd.testing.assert_frame_equal(table, before)


def test_parts_may_be_there(table: pd.DataFrame) -> None:
    ReviewSchema().validate(table.assign(part=["validation", "test", "unlabelled"]))


def test_more_columns_may_be_there(table: pd.DataFrame) -> None:
    ReviewSchema().validate(table.assign(num_words=1))


def test_table_comes_back_from_parquet_as_it_was(table: pd.DataFrame, tmp_path: Path) -> None:
    table.to_parquet(tmp_path / "reviews.parquet")
    pd.testing.assert_frame_equal(ReviewSchema().validate(pd.read_parquet(tmp_path / "reviews.parquet")), table)


@pytest.mark.parametrize("column", ["review_id", "split", "film", "rating", "label", "text"])
def test_missing_column_is_refused(table: pd.DataFrame, column: str) -> None:
    assert fail(table.drop(columns=column)).startswith("reviews: expected the columns {'review_id': 'str'")


@pytest.mark.parametrize(("column", "dtype"), [("label", "float64"), ("rating", "object"), ("text", "object")])
def test_column_of_another_type_is_refused(table: pd.DataFrame, column: str, dtype: str) -> None:
    assert f"'{column}': '{dtype}'" in fail(table.astype({column: dtype}))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda table: table.assign(review_id="1"), "2 of 3 rows have a review_id that stands twice"),
        (lambda table: table.assign(split="dev"), "3 of 3 rows have a split other than"),
        (lambda table: table.assign(part="dev"), "3 of 3 rows have a part other than"),
        (lambda table: table.assign(rating=pd.array([0, 10, 1], "Int8")), "1 of 3 rows have a rating other than"),
        (lambda table: table.assign(rating=pd.array([11, 1, 1], "Int8")), "1 of 3 rows have a rating other than"),
        (lambda table: table.assign(label=pd.array([2, 0, None], "Int8")), "1 of 3 rows have a label other than"),
        (
            lambda table: table.assign(label=pd.array([None] * 3, "Int8")),
            "2 of 3 rows have a label and the split unlabelled, or neither",
        ),
        (
            lambda table: table.assign(label=pd.array([1] * 3, "Int8")),
            "1 of 3 rows have a label and the split unlabelled, or neither",
        ),
        (lambda table: table.assign(text=table["text"].mask(table["text"] == "bad")), "1 of 3 rows have no text"),
        (lambda table: table.assign(film=table["film"].mask(table["film"] == "b")), "1 of 3 rows have no film"),
    ],
)
def test_faulty_rows_are_counted(
    table: pd.DataFrame, change: Callable[[pd.DataFrame], pd.DataFrame], expected: str
) -> None:
    assert fail(change(table)).startswith(f"reviews: {expected}")


def test_first_faulty_row_is_shown_without_its_text(table: pd.DataFrame) -> None:
    message = fail(table.assign(review_id="1"))
    assert message.endswith(
        "the first of them: {'review_id': '1', 'split': 'test', 'film': 'b', 'rating': None, 'label': 1}."
    )
