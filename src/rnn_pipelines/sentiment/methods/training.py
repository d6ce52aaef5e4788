"""Training of networks, and their logits of texts. Only a call loads TensorFlow, so that commands start fast."""

import hashlib
from types import ModuleType

import numpy as np
import pandas as pd

from rnn_pipelines.networks.hints import KerasModel
from rnn_pipelines.networks.memory import estimate_recurrent_bytes, require_memory
from rnn_pipelines.networks.records import TrainingRecord
from rnn_pipelines.sentiment.methods.nb_ngram import TextFeatures
from rnn_pipelines.sentiment.methods.registry import NB_NGRAM
from rnn_pipelines.sentiment.methods.specs import ClassifierSpec, TextTrainingPlan
from rnn_pipelines.sentiment.methods.tables import Scores
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.schema import Reviews
from rnn_pipelines.sentiment.text.splits import find_texts
from rnn_pipelines.sentiment.text.vectors import WordVectors


def load_tensorflow() -> ModuleType:
    """Load TensorFlow, which takes seconds, and return the module that trains with it."""
    from rnn_pipelines.sentiment.methods import keras_training

    return keras_training


def train_text_network(
    features: TextFeatures,
    reviews: Reviews,
    word_vectors: WordVectors,
    network: ClassifierSpec,
    plan: TextTrainingPlan,
) -> tuple[KerasModel, pd.DataFrame, TrainingRecord]:
    """Build and train a network; the epoch is chosen on the validation part. An interrupted training is resumed.

    Args:
        features: of all reviews, in their order.
        reviews: with their parts; the test part is not used.
        word_vectors: the words that the network knows, and the initial values of their vectors.
    Returns:
        The network with its best weights, the history, and the training record with `layers`, see `summarize_layers`.
        A loss that is no longer finite raises a TrainingError.
    """
    vectors = word_vectors.vectors
    # One layer for each direction, and five copies of the word vectors.
    time = min(plan.padding.max_length, int(features.encoded.lengths.max(initial=1)))
    batch = min(plan.training.batch_size, len(features.logits))
    layer = estimate_recurrent_bytes(4, vectors.shape[1], network.units, time, batch)
    require_memory(
        2 * layer + 20.0 * vectors.size,
        f"training {network.cell} with {network.units} units and batches of {plan.training.batch_size:,}",
        f"{network.cell}.units, training.batch_size, padding.max_length, word_vectors.num_words and "
        "word_vectors.dimensions",
    )
    parts = []
    for part in ("train", "validation"):
        texts = find_texts(reviews, part)
        labels = reviews["label"].iloc[texts].to_numpy(np.float32)
        parts.append((features.select(texts), labels))
    fingerprint = "" if plan.checkpoints is None else _fingerprint(features, reviews)
    trained: tuple[KerasModel, pd.DataFrame, TrainingRecord]
    trained = load_tensorflow().fit_network(network, vectors, parts, plan, fingerprint)
    return trained


def _fingerprint(features: TextFeatures, reviews: Reviews) -> str:
    digest = hashlib.sha256(
        pd.util.hash_pandas_object(reviews[["part", "label"]], index=False).to_numpy().tobytes()
    )
    for array in (features.ids, features.offsets, features.ngrams):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def score_texts(model: KerasModel, features: TextFeatures, padding: PaddingSpec) -> np.ndarray:
    """Return the network's logit for each text, float64[num_texts]; with the padding of its training."""
    logits: np.ndarray = load_tensorflow().compute_logits(model, features, padding)
    return logits


def score_reviews(
    model: KerasModel,
    features: TextFeatures,
    reviews: Reviews,
    network: ClassifierSpec,
    padding: PaddingSpec,
) -> Scores:
    """Return the network's logits of the validation and test reviews, in a column with the name of its cell.

    With an n-gram path, the logits of the n-gram classifier are a second column. `features` are those of all reviews,
    `padding` is that of the training.
    """
    texts = find_texts(reviews, "validation", "test")
    scored = features.select(texts)
    logits: dict[str, np.ndarray] = {network.cell: score_texts(model, scored, padding)}
    if network.ngram_path:
        logits[NB_NGRAM] = scored.logits
    return pd.DataFrame({"review_id": reviews["review_id"].to_numpy()[texts], **logits})
