"""Training a classifier on texts, and scoring texts with it."""

from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from rnn_pipelines.evaluation.nb_ngram import TextFeatures
from rnn_pipelines.models.classifier import build_classifier
from rnn_pipelines.models.recurrent import summarize_layers
from rnn_pipelines.models.specs import ClassifierSpec
from rnn_pipelines.text.encoding import PaddingSpec
from rnn_pipelines.text.vectors import WordVectors
from rnn_pipelines.training.fit import fit
from rnn_pipelines.training.specs import TrainingSpec
from rnn_pipelines.training.text_batches import batch_texts, sort_by_length

SCORE_BATCH_SIZE = 256


def train_classifier(
    features: TextFeatures,
    reviews: pd.DataFrame,
    vectors: WordVectors,
    network: ClassifierSpec,
    padding: PaddingSpec,
    training: TrainingSpec,
) -> tuple[keras.Model, pd.DataFrame, dict[str, Any]]:
    """Builds a classifier and trains it; the epoch is chosen on the validation part.

    Args:
        features: of all reviews, in their order.
        reviews: `part` and `label` of each; the test part is not touched.
        vectors: the words that the network knows, and where their vectors may start.
        network: what to build.
        padding: how texts are cut and padded.
        training: how to train it.
    Returns:
        The network with its best weights; the history and the record of `fit`, the record with the `layers` (see
        `summarize_layers`).
    Raises:
        TrainingError: the loss is no longer finite.
    """
    keras.utils.set_random_seed(training.seed)
    model = build_classifier(network, vectors.vectors, features.ngrams.shape[1])
    parts = {part: np.flatnonzero(reviews["part"] == part) for part in ("train", "validation")}
    labels = {part: reviews["label"].to_numpy(np.float32, na_value=np.nan)[texts] for part, texts in parts.items()}
    train = batch_texts(
        features, parts["train"], labels["train"], padding, training.batch_size, shuffle_seed=training.seed
    )
    validation = batch_texts(features, parts["validation"], labels["validation"], padding, SCORE_BATCH_SIZE)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    history, record = fit(model, loss, train, validation, training)
    return model, history, record | {"layers": summarize_layers(model)}


def score_texts(model: keras.Model, features: TextFeatures, texts: np.ndarray, padding: PaddingSpec) -> np.ndarray:
    """The network's logits, float64[num_chosen].

    Args:
        model: what `train_classifier` returns.
        features: of all texts.
        texts: int64[num_chosen], which of them.
        padding: as in training.
    """
    signature = {name: tf.TensorSpec(tensor.shape, tensor.dtype) for name, tensor in model.input.items()}
    call = tf.function(lambda inputs: model(inputs, training=False), input_signature=[signature])
    batches = batch_texts(features, texts, np.zeros(len(texts)), padding, SCORE_BATCH_SIZE)
    logits = np.zeros(len(texts))
    scored = [call({name: inputs[name] for name in model.input}).numpy()[:, 0] for inputs, _ in batches]
    logits[sort_by_length(features, texts, padding)] = np.concatenate([np.zeros(0), *scored])
    return logits


def score_reviews(
    model: keras.Model, features: TextFeatures, reviews: pd.DataFrame, network: ClassifierSpec, padding: PaddingSpec
) -> pd.DataFrame:
    """The logits of the validation and test reviews.

    Args:
        model: what `train_classifier` returns.
        features: of all reviews, in their order.
        reviews: `review_id` and `part` of each.
        network: what was built.
        padding: as in training.
    Returns:
        `review_id`, the network's logit under the name of its cell and, where the network has an n-gram path, that of
        the n-gram classifier as `nb_ngram` (float64).
    """
    texts = np.flatnonzero(reviews["part"].isin(["validation", "test"]))
    logits: dict[str, np.ndarray] = {network.cell: score_texts(model, features, texts, padding)}
    if network.ngram_path:
        logits["nb_ngram"] = features.logits[texts]
    return pd.DataFrame({"review_id": reviews["review_id"].to_numpy()[texts], **logits})
