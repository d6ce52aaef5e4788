"""The archive and one's own table give the same columns; every file that can't says what to do."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from rnn_pipelines.errors import ReviewError
from rnn_pipelines.sentiment.text.schema import ReviewsTable
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec, read_reviews

Write = Callable[..., str]

PLAIN = "text,label\nGood film,1\nBad film,0\nFine,1\n"


def read(path: str, **options: object) -> pd.DataFrame:
    return read_reviews(ReviewSourceSpec(path=path, **options))


def fail(path: str, **options: object) -> str:
    """The message of the error that reading ends in."""
    with pytest.raises(ReviewError) as caught:
        read(path, **options)
    return str(caught.value)


# What can be read


def test_each_row_is_a_training_review_with_its_number(write: Write) -> None:
    assert read(write(PLAIN)).astype(object).fillna("none").values.tolist() == [
        ["1", "train", "1", "none", 1, "Good film"],
        ["2", "train", "2", "none", 0, "Bad film"],
        ["3", "train", "3", "none", 1, "Fine"],
    ]


def test_table_fits_the_schema(write: Write) -> None:
    table = read(write(PLAIN))
    assert ReviewsTable.validate(table) is table


@pytest.mark.parametrize("name", ["my.parquet", "MY.CSV", "my.csv.gz"])
def test_every_kind_of_file_gives_the_same_table(write: Write, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if "p" in path.suffix:
        pd.DataFrame({"text": ["Good film", "Bad film", "Fine"], "label": [1, 0, 1]}).to_parquet(path)
    else:
        path.write_bytes(gzip.compress(PLAIN.encode()) if "gz" in name else PLAIN.encode())
    pd.testing.assert_frame_equal(read(str(path)), read(write(PLAIN, "plain.csv")))


@pytest.mark.parametrize(
    ("negative", "positive"),
    [("False", "TRUE"), ("neg", "pos"), ("Negative", "POSITIVE"), (" neg ", "1")],
)
def test_labels_are_read_in_their_usual_spellings(write: Write, negative: str, positive: str) -> None:
    assert read(write(f"text,label\na,{negative}\nb,{positive}\n"))["label"].tolist() == [0, 1]


@pytest.mark.parametrize("labels", [[0, 1], [0.0, 1.0], [False, True]])
@pytest.mark.parametrize("kind", ["plain", "category"])
def test_labels_of_a_parquet_file_keep_their_meaning(tmp_path: Path, labels: list[object], kind: str) -> None:
    path = tmp_path / "my.parquet"
    table = pd.DataFrame({"text": ["a", "b"], "label": labels})
    (table.astype({"label": "category"}) if kind == "category" else table).to_parquet(path)
    assert read(str(path))["label"].tolist() == [0, 1]


@pytest.mark.parametrize(
    "text", ["a\u0085b", "NA", "null", "123", "<br />", "好 \U0001f600", "two\nlines", 'say ""x""']
)
def test_text_stays_as_it_is(write: Write, text: str) -> None:
    table = read(write(f'text,label\n"{text}",1\nb,0\n'))
    assert table["text"].iloc[0] == text.replace('""', '"')


def test_columns_are_chosen_by_name(write: Write) -> None:
    path = write("stars,body,verdict\n5,good,pos\n1,bad,neg\n")
    assert read(path, text="body", label="verdict")["text"].tolist() == ["good", "bad"]


def test_group_takes_the_place_of_the_film(write: Write) -> None:
    path = write("shop,text,label\nA,good,1\nB,bad,0\nA,fine,1\n")
    assert read(path, group="shop")["group"].tolist() == ["A", "B", "A"]


def test_split_column_is_kept(write: Write) -> None:
    path = write("part,text,label\nTrain,good,1\ntest,bad,0\n")
    assert read(path, split="part")["split"].tolist() == ["train", "test"]


def test_byte_order_mark_is_no_part_of_a_name(write: Write) -> None:
    assert len(read(write(b"\xef\xbb\xbf" + PLAIN.encode()))) == 3


def test_path_wins_over_the_archive(write: Write) -> None:
    assert len(read(write(PLAIN), archive="none.tar.gz")) == 3


def test_index_columns_of_pandas_are_columns(tmp_path: Path) -> None:
    path = tmp_path / "my.parquet"
    pd.DataFrame({"text": ["a", "b"], "label": [0, 1]}).set_index("text").to_parquet(path)
    assert read(str(path))["text"].tolist() == ["a", "b"]


# Files


def test_missing_file_is_named_with_the_folder_that_was_searched(tmp_path: Path) -> None:
    path = tmp_path / "none.csv"
    message = fail(str(path))
    assert (str(path) in message, str(Path.cwd()) in message, "sentiment.source.path" in message) == (True,) * 3


def test_folder_is_refused(tmp_path: Path) -> None:
    assert fail(str(tmp_path)).startswith(f"{tmp_path}: ")


@pytest.mark.parametrize("name", ["my.ods", "my", "aclImdb_v1.tar.gz"])
def test_other_kind_of_file_is_not_even_read(write: Write, name: str) -> None:
    path = write("x", name)
    assert fail(path).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("my.csv", b"", "expected a CSV file in UTF-8, with a header line"),
        ("my.csv", PLAIN.encode("utf-16"), "expected a CSV file in UTF-8"),
        ("my.csv", (PLAIN + "caf\xe9,1\n").encode("latin-1"), "expected a CSV file in UTF-8"),
        ("my.csv", (PLAIN + '"open,1\n').encode(), "EOF inside string"),
        ("my.csv", (PLAIN + "a,1,2\n").encode(), "Expected 2 fields in line 5, saw 3"),
        ("my.csv.gz", PLAIN.encode(), "Not a gzipped file"),
        ("my.csv.gz", gzip.compress(PLAIN.encode())[:-12], "expected a CSV file"),
        ("my.parquet", PLAIN.encode(), "expected a Parquet file"),
        ("my.parquet", b"", "expected a Parquet file"),
    ],
    ids=["empty", "UTF-16", "Latin-1", "open quote", "surplus cells", "not zipped", "cut off", "CSV", "empty Parquet"],
)
def test_unreadable_file_says_what_is_expected(write: Write, name: str, content: bytes, expected: str) -> None:
    path = write(content, name)
    message = fail(path)
    assert message.startswith(f"{path}: expected")
    assert expected in message


def test_surplus_cells_in_every_row_are_no_index(write: Write) -> None:
    """Texts with commas and no quotes: pandas would take what stands before the comma for the index."""
    path = write("text,label\nGood, really,1\nBad, really,0\n")
    assert fail(path).endswith("Quote cells that hold a comma, and write decimals with a point.")


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separator_says_commas_are_expected(write: Write, separator: str) -> None:
    assert fail(write(PLAIN.replace(",", separator))).endswith("Separate the cells of each line by commas.")


def test_file_without_rows_is_refused(write: Write) -> None:
    path = write("text,label\n")
    assert fail(path).startswith(f"{path}: no rows")


# Columns


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_missing_column_is_named_beside_the_columns_there_are(tmp_path: Path, suffix: str) -> None:
    table = pd.DataFrame({"body": ["good"], "label": [1]})
    path = tmp_path / f"my{suffix}"
    table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path)
    message = fail(str(path))
    assert ("['text']" in message, "['body', 'label']" in message) == (True, True)


@pytest.mark.parametrize("role", ["group", "split"])
def test_every_missing_column_is_named(write: Write, role: str) -> None:
    assert "no column ['none']" in fail(write(PLAIN), **{role: "none"})


def test_repeated_column_is_named(write: Write) -> None:
    assert "more than one column 'label': its columns [2, 3] of" in fail(write("text,label,label\na,1,1\n"))


@pytest.mark.parametrize(
    "options",
    [
        {"path": "my.csv", "text": "a", "label": "a"},
        {"path": "my.csv", "group": "text"},
        {"path": "my.csv", "group": "a", "split": "a"},
        {"text": "mine"},
        {"group": "mine"},
        {"path": "my.csv", "unlabelled": True},
    ],
    ids=["text is label", "group is text", "group is split", "text of no table", "group of no table", "unlabelled"],
)
def test_contradicting_options_are_an_error(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="Value error"):
        ReviewSourceSpec(**options)


# Cells


@pytest.mark.parametrize("cell", ["2", "0.5", "nan"])
def test_cell_that_is_no_label_is_named_with_file_column_and_row(write: Write, cell: str) -> None:
    path = write(f"text,verdict\na,1\nb,{cell}\nc,0\n")
    message = fail(path, label="verdict")
    assert message.startswith(f"{path}: column 'verdict', row 2")
    assert f"received '{cell}'" in message


@pytest.mark.parametrize("column", ["text", "label", "shop", "part"])
@pytest.mark.parametrize("cell", ["", '"  "'])
def test_empty_cell_is_named_with_file_column_and_row(write: Write, column: str, cell: str) -> None:
    row = {"text": "c", "label": "0", "shop": "A", "part": "train"}
    lines = [",".join(row), "a,0,A,train", "b,1,A,test", ",".join((row | {column: cell}).values())]
    path = write("\n".join(lines))
    message = fail(path, group="shop", split="part")
    assert message.startswith(f"{path}: column '{column}', row 3: expected a cell that is not empty, received")


@pytest.mark.parametrize("column", ["text", "label", "shop"])
def test_missing_value_of_a_parquet_file_is_named(tmp_path: Path, column: str) -> None:
    table = pd.DataFrame({"text": ["a", "b", "c"], "label": ["0", "1", "0"], "shop": ["A", "B", "C"]})
    table.loc[1, column] = None
    table.to_parquet(tmp_path / "my.parquet")
    message = fail(str(tmp_path / "my.parquet"), group="shop")
    assert f"column '{column}', row 2: expected a cell that is not empty" in message


@pytest.mark.parametrize("values", [[1, 2], [b"a", b"b"]], ids=["numbers", "bytes"])
def test_texts_of_a_parquet_file_are_texts(tmp_path: Path, values: list[object]) -> None:
    path = tmp_path / "my.parquet"
    pd.DataFrame({"text": values, "label": [0, 1]}).to_parquet(path)
    assert "column 'text', row 1: expected text, received" in fail(str(path))


def test_cell_that_is_no_split_is_named(write: Write) -> None:
    path = write("part,text,label\ntrain,a,1\ntest,b,0\nvalidation,c,0\n")
    assert f"{path}: column 'part', row 3" in fail(path, split="part")


@pytest.mark.parametrize(
    ("rows", "column", "only"),
    [("test,a,1\ntest,b,0", "part", "test"), ("train,a,0\ntest,b,0", "label", "negative")],
    ids=["split", "class"],
)
def test_column_of_one_value_is_an_error(write: Write, rows: str, column: str, only: str) -> None:
    message = fail(write(f"part,text,label\n{rows}\n"), split="part")
    assert (f"column '{column}'" in message, f"only {only}" in message) == (True, True)


# The user's file


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_users_file_is_never_written(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"my{suffix}"
    table = pd.DataFrame({"text": ["a", "b"], "label": [0, 1]})
    table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path)
    os.utime(path, (1, 1))
    before = path.read_bytes()
    read(str(path))
    assert (path.read_bytes(), path.stat().st_mtime, os.listdir(tmp_path)) == (before, 1, [path.name])


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=60).map(lambda tail: b"text,label\ngood,1\nbad,0\n" + tail),
        st.binary(max_size=60),
        st.text(alphabet='01posneg,;"\n \r\x85', max_size=80).map(lambda text: f"text,label\n{text}".encode()),
    )
)
def test_whatever_a_file_holds_it_is_read_or_refused_in_words(write: Write, content: bytes) -> None:
    path = write(content)
    try:
        table = read(path)
    except ReviewError as error:
        assert str(error).startswith(f"{path}: ")  # noqa: PT017 - either outcome is right
    else:
        ReviewsTable.validate(table)


# The archive


@pytest.mark.real_data
def test_archive_of_the_environment_variable_is_read(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMDB_ARCHIVE", str(real_data / "imdb/aclImdb_small.tar.gz"))
    table = read_reviews(ReviewSourceSpec())
    assert ReviewsTable.validate(table)["split"].value_counts().to_dict() == {"train": 1_000, "test": 1_000}


@pytest.mark.parametrize(("path", "origin"), [(None, "Large Movie Review Dataset"), ("my.csv", "my.csv")])
def test_source_has_a_name_for_messages(path: str | None, origin: str) -> None:
    assert ReviewSourceSpec(path=path).origin == origin


def test_groups_may_be_numbers(tmp_path: Path) -> None:
    path = tmp_path / "my.parquet"
    pd.DataFrame({"shop": [7, 8], "text": ["a", "b"], "label": [0, 1]}).to_parquet(path)
    assert read(str(path), group="shop")["group"].tolist() == ["7", "8"]


def test_row_that_is_too_short_is_named(write: Write) -> None:
    assert "row 4 has 1 of the 2 cells ['text', 'label']" in fail(write(PLAIN + "text\n"))
