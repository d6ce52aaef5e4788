"""Texts to score: every row or line gets its number, and a file that can't be read says what to do."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from rnn_pipelines.errors import ReviewError
from rnn_pipelines.sentiment.text.files import TextFileSpec, read_texts

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, content: str | bytes) -> str:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write


@pytest.fixture
def save(tmp_path: Path) -> Callable[[pd.Series], str]:
    """Saves texts as a Parquet file."""

    def save(texts: pd.Series) -> str:
        path = tmp_path / "mine.parquet"
        pd.DataFrame({"text": texts}).to_parquet(path)
        return str(path)

    return save


def read(path: str, **options: str) -> list[str]:
    table = read_texts(TextFileSpec(path=path, **options))
    assert table["row"].tolist() == list(range(1, len(table) + 1))
    return table["text"].tolist()


def fail(path: str, **options: str) -> str:
    with pytest.raises(ReviewError) as caught:
        read(path, **options)
    return str(caught.value)


READ: dict[str, tuple[str, str | bytes, list[str]]] = {
    "semicolons": ("mine.csv", "id;text\n1;good, really good\n", ["good, really good"]),
    "Latin-1": ("mine.csv", "text\nschön\n".encode("latin-1"), ["schön"]),
    "lines": (
        "mine.txt",
        "good film\n\nbad\x85film\u2028\n",
        ["good film", "", "bad\x85film\u2028"],
    ),
    "lines of Windows": ("mine.TXT", "\ufeffgood\r\nbad\r\n", ["good", "bad"]),
    "lines of old Macs": ("mine.txt", "good\rbad\r", ["good", "bad"]),
    "lines of old Macs without the last end": ("mine.txt", "good\rbad", ["good", "bad"]),
    "a carriage return": ("mine.txt", "go\rod\nbad\n", ["go\rod", "bad"]),
    "no last end": ("mine.txt", "good\nbad", ["good", "bad"]),
    "a column": (
        "mine.csv",
        'id,text\n1,"good, really"\n2,"two\nlines"\n',
        ["good, really", "two\nlines"],
    ),
    **{
        cell: ("mine.csv", f"text\n{cell}\n", [cell])
        for cell in ("NA", "null", "1", "2.50", "True")
    },
    "an empty cell": ("mine.csv", "text,id\ngood,1\n,2\nbad,3\n", ["good", "", "bad"]),
    "empty lines among several columns": (
        "mine.csv",
        "\ntext,id\ngood,1\n\nbad,3\n\n",
        ["good", "bad"],
    ),
    # Or all rows after it would have another row's score.
    "an empty line of one column": ("mine.csv", "text\ngood\n\nbad\n", ["good", "", "bad"]),
    "an empty line above one column": ("mine.csv", "\ntext\ngood\n", ["good"]),
}


@pytest.mark.parametrize(("name", "content", "expected"), READ.values(), ids=READ)
def test_texts_of_a_file_are_read(
    write: Write, name: str, content: str | bytes, expected: list[str]
) -> None:
    assert read(write(name, content)) == expected


def test_column_of_texts_is_chosen(write: Write) -> None:
    assert read(write("mine.csv", "id,body\n1,good\n"), text="body") == ["good"]


@pytest.mark.parametrize("dtype", ["object", "string", "category"])
def test_missing_text_is_an_empty_text(save: Callable[[pd.Series], str], dtype: str) -> None:
    assert read(save(pd.Series(["good", None, "bad"], dtype=dtype))) == ["good", "", "bad"]


@pytest.mark.parametrize(
    ("name", "content"),
    [("mine.txt", ""), ("mine.txt", "\ufeff"), ("mine.csv", "text\n"), ("mine.csv", "id,text\n\n")],
    ids=["no line", "mark alone", "header alone", "header of two"],
)
def test_file_without_texts_is_refused(write: Write, name: str, content: str) -> None:
    path = write(name, content)
    assert fail(path).startswith(f"{path}: expected a text in each row or line, received none.")


def test_table_without_rows_is_refused(save: Callable[[pd.Series], str]) -> None:
    assert "received none" in fail(save(pd.Series([], dtype="str")))


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("mine.csv", b"", "expected a CSV file in UTF-8"),
        ("mine.txt", "caf\xe9\n".encode("latin-1"), "expected a text file in UTF-8"),
        ("mine.parquet", b"PK\x03\x04", "expected a Parquet file"),
        ("mine.docx", b"PK\x03\x04", "A .txt file holds one text in each line."),
        ("mine.csv", "text\ngood, really good\n", "Quote cells that hold a comma"),
        ("mine.csv", "body\ngood\n", "no column ['text']; its columns are ['body']"),
    ],
    ids=[
        "empty",
        "Latin-1 text",
        "no Parquet",
        "other kind",
        "commas",
        "no column",
    ],
)
def test_unreadable_file_says_what_to_do(
    write: Write, name: str, content: str | bytes, expected: str
) -> None:
    path = write(name, content)
    message = fail(path)
    assert message.startswith(path)
    assert expected in message


@pytest.mark.parametrize("texts", [[1, 2], [b"a", b"b"]], ids=["numbers", "bytes"])
def test_cell_that_is_no_text_is_named(save: Callable[[pd.Series], str], texts: list) -> None:
    assert "column 'text', row 1: expected text, received" in fail(save(pd.Series(texts)))


def test_a_missing_file_of_texts_is_refused(tmp_path: Path) -> None:
    assert "no such file" in fail(str(tmp_path / "mine.csv"))


def test_a_folder_of_texts_is_refused(tmp_path: Path) -> None:
    assert "received a folder" in fail(str(tmp_path))


def test_a_missing_path_names_its_parameter() -> None:
    with pytest.raises(ReviewError, match=r"predict_sentiment\.path"):
        read_texts(TextFileSpec())


def test_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.txt").write_text("good\n")
    (tmp_path / "mine.csv").write_text("text\ngood\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("~/mine.txt", "~/mine.csv"):
        assert read_texts(TextFileSpec(path=name))["text"].tolist() == ["good"]
