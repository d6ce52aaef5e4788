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


def test_each_row_is_a_training_review_with_its_number(write: Write) -> None:
    assert read(write(PLAIN)).astype(object).fillna("none").values.tolist() == [
        ["1", "train", "1", "none", 1, "Good film"],
        ["2", "train", "2", "none", 0, "Bad film"],
        ["3", "train", "3", "none", 1, "Fine"],
    ]
    table = read(write(PLAIN))
    assert ReviewsTable.validate(table) is table


@pytest.mark.parametrize("name", ["my.parquet", "MY.CSV", "my.csv.gz"])
def test_every_kind_of_file_gives_the_same_table(write: Write, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if "p" in path.suffix:
        pd.DataFrame({"text": ["Good film", "Bad film", "Fine"], "label": [1, 0, 1]}).to_parquet(
            path
        )
    else:
        path.write_bytes(gzip.compress(PLAIN.encode()) if "gz" in name else PLAIN.encode())
    pd.testing.assert_frame_equal(read(str(path)), read(write(PLAIN, "plain.csv")))


# File, options, and the columns that are read of it.
READ: dict[str, tuple[str | bytes, dict[str, str], dict[str, list[object]]]] = {
    "own names": (
        "stars,body,verdict\n5,good,pos\n1,bad,neg\n",
        {"text": "body", "label": "verdict"},
        {"text": ["good", "bad"], "label": [1, 0]},
    ),
    "groups": (
        "shop,text,label\nA,a,1\nB,b,0\nA,c,1\n",
        {"group": "shop"},
        {"group": ["A", "B", "A"]},
    ),
    "split": (
        "part,text,label\nTrain,good,1\ntest,bad,0\n",
        {"split": "part"},
        {"split": ["train", "test"]},
    ),
    "byte-order mark": (b"\xef\xbb\xbf" + PLAIN.encode(), {}, {"label": [1, 0, 1]}),
    "path before archive": (PLAIN, {"archive": "none.tar.gz"}, {"label": [1, 0, 1]}),
    **{
        f"labels {negative}, {positive}": (
            f"text,label\na,{negative}\nb,{positive}\n",
            {},
            {"label": [0, 1]},
        )
        for negative, positive in (
            ("False", "TRUE"),
            ("neg", "pos"),
            ("Negative", "POSITIVE"),
            (" neg ", "1"),
        )
    },
    **{
        f"text {text!r}": (
            f'text,label\n"{text}",1\nb,0\n',
            {},
            {"text": [text.replace('""', '"'), "b"]},
        )
        for text in (
            "a\u0085b",
            "NA",
            "null",
            "123",
            "<br />",
            "好 \U0001f600",
            "two\nlines",
            'say ""x""',
        )
    },
}
ROLES = {"text": "c", "label": "0", "shop": "A", "part": "train"}
BEGINNING = f"{','.join(ROLES)}\na,0,A,train\nb,1,A,test\n"
# File, options, and parts of the error.
REFUSED: dict[str, tuple[str, dict[str, str], list[str]]] = {
    # Texts with commas and no quotes: pandas would take the cell before the comma for the index.
    "surplus cells": ("text,label\nGood, really,1\nBad, really,0\n", {}, ["Quote cells"]),
    **{
        f"separator {sep!r}": (
            PLAIN.replace(",", sep),
            {},
            ["Separate the cells of each line by commas"],
        )
        for sep in (";", "\t", "|")
    },
    "no rows": ("text,label\n", {}, ["no rows"]),
    "no group": (PLAIN, {"group": "none"}, ["no column ['none']"]),
    "no split": (PLAIN, {"split": "none"}, ["no column ['none']"]),
    "two columns": ("text,label,label\na,1,1\n", {}, ["column 'label'", "[2, 3]"]),
    "a short row": (PLAIN + "text\n", {}, ["row 5 has 1 of the 2 cells ['text', 'label']"]),
    **{
        f"label {cell}": (
            f"text,verdict\na,1\nb,{cell}\nc,0\n",
            {"label": "verdict"},
            ["column 'verdict', row 3", f"'{cell}'"],
        )
        for cell in ("2", "0.5", "nan")
    },
    **{
        f"empty {column} {cell}": (
            BEGINNING + ",".join((ROLES | {column: cell}).values()),
            {"group": "shop", "split": "part"},
            [f"column '{column}', row 4"],
        )
        for column in ROLES
        for cell in ("", '"  "')
    },
    "two empty cells": (
        "text,label\n,1\na,0\n,0\n",
        {},
        ["column 'text', row 2", "(2 such cells in all)"],
    ),
    "another split": (
        "part,text,label\ntrain,a,1\ntest,b,0\nvalidation,c,0\n",
        {"split": "part"},
        ["column 'part', row 4"],
    ),
    "one split": (
        "part,text,label\ntest,a,1\ntest,b,0\n",
        {"split": "part"},
        ["column 'part'", "only test"],
    ),
    "one class": (
        "part,text,label\ntrain,a,0\ntest,b,0\n",
        {"split": "part"},
        ["column 'label'", "only negative"],
    ),
}


@pytest.mark.parametrize(("content", "options", "expected"), READ.values(), ids=READ)
def test_table_is_read(
    write: Write, content: str | bytes, options: dict[str, str], expected: dict[str, list[object]]
) -> None:
    table = read(write(content), **options)
    assert {name: table[name].tolist() for name in expected} == expected


@pytest.mark.parametrize(("content", "options", "parts"), REFUSED.values(), ids=REFUSED)
def test_table_is_refused_by_cell(
    write: Write, content: str, options: dict[str, str], parts: list[str]
) -> None:
    path = write(content)
    message = fail(path, **options)
    assert message.startswith(f"{path}: ")
    assert [part for part in parts if part not in message] == []


def test_texts_may_be_the_index_of_pandas(tmp_path: Path) -> None:
    path = tmp_path / "my.parquet"
    pd.DataFrame({"shop": [7, 8], "text": ["a", "b"], "label": [0, 1]}).set_index(
        "text"
    ).to_parquet(path)
    table = read(str(path), group="shop")
    assert (table["group"].tolist(), table["text"].tolist()) == (["7", "8"], ["a", "b"])


@pytest.mark.parametrize("labels", [[0, 1], [0.0, 1.0], [False, True]])
@pytest.mark.parametrize("kind", ["plain", "category"])
def test_labels_of_a_parquet_file_keep_their_meaning(
    tmp_path: Path, labels: list[object], kind: str
) -> None:
    path = tmp_path / "my.parquet"
    table = pd.DataFrame({"text": ["a", "b"], "label": labels})
    (table.astype({"label": "category"}) if kind == "category" else table).to_parquet(path)
    assert read(str(path))["label"].tolist() == [0, 1]


def test_missing_file_is_named_with_the_folder_that_was_searched(tmp_path: Path) -> None:
    path = tmp_path / "none.csv"
    message = fail(str(path))
    assert (
        str(path) in message,
        str(Path.cwd()) in message,
        "sentiment.source.path" in message,
    ) == (True,) * 3
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
        ("my.parquet", PLAIN.encode(), "expected a Parquet file"),
    ],
    ids=["empty", "UTF-16", "Latin-1", "CSV"],
)
def test_unreadable_file_says_what_is_expected(
    write: Write, name: str, content: bytes, expected: str
) -> None:
    path = write(content, name)
    message = fail(path)
    assert message.startswith(f"{path}: expected")
    assert expected in message


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_missing_column_is_named_beside_the_columns_there_are(tmp_path: Path, suffix: str) -> None:
    table = pd.DataFrame({"body": ["good"], "label": [1]})
    path = tmp_path / f"my{suffix}"
    table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path)
    message = fail(str(path))
    assert ("['text']" in message, "['body', 'label']" in message) == (True, True)


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
    ids=[
        "text is label",
        "group is text",
        "group is split",
        "text of no table",
        "group of no table",
        "unlabelled",
    ],
)
def test_contradicting_options_are_an_error(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="Value error"):
        ReviewSourceSpec(**options)


@pytest.mark.parametrize("column", ["text", "label", "shop"])
def test_missing_value_of_a_parquet_file_is_named(tmp_path: Path, column: str) -> None:
    table = pd.DataFrame(
        {"text": ["a", "b", "c"], "label": ["0", "1", "0"], "shop": ["A", "B", "C"]}
    )
    table.loc[1, column] = None
    table.to_parquet(tmp_path / "my.parquet")
    message = fail(str(tmp_path / "my.parquet"), group="shop")
    assert f"column '{column}', row 2: expected a cell that is not empty" in message


@pytest.mark.parametrize("values", [[1, 2], [b"a", b"b"]], ids=["numbers", "bytes"])
def test_texts_of_a_parquet_file_are_texts(tmp_path: Path, values: list[object]) -> None:
    path = tmp_path / "my.parquet"
    pd.DataFrame({"text": values, "label": [0, 1]}).to_parquet(path)
    assert "column 'text', row 1: expected text, received" in fail(str(path))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_users_file_is_never_written(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"my{suffix}"
    table = pd.DataFrame({"text": ["a", "b"], "label": [0, 1]})
    table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path)
    os.utime(path, (1, 1))
    before = path.read_bytes()
    read(str(path))
    assert (path.read_bytes(), path.stat().st_mtime, os.listdir(tmp_path)) == (
        before,
        1,
        [path.name],
    )


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=60).map(lambda tail: b"text,label\ngood,1\nbad,0\n" + tail),
        st.binary(max_size=60),
        st.text(alphabet='01posneg,;"\n \r\x85', max_size=80).map(
            lambda text: f"text,label\n{text}".encode()
        ),
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


@pytest.mark.real_data
def test_archive_of_the_environment_variable_is_read(
    real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMDB_ARCHIVE", str(real_data / "imdb/aclImdb_small.tar.gz"))
    table = read_reviews(ReviewSourceSpec())
    assert ReviewsTable.validate(table)["split"].value_counts().to_dict() == {
        "train": 1_000,
        "test": 1_000,
    }


@pytest.mark.parametrize(
    ("path", "origin"), [(None, "Large Movie Review Dataset"), ("my.csv", "my.csv")]
)
def test_source_has_a_name_for_messages(path: str | None, origin: str) -> None:
    assert ReviewSourceSpec(path=path).origin == origin
