"""Before training on labels, a network learns to predict the next words from its states."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from rnn_pipelines.networks.specs import TrainingSpec
from rnn_pipelines.sentiment.methods.nb_ngram import TextFeatures
from rnn_pipelines.sentiment.methods.specs import ClassifierSpec, TextTrainingPlan
from rnn_pipelines.sentiment.text.encoding import PaddingSpec

pytestmark = pytest.mark.usefixtures("no_graphs")

NUM_WORDS = 12
UNITS = 3
COUNTS = np.array([0, 5, 900, 400, 30, 20, 10, 8, 5, 3, 2, 1])
TRAINING = TrainingSpec(
    epochs=1,
    patience=4,
    batch_size=16,
    learning_rate=0.2,
    schedule="constant",
    weight_average=0.0,
    jit_compile=False,
)
# Each of these words is followed by the next one, and the last one by the first one.
CYCLE = np.arange(4, 9)


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """States of texts of different lengths, their words, the drawn words and the layer of both directions."""
    import keras

    from rnn_pipelines.sentiment.methods import pretraining

    rng = np.random.default_rng(0)
    words = rng.integers(2, NUM_WORDS + 3, (3, 14)).astype(np.int32)
    words[1, 8:] = 0
    words[2, 1:] = 0
    states = rng.normal(size=(3, 14, 2 * UNITS)).astype(np.float32)
    drawn = rng.integers(2, NUM_WORDS, 7)
    monkeypatch.setattr(pretraining, "NUM_DRAWN", len(drawn))
    monkeypatch.setattr(keras.random, "categorical", lambda *_, **__: drawn[None])
    layer = pretraining.NextWordsLoss(COUNTS, num_directions=2, seed=0)
    layer(states, words)
    layer.targets.assign(rng.normal(size=layer.targets.shape))
    return SimpleNamespace(states=states, words=words, drawn=drawn, layer=layer)


def predict_one_by_one(case: SimpleNamespace, text: int) -> float:
    """The loss of a text from its definition: each target of each state by itself."""
    from rnn_pipelines.sentiment.methods.pretraining import FREQUENT_SHARE, WINDOW

    targets = case.layer.targets.numpy().astype(float)
    counts = np.maximum(COUNTS, 1)
    shares = counts / counts.sum()
    words = np.where(case.words[text] < NUM_WORDS, case.words[text], 1)
    length = int((words != 0).sum())
    losses, weights = [], []
    for place in range(length):
        for other in range(max(place - WINDOW, 0), min(place + WINDOW + 1, length)):
            word = words[other]
            if other == place or word == 1:
                continue
            units = slice(0, UNITS) if other > place else slice(UNITS, None)
            state = case.states[text, place, units].astype(float)
            scores = [state @ targets[each] for each in [word, *case.drawn]]
            losses.append(np.log(np.exp(scores).sum()) - scores[0])
            weights.append(min(np.sqrt(FREQUENT_SHARE / shares[word]), 1.0))
    return float(np.average(losses, weights=weights)) if losses else 0.0


def test_loss_is_that_of_its_definition(case: SimpleNamespace) -> None:
    losses = case.layer(case.states, case.words).numpy()
    expected = [[predict_one_by_one(case, text)] for text in range(3)]
    np.testing.assert_allclose(losses, expected, rtol=1e-4)


def test_states_of_padding_do_not_change_the_loss(case: SimpleNamespace) -> None:
    moved = np.where((case.words == 0)[:, :, None], 9.0, case.states).astype(np.float32)
    np.testing.assert_array_equal(
        case.layer(moved, case.words).numpy(), case.layer(case.states, case.words).numpy()
    )


def make_cycles(num_texts: int, seed: int) -> TextFeatures:
    """Texts of six words in the order of the cycle, from a random one."""
    begins = np.random.default_rng(seed).integers(0, len(CYCLE), num_texts)
    ids = CYCLE[(begins[:, None] + np.arange(6)) % len(CYCLE)].ravel().astype(np.int32)
    offsets = np.arange(num_texts + 1) * 6
    ngrams = np.ones((len(ids), 2), np.float32)
    return TextFeatures(ids, offsets, ngrams, np.zeros((num_texts, 1)))


def pretrain() -> tuple[list[np.ndarray], pd.DataFrame]:
    from rnn_pipelines.sentiment.methods.keras_training import pretrain_network

    network = ClassifierSpec(cell="gru", units=UNITS, pretraining_epochs=4)
    vectors = np.random.default_rng(0).normal(0, 0.3, (NUM_WORDS, 4)).astype(np.float32)
    plan = TextTrainingPlan(PaddingSpec(max_length=8), TRAINING)
    parts = make_cycles(160, seed=0), make_cycles(40, seed=1)
    weights, history, _ = pretrain_network(network, vectors, parts, 1, plan)
    return weights, history


def test_next_word_is_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    from rnn_pipelines.sentiment.methods import pretraining

    monkeypatch.setattr(pretraining, "WINDOW", 1)
    monkeypatch.setattr(pretraining, "NUM_DRAWN", 20)
    _, history = pretrain()
    # By chance, the target is distinguished from 20 others with this loss.
    assert history["val_loss"].iloc[-1] < 0.8 * np.log(21)


def test_weights_of_ngram_inputs_are_not_learnt() -> None:
    import keras

    from rnn_pipelines.sentiment.methods.network import build_classifier

    weights, _ = pretrain()
    keras.utils.set_random_seed(TRAINING.seed)
    spec = ClassifierSpec(cell="gru", units=UNITS, word_dropout=0.0, vector_dropout=0.0)
    untrained = build_classifier(spec, np.zeros((NUM_WORDS, 4), np.float32), 2).get_weights()
    # The kernel of the first direction: four rows of the word vectors, then two of the n-grams.
    np.testing.assert_array_equal(weights[1][4:], untrained[1][4:])
    assert (weights[1][:4] != untrained[1][:4]).all()


def test_training_starts_from_the_pretrained_weights(
    make_reviews: Callable[..., pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnn_pipelines.sentiment.methods import keras_training, training
    from rnn_pipelines.sentiment.text.vectors import WordVectors

    pretrained = []
    pretrain_network, fit = keras_training.pretrain_network, keras_training.fit_network

    def remember(*arguments: Any) -> Any:
        pretrained.append(pretrain_network(*arguments))
        return pretrained[0]

    started = []

    def watch(*arguments: Any) -> Any:
        started.append(arguments[-1])
        return fit(*arguments)

    monkeypatch.setattr(keras_training, "pretrain_network", remember)
    monkeypatch.setattr(keras_training, "fit_network", watch)
    reviews = make_reviews()
    offsets = np.arange(len(reviews) + 1) * 6
    cycles = make_cycles(len(reviews), seed=0)
    features = TextFeatures(cycles.ids, offsets, cycles.ngrams, cycles.logits)
    network = ClassifierSpec(
        cell="pointwise", units=UNITS, pretraining_epochs=1, pseudo_labels=True, min_texts=0
    )
    vectors = WordVectors(np.ones((NUM_WORDS, 4), np.float32))
    plan = TextTrainingPlan(PaddingSpec(max_length=8), TRAINING)
    unlabelled = reviews["part"] == "test"
    reviews = reviews.assign(
        part=reviews["part"].mask(unlabelled, "unlabelled"),
        label=reviews["label"].mask(unlabelled),
    )
    _, _, record = training.train_text_network(features, reviews, vectors, network, plan)
    weights, _, first = pretrained[0]
    assert [start is weights for start in started] == [True, True]
    assert record["training_seconds"] > first["training_seconds"]


def test_a_twentieth_of_the_texts_chooses_the_epoch(
    make_unlabelled: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnn_pipelines.sentiment.methods import keras_training, training
    from rnn_pipelines.sentiment.text.vectors import WordVectors

    seen = []
    pretrain_network = keras_training.pretrain_network

    def watch(*arguments: Any) -> Any:
        seen.append(arguments[2])
        return pretrain_network(*arguments)

    monkeypatch.setattr(keras_training, "pretrain_network", watch)
    features, reviews, _ = make_unlabelled(["negative", "positive"])
    network = ClassifierSpec(cell="pointwise", units=UNITS, pretraining_epochs=1)
    vectors = WordVectors(np.ones((NUM_WORDS, 4), np.float32))
    plan = TextTrainingPlan(PaddingSpec(max_length=8), TRAINING)
    training.train_text_network(features, reviews, vectors, network, plan)
    num_texts = reviews["part"].isin(["train", "unlabelled"]).sum()
    learnt, held_out = (len(part.logits) for part in seen[0])
    assert (learnt, held_out) == (num_texts - -(-num_texts // 20), -(-num_texts // 20))


def test_pretraining_with_the_last_state_alone_is_refused() -> None:
    with pytest.raises(ValidationError, match="set pooling to max or max_mean"):
        ClassifierSpec(cell="gru", pooling="last", pretraining_epochs=1)
