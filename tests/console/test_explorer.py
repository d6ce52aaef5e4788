"""The command `explorer` on a saved model and its data."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rnn_pipelines.champion.folders import save_folder
from rnn_pipelines.console.main import commands
from rnn_pipelines.errors import RunError
from rnn_pipelines.forecast.model.packing import pack
from rnn_pipelines.forecast.windows.panel import WindowSpec
from rnn_pipelines.sentiment.model import packing
from rnn_pipelines.sentiment.model.classifier import ClassifierArtefact


def run(*words: object) -> None:
    commands.main(["explorer", *map(str, words)], standalone_mode=False)


@pytest.fixture
def prepared(
    prepare: Callable[..., SimpleNamespace], make_values: Callable[..., list[float]]
) -> SimpleNamespace:
    values = {name: make_values(60, seed) for seed, name in enumerate(("a", "b"))}
    return prepare(values, window=WindowSpec(lookback=6, horizon=2))


def test_page_of_a_series_of_a_saved_model_is_written_once(
    make_forecaster: Callable[..., Any],
    prepared: SimpleNamespace,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    save_folder(tmp_path / "model", pack(make_forecaster(prepared, "gru")))
    table = tmp_path / "table.csv"
    prepared.series.rename(columns={"ds": "day", "y": "sales"})[
        ["unique_id", "day", "sales"]
    ].to_csv(table, index=False)
    page = tmp_path / "gates.html"
    options = ["-t", "day", "-y", "sales", "--series", "b", "-o", page]
    run(tmp_path / "model", table, *options)
    assert capsys.readouterr().out.strip() == str(page)
    assert "The gates of GRU" in page.read_text()
    assert '"series":"b"' in page.read_text()
    with pytest.raises(RunError, match="--output"):
        run(tmp_path / "model", table, *options)


def test_page_of_a_saved_classifier_shows_the_texts_of_a_file(
    text_classifier: ClassifierArtefact, tmp_path: Path
) -> None:
    save_folder(tmp_path / "model", packing.pack(text_classifier))
    (tmp_path / "texts.csv").write_text("review\nthe film was great\nawful\n")
    run(
        tmp_path / "model",
        tmp_path / "texts.csv",
        "--text",
        "review",
        "-o",
        tmp_path / "gates.html",
    )
    assert "the film was great" in (tmp_path / "gates.html").read_text()
