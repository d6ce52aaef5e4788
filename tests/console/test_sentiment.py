"""The command `sentiment` on an ordinary file."""

import random
from io import BytesIO, StringIO
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from rnn_pipelines import TextClassifier
from rnn_pipelines.console.main import commands
from rnn_pipelines.errors import ReviewError

WORDS = {"Lieferung": ["Paket", "Bote", "spät"], "Rechnung": ["Betrag", "Mahnung", "doppelt"]}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file as Excel writes it in Germany."""
    source = random.Random(0)
    lines = ["Nr;Grund;Beschwerde"]
    for number in range(120):
        (grund, words) = source.choice(list(WORDS.items()))
        lines.append(f"{number};{grund};{' '.join(source.choices([*words, 'und', 'sehr'], k=8))}")
    path = tmp_path / "beschwerden.csv"
    path.write_bytes("\r\n".join(lines).encode("cp1252"))
    monkeypatch.chdir(tmp_path)
    return path


def run(*words: str) -> None:
    commands.main(["sentiment", *words], standalone_mode=False)


def test_a_file_is_enough(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(path.name)
    assert "Rechnung" in capsys.readouterr().out
    table = TextClassifier.load("beschwerden-sentiment/model").predict(["Bote Paket", "Mahnung"])
    assert table["label"].tolist() == ["Lieferung", "Rechnung"]


def test_labels_are_joined_by_a_setting(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(path.name, "--set", "source.labels={bill: [rechnung], box: [lieferung]}", "--quiet")
    assert capsys.readouterr().out == "beschwerden-sentiment\n"
    loaded = TextClassifier.load("beschwerden-sentiment/model")
    assert loaded.predict(["Mahnung"])["label"].tolist() == ["bill"]


def test_predict_finds_the_column_of_texts(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(path.name, "--quiet")
    Path("new.csv").write_text("Nr;Beschwerde\n7;Bote Paket\n8;Mahnung\n")
    capsys.readouterr()
    commands.main(["predict", "beschwerden-sentiment/model", "new.csv"], standalone_mode=False)
    table = pd.read_csv(StringIO(capsys.readouterr().out))
    assert table["text"].tolist() == ["Bote Paket", "Mahnung"]
    assert table["label"].tolist() == ["Lieferung", "Rechnung"]


def test_report_of_the_standard_input_names_no_temporary_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=BytesIO(path.read_bytes())))
    run("-", "--quiet", "--output", "new", "--set", "source.group=null")
    page = Path("new/report.html").read_text()
    assert ("standard input" in page, "stdin.csv" in page) == (True, False)


def test_messages_name_the_options(path: Path) -> None:
    with pytest.raises(ReviewError, match="name another column with --label"):
        run(path.name, "--label", "Nr")
