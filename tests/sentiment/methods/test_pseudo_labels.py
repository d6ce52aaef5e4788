"""A second network learns from unlabelled texts, with the probabilities of the first one and the n-grams as targets."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.networks.specs import TrainingSpec
from rnn_pipelines.sentiment.methods.nb_ngram import TextFeatures
from rnn_pipelines.sentiment.methods.specs import ClassifierSpec, TextTrainingPlan
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.splits import find_texts
from rnn_pipelines.sentiment.text.vectors import WordVectors

pytestmark = pytest.mark.usefixtures("no_graphs")

# Without recurrence, because eager steps of a recurrent layer are slow.
NETWORK = ClassifierSpec(cell="pointwise", units=3, pseudo_labels=True, min_texts=0)
TRAINING = TrainingSpec(
    epochs=2,
    patience=2,
    batch_size=16,
    learning_rate=0.05,
    schedule="constant",
    weight_average=0.0,
    jit_compile=False,
)
CLASSES = {2: ["negative", "positive"], 3: ["bad", "fair", "good"]}


def train(features: TextFeatures, reviews: pd.DataFrame, **options: Any) -> tuple[Any, Any, Any]:
    from rnn_pipelines.sentiment.methods.training import train_text_network

    vectors = WordVectors(np.random.default_rng(0).normal(0, 0.3, (12, 4)).astype(np.float32))
    plan = TextTrainingPlan(PaddingSpec(max_length=8), TRAINING)
    network = NETWORK.model_copy(update=options)
    return train_text_network(features, reviews, vectors, network, plan)


@pytest.fixture(scope="module", params=CLASSES)
def targets(
    request: pytest.FixtureRequest, make_unlabelled: Callable[..., Any], no_graphs: None
) -> tuple[list[np.ndarray], pd.DataFrame, np.ndarray]:
    """The targets of the first and the second network, the reviews, and the true classes of unlabelled texts."""
    from rnn_pipelines.sentiment.methods import keras_training

    features, reviews, codes = make_unlabelled(CLASSES[request.param])
    fit, seen = keras_training.fit_network, []

    def watch(network: Any, vectors: Any, parts: Any, *rest: Any) -> Any:
        seen.append(parts[0][1])
        return fit(network, vectors, parts, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras_training, "fit_network", watch)
        train(features, reviews)
    return seen, reviews, codes


def test_second_network_learns_from_labels_and_from_probabilities(targets: tuple) -> None:
    (first, second), reviews, _ = targets
    np.testing.assert_array_equal(second[: len(first)], first)
    probabilities = second[len(first) :]
    assert len(probabilities) == len(find_texts(reviews, "unlabelled"))
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert not np.isin(probabilities, [0, 1]).all()


def test_probabilities_of_more_than_two_classes_add_up_to_one(targets: tuple) -> None:
    (first, second), *_ = targets
    expected = {1: second[len(first) :, 0], 3: np.ones(len(second) - len(first))}
    np.testing.assert_allclose(
        second[len(first) :].sum(axis=1), expected[first.shape[1]], rtol=0, atol=1e-6
    )


def test_probabilities_name_the_class_that_the_words_tell(targets: tuple) -> None:
    (first, second), _, codes = targets
    probabilities = second[len(first) :]
    is_binary = probabilities.shape[1] == 1
    named = probabilities[:, 0] > 0.5 if is_binary else probabilities.argmax(axis=1)
    assert (named == codes).mean() > 0.9


def test_record_has_the_seconds_of_both_networks(
    make_unlabelled: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnn_pipelines.sentiment.methods import keras_training

    features, reviews, _ = make_unlabelled(CLASSES[2])
    fit = keras_training.fit_network

    def fit_in_a_minute(*arguments: Any) -> Any:
        model, history, record = fit(*arguments)
        return model, history, {**record, "training_seconds": 60.0}

    monkeypatch.setattr(keras_training, "fit_network", fit_in_a_minute)
    _, _, record = train(features, reviews)
    assert record["training_seconds"] == 120.0


def test_without_unlabelled_texts_there_is_one_network(
    make_unlabelled: Callable[..., Any],
) -> None:
    features, reviews, _ = make_unlabelled(CLASSES[2])
    kept = np.flatnonzero(reviews["part"] != "unlabelled")
    features, reviews = features.select(kept), reviews.iloc[kept].reset_index(drop=True)
    first = train(features, reviews, pseudo_labels=False)[0]
    for weights, expected in zip(
        train(features, reviews)[0].get_weights(), first.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(weights, expected)
