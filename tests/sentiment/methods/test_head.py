"""With few labels, only the last layer of a network learns them, after the texts without labels."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from rnn_pipelines.networks.specs import TrainingSpec
from rnn_pipelines.sentiment.methods.calibration import calibrate_classifiers
from rnn_pipelines.sentiment.methods.head import INVERSE_PENALTY, fit_head, score_out_of_fold
from rnn_pipelines.sentiment.methods.logits import to_probabilities
from rnn_pipelines.sentiment.methods.nb_ngram import TextFeatures
from rnn_pipelines.sentiment.methods.specs import ClassifierSpec, TextTrainingPlan
from rnn_pipelines.sentiment.methods.training import (
    is_needed,
    score_reviews,
    train_text_network,
)
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.splits import find_texts
from rnn_pipelines.sentiment.text.vectors import WordVectors

pytestmark = pytest.mark.usefixtures("no_graphs")

# Without recurrence, because eager steps of a recurrent layer are slow.
NETWORK = ClassifierSpec(
    cell="pointwise", units=3, pretraining_epochs=1, pseudo_labels=True, min_texts=1000
)
TRAINING = TrainingSpec(
    epochs=1,
    patience=1,
    batch_size=16,
    learning_rate=0.05,
    schedule="constant",
    weight_average=0.0,
    jit_compile=False,
)
PLAN = TextTrainingPlan(PaddingSpec(max_length=100), TRAINING)
VECTORS = WordVectors(np.random.default_rng(0).normal(0, 0.3, (12, 4)).astype(np.float32))
CLASSES = {2: ["negative", "positive"], 3: ["bad", "fair", "good"]}


@pytest.fixture(scope="module", params=CLASSES)
def case(
    request: pytest.FixtureRequest, make_unlabelled: Callable[..., Any], no_graphs: None
) -> tuple[TextFeatures, pd.DataFrame]:
    features, reviews, _ = make_unlabelled(CLASSES[request.param])
    return features, reviews


@pytest.fixture(scope="module")
def trained(case: tuple[TextFeatures, pd.DataFrame]) -> tuple[Any, ...]:
    """The network, its history and record, and the weights after pretraining."""
    from rnn_pipelines.sentiment.methods import keras_training

    pretrained = []
    pretrain_network = keras_training.pretrain_network

    def remember(*arguments: Any) -> Any:
        pretrained.append(pretrain_network(*arguments))
        return pretrained[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras_training, "pretrain_network", remember)
        model, history, record = train_text_network(*case, VECTORS, NETWORK, PLAN)
    return model, history, record, pretrained[0][0]


def test_all_other_weights_are_those_of_the_pretraining(trained: tuple[Any, ...]) -> None:
    model, _, _, start = trained
    *others, kernel, bias = model.get_weights()
    for weights, expected in zip(others, start[:-2], strict=True):
        np.testing.assert_array_equal(weights, expected)
    assert (kernel != start[-2]).all()
    assert (bias != start[-1]).all()


def test_no_ngrams_are_read(trained: tuple[Any, ...]) -> None:
    """Their weights are random after pretraining."""
    assert list(trained[0].input) == ["words"]


def test_head_is_a_logistic_regression_on_the_pooled_states(
    case: tuple[TextFeatures, pd.DataFrame], trained: tuple[Any, ...]
) -> None:
    features, reviews = case
    model = trained[0]
    texts = find_texts(reviews, "train")
    pooled = pool_states(model, features.select(texts))
    scaled = (pooled - pooled.mean(axis=0)) / np.sqrt(pooled.var(axis=0).mean())
    regression = LogisticRegression(C=INVERSE_PENALTY, max_iter=1000)
    regression.fit(scaled, reviews["label"].cat.codes.to_numpy()[texts])
    kernel, bias = model.get_layer("logit").get_weights()
    expected = regression.decision_function(scaled).reshape(len(texts), -1)
    np.testing.assert_allclose(pooled @ kernel + bias, expected, atol=1e-3)


def pool_states(model: Any, features: TextFeatures) -> np.ndarray:
    """Maximum and mean of the outputs for the words of each text, one text at a time."""
    vectors = model.get_layer("word_vectors").get_weights()[0]
    kernel, bias = model.get_layer("pointwise").get_weights()
    pooled = []
    for begin, end in zip(features.offsets[:-1], features.offsets[1:], strict=True):
        ids = features.ids[begin:end]
        words = vectors[np.where(ids < len(vectors), ids, 1)]
        outputs = np.tanh(words @ kernel + bias)
        pooled.append(np.concatenate([outputs.max(axis=0), outputs.mean(axis=0)]))
    return np.array(pooled)


def test_record_is_that_of_one_epoch(
    case: tuple[TextFeatures, pd.DataFrame], trained: tuple[Any, ...]
) -> None:
    _, reviews = case
    model, history, record, _ = trained
    assert history["epoch"].tolist() == [1]
    num_classes = len(reviews["label"].cat.categories)
    # The loss of equal probabilities.
    assert (history[["loss", "val_loss"]] < np.log(num_classes)).all(axis=None)
    assert record["num_parameters"] == model.count_params()


@pytest.mark.parametrize(
    ("settings", "without", "expected"),
    [
        ({}, False, True),
        ({}, True, False),
        ({"pretraining_epochs": 0}, False, False),
        ({"pretraining_epochs": 0, "min_texts": 0}, True, True),
    ],
    ids=["pretrained", "no unlabelled text", "no pretraining", "enough labels"],
)
def test_few_labels_need_texts_without_labels(
    make_unlabelled: Callable[..., Any],
    settings: dict[str, int],
    without: bool,
    expected: bool,
) -> None:
    _, reviews, _ = make_unlabelled(CLASSES[2])
    if without:
        reviews = reviews[reviews["part"] != "unlabelled"]
    assert is_needed(reviews, NETWORK.model_copy(update=settings)) == expected


def draw_states(num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Sixty texts whose states tell their classes, and these."""
    labels = np.arange(60) % num_classes
    states = np.random.default_rng(0).normal(size=(60, 4))
    states[np.arange(60), labels] += 3.0
    return states, labels


@pytest.mark.parametrize("num_classes", [2, 3])
def test_logits_out_of_fold_are_those_of_a_head_without_the_fold(num_classes: int) -> None:
    states, labels = draw_states(num_classes)
    num_outputs = 1 if num_classes == 2 else num_classes
    folds = np.arange(60) // 20
    logits = score_out_of_fold(states, labels, num_outputs, folds)
    kernel, bias = fit_head(states[20:], labels[20:], num_outputs)
    np.testing.assert_allclose(logits[:20], states[:20] @ kernel + bias)


def test_texts_of_one_fold_have_no_logits() -> None:
    """As of three groups, one of which is in each part."""
    states, labels = draw_states(2)
    assert np.isnan(score_out_of_fold(states, labels, 1, np.zeros(60, int))).all()


@pytest.mark.parametrize("present", [[0, 1], [0, 2], [1]])
def test_a_class_without_a_text_is_improbable(present: list[int]) -> None:
    """A fold may hold all texts of a rare class."""
    states, labels = draw_states(3)
    is_present = np.isin(labels, present)
    kernel, bias = fit_head(states[is_present], labels[is_present], 3)
    probabilities = to_probabilities(states[is_present] @ kernel + bias)
    assert (probabilities.argmax(axis=1) == labels[is_present]).mean() > 0.9
    missing = [number for number in range(3) if number not in present]
    assert (probabilities[:, missing] < 0.1).all()


def test_one_of_two_classes_may_have_no_text() -> None:
    states, labels = draw_states(2)
    kernel, bias = fit_head(states[labels == 0], labels[labels == 0], 1)
    assert (states @ kernel + bias < 0).all()


def test_equal_states_tell_no_class() -> None:
    kernel, bias = fit_head(np.ones((4, 2)), np.array([0, 1, 0, 1]), 1)
    np.testing.assert_allclose(np.ones((1, 2)) @ kernel + bias, 0, atol=1e-6)


def test_classifiers_are_calibrated_on_the_training_texts_too(
    case: tuple[TextFeatures, pd.DataFrame], trained: tuple[Any, ...]
) -> None:
    """The labels of the validation part alone would be too few."""
    features, reviews = case
    scores = score_reviews(trained[0], features, reviews, NETWORK, PLAN.padding)
    expected = reviews.loc[reviews["part"].isin(["train", "validation"]), "review_id"]
    assert sorted(scores["review_id"]) == sorted(expected)
    with_all, _ = calibrate_classifiers(reviews, features, pointwise=scores)
    is_validation = scores["review_id"].isin(
        reviews.loc[reviews["part"] == "validation", "review_id"]
    )
    with_few, _ = calibrate_classifiers(reviews, features, pointwise=scores[is_validation])
    assert with_all["pointwise"]["weights"] != with_few["pointwise"]["weights"]
    assert with_all["nb_ngram"] == with_few["nb_ngram"]
