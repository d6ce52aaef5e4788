"""Training of text classifiers, and scoring of texts with them."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from rnn_pipelines.networks.fit import Limits, fit
from rnn_pipelines.networks.layers import summarize_layers
from rnn_pipelines.networks.memory import estimate_recurrent_bytes, require_memory
from rnn_pipelines.networks.records import TrainingRecord
from rnn_pipelines.sentiment.methods.nb_ngram import TextFeatures
from rnn_pipelines.sentiment.methods.network import build_classifier
from rnn_pipelines.sentiment.methods.registry import NB_NGRAM
from rnn_pipelines.sentiment.methods.specs import ClassifierSpec, TrainingPlan
from rnn_pipelines.sentiment.methods.tables import Scores
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.schema import Reviews
from rnn_pipelines.sentiment.text.splits import find_texts
from rnn_pipelines.sentiment.text.vectors import WordVectors
from rnn_pipelines.sentiment.text.vocabulary import PADDING

# Maximum random change of a length, in words, before texts are sorted, so that batches differ between epochs.
JITTER = 20.0
SCORE_BATCH_SIZE = 256


def train_classifier(
    features: TextFeatures,
    reviews: Reviews,
    word_vectors: WordVectors,
    network: ClassifierSpec,
    plan: TrainingPlan,
) -> tuple[keras.Model, pd.DataFrame, TrainingRecord]:
    """Build and train a network; the epoch is chosen on the validation part. An interrupted training is resumed.

    Args:
        features: of all reviews, in their order.
        reviews: with their parts; the test part is not used.
        word_vectors: the words that the network knows, and the initial values of their vectors.
    Returns:
        The network with its best weights, the history, and the training record with `layers`, see `summarize_layers`.
        A loss that is no longer finite raises a TrainingError.
    """
    padding = plan.padding
    training = plan.training
    # One layer for each direction, and five copies of the word vectors.
    time = min(plan.padding.max_length, int(features.encoded.lengths.max(initial=1)))
    batch = min(plan.training.batch_size, len(features.logits))
    layer = estimate_recurrent_bytes(4, word_vectors.vectors.shape[1], network.units, time, batch)
    require_memory(
        2 * layer + 20.0 * word_vectors.vectors.size,
        f"training {network.cell} with {network.units} units and batches of {training.batch_size:,}",
        f"{network.cell}.units, training.batch_size, padding.max_length, word_vectors.num_words and "
        "word_vectors.dimensions",
    )
    keras.utils.set_random_seed(training.seed)
    model = build_classifier(network, word_vectors.vectors, features.ngrams.shape[1])
    part = {name: find_texts(reviews, name) for name in ("train", "validation")}
    inputs = {name: features.select(texts) for name, texts in part.items()}
    labels = {
        name: reviews["label"].iloc[texts].to_numpy(np.float32) for name, texts in part.items()
    }
    train = batch_texts(
        inputs["train"], labels["train"], padding, training.batch_size, shuffle_seed=training.seed
    )
    validation = batch_texts(inputs["validation"], labels["validation"], padding, SCORE_BATCH_SIZE)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    limits = Limits(max_seconds=plan.max_seconds)
    if plan.checkpoints is not None:
        fingerprint = f"{network.model_dump_json()} {padding.model_dump_json()} {_fingerprint(features, reviews)}"
        limits = replace(
            limits, checkpoint=plan.checkpoints / f"{network.cell}.npz", fingerprint=fingerprint
        )
    history, record = fit(
        model, loss, (_feed(model, train), _feed(model, validation)), training, limits
    )
    return model, history, {**record, "layers": summarize_layers(model)}


def _fingerprint(features: TextFeatures, reviews: Reviews) -> str:
    digest = hashlib.sha256(
        pd.util.hash_pandas_object(reviews[["part", "label"]], index=False).to_numpy().tobytes()
    )
    for array in (features.ids, features.offsets, features.ngrams):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _feed(model: keras.Model, batches: tf.data.Dataset) -> tf.data.Dataset:
    """Keep only the inputs of the network; with extra inputs, Keras would take the first ones in alphabetical order."""
    names = list(model.input)
    return batches.map(lambda inputs, targets: ({name: inputs[name] for name in names}, targets))


# Large collections are scored in many calls, and tracing a recurrent network takes as long as scoring 100s of texts.
@lru_cache(maxsize=4)
def _compile(model: keras.Model) -> Callable[[dict[str, tf.Tensor]], tf.Tensor]:
    signature = {
        name: tf.TensorSpec(tensor.shape, tensor.dtype) for name, tensor in model.input.items()
    }
    return tf.function(lambda inputs: model(inputs, training=False), input_signature=[signature])


def score_texts(model: keras.Model, features: TextFeatures, padding: PaddingSpec) -> np.ndarray:
    """Return the network's logit for each text, float64[num_texts]; with the padding of its training."""
    call = _compile(model)
    logits = np.zeros(len(features.logits))
    batches = batch_texts(features, logits, padding, SCORE_BATCH_SIZE)
    scored = [call(inputs).numpy()[:, 0] for inputs, _ in _feed(model, batches)]
    logits[sort_by_length(features, padding)] = np.concatenate([np.zeros(0), *scored])
    return logits


def score_reviews(
    model: keras.Model,
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
    chosen = features.select(texts)
    logits: dict[str, np.ndarray] = {network.cell: score_texts(model, chosen, padding)}
    if network.ngram_path:
        logits[NB_NGRAM] = chosen.logits
    return pd.DataFrame({"review_id": reviews["review_id"].to_numpy()[texts], **logits})


def batch_texts(
    features: TextFeatures,
    labels: np.ndarray,
    padding: PaddingSpec,
    batch_size: int,
    shuffle_seed: int | None = None,
) -> tf.data.Dataset:
    """Return texts as a data set for Keras; texts of similar length share a batch, which saves most of the padding.

    Args:
        batch_size: texts in a batch; the last one in the order of lengths may be smaller.
        shuffle_seed: seed of the random batches of each epoch; None keeps the order of `sort_by_length`.
    Returns:
        Pairs of inputs (`words` int32[batch, time], `ngrams` float32[batch, time, order]) and float32[batch, 1].
    """
    num_batches = -(-len(labels) // batch_size)
    targets = tf.constant(labels, tf.float32)
    gather = _make_gather(features, padding)
    order = tf.constant(sort_by_length(features, padding))
    kept = tf.constant(np.minimum(features.encoded.lengths, padding.max_length), tf.float32)

    def make_epoch(seed: tf.Tensor) -> tf.data.Dataset:
        epoch = order
        numbers = tf.range(num_batches, dtype=tf.int64)
        if shuffle_seed is not None:
            strayed = kept + tf.random.stateless_uniform(tf.shape(kept), [seed, 0], -JITTER, JITTER)
            epoch = tf.cast(tf.argsort(strayed), tf.int64)
            numbers = tf.random.experimental.stateless_shuffle(numbers, [seed, 1])
        return tf.data.Dataset.from_tensor_slices(numbers).map(
            lambda number: epoch[number * batch_size : (number + 1) * batch_size]
        )

    seeds = tf.data.Dataset.random(shuffle_seed or 0, rerandomize_each_iteration=True).take(1)
    batches = seeds.flat_map(make_epoch).apply(tf.data.experimental.assert_cardinality(num_batches))
    return batches.map(lambda texts: (gather(texts), tf.gather(targets, texts)[:, None])).prefetch(
        2
    )


def sort_by_length(features: TextFeatures, padding: PaddingSpec) -> np.ndarray:
    """Return the order of the texts in `batch_texts` without shuffling, int64[num_texts]."""
    return np.argsort(np.minimum(features.encoded.lengths, padding.max_length), kind="stable")


def _make_gather(
    features: TextFeatures, padding: PaddingSpec
) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    # One extra row, so that gathering also works if no text has a word.
    ids = tf.pad(features.ids, [[0, 1]])
    ngrams = tf.pad(features.ngrams, [[0, 1], [0, 0]])
    begins = tf.constant(features.offsets[:-1])
    lengths = tf.constant(features.encoded.lengths)
    # The first position in a batch whose word follows the dropped words.
    resume = {"pre": 0, "post": padding.max_length, "middle": padding.max_length // 2}[
        padding.truncating
    ]

    def gather(texts: tf.Tensor) -> dict[str, tf.Tensor]:
        length = tf.gather(lengths, texts)[:, None]
        kept = tf.minimum(length, padding.max_length)
        # At least one step, because a recurrent layer needs it.
        num_steps = tf.maximum(tf.reduce_max(kept), 1)
        place = tf.range(num_steps)[None, :] - (num_steps - kept if padding.padding == "pre" else 0)
        is_word = (place >= 0) & (place < kept)
        word = (
            tf.gather(begins, texts)[:, None] + place + tf.where(place >= resume, length - kept, 0)
        )
        word = tf.where(is_word, word, 0)
        return {
            "words": tf.where(is_word, tf.gather(ids, word), PADDING),
            "ngrams": tf.where(is_word[:, :, None], tf.gather(ngrams, word), 0.0),
        }

    return gather
