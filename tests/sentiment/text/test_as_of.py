"""Nothing later than a day is read, and what judges is the newest, or drawn by names alone."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from rnn_pipelines.errors import ReviewError
from rnn_pipelines.sentiment.text.as_of import AsOfReviewsSpec, read_as_of
from rnn_pipelines.sentiment.text.schema import ReviewsTable, list_classes
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec

Read = Callable[..., pd.DataFrame]


@pytest.fixture
def read(write: Callable[..., str]) -> Read:
    """Reads a table of ten reviews, or another one; `source` and `newest` name columns."""

    def read_table(
        table: pd.DataFrame | None = None, source: dict[str, str] | None = None, **newest: object
    ) -> pd.DataFrame:
        path = write((make_table() if table is None else table).to_csv(index=False))
        return read_as_of(ReviewSourceSpec(path=path, **(source or {})), AsOfReviewsSpec(**newest))

    return read_table


def make_table(num_rows: int = 10) -> pd.DataFrame:
    """A review a day, two of each film, the newest first."""
    numbers = range(num_rows)
    return pd.DataFrame(
        {
            "text": [f"text {number}" for number in numbers],
            "label": [number % 2 for number in numbers],
            "day": [f"2024-01-{num_rows - number:02}" for number in numbers],
            "batch": [number // 3 for number in numbers],
            "group": [f"film {number // 2}" for number in numbers],
        }
    )


def find_held(table: pd.DataFrame) -> list[str]:
    return table.loc[table["split"] == "test", "text"].tolist()


@pytest.mark.parametrize(
    ("batch", "settings", "held"),
    [
        (None, {"time": "day", "holdout": 0.3}, [0, 1, 2]),
        # A batch is held out as long as those after it fall short.
        (None, {"time": "batch", "holdout": 0.2}, [6, 7, 8, 9]),
        # The tenth comes after the ninth.
        ([*range(9, 11), *range(1, 9)], {"time": "batch", "holdout": 0.1}, [1]),
    ],
)
def test_newest_reviews_are_held_out_by_time(
    read: Read, batch: list[int] | None, settings: dict[str, object], held: list[int]
) -> None:
    table = make_table() if batch is None else make_table().assign(batch=batch)
    assert find_held(read(table, **settings)) == [f"text {number}" for number in held]


@pytest.mark.parametrize(
    ("time", "as_of", "kept"),
    [("day", "2024-01-04", range(6, 10)), ("batch", 1, range(6)), ("batch", "1", range(6))],
)
def test_no_later_review_is_there(read: Read, time: str, as_of: int | str, kept: range) -> None:
    assert read(time=time, as_of=as_of)["text"].tolist() == [f"text {number}" for number in kept]


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        ("2024-01-04", 4),
        ("2024-01-04T18:30", 4),
        ("2024-01-04T12:00", 3),
        ("2024-01-04T00:00:00+00:00", 3),
    ],
    ids=["a day, to its end", "a time counts", "another time of the day", "midnight"],
)
def test_reviews_up_to_a_day_or_a_moment_are_there(read: Read, as_of: str, expected: int) -> None:
    table = make_table().assign(day=lambda t: t["day"] + "T18:30:00")
    assert len(read(table, time="day", as_of=as_of)) == expected


@pytest.mark.parametrize(
    ("time", "cell"),
    [
        # Else days would be months, as long as there are so many; and `now` would be this moment.
        *(
            ("day", cell)
            for cell in (
                "13/01/2024",
                "03/04/2024",
                "03.04.2024",
                "today",
                "now",
                "0000-01-01",
                "NaT",
                "",
            )
        ),
        *(("batch", cell) for cell in ("inf", "1e400", "nan", "1_0", "\u0661", "0x1")),
    ],
)
def test_cell_that_is_no_time_is_named(read: Read, time: str, cell: str) -> None:
    table = make_table().assign(**{time: lambda t: t[time].astype(str).where(t.index != 4, cell)})
    expected = (
        rf"row 6: .*ISO 8601.* received '{cell}'.*dayfirst" if time == "day" else r"row \d+: "
    )
    with pytest.raises(ReviewError, match=f"column '{time}', {expected}"):
        read(table, time=time)


@pytest.mark.parametrize(
    "cells",
    [["2000.5", "2001-01-01"], ["2000.9", "2000.10"], [2000.5, 2001.5], [*range(9), np.inf]],
    ids=str,
)
def test_numbers_that_are_not_whole_are_neither_batches_nor_months(
    tmp_path: Path, cells: list[object]
) -> None:
    table = make_table().assign(batch=(cells * 5)[:10])
    table.to_parquet(tmp_path / "my.parquet")
    with pytest.raises(ReviewError, match=r"column 'batch', row \d+: "):
        read_as_of(
            ReviewSourceSpec(path=str(tmp_path / "my.parquet")), AsOfReviewsSpec(time="batch")
        )


def test_dates_of_a_parquet_file_are_read(tmp_path: Path) -> None:
    table = make_table().assign(day=lambda t: pd.to_datetime(t["day"]).dt.date)
    table.to_parquet(tmp_path / "my.parquet")
    source = ReviewSourceSpec(path=str(tmp_path / "my.parquet"))
    assert len(read_as_of(source, AsOfReviewsSpec(time="day", as_of="2024-01-04"))) == 4


def test_later_rows_leave_no_trace(read: Read) -> None:
    """Wherever they stand, numbers and draws are the same."""
    early = make_table().iloc[6:]
    pd.testing.assert_frame_equal(
        read(time="day", as_of="2024-01-04"),
        read(early, time="day", as_of="2024-01-04"),
        check_exact=True,
    )


def test_the_test_part_leaves_no_trace(read: Read) -> None:
    table = make_table(40).assign(
        part=lambda t: ["test" if n % 4 < 2 else "train" for n in range(len(t))]
    )
    found = read(table, source={"split": "part"})
    assert len(found) == 20
    assert 4 <= len(find_held(found)) <= 5


def test_reviews_until_a_day_are_a_valid_table(read: Read) -> None:
    for found in (read(time="day").drop(columns="time"), read(source={"group": "group"})):
        assert ReviewsTable.validate(found) is found


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"as_of": "2024-01-04"}, r"'2024-01-04'.*retrain_sentiment\.time"),
        ({"time": "day", "as_of": "2023-01-01"}, "the first review is of 2024-01-01"),
        ({"time": "day", "as_of": 7}, "expected a time like those of the reviews"),
        ({"time": "day", "as_of": "soon"}, "received 'soon'"),
        ({"time": "batch", "as_of": "2024-01-01"}, "received '2024-01-01'"),
        ({"time": "batch", "as_of": "1_0"}, "received '1_0'"),
        ({"time": "when"}, r"no column \['when'\].*retrain_sentiment\.time"),
        ({"time": "group"}, "column 'group', row 2: expected a date or time"),
    ],
)
def test_message_says_what_is_wrong(read: Read, settings: dict[str, object], message: str) -> None:
    with pytest.raises(ReviewError, match=message):
        read(**settings)


def test_archive_has_no_times() -> None:
    """Which is said before it is downloaded."""
    with pytest.raises(ReviewError, match=r"sentiment\.source\.path"):
        read_as_of(ReviewSourceSpec(), AsOfReviewsSpec(time="day"))


def test_later_labels_leave_no_trace(read: Read) -> None:
    """Neither in the names of the classes nor in their numbers."""
    labels = ["new", "Pos", "POS", "neg; pos", "", *("pos", "neg") * 5]
    table = make_table(15).assign(label=labels)
    newest = {"time": "day", "as_of": "2024-01-10"}
    pd.testing.assert_frame_equal(read(table, **newest), read(table[5:], **newest))
    assert list_classes(read(table, **newest)) == ["negative", "positive"]


def test_new_class_of_the_newest_texts_is_learnt(read: Read) -> None:
    """And its own newest texts are held out, so that a champion without the class is measured."""
    table = make_table(30).assign(label=["new"] * 6 + [*"ab"] * 12)
    held = [f"text {number}" for number in (0, 1, 2, 6, 7, 8)]
    assert find_held(read(table, time="day", holdout=0.3)) == held


def test_single_text_of_a_new_class_is_learnt(read: Read) -> None:
    table = make_table().assign(label=["b", "new", "a", *"bababab"])
    assert find_held(read(table, time="day", holdout=0.3)) == ["text 0", "text 2"]


def test_new_class_of_one_film_is_learnt(read: Read) -> None:
    """The film that is held out, if it has texts of known classes alone, is not."""
    (first, *_) = read(source={"group": "group"}).query("split == 'test'")["group"]
    table = make_table()
    table["label"] = table["label"].where(table["group"] != first, "new").astype(str)
    films = read(table, source={"group": "group"}, holdout=0.3)
    parts = films.groupby("group")["split"].unique().map(list)
    assert (parts[first], parts.map(len).max()) == (["train"], 1)


def test_class_of_the_test_part_alone_is_none(read: Read) -> None:
    table = make_table(12).assign(part=["train"] * 9 + ["test"] * 3)
    table["label"] = table["label"].astype(str).where(table.index < 11, "other")
    assert list_classes(read(table, source={"split": "part"})) == ["0", "1"]


@pytest.mark.parametrize("time", ["day", None], ids=["newest", "drawn"])
def test_texts_without_a_label_hold_out_no_other_ones(read: Read, time: str | None) -> None:
    table = make_table()
    rest = make_table(6).assign(label=None, text=[f"more {number}" for number in range(6)])
    expected = read(table, time=time)
    received = read(pd.concat([table, rest]), {"unlabelled": True}, time=time)
    is_unlabelled = received["split"] == "unlabelled"
    pd.testing.assert_frame_equal(received[~is_unlabelled], expected)
    assert received.loc[is_unlabelled, "text"].tolist() == rest["text"].tolist()


@pytest.mark.parametrize("holdout", [0, 1])
def test_holdout_is_a_part(holdout: float) -> None:
    with pytest.raises(ValidationError):
        AsOfReviewsSpec(holdout=holdout)


def test_films_are_held_out_whole(read: Read) -> None:
    table = read(make_table(40), source={"group": "group"})
    assert table.groupby("group")["split"].nunique().eq(1).all()
    assert 8 <= len(find_held(table)) <= 9


def test_new_films_hardly_change_what_is_held_out(read: Read) -> None:
    # Fewer than a tenth of the reviews that were learnt from come to judge.
    before = read(make_table(90), source={"group": "group"})
    now = read(make_table(99), source={"group": "group"})
    learnt = set(before["text"]) - set(find_held(before))
    assert len(learnt & set(find_held(now))) < 0.1 * len(learnt)


def test_what_is_held_out_does_not_depend_on_the_order(read: Read) -> None:
    table = make_table(40)
    assert set(find_held(read(table))) == set(find_held(read(table.iloc[::-1])))
