"""The explorer's page of a classifier: its probabilities are those of Keras, in a real browser."""

import json
import logging
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from browser import open_page, use_page
from rnn_pipelines.errors import ParameterError
from rnn_pipelines.report.explorer import page as page_module
from rnn_pipelines.report.explorer.page import MAX_BYTES
from rnn_pipelines.sentiment.fitting import FittedClassifier
from rnn_pipelines.sentiment.interface import TextClassifier as Interface
from rnn_pipelines.sentiment.model.classifier import ClassifierArtefact
from rnn_pipelines.sentiment.report import explorer
from rnn_pipelines.sentiment.report.explorer import render_classifier
from rnn_pipelines.sentiment.text.cleaning import tokenize

TOLERANCE = 1e-5
TEXTS = ["The film was so good, it was great", "bad and dull, unseen", "awful"]
NUM_SLOW_TEXTS = int(os.environ.get("RNN_EXPLORER_TEXTS", "40"))
NUM_TYPED_TEXTS = int(os.environ.get("RNN_FUZZ_TYPED", "200"))


@pytest.fixture(scope="module")
def page(text_classifier: ClassifierArtefact) -> str:
    return render_classifier(text_classifier, TEXTS)


def run_in_page(page: str, folder: Path, body: str) -> Any:
    """Run the body of a function after the scripts of the page, and return what it returns."""
    path = folder / "gates.html"
    script = f"""<script>document.body.append(
        make("pre", {{ id: "result" }}, JSON.stringify((() => {{ {body} }})())));</script></body>"""
    path.write_text(page.replace("</body>", script))
    result, messages = open_page(path)
    assert messages == []
    return result


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


def draw_texts(count: int) -> list[str]:
    """Texts of known and unknown words, with markup, entities, signs and capitals."""
    words = [
        "bad",
        "Awful",
        "dull!",
        "GOOD",
        "great",
        "fine.",
        "a",
        "the",
        "film",
        "was",
        "so",
        "it",
        "unseen",
        "it's",
    ]
    words += [
        "it’s",
        "<br />good",
        "&amp;",
        "&lt;b&gt;",
        "1 < 2",
        "naïve",
        "Straße",
        "映画",
        "🙂",
        "x_1",
        "‘so",
        "<b>bad</b>",
    ]
    rng = np.random.default_rng(1)
    return [" ".join(rng.choice(words, rng.integers(1, 24))) for _ in range(count)]


@pytest.mark.chromium
@pytest.mark.parametrize("signs", [True, False])
def test_probabilities_of_typed_texts_are_those_of_predict(
    text_classifier: ClassifierArtefact, tmp_path: Path, signs: bool
) -> None:
    classifier = Interface()
    own = replace(text_classifier, signs=signs)
    classifier._artefact, texts = own, draw_texts(NUM_TYPED_TEXTS)
    typed = run_in_page(
        render_classifier(own, TEXTS),
        tmp_path,
        f"""return {json.dumps(texts)}.map((text) => readText(page, text)).map((item) => ({{ words: item.times,
            found: page.networks.map((network) => classify(page, network, item).probability) }}));""",
    )
    assert [one["words"] for one in typed] == [tokenize(text, signs)[:20] for text in texts]
    expected = classifier.predict([" ".join(one["words"]) for one in typed])[
        "probability"
    ].to_numpy()
    found = np.array([one["found"] for one in typed])
    assert np.abs(found - expected[:, None]).max() < TOLERANCE
    assert (expected == 0.5).any() or not signs
    assert np.ptp(expected) > 0.05


TYPE = """const labels = [...document.querySelectorAll("label")];
const box = labels.find((one) => one.textContent === "Your own text").control;
return ["great film", "the xyzzy was bad", " ", "dull ".repeat(30)].map((text) => {
    box.value = text;
    box.dispatchEvent(new Event("input"));
    const chosen = [...document.querySelectorAll("select")][1].selectedOptions[0].textContent;
    const words = document.querySelectorAll(".words button").length;
    const message = box.closest("div").nextSibling.textContent.trim();
    return { result: document.querySelector(".result").textContent, message, words, chosen };
});"""


@pytest.fixture(scope="module")
def typed(page: str, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the page shows of four texts that a reader types."""
    return run_in_page(page, tmp_path_factory.mktemp("typed"), TYPE)


@pytest.mark.chromium
def test_a_reader_sees_the_probability_of_a_typed_text(
    text_classifier: ClassifierArtefact, typed: list[dict[str, Any]]
) -> None:
    classifier = Interface()
    classifier._artefact = text_classifier
    probabilities = classifier.predict(["great film", "the xyzzy was bad"])["probability"]
    for shown, probability in zip(typed, probabilities, strict=False):
        sentence = f"positive is {probability:.3f}, as trained {probability:.3f}"
        assert sentence in shown["result"]


@pytest.mark.chromium
def test_a_reader_is_told_which_words_are_not_read(typed: list[dict[str, Any]]) -> None:
    assert [shown["message"] for shown in typed] == [
        "",
        "Not among the 12 words of this page: xyzzy.",
        "Type a word.",
        "Only the first 20 words are read.",
    ]


@pytest.mark.chromium
def test_a_reader_sees_the_words_of_a_typed_text(typed: list[dict[str, Any]]) -> None:
    assert [shown["words"] for shown in typed] == [2, 4, 4, 20]
    assert {shown["chosen"] for shown in typed} == {"your own text"}


@pytest.fixture(scope="module", params=["1400,1000", "390,900"])
def used(
    page: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> SimpleNamespace:
    """What a reader sees who uses the page in a window of a `size`: `seen` and `messages` of the console."""
    path = tmp_path_factory.mktemp("used") / "gates.html"
    path.write_text(use_page(page))
    seen, messages = open_page(path, "", f"--window-size={request.param}")
    return SimpleNamespace(size=request.param, seen=seen, messages=messages)


@pytest.mark.chromium
def test_the_page_of_texts_runs_quietly(used: SimpleNamespace) -> None:
    assert used.messages == []


@pytest.mark.chromium
def test_a_reader_changes_a_gate(used: SimpleNamespace) -> None:
    assert used.seen["forgotten"] != used.seen["before"] == used.seen["again"]


@pytest.mark.chromium
def test_a_reader_changes_a_unit(used: SimpleNamespace) -> None:
    assert used.seen["muted"] != used.seen["again"]


@pytest.mark.chromium
def test_controls_of_texts_can_be_used(used: SimpleNamespace) -> None:
    assert (used.seen["unnamed"], used.seen["unreachable"]) == ([], 0)
    assert used.seen["contrast"] >= 4.5


@pytest.mark.chromium
def test_controls_of_texts_stay_in_their_places(used: SimpleNamespace) -> None:
    if used.size.startswith("1400"):
        assert used.seen["moved_by"] == 0
    else:
        assert used.seen["width"] <= 390


@pytest.mark.slow
@pytest.mark.chromium
def test_probabilities_of_many_texts_are_those_of_keras(
    text_classifier: ClassifierArtefact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explorer, "MAX_TEXTS", NUM_SLOW_TEXTS)
    rng = np.random.default_rng(0)
    words = [
        "bad",
        "awful",
        "dull",
        "good",
        "great",
        "fine",
        "a",
        "the",
        "film",
        "was",
        "so",
        "it",
        "unseen",
    ]
    texts = [" ".join(rng.choice(words, rng.integers(1, 24))) for _ in range(NUM_SLOW_TEXTS)]
    assert check_page(render_classifier(text_classifier, texts), tmp_path) < TOLERANCE


@pytest.mark.chromium
def test_a_page_that_would_be_too_large_has_no_box_for_own_texts(
    text_classifier: ClassifierArtefact,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    whole = len(render_classifier(text_classifier, TEXTS))
    monkeypatch.setattr(page_module, "MAX_BYTES", whole + 10_000)
    assert "Your own text" in open_labels(render_classifier(text_classifier, TEXTS), tmp_path)
    large = replace(
        text_classifier,
        vocabulary=[*text_classifier.vocabulary, *(f"word{n}" for n in range(1900))],
    )
    with caplog.at_level(logging.WARNING):
        assert "Your own text" not in open_labels(render_classifier(large, TEXTS), tmp_path)
    assert "too large with words for texts of your own" in caplog.text


def test_vocabulary_is_the_largest_that_fits(
    text_classifier: ClassifierArtefact, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [*text_classifier.vocabulary, *(f"word{n}" for n in range(3000))]
    large = replace(text_classifier, vocabulary=words)
    sizes = []
    for limit in (10**6, 60_000, 20_000, 1):
        monkeypatch.setattr(explorer, "MAX_VOCABULARY_BYTES", limit)
        sizes.append(explorer.describe_classifier(large, TEXTS)["vocabulary"]["words"])
    assert [len(own) for own in sizes] == [2000, 1000, 250, 250]
    assert all(own == words[: len(own)] for own in sizes)


def open_labels(page: str, folder: Path) -> list[str]:
    labels: list[str] = run_in_page(
        page,
        folder,
        "return [...document.querySelectorAll('label')].map((one) => one.textContent);",
    )
    return labels


def test_a_classifier_of_three_classes_is_refused(three_classes: FittedClassifier) -> None:
    with pytest.raises(ParameterError, match="shows classifiers of two classes"):
        render_classifier(three_classes.classifier, TEXTS)


def test_a_classifier_without_networks_is_refused(text_classifier: ClassifierArtefact) -> None:
    with pytest.raises(ParameterError, match="no recurrent network"):
        render_classifier(replace(text_classifier, networks={}), TEXTS)


def test_texts_without_words_are_refused(text_classifier: ClassifierArtefact) -> None:
    with pytest.raises(ParameterError, match="at least one word"):
        render_classifier(text_classifier, ["", " "])


def test_interface_writes_the_page(text_classifier: ClassifierArtefact, tmp_path: Path) -> None:
    classifier = Interface()
    classifier._artefact = text_classifier
    classifier.explorer(tmp_path / "gates.html", TEXTS)
    assert "The gates of LSTM and GRU on texts" in (tmp_path / "gates.html").read_text()
