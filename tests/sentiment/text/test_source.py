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
from rnn_pipelines.sentiment.text.schema import ReviewsTable, list_classes
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec, parse_reviews, read_reviews

Write = Callable[..., str]

PLAIN = "text,label\nGood film,1\nBad film,0\nFine,1\n"
THREE: list[object] = ["positive", "negative", "positive"]
UMLAUT: list[object] = ["Good film", "Bad film", "Schön"]


def read(path: str, **options: object) -> pd.DataFrame:
    return read_reviews(ReviewSourceSpec(path=path, **options))


def fail(path: str, **options: object) -> str:
    """The message of the error that reading ends in."""
    with pytest.raises(ReviewError) as caught:
        read(path, **options)
    return str(caught.value)


def test_each_row_is_a_training_review_with_its_number(write: Write) -> None:
    assert read(write(PLAIN)).astype(object).fillna("none").values.tolist() == [
        ["1", "train", "1", "none", "positive", "Good film"],
        ["2", "train", "2", "none", "negative", "Bad film"],
        ["3", "train", "3", "none", "positive", "Fine"],
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
        {"text": ["good", "bad"], "label": ["positive", "negative"]},
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
    "byte-order mark": (b"\xef\xbb\xbf" + PLAIN.encode(), {}, {"label": THREE}),
    "Latin-1": (PLAIN.replace("Fine", "Schön").encode("latin-1"), {}, {"text": UMLAUT}),
    "UTF-16": (PLAIN.replace("Fine", "Schön").encode("utf-16"), {}, {"text": UMLAUT}),
    **{
        f"separator {sep!r}": (PLAIN.replace(",", sep), {}, {"label": THREE})
        for sep in (";", "\t", "|")
    },
    "path before archive": (PLAIN, {"archive": "none.tar.gz"}, {"label": THREE}),
    **{
        f"labels {negative}, {positive}": (
            f"text,label\na,{negative}\nb,{positive}\n",
            {},
            {"label": ["negative", "positive"]},
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
    "no rows": ("text,label\n", {}, ["no rows"]),
    "no group": (PLAIN, {"group": "none"}, ["no column ['none']"]),
    "no split": (PLAIN, {"split": "none"}, ["no column ['none']"]),
    "two columns": ("text,label,label\na,1,1\n", {}, ["column 'label'", "[2, 3]"]),
    "a short row": (PLAIN + "text\n", {}, ["row 5 has 1 of the 2 cells ['text', 'label']"]),
    **{
        f"label {cell}": (
            f"text,verdict\na,1\nb,{cell}\nc,0\n",
            {"label": "verdict"},
            ["column 'verdict'", f"'{cell}' is a result", "sentiment.source.labels"],
        )
        for cell in ("unknown", "Abstained")
    },
    **{
        f"several labels {cell!r}": (
            f'text,verdict\na,billing\nb,"{cell}"\nc,delivery\nd,DELIVERY\n',
            {"label": "verdict"},
            ["column 'verdict', row 3: expected one label", "sentiment.source.labels"],
        )
        for cell in (
            "billing; delivery",
            "billing|delivery",
            "Delivery, billing,",
            "billing\ndelivery",
        )
    },
    "more than 50 classes": (
        "text,label\n" + "".join(f"{n},class {n % 51}\n" for n in range(200)),
        {},
        ["expected 2 to 50 classes", "51 in 200 rows", "Join labels with sentiment.source.labels"],
    ),
    "numbers": (
        "text,label\n" + "".join(f"{n},{n % 101}\n" for n in range(300)),
        {},
        ["101 in 300 rows", "such as {low: [1, 2], high: [9, 10]}"],
    ),
    "IDs": (
        "text,label\n" + "".join(f"{n},{n}\n" for n in range(60)),
        {},
        ["60 in 60 rows", "name another column with sentiment.source.label"],
    ),
    "no row with text and label": ("text,label\n,1\na,\n", {}, ["received [] of the labels []"]),
    **{
        f"empty {column} {cell}": (
            BEGINNING + ",".join((ROLES | {column: cell}).values()),
            {"group": "shop", "split": "part"},
            [f"column '{column}', row 4"],
        )
        for column in ("shop", "part")
        for cell in ("", '"  "')
    },
    "two empty cells": (
        "shop,text,label\n,a,1\nA,b,0\n,c,0\n",
        {"group": "shop"},
        ["column 'shop', row 2", "(2 such cells in all)"],
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
        ["column 'label'", "['negative'] of the labels ['0']"],
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


# Rows 3 and 5 have no label, row 6 has one that is no class, row 7 has no text.
PARTLY = "shop,part,text,label\nA,train,a,4\nB,,b,\nA,test,c,1\n,,d,nan\nA,train,e,3\nB,,,\n"


@pytest.mark.parametrize(
    "options", [{}, {"split": "part"}, {"group": "shop"}], ids=["texts", "split", "group"]
)
def test_rows_without_a_label_are_kept_on_request(write: Write, options: dict[str, str]) -> None:
    labels = {"good": [4], "bad": [1]}
    without = read(write(PARTLY), labels=labels, **options)
    table = read(write(PARTLY), labels=labels, unlabelled=True, **options)
    is_unlabelled = table["split"] == "unlabelled"
    pd.testing.assert_frame_equal(table[~is_unlabelled].reset_index(drop=True), without)
    assert table["text"].tolist() == ["a", "b", "c", "d"]
    assert table.loc[is_unlabelled, "text"].tolist() == ["b", "d"]
    assert table["label"].isna().tolist() == is_unlabelled.tolist()
    assert ReviewsTable.validate(table) is table


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
    assert read(str(path))["label"].tolist() == ["negative", "positive"]


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
        ("my.parquet", PLAIN.encode(), "expected a Parquet file"),
    ],
    ids=["empty", "CSV"],
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
        {"path": "my.csv", "labels": {"good": [4, 5], "bad": ["5"]}},
        {"path": "my.csv", "labels": {"good": ["Yes"], "bad": ["yes "]}},
        {"path": "my.csv", "labels": {"good": [5]}},
        {"path": "my.csv", "labels": {f"{n}": [n] for n in range(51)}},
        {"path": "my.csv", "labels": {"good": [5], "Unknown": [1]}},
        {"path": "my.csv", "labels": {"good": [5], " ": [1]}},
    ],
    ids=[
        "text is label",
        "group is text",
        "group is split",
        "text of no table",
        "group of no table",
        "a number in two classes",
        "a text in two classes",
        "one class",
        "51 classes",
        "name of a result",
        "empty name",
    ],
)
def test_contradicting_options_are_an_error(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="Value error"):
        ReviewSourceSpec(**options)


def test_missing_group_of_a_parquet_file_is_named(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"text": ["a", "b", "c"], "label": ["0", "1", "0"], "shop": ["A", None, "C"]}
    )
    table.to_parquet(tmp_path / "my.parquet")
    message = fail(str(tmp_path / "my.parquet"), group="shop")
    assert "column 'shop', row 2: expected a cell that is not empty" in message


# Cells of a column of labels, and the classes that they become.
LABELS: dict[str, tuple[list[object], list[str]]] = {
    "numbers": ([4, 5, 4], ["4", "5", "4"]),
    "whole floating-point numbers": ([4.0, 5.5, -1.0], ["4", "5.5", "-1"]),
    "numbers and texts": ([4, "4.0", " 4 ", 4.0, "5"], ["4", "4", "4", "4", "5"]),
    "leading zeros": (["007", "7"], ["007", "7"]),
    "booleans": ([True, False], ["positive", "negative"]),
    "booleans and a third": ([True, False, "maybe"], ["True", "False", "maybe"]),
    "two of three": (["pos", "neg", "neutral"], ["pos", "neg", "neutral"]),
    "ratings": ([0, 1, 2], ["0", "1", "2"]),
    "white space": ([" late  delivery\n", "late delivery", "x"], ["late delivery"] * 2 + ["x"]),
    "spellings": (["BILLING", "Billing", "Billing", "x"], ["Billing"] * 3 + ["x"]),
    "equal spellings": (["b", "B", "x"], ["B", "B", "x"]),
    "invisible signs": (["\ufeffa", "a\u200b", "\u202ea\0", "x"], ["a", "a", "a", "x"]),
    "composed": (["e\u0301", "é", "x"], ["é", "é", "x"]),
    "commas": (["Books, music", "books", "x"], ["Books, music", "books", "x"]),
    "scripts": (["жалоба", "похвала", "😡"], ["жалоба", "похвала", "😡"]),
}


def parse(texts: list[object], labels: list[object], **options: object) -> pd.DataFrame:
    table = pd.DataFrame({"text": texts, "label": labels}, dtype=object)
    return parse_reviews(table, ReviewSourceSpec(path="my.csv", **options))


@pytest.mark.parametrize(("cells", "classes"), LABELS.values(), ids=LABELS)
def test_each_label_is_a_class(cells: list[object], classes: list[str]) -> None:
    table = parse([f"text {n}" for n in range(len(cells))], cells)
    assert ReviewsTable.validate(table)["label"].tolist() == classes


@pytest.mark.parametrize("cell", [["a", "b"], {"a": 1}, ("a",), b"a", "\ud800"], ids=repr)
def test_cell_that_is_no_label_is_named(cell: object) -> None:
    with pytest.raises(ReviewError, match=r"column 'label', row 2: expected a label"):
        parse(["good", "bad", "fine"], ["a", cell, "b"])


@pytest.mark.parametrize(
    ("text", "label"),
    [
        *((text, "a") for text in ("", "  ", "<br />", "&nbsp;<p> </p>", "\u200b", "\0", None)),
        *(("ugly", label) for label in ("", " ", "nan", "#N/A", float("nan"), None, pd.NA, pd.NaT)),
    ],
    ids=repr,
)
def test_row_without_text_or_label_is_left_out(
    text: object, label: object, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        table = parse(["good", text, "bad"], ["a", label, "b"])
    reason = "0 without a text, 1 without a label"
    if text != "ugly":
        reason = "1 without a text, 0 without a label"
    assert caplog.messages == [f"my.csv: of 3 rows, 1 left out: {reason}"]
    assert table[["review_id", "text", "label"]].values.tolist() == [
        ["1", "good", "a"],
        ["3", "bad", "b"],
    ]


def test_rows_below_one_that_is_left_out_keep_their_numbers(write: Write) -> None:
    content = "shop,text,label\nA,,1\nB,b,0\n,c,1\n"
    assert "column 'shop', row 4" in fail(write(content), group="shop")


def test_labels_are_joined_to_classes(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    path = write("text,label\na,5\nb,4.0\nc,3\nd,1\ne,Worst\n")
    labels = {"good": [4, 5.0], "bad": [1, "2", "WORST"]}
    with caplog.at_level("INFO"):
        table = read(path, labels=labels)
    assert dict(zip(table["text"], table["label"], strict=True)) == {
        "a": "good",
        "b": "good",
        "d": "bad",
        "e": "bad",
    }
    assert caplog.messages == [
        f"{path}: no row has these of sentiment.source.labels: ['2']",
        f"{path}: of 5 rows, 1 left out: 0 without a text, 1 without a label of sentiment.source.labels",
    ]


def test_labels_that_no_row_has_are_refused_with_those_of_the_file(write: Write) -> None:
    labels = {"good": [4, 5], "bad": [1]}
    assert "received [] of the labels ['1', '0']" in fail(
        write(PLAIN), labels={"good": [4, 5], "bad": [2]}
    )
    assert "received ['bad'] of the labels ['1', '2']" in fail(
        write("text,label\na,1\nb,2\n"), labels=labels
    )


def test_labels_of_the_mapping_may_have_commas(write: Write) -> None:
    path = write('text,label\na,x\nb,"x, y"\nc,y\n')
    table = read(path, labels={"one": ["x", "y"], "both": ["x, y"]})
    assert table["label"].tolist() == ["one", "both", "one"]


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


@pytest.mark.real_data
def test_ratings_of_the_archive_are_classes(real_data: Path) -> None:
    archive = str(real_data / "imdb/aclImdb_small.tar.gz")
    table = read_reviews(ReviewSourceSpec(archive=archive, label="rating"))
    assert list_classes(ReviewsTable.validate(table)) == ["1", "2", "3", "4", "7", "8", "9", "10"]
    assert (table["label"].astype(int) == table["rating"]).all()
    labels = {"worst": [1], "best": [10]}
    few = read_reviews(ReviewSourceSpec(archive=archive, label="rating", labels=labels))
    assert few["rating"].map({1: "worst", 10: "best"}).tolist() == few["label"].tolist()


@pytest.mark.parametrize(
    ("path", "origin"), [(None, "Large Movie Review Dataset"), ("my.csv", "my.csv")]
)
def test_source_has_a_name_for_messages(path: str | None, origin: str) -> None:
    assert ReviewSourceSpec(path=path).origin == origin
