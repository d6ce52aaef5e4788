"""Training of networks by Keras, and their logits of texts; imported by `training`, because it loads TensorFlow."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from rnn_pipelines.networks.fit import Limits, fit
from rnn_pipelines.networks.layers import summarize_layers
from rnn_pipelines.networks.records import TrainingRecord
from rnn_pipelines.sentiment.methods.head import fit_head, score_out_of_fold
from rnn_pipelines.sentiment.methods.logits import measure_log_loss
from rnn_pipelines.sentiment.methods.nb_ngram import TextFeatures
from rnn_pipelines.sentiment.methods.network import build_classifier
from rnn_pipelines.sentiment.methods.pretraining import add_next_words
from rnn_pipelines.sentiment.methods.specs import ClassifierSpec, TextTrainingPlan
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.vocabulary import PADDING, UNKNOWN

# Maximum random change of a length, in words, before texts are sorted, so that batches differ between epochs.
JITTER = 20.0
SCORE_BATCH_SIZE = 256


def pretrain_network(
    network: ClassifierSpec,
    word_vectors: np.ndarray,
    parts: Sequence[TextFeatures],
    num_outputs: int,
    plan: TextTrainingPlan,
) -> tuple[list[np.ndarray], pd.DataFrame, TrainingRecord]:
    """Train a network to predict the next words, see `pretraining`, and return its weights for `fit_network`.

    `parts` are the features of the texts to learn from, and of held-out ones. No words or entries of their
    vectors are dropped, and the n-gram inputs are 0, because they reveal the next words.
    """
    training = plan.training.model_copy(update={"epochs": network.pretraining_epochs})
    keras.utils.set_random_seed(training.seed)
    bare = network.model_copy(update={"word_dropout": 0.0, "vector_dropout": 0.0})
    model = build_classifier(bare, word_vectors, parts[0].ngrams.shape[1], num_outputs)
    ids = parts[0].ids
    num_words = len(word_vectors)
    counts = np.bincount(np.where(ids < num_words, ids, UNKNOWN), minlength=num_words)
    trainer = add_next_words(model, counts, 1 + network.bidirectional, training.seed)
    without_ngrams = [replace(part, ngrams=np.zeros_like(part.ngrams)) for part in parts]
    # The output is the loss, which is compared with 0.
    data = [(part, np.zeros((len(part.logits), 1), np.float32)) for part in without_ngrams]
    batches = _make_batches(trainer, data, plan)
    plan = replace(plan, fingerprint=f"{plan.fingerprint} pretraining")
    history, record = fit(trainer, "mean_absolute_error", batches, training, _limit(network, plan))
    return model.get_weights(), history, record


def fit_network(
    network: ClassifierSpec,
    word_vectors: np.ndarray,
    parts: Sequence[tuple[TextFeatures, np.ndarray]],
    plan: TextTrainingPlan,
    start: list[np.ndarray] | None = None,
) -> tuple[keras.Model, pd.DataFrame, TrainingRecord]:
    """Build and train a network, see `train_network`.

    `parts` are the features and the targets, float32[num_texts, num_outputs], of the training and of the validation
    part. `start` are the weights to start from.
    """
    keras.utils.set_random_seed(plan.training.seed)
    train, targets = parts[0]
    num_outputs = targets.shape[1]
    model = build_classifier(network, word_vectors, train.ngrams.shape[1], num_outputs)
    if start is not None:
        model.set_weights(start)
    loss = (
        keras.losses.BinaryCrossentropy(from_logits=True)
        if num_outputs == 1
        else keras.losses.CategoricalCrossentropy(from_logits=True)
    )
    batches = _make_batches(model, parts, plan)
    history, record = fit(model, loss, batches, plan.training, _limit(network, plan))
    return model, history, {**record, "layers": summarize_layers(model)}


def fit_last_layer(
    network: ClassifierSpec,
    word_vectors: np.ndarray,
    parts: Sequence[tuple[TextFeatures, np.ndarray]],
    num_outputs: int,
    plan: TextTrainingPlan,
    start: list[np.ndarray],
) -> tuple[keras.Model, pd.DataFrame, TrainingRecord]:
    """Fit only the last layer of a pretrained network to the labels.

    With few labels, a training of all weights ends before it has begun, because an epoch has few batches.

    `parts` are the features and the numbers of the classes, int[num_texts], of the training and of the validation part.
    Otherwise, arguments and result are those of `fit_network`; the history has one epoch.
    """
    started = time.perf_counter()
    features, labels = zip(*parts, strict=True)
    model = build_classifier(network, word_vectors, features[0].ngrams.shape[1], num_outputs)
    model.set_weights(start)
    states = [_pool_states(model, part, plan.padding) for part in features]
    kernel, bias = fit_head(states[0], labels[0], num_outputs)
    model.get_layer("logit").set_weights([kernel, bias])
    losses = [
        measure_log_loss(part_labels, part @ kernel + bias)
        for part_labels, part in zip(labels, states, strict=True)
    ]
    history = pd.DataFrame({"epoch": [1], "loss": losses[:1], "val_loss": losses[1:]})
    record = TrainingRecord(
        training_seconds=time.perf_counter() - started,
        compile_seconds=0.0,
        num_epochs=1,
        num_steps=1,
        best_epoch=1,
        num_parameters=model.count_params(),
        layers=summarize_layers(model),
    )
    return model, history, record


def score_by_folds(
    model: keras.Model,
    features: TextFeatures,
    labels: np.ndarray,
    folds: np.ndarray,
    padding: PaddingSpec,
) -> np.ndarray:
    """Return the logits of training texts by last layers that did not learn their fold, see `score_out_of_fold`."""
    states = _pool_states(model, features, padding)
    return score_out_of_fold(states, labels, model.output.shape[-1], folds)


def _pool_states(model: keras.Model, features: TextFeatures, padding: PaddingSpec) -> np.ndarray:
    """Return the inputs of the last layer for each text, float64[num_texts, num_states], without dropout."""
    return compute_logits(_end_at_pooling(model), features, padding)


# One model for all calls, because each model is traced.
@lru_cache(maxsize=4)
def _end_at_pooling(model: keras.Model) -> keras.Model:
    return keras.Model(model.input, model.get_layer("pooling").output)


def _make_batches(
    model: keras.Model, parts: Sequence[tuple[TextFeatures, np.ndarray]], plan: TextTrainingPlan
) -> tuple[tf.data.Dataset, tf.data.Dataset]:
    """Return the shuffled batches of the training part, and those of the validation part."""
    (train, targets), (validation, validation_targets) = parts
    training = plan.training
    batches = batch_texts(
        train, targets, plan.padding, training.batch_size, shuffle_seed=training.seed
    )
    validation_batches = batch_texts(validation, validation_targets, plan.padding, SCORE_BATCH_SIZE)
    return _feed(model, batches), _feed(model, validation_batches)


def _limit(network: ClassifierSpec, plan: TextTrainingPlan) -> Limits:
    limits = Limits(max_seconds=plan.max_seconds)
    if plan.checkpoints is None:
        return limits
    settings = f"{network.model_dump_json()} {plan.padding.model_dump_json()}"
    return replace(
        limits,
        checkpoint=plan.checkpoints / f"{network.cell}.npz",
        fingerprint=f"{settings} {plan.fingerprint}",
    )


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


def compute_logits(model: keras.Model, features: TextFeatures, padding: PaddingSpec) -> np.ndarray:
    """Return the outputs of a network for each text, float64[num_texts, num_outputs]; padding is as in training."""
    call = _compile(model)
    logits = np.zeros((len(features.logits), model.output.shape[-1]))
    batches = batch_texts(features, logits, padding, SCORE_BATCH_SIZE)
    scored = [call(inputs).numpy() for inputs, _ in _feed(model, batches)]
    logits[sort_by_length(features, padding)] = np.concatenate([logits[:0], *scored])
    return logits


def batch_texts(
    features: TextFeatures,
    targets: np.ndarray,
    padding: PaddingSpec,
    batch_size: int,
    shuffle_seed: int | None = None,
) -> tf.data.Dataset:
    """Return texts as a data set for Keras; texts of similar length share a batch, which saves most of the padding.

    Args:
        batch_size: texts in a batch; the last one in the order of lengths may be smaller.
        shuffle_seed: seed of the random batches of each epoch; None keeps the order of `sort_by_length`.
    Returns:
        Pairs of inputs (`words` int32[batch, time], `ngrams` float32[batch, time, order · num_outputs]) and targets,
        float32[batch, num_outputs].
    """
    num_batches = -(-len(targets) // batch_size)
    kept_targets = tf.constant(targets, tf.float32)
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
    return batches.map(lambda texts: (gather(texts), tf.gather(kept_targets, texts))).prefetch(2)


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
