"""Classifiers learn, keep the weights that are best on validation, never see the test part, and score alike."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from flipped_labels import flip_labels
from rnn_pipelines.errors import TrainingError
from rnn_pipelines.networks.specs import TrainingSpec
from rnn_pipelines.sentiment.methods.nb_ngram import NgramSpec, TextFeatures, add_ngram_features
from rnn_pipelines.sentiment.methods.specs import ClassifierSpec, TextTrainingPlan
from rnn_pipelines.sentiment.methods.tables import ScoresTable
from rnn_pipelines.sentiment.methods.training import (
    is_trained,
    score_reviews,
    score_texts,
    train_text_network,
)
from rnn_pipelines.sentiment.text.encoding import PaddingSpec, encode_texts
from rnn_pipelines.sentiment.text.splits import assign_folds, find_texts
from rnn_pipelines.sentiment.text.vectors import WordVectors
from rnn_pipelines.sentiment.text.vocabulary import VocabularySpec, choose_words

pytestmark = pytest.mark.usefixtures("no_graphs")

CELLS = ("lstm", "gru")
PADDING = PaddingSpec(max_length=8)
TRAINING = TrainingSpec(
    epochs=3,
    patience=3,
    batch_size=8,
    learning_rate=0.05,
    schedule="constant",
    weight_average=0.0,
    jit_compile=False,
)


@pytest.fixture(scope="module")
def reviews(make_reviews: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    return make_reviews()


@pytest.fixture(scope="module")
def features(reviews: pd.DataFrame) -> TextFeatures:
    encoded = encode_texts(reviews["text"], choose_words(reviews["text"], VocabularySpec()))
    labels = reviews["label"].cat.codes.to_numpy(int)
    spec = NgramSpec(order=2, folds=2)
    return add_ngram_features(encoded, labels, 2, assign_folds(reviews, 2), spec)[1]


def train(
    features: TextFeatures,
    reviews: pd.DataFrame,
    cell: str = "gru",
    ngrams: bool = False,
    **options: object,
) -> SimpleNamespace:
    """Trains a tiny network: `model, history, record, network`. One direction takes half the time."""
    network = ClassifierSpec(
        cell=cell,
        units=3,
        bidirectional=False,
        ngram_inputs=ngrams,
        ngram_path=ngrams,
        min_texts=0,
    )
    vectors = WordVectors(np.random.default_rng(0).normal(0, 0.3, (12, 4)).astype(np.float32))
    training = TRAINING.model_copy(update=options)
    model, history, record = train_text_network(
        features, reviews, vectors, network, TextTrainingPlan(PADDING, training)
    )
    return SimpleNamespace(model=model, history=history, record=record, network=network)


def score(
    trained: SimpleNamespace, features: TextFeatures, padding: PaddingSpec = PADDING
) -> np.ndarray:
    return score_texts(trained.model, features, padding)


def compute_validation_loss(
    trained: SimpleNamespace, features: TextFeatures, reviews: pd.DataFrame
) -> float:
    texts = find_texts(reviews, "validation")
    probability = 1 / (1 + np.exp(-score(trained, features.select(texts))[:, 0]))
    return float(log_loss(reviews["label"].cat.codes.iloc[texts], probability))


def spoil(features: TextFeatures, reviews: pd.DataFrame) -> tuple[TextFeatures, pd.DataFrame]:
    """Other words, weights and no labels in the test part; what was unlabelled had none before."""
    is_test = (reviews["part"] == "test").to_numpy()
    words = np.repeat(is_test, features.encoded.lengths)
    spoilt = replace(
        features,
        ids=np.where(words, 2, features.ids).astype(np.int32),
        ngrams=np.where(words[:, None], np.nan, features.ngrams).astype(np.float32),
        logits=np.where(is_test[:, None], np.nan, features.logits),
    )
    return spoilt, reviews.assign(label=reviews["label"].mask(is_test))


@pytest.fixture(scope="module")
def trained(features: TextFeatures, reviews: pd.DataFrame) -> dict[str, SimpleNamespace]:
    """An LSTM that reads n-gram weights, and a GRU that doesn't."""
    return {cell: train(features, reviews, cell, ngrams=cell == "lstm") for cell in CELLS}


@pytest.fixture(scope="module")
def logits(trained: dict[str, SimpleNamespace], features: TextFeatures) -> dict[str, np.ndarray]:
    """Of all reviews."""
    return {cell: score(trained[cell], features) for cell in CELLS}


@pytest.fixture(scope="module")
def flipped(reviews: pd.DataFrame) -> pd.DataFrame:
    """Reviews whose validation labels are wrong: each epoch is worse than the one before."""
    return flip_labels(reviews, reviews["part"] == "validation")


@pytest.mark.parametrize("cell", CELLS)
def test_training_finds_the_words_that_tell_the_label(
    logits: dict, reviews: pd.DataFrame, cell: str
) -> None:
    is_test = reviews["part"] == "test"
    right = (logits[cell][:, 0] > 0) == (reviews["label"] == "positive")
    assert right[is_test].mean() > 0.9


@pytest.fixture(scope="module")
def blind(
    trained: dict, features: TextFeatures, reviews: pd.DataFrame, no_graphs: None
) -> SimpleNamespace:
    """The same LSTM, trained later without the test part, whose n-gram weights would be NaN in the weights."""
    return train(*spoil(features, reviews), "lstm", ngrams=True)


def test_training_never_sees_the_test_part(trained: dict, blind: SimpleNamespace) -> None:
    pairs = zip(trained["lstm"].model.get_weights(), blind.model.get_weights(), strict=True)
    for weights, expected in pairs:
        np.testing.assert_array_equal(weights, expected)


def test_the_seed_gives_the_losses(trained: dict, blind: SimpleNamespace) -> None:
    columns = ["epoch", "loss", "val_loss"]
    assert trained["lstm"].history[columns].equals(blind.history[columns])


@pytest.fixture(scope="module")
def misled(features: TextFeatures, flipped: pd.DataFrame) -> SimpleNamespace:
    return train(features, flipped, "pointwise", seed=1)


def test_another_seed_gives_other_losses(
    features: TextFeatures, flipped: pd.DataFrame, misled: SimpleNamespace
) -> None:
    other = train(features, flipped, "pointwise", epochs=1)
    assert other.history["loss"][0] != misled.history["loss"][0]


def test_best_weights_come_back_after_worse_epochs(
    features: TextFeatures, flipped: pd.DataFrame, misled: SimpleNamespace
) -> None:
    assert misled.record["best_epoch"] < misled.record["num_epochs"]
    found = compute_validation_loss(misled, features, flipped)
    assert found == pytest.approx(misled.history["val_loss"].min(), rel=1e-4)


def test_the_lowest_loss_is_on_record(
    trained: dict, features: TextFeatures, reviews: pd.DataFrame
) -> None:
    found = compute_validation_loss(trained["gru"], features, reviews)
    assert found == pytest.approx(trained["gru"].history["val_loss"].min(), rel=1e-4)


def test_parameters_are_on_record(trained: dict) -> None:
    record = trained["lstm"].record
    assert record["num_parameters"] == trained["lstm"].model.count_params()
    assert [layer["layer"] for layer in record["layers"]][-3:] == ["pooling", "dropout", "logit"]


def test_training_does_not_change_the_features(
    features: TextFeatures, reviews: pd.DataFrame
) -> None:
    before = features.ids.copy(), features.ngrams.copy(), reviews.copy()
    score(train(features, reviews, "pointwise", ngrams=True, epochs=1), features)
    np.testing.assert_array_equal(features.ids, before[0])
    np.testing.assert_array_equal(features.ngrams, before[1])
    pd.testing.assert_frame_equal(reviews, before[2])


def test_nan_ends_training_with_advice(features: TextFeatures, reviews: pd.DataFrame) -> None:
    faulty = replace(features, ngrams=np.full_like(features.ngrams, np.nan))
    with pytest.raises(
        TrainingError,
        match=r"pointwise_classifier: the loss is not finite .* training.learning_rate",
    ):
        train(faulty, reviews, "pointwise", ngrams=True, epochs=1)


@pytest.mark.parametrize("cell", CELLS)
def test_logits_are_in_the_order_of_the_texts(
    trained: dict, logits: dict, features: TextFeatures, cell: str
) -> None:
    order = np.random.default_rng(0).permutation(len(logits[cell]))
    found = score(trained[cell], features.select(order))
    np.testing.assert_allclose(found, logits[cell][order], rtol=0, atol=1e-6)


def test_logits_are_the_same_whatever_the_batches(
    trained: dict, logits: dict, features: TextFeatures, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnn_pipelines.sentiment.methods import keras_training

    np.testing.assert_array_equal(score(trained["lstm"], features), logits["lstm"])
    monkeypatch.setattr(keras_training, "SCORE_BATCH_SIZE", 5)
    np.testing.assert_allclose(score(trained["lstm"], features), logits["lstm"], rtol=0, atol=1e-6)
    [alone] = score(trained["lstm"], features.select(np.array([7])))
    assert alone == pytest.approx(logits["lstm"][7], rel=0, abs=1e-6)
    found = score(trained["lstm"], features.select(np.zeros(0, np.int64)))
    assert (found.shape, found.dtype) == ((0, 1), np.float64)


def test_logits_do_not_depend_on_the_side_of_the_padding(
    trained: dict, features: TextFeatures
) -> None:
    """All texts are shorter than 40 words."""
    one, other = (
        score(trained["gru"], features, PaddingSpec(max_length=40, padding=side))
        for side in ("pre", "post")
    )
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)


def test_logits_follow_the_weights(trained: dict, logits: dict, features: TextFeatures) -> None:
    """A network that was scored with may be trained further."""
    head = trained["gru"].model.get_layer("logit")
    kernel, bias = head.get_weights()
    head.set_weights([kernel, bias + 1])
    found = score(trained["gru"], features)
    head.set_weights([kernel, bias])
    np.testing.assert_allclose(found, logits["gru"] + 1, rtol=0, atol=1e-5)


@pytest.fixture(scope="module")
def scores(trained: dict, features: TextFeatures, reviews: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {
        cell: score_reviews(trained[cell].model, features, reviews, trained[cell].network, PADDING)
        for cell in CELLS
    }


@pytest.mark.parametrize("cell", CELLS)
def test_each_part_has_its_own_logits(
    scores: dict, logits: dict, reviews: pd.DataFrame, cell: str
) -> None:
    texts = np.flatnonzero(reviews["part"].isin(["validation", "test"]))
    assert scores[cell]["review_id"].tolist() == reviews["review_id"].iloc[texts].tolist()
    np.testing.assert_allclose(scores[cell][cell], logits[cell][texts, 0], rtol=0, atol=1e-6)


def test_ngram_logit_stands_beside_the_networks_where_there_is_a_path(
    scores: dict, features: TextFeatures, reviews: pd.DataFrame
) -> None:
    assert {cell: list(table.columns) for cell, table in scores.items()} == {
        "lstm": ["review_id", "lstm", "nb_ngram"],
        "gru": ["review_id", "gru"],
    }
    texts = find_texts(reviews, "validation", "test")
    assert scores["lstm"]["nb_ngram"].tolist() == features.logits[texts, 0].tolist()


@pytest.fixture(scope="module")
def untrained(features: TextFeatures, reviews: pd.DataFrame) -> tuple:
    """Of a network that needs one training text more than there are; and its spec."""
    network = ClassifierSpec(cell="gru", min_texts=len(find_texts(reviews, "train")) + 1)
    vectors = WordVectors(np.zeros((12, 4), np.float32))
    plan = TextTrainingPlan(PADDING, TRAINING)
    return *train_text_network(features, reviews, vectors, network, plan), network


def test_network_with_too_few_training_texts_is_not_trained(untrained: tuple) -> None:
    model, history, record, _ = untrained
    assert (is_trained(model), len(history), record["num_epochs"]) == (False, 0, 0)


def test_network_that_was_not_trained_has_no_logits(
    untrained: tuple, features: TextFeatures, reviews: pd.DataFrame
) -> None:
    model, _, _, network = untrained
    scores = score_reviews(model, features, reviews, network, PADDING)
    assert list(ScoresTable.validate(scores)) == ["review_id"]


@pytest.fixture(scope="module")
def of_three_classes(make_reviews: Callable[..., pd.DataFrame], no_graphs: None) -> SimpleNamespace:
    """A GRU that reads n-gram weights, its logits of all reviews, and the reviews."""
    reviews = make_reviews(classes=("bad", "good", "loud"))
    encoded = encode_texts(reviews["text"], choose_words(reviews["text"], VocabularySpec()))
    labels = reviews["label"].cat.codes.to_numpy(int)
    spec = NgramSpec(order=1, folds=2)
    _, features, _ = add_ngram_features(encoded, labels, 3, assign_folds(reviews, 2), spec)
    trained = train(features, reviews, "gru", ngrams=True)
    return SimpleNamespace(
        trained=trained, reviews=reviews, features=features, logits=score(trained, features)
    )


def test_three_classes_have_a_logit_each(of_three_classes: SimpleNamespace) -> None:
    assert of_three_classes.logits.shape == (len(of_three_classes.reviews), 3)


def test_training_finds_the_words_of_three_classes(of_three_classes: SimpleNamespace) -> None:
    reviews = of_three_classes.reviews
    is_right = of_three_classes.logits.argmax(axis=1) == reviews["label"].cat.codes
    assert is_right[reviews["part"] == "test"].mean() > 0.9


def test_logits_of_three_classes_have_numbered_columns(of_three_classes: SimpleNamespace) -> None:
    trained = of_three_classes.trained
    scores = score_reviews(
        trained.model, of_three_classes.features, of_three_classes.reviews, trained.network, PADDING
    )
    columns = [f"{model} {number}" for model in ("gru", "nb_ngram") for number in range(3)]
    assert list(scores) == ["review_id", *columns]
