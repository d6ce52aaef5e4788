"""The explorer's page of a classifier: its probabilities are those of Keras, in a real browser."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from browser import open_page, use_page
from rnn_pipelines.errors import ParameterError
from rnn_pipelines.report.explorer.page import MAX_BYTES
from rnn_pipelines.sentiment.interface import TextClassifier as Interface
from rnn_pipelines.sentiment.model.classifier import TextClassifier
from rnn_pipelines.sentiment.report import explorer
from rnn_pipelines.sentiment.report.explorer import render_classifier

TOLERANCE = 1e-5
TEXTS = ["The film was so good, it was great", "bad and dull, unseen", "awful"]
NUM_SLOW_TEXTS = int(os.environ.get("RNN_EXPLORER_TEXTS", "40"))


@pytest.fixture(scope="module")
def page(text_classifier: TextClassifier) -> str:
    return render_classifier(text_classifier, TEXTS)


def check_page(page: str, folder: Path) -> float:
    path = folder / "gates.html"
    path.write_text(page)
    result, messages = open_page(path, "#check")
    assert messages == []
    difference: float = result["difference"]
    return difference


@pytest.mark.chromium
def test_probabilities_after_each_word_are_those_of_keras(page: str, tmp_path: Path) -> None:
    assert check_page(page, tmp_path) < TOLERANCE
    assert len(page.encode()) < MAX_BYTES


@pytest.mark.chromium
@pytest.mark.parametrize("switches", [["--window-size=1400,1000"], ["--window-size=390,900"]])
def test_a_reader_changes_gate_and_unit_at_any_width(page: str, tmp_path: Path, switches: list[str]) -> None:
    path = tmp_path / "gates.html"
    path.write_text(use_page(page))
    result, messages = open_page(path, "", *switches)
    assert messages == []
    assert result["forgotten"] != result["before"] == result["again"]
    assert result["muted"] != result["again"]
    assert (result["unnamed"], result["unreachable"]) == ([], 0)
    assert result["contrast"] >= 4.5
    if "1400" in switches[0]:
        assert result["moved_by"] == 0
    if "390" in switches[0]:
        assert result["width"] <= 390


@pytest.mark.slow
@pytest.mark.chromium
def test_probabilities_of_many_texts_are_those_of_keras(
    text_classifier: TextClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explorer, "MAX_TEXTS", NUM_SLOW_TEXTS)
    rng = np.random.default_rng(0)
    words = ["bad", "awful", "dull", "good", "great", "fine", "a", "the", "film", "was", "so", "it", "unseen"]
    texts = [" ".join(rng.choice(words, rng.integers(1, 24))) for _ in range(NUM_SLOW_TEXTS)]
    assert check_page(render_classifier(text_classifier, texts), tmp_path) < TOLERANCE


def test_a_classifier_without_networks_and_texts_without_words_are_refused(text_classifier: TextClassifier) -> None:
    with pytest.raises(ParameterError, match="no recurrent network"):
        render_classifier(replace(text_classifier, networks={}), TEXTS)
    with pytest.raises(ParameterError, match="at least one word"):
        render_classifier(text_classifier, ["", " "])


def test_interface_writes_the_page(text_classifier: TextClassifier, tmp_path: Path) -> None:
    classifier = Interface()
    classifier._artefact = text_classifier
    classifier.explorer(tmp_path / "gates.html", TEXTS)
    assert "The gates of LSTM and GRU on texts" in (tmp_path / "gates.html").read_text()
