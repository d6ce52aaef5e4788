"""Every text has a defined answer, the same one whatever else is scored."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.sentiment.methods.nb_ngram import score_ngrams
from rnn_pipelines.sentiment.model import classifier as scoring
from rnn_pipelines.sentiment.model.classifier import (
    ClassifierArtefact,
    assemble_classifier,
    score_sentiment,
)
from rnn_pipelines.sentiment.text.encoding import PaddingSpec, encode_texts
from rnn_pipelines.sentiment.text.vocabulary import VocabularySpec

COLUMNS = [
    "row", "label", "probability", "confidence", "num_words", "num_known_words", "is_unlike", "text"
]  # fmt: skip
UNKNOWN_TEXTS = ["", " \n\t\x85", "<br />", "xyzzy plugh", "素晴らしい", "😀", "🎬🎬 xyzzy"]


def make_texts(texts: list[str], first: int = 2) -> pd.DataFrame:
    return pd.DataFrame(
        {"row": range(first, first + len(texts)), "text": pd.Series(texts, dtype="str")}
    )


@pytest.fixture(scope="module")
def texts(make_reviews: Callable[..., pd.DataFrame]) -> list[str]:
    """Texts of all kinds."""
    return [
        *UNKNOWN_TEXTS,
        "good",
        "the good film was 😀",
        *make_reviews(6)["text"],
        "bad film " * 50,
    ]


@pytest.fixture(scope="module")
def scored(text_classifier: ClassifierArtefact, texts: list[str]) -> pd.DataFrame:
    return score_sentiment(text_classifier, make_texts(texts))


def compute_probability(classifier: ClassifierArtefact, text: str) -> float:
    """From the parts of the classifier, word by word; for texts that padding doesn't cut."""
    encoded = encode_texts([text], classifier.vocabulary)
    known = dict(
        zip(
            classifier.ngrams.ngrams.tolist(),
            classifier.ngrams.weights[:, 0].tolist(),
            strict=True,
        )
    )
    words = encoded.ids.tolist()
    pairs = [first | second << 21 for first, second in pairwise(words)] + [0]
    weights = [
        [known.get(word, 0.0), known.get(pair, 0.0)]
        for word, pair in zip(words, pairs, strict=True)
    ]
    inputs = {"words": encoded.ids[None, :], "ngrams": np.float32([weights])}
    logits = {"nb_ngram": float(score_ngrams(classifier.ngrams, encoded)[0, 0])}
    for name, network in classifier.networks.items():
        logits[name] = float(network({key: inputs[key] for key in network.input})[0, 0])
    weighed = sum(
        weight * logits[name] for name, weight in classifier.calibration["weights"].items()
    )
    return 1 / (1 + np.exp(-weighed - classifier.calibration["intercept"][0]))


@pytest.mark.parametrize("number", [7, 8, 9, 12, 14])
def test_probability_is_that_of_the_weighed_logits(
    text_classifier: ClassifierArtefact, scored: pd.DataFrame, texts: list[str], number: int
) -> None:
    expected = compute_probability(text_classifier, texts[number])
    assert scored["probability"][number] == pytest.approx(expected, abs=1e-6)


def test_label_follows_the_probability(scored: pd.DataFrame) -> None:
    known = scored[scored["num_known_words"] > 0]
    assert (
        known["label"].tolist()
        == np.where(known["probability"] > 0.5, "positive", "negative").tolist()
    )
    assert known["label"].nunique() == 2


def test_confidence_follows_the_probability(scored: pd.DataFrame) -> None:
    negative = scored["label"] == "negative"
    expected = np.where(negative, 1 - scored["probability"], scored["probability"])
    np.testing.assert_allclose(scored["confidence"], expected, rtol=1e-12)


def test_confidence_is_at_least_a_half(scored: pd.DataFrame) -> None:
    assert scored["confidence"].between(0.5, 1).all()


def test_scores_have_their_columns(scored: pd.DataFrame) -> None:
    assert list(scored.columns) == COLUMNS


def test_scores_have_a_row_for_each_text(scored: pd.DataFrame, texts: list[str]) -> None:
    assert (scored["row"].tolist(), scored["text"].tolist()) == (
        list(range(2, 2 + len(texts))),
        texts,
    )


def test_scores_have_a_new_index(
    scored: pd.DataFrame, texts: list[str], text_classifier: ClassifierArtefact
) -> None:
    table = make_texts(texts).set_axis(np.arange(len(texts))[::-1] * 7)
    pd.testing.assert_frame_equal(score_sentiment(text_classifier, table), scored)


def test_words_are_counted(text_classifier: ClassifierArtefact) -> None:
    found = score_sentiment(text_classifier, make_texts(["good film xyzzy !", "", "xyzzy"]))
    assert (found["num_words"].tolist(), found["num_known_words"].tolist()) == (
        [4, 0, 1],
        [2, 0, 0],
    )


def test_scoring_does_not_change_the_texts(text_classifier: ClassifierArtefact) -> None:
    table = make_texts(["good", ""])
    before = table.copy()
    score_sentiment(text_classifier, table)
    pd.testing.assert_frame_equal(table, before)


def test_a_known_word_among_others_is_found(text_classifier: ClassifierArtefact) -> None:
    found = score_sentiment(text_classifier, make_texts(["素晴らしい good 😀"]))
    assert (found["num_known_words"][0], found["label"][0] != "unknown") == (1, True)


def test_a_text_of_any_length_is_scored(text_classifier: ClassifierArtefact) -> None:
    found = score_sentiment(text_classifier, make_texts(["good film " * 50_000, "bad"]))
    assert (found["num_words"].tolist(), found["probability"].between(0, 1).all()) == (
        [100_000, 1],
        True,
    )


def test_no_texts_have_no_scores(text_classifier: ClassifierArtefact) -> None:
    found = score_sentiment(text_classifier, make_texts([]))
    assert (len(found), list(found.columns)) == (0, COLUMNS)


@pytest.mark.parametrize("text", UNKNOWN_TEXTS)
def test_text_without_a_known_word_is_unknown(
    scored: pd.DataFrame, texts: list[str], text: str
) -> None:
    row = scored.iloc[texts.index(text)]
    assert (row["label"], row["probability"], row["confidence"]) == ("unknown", 0.5, 0.5)


def test_networks_read_head_with_tail_of_a_long_text(text_classifier: ClassifierArtefact) -> None:
    head = "good film " * 5
    tail = " was bad" * 5
    texts = [head + "plugh " * size + tail for size in (40, 90_000)]
    found = score_sentiment(text_classifier, make_texts(texts))
    assert found["probability"][0] == pytest.approx(found["probability"][1], abs=1e-6)


def test_a_classifier_of_one_network_still_reads_ngrams(
    text_classifier: ClassifierArtefact,
) -> None:
    # So they stay part of the classifier, even where its calibration doesn't weigh the n-gram classifier.
    classifier = assemble(text_classifier, make_calibrations("lstm", path=False))
    assert list(classifier.calibration["weights"]) == ["lstm"]
    blind = replace(
        classifier, ngrams=replace(classifier.ngrams, weights=classifier.ngrams.weights * 0)
    )
    one, other = (
        score_sentiment(c, make_texts(["good film"]))["probability"][0] for c in (classifier, blind)
    )
    assert one != other


def test_a_classifier_can_read_words_without_signs(text_classifier: ClassifierArtefact) -> None:
    scores = score_sentiment(
        replace(text_classifier, signs=False), make_texts(["good, film!", "good film"])
    )
    assert scores["num_words"].tolist() == [2, 2]
    assert scores["probability"][0] == scores["probability"][1]


def test_a_classifier_reads_as_many_words_as_its_padding(
    text_classifier: ClassifierArtefact,
) -> None:
    # One word is left of each text, the last.
    classifier = replace(
        assemble(text_classifier, make_calibrations("gru", path=False)),
        padding=PaddingSpec(max_length=1, truncating="pre"),
    )
    found = score_sentiment(classifier, make_texts(["bad film good", "so good"]))["probability"]
    assert found[0] == pytest.approx(found[1], abs=1e-6)


@pytest.mark.parametrize(
    "chosen", [[8], [14, 8, 0], [9, 9, 9]], ids=["alone", "among others", "repeated"]
)
def test_score_of_a_text_is_the_same_whatever_else_is_scored(
    text_classifier: ClassifierArtefact, scored: pd.DataFrame, texts: list[str], chosen: list[int]
) -> None:
    found = score_sentiment(text_classifier, make_texts([texts[number] for number in chosen]))
    expected = scored.iloc[chosen]
    np.testing.assert_allclose(found["probability"], expected["probability"], rtol=0, atol=1e-6)
    assert found["label"].tolist() == expected["label"].tolist()


def test_chunks_give_the_same_scores_as_all_at_once(
    text_classifier: ClassifierArtefact,
    scored: pd.DataFrame,
    texts: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scoring, "CHUNK", 6)
    found = score_sentiment(text_classifier, make_texts(texts))
    pd.testing.assert_frame_equal(found, scored, rtol=0, atol=1e-6)


def make_calibrations(best: str, path: bool = True) -> dict:
    """Of which that of `best` has the lowest loss on validation."""
    stacks = {"lstm": ["lstm"], "gru": ["gru"], "ensemble": ["lstm", "gru"]}
    return {
        name: {
            "weights": dict.fromkeys(cells + ["nb_ngram"] * path, 1.0),
            "intercept": [0.0],
            "validation_log_loss": 0.1 if name == best else 0.2,
        }
        for name, cells in stacks.items()
    } | {
        "nb_ngram": {"weights": {"nb_ngram": 1.0}, "intercept": [0.0], "validation_log_loss": 0.05}
    }


def assemble(classifier: ClassifierArtefact, calibrations: dict) -> ClassifierArtefact:
    words = list(classifier.vocabulary)
    networks = dict(classifier.networks)
    return assemble_classifier(
        classifier.ngrams,
        words,
        VocabularySpec(),
        classifier.padding,
        calibrations,
        classifier.class_facts,
        **networks,
    )


@pytest.mark.parametrize(
    ("best", "cells"), [("lstm", ["lstm"]), ("gru", ["gru"]), ("ensemble", ["lstm", "gru"])]
)
def test_assembled_classifier_holds_only_the_networks_that_its_calibration_weighs(
    text_classifier: ClassifierArtefact, best: str, cells: list[str]
) -> None:
    calibrations = make_calibrations(best)
    found = assemble(text_classifier, calibrations)
    assert (list(found.networks), found.calibration) == (cells, calibrations[best])
