"""The words behind an answer are those whose removal changes it, with the size of the change."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.sentiment.fitting import FittedClassifier
from rnn_pipelines.sentiment.model import explanation
from rnn_pipelines.sentiment.model.classifier import (
    ClassifierArtefact,
    read_probabilities,
    score_sentiment,
)
from rnn_pipelines.sentiment.model.explanation import explain_texts

TEXT = "the good film was bad , so great"


def compute_log_odds(classifier: ClassifierArtefact, text: str, label: str) -> float:
    scores = score_sentiment(classifier, pd.DataFrame({"row": [1], "text": [text]}))
    probability = read_probabilities(scores, classifier.class_facts["classes"])[label][0]
    return float(np.log(probability / (1 - probability)))


@pytest.mark.parametrize("classes", ["two_classes", "three_classes"])
@pytest.mark.parametrize("text", [TEXT, "a good good film , it was good", "so dull"])
def test_effect_of_a_word_is_the_change_of_the_log_odds_without_it(
    request: pytest.FixtureRequest, classes: str, text: str
) -> None:
    classifier = request.getfixturevalue(classes).classifier
    [explained] = explain_texts(classifier, [text])
    scores = score_sentiment(classifier, pd.DataFrame({"row": [1], "text": [text]}))
    whole = compute_log_odds(classifier, text, scores["label"][0])
    effects = explained["words_for"] | explained["words_against"]
    without = {word: " ".join(other for other in text.split() if other != word) for word in effects}
    expected = {
        word: whole - compute_log_odds(classifier, rest, scores["label"][0])
        for word, rest in without.items()
    }
    assert effects == pytest.approx(expected, rel=1e-6)


def test_the_telling_word_has_the_largest_effect(two_classes: FittedClassifier) -> None:
    [explained] = explain_texts(two_classes.classifier, ["a great film so it was"])
    assert next(iter(explained["words_for"])) == "great"


def test_word_of_the_other_class_is_against_the_answer(two_classes: FittedClassifier) -> None:
    [explained] = explain_texts(two_classes.classifier, ["great good fine but dull"])
    assert "dull" in explained["words_against"]


def test_effects_are_in_descending_size(three_classes: FittedClassifier) -> None:
    [explained] = explain_texts(three_classes.classifier, ["bad good loud dull great fine so"])
    both = explained["words_for"], explained["words_against"]
    sizes = [list(map(abs, effects.values())) for effects in both]
    assert sizes == [sorted(effects, reverse=True) for effects in sizes]


def test_at_most_five_words_are_for_an_answer(two_classes: FittedClassifier) -> None:
    text = "good great fine a the film was so it bad dull awful"
    [explained] = explain_texts(two_classes.classifier, [text])
    assert max(len(explained["words_for"]), len(explained["words_against"])) == 5


def test_words_without_an_effect_are_left_out(two_classes: FittedClassifier) -> None:
    ngrams = two_classes.classifier.ngrams
    blind = replace(ngrams, weights=np.zeros_like(ngrams.weights))
    [explained] = explain_texts(replace(two_classes.classifier, ngrams=blind), [TEXT])
    assert explained == {"words_for": {}, "words_against": {}}


@pytest.mark.parametrize("text", ["", "xyzzy plugh", "😀"])
def test_text_without_known_words_has_no_explanation(
    two_classes: FittedClassifier, text: str
) -> None:
    [explained] = explain_texts(two_classes.classifier, [text])
    assert explained == {"words_for": {}, "words_against": {}}


def test_unknown_words_are_left_out(two_classes: FittedClassifier) -> None:
    [explained] = explain_texts(two_classes.classifier, ["a great xyzzy film"])
    assert "xyzzy" not in explained["words_for"] | explained["words_against"]


def test_explanation_does_not_depend_on_the_texts_at_once(
    three_classes: FittedClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["bad good loud dull great fine so"]
    expected = explain_texts(three_classes.classifier, texts)
    monkeypatch.setattr(explanation, "MAX_WORDS_AT_ONCE", 1)
    assert explain_texts(three_classes.classifier, texts) == expected


def test_of_many_words_those_with_large_weights_are_removed(
    two_classes: FittedClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explanation, "MAX_CANDIDATES", 1)
    [explained] = explain_texts(two_classes.classifier, ["a great film so it was"])
    assert list(explained["words_for"]) == ["great"]


def test_text_of_a_megabyte_is_explained(two_classes: FittedClassifier) -> None:
    [explained] = explain_texts(two_classes.classifier, ["a great film so it was " * 45_000])
    assert next(iter(explained["words_for"])) == "great"
