"""Traces of a classifier are of the words that they say, and its readings word by word."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.lab.internals.sentiment.choice import ChosenClassifier
from rnn_pipelines.lab.internals.sentiment.traces import (
    NUM_UNITS_SHOWN,
    list_beginnings,
    trace_texts,
)
from rnn_pipelines.lab.internals.specs import SampleSpec
from rnn_pipelines.sentiment.model.classifier import score_sentiment
from rnn_pipelines.sentiment.text.cleaning import tokenize
from rnn_pipelines.sentiment.text.encoding import PaddingSpec


def test_each_network_is_traced_in_both_directions(traced) -> None:
    names = [
        f"sentiment_{cell}_{direction}"
        for cell in ("lstm", "gru")
        for direction in ("forward", "backward")
    ]
    assert list(traced[0].layers) == names


def test_given_texts_are_shown(traced, sample: SampleSpec, reviews: tuple[str, ...]) -> None:
    words = traced[1].query("cell == 'gru' and gate == 'reset'").groupby("text")["word"].apply(list)
    assert list(words) == [tokenize(text) for text in (*sample.texts, reviews[1])]


def test_reviews_are_traced_beside_the_given_texts(traced, sample: SampleSpec) -> None:
    assert (
        len(traced[0].layers["sentiment_gru_forward"][0].mask)
        == len(sample.texts) + 1 + sample.reviews
    )


def test_the_mean_of_a_gate_is_shown(traced) -> None:
    rows = traced[1].query("cell == 'lstm' and gate == 'input' and unit == -1 and text == 1")
    gate = traced[0].layers["sentiment_lstm_forward"][0].trace.gates.input[0, : len(rows)]
    np.testing.assert_allclose(rows["value"], gate.mean(axis=1))


def test_the_units_that_move_most_are_shown(traced, sample: SampleSpec) -> None:
    shown = list(
        dict.fromkeys(traced[1].query("cell == 'gru' and unit >= 0 and text == 1")["unit"])
    )
    gate = (
        traced[0]
        .layers["sentiment_gru_forward"][0]
        .trace.gates.update[0, : len(tokenize(sample.texts[0]))]
    )
    assert shown == list(np.argsort(-gate.std(axis=0))[:NUM_UNITS_SHOWN])


def test_a_classifier_of_one_network_is_traced(
    chosen: ChosenClassifier, sample: SampleSpec
) -> None:
    alone = replace(chosen.classifier, networks={"gru": chosen.classifier.networks["gru"]})
    alone = replace(alone, calibration={"weights": {"gru": 1.0}, "intercept": 0.0})
    traces, readings = trace_texts(replace(chosen, classifier=alone), sample)
    assert list(traces.layers) == ["sentiment_gru_forward", "sentiment_gru_backward"]
    assert set(readings["cell"]) == {"gru"}


def test_a_classifier_without_reviews_is_traced_on_given_texts(
    chosen: ChosenClassifier, sample: SampleSpec
) -> None:
    traces, readings = trace_texts(replace(chosen, texts=[], labels=[]), sample)
    assert len(traces.layers["sentiment_gru_forward"][0].mask) == len(sample.texts)
    assert set(readings["text"]) == {1, 2}


def test_a_classifier_without_reviews_has_no_accuracy(
    chosen: ChosenClassifier, sample: SampleSpec
) -> None:
    traces, _ = trace_texts(replace(chosen, texts=[], labels=[]), sample)
    assert traces.classifier == {
        "is_missing": False,
        "origin": "made too",
        "accuracy": {},
        "num_texts": 0,
    }


def test_accuracy_is_of_as_many_texts_as_asked_for(
    chosen: ChosenClassifier, sample: SampleSpec
) -> None:
    traces, _ = trace_texts(chosen, sample.model_copy(update={"held_out": 2}))
    assert traces.classifier["num_texts"] == 2


def test_probability_is_that_of_the_text_up_to_the_word(
    chosen: ChosenClassifier, traced, sample: SampleSpec
) -> None:
    rows = traced[1].query("cell == 'lstm' and gate == 'output' and text == 1").set_index("place")
    beginning = pd.DataFrame({"row": [0], "text": ["the film was so good"]})
    expected = score_sentiment(chosen.classifier, beginning)["probability"][0]
    assert rows.loc[4, "word"] == "good"
    assert rows.loc[4, "probability"] == pytest.approx(expected)
    whole = score_sentiment(
        chosen.classifier, pd.DataFrame({"row": [0], "text": [sample.texts[0]]})
    )["probability"][0]
    assert traced[1].query("text == 1")["probability"].iloc[-1] == pytest.approx(whole)


@pytest.mark.parametrize(
    "text", ['It\'s <br />1 &lt; 2... "No!" & more; &amp;amp', "a<b>c</b> l'art 3.5/10 😀"]
)
def test_beginning_is_read_as_the_same_words(text: str) -> None:
    words = tokenize(text)
    assert [tokenize(beginning) for beginning in list_beginnings(words)] == [
        words[: place + 1] for place in range(len(words))
    ]


def test_words_that_the_network_cuts_out_are_not_shown(
    chosen: ChosenClassifier, sample: SampleSpec
) -> None:
    cut = replace(
        chosen.classifier, padding=PaddingSpec(max_length=4, truncating="middle", padding="pre")
    )
    _, readings = trace_texts(replace(chosen, classifier=cut), sample)
    words = readings.query("cell == 'gru' and gate == 'reset' and text == 1")
    assert list(words["word"]) == ["the", "film", "was", "great"]
    whole = score_sentiment(cut, pd.DataFrame({"row": [0], "text": [sample.texts[0]]}))[
        "probability"
    ][0]
    assert words["probability"].iloc[-1] == pytest.approx(whole)


def test_accuracy_is_that_of_the_scores_of_each_part(
    chosen: ChosenClassifier, traced, reviews: tuple[str, ...]
) -> None:
    """`score_sentiment` with the weight of one part alone."""
    table = pd.DataFrame({"row": range(len(reviews)), "text": reviews})
    weights = {name: {name: 1.0} for name in ("lstm", "gru", "nb_ngram")}
    calibrations: dict[str, Any] = {
        name: {"weights": one, "intercept": 0.0} for name, one in weights.items()
    }
    calibrations["ensemble"] = chosen.classifier.calibration
    expected = {}
    for name, calibration in calibrations.items():
        scores = score_sentiment(replace(chosen.classifier, calibration=calibration), table)
        expected[name] = ((scores["probability"] > 0.5) == np.array(chosen.labels)).mean()
    assert traced[0].classifier == {
        "is_missing": False,
        "origin": "made too",
        "accuracy": expected,
        "num_texts": 3,
    }


def test_accuracy_depends_on_the_labels(
    chosen: ChosenClassifier, traced, sample: SampleSpec
) -> None:
    # With all labels swapped, what was right is wrong.
    swapped = replace(chosen, labels=[1 - label for label in chosen.labels])
    accuracy = trace_texts(swapped, sample)[0].classifier["accuracy"]
    assert accuracy == pytest.approx(
        {name: 1 - share for name, share in traced[0].classifier["accuracy"].items()}
    )


def test_missing_classifier_leaves_empty_traces(sample: SampleSpec) -> None:
    traces, _readings = trace_texts(ChosenClassifier(None, [], [], "no archive"), sample)
    assert traces.layers == {}


def test_missing_classifier_has_its_reason(sample: SampleSpec) -> None:
    traces, _readings = trace_texts(ChosenClassifier(None, [], [], "no archive"), sample)
    assert traces.classifier == {
        "is_missing": True,
        "origin": "no archive",
        "accuracy": {},
        "num_texts": 0,
    }


def test_missing_classifier_leaves_an_empty_table_of_the_same_types(
    traced, sample: SampleSpec
) -> None:
    _traces, readings = trace_texts(ChosenClassifier(None, [], [], "no archive"), sample)
    assert readings.empty
    assert readings.dtypes.to_dict() == traced[1][list(readings)].dtypes.to_dict()
