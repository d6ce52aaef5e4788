"""Training of networks, and their logits of texts. Only a call loads TensorFlow, so that commands start fast."""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType
from typing import TypeAlias

import numpy as np
import pandas as pd

from rnn_pipelines.networks.hints import KerasModel
from rnn_pipelines.networks.memory import estimate_recurrent_bytes, require_memory
from rnn_pipelines.networks.records import TrainingRecord
from rnn_pipelines.sentiment.methods.calibration import apply_calibration, fit_calibration
from rnn_pipelines.sentiment.methods.logits import (
    count_outputs,
    mark_classes,
    tabulate_logits,
    to_probabilities,
)
from rnn_pipelines.sentiment.methods.nb_ngram import FEW_TEXTS, TextFeatures
from rnn_pipelines.sentiment.methods.registry import NB_NGRAM
from rnn_pipelines.sentiment.methods.specs import ClassifierSpec, TextTrainingPlan
from rnn_pipelines.sentiment.methods.tables import Scores
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.schema import Reviews, list_classes
from rnn_pipelines.sentiment.text.splits import assign_folds, find_texts
from rnn_pipelines.sentiment.text.vectors import WordVectors

logger = logging.getLogger(__name__)

# One of so many texts is held out in pretraining, to choose the epoch: of few labels, the validation part is too small.
HELD_OUT_EVERY = 20

# A network, its losses by epoch, and the record of its training.
Training: TypeAlias = tuple[KerasModel, pd.DataFrame, TrainingRecord]

# What stands for a network that is not trained, because a node cannot return None.
NO_NETWORK: KerasModel = {}
NO_HISTORY = pd.DataFrame(columns=["epoch", "loss", "val_loss"], dtype=float)
NO_TRAINING = TrainingRecord(
    training_seconds=0.0,
    compile_seconds=0.0,
    num_epochs=0,
    num_steps=0,
    best_epoch=0,
    num_parameters=0,
    layers=[],
)


def is_trained(model: KerasModel) -> bool:
    """Return whether a network was trained, see `NO_NETWORK`."""
    return not isinstance(model, Mapping)


def has_enough_texts(reviews: Reviews, network: ClassifierSpec) -> bool:
    """Return whether there are as many training texts as a network needs."""
    return len(find_texts(reviews, "train")) >= network.min_texts


def is_needed(reviews: Reviews, network: ClassifierSpec) -> bool:
    """Return whether a network learns: with enough labels, or from texts without a label."""
    has_unlabelled = bool(network.pretraining_epochs) and len(find_texts(reviews, "unlabelled")) > 0
    return has_enough_texts(reviews, network) or has_unlabelled


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
) -> Training:
    """Build and train a network; the epoch is chosen on the validation part. An interrupted training is resumed.

    Args:
        features: of all reviews, in their order.
        reviews: with their parts; the test part is not used.
        word_vectors: the words that the network knows, and the initial values of their vectors.
    Returns:
        The network with its best weights, the history, and the training record with `layers`, see `summarize_layers`.
        With fewer training texts than `network.min_texts`, only the head of a network is fitted, after it was
        pretrained on unlabelled texts; without those, it is `NO_NETWORK`, without a history. A loss that is no longer
        finite raises a TrainingError.
    """
    if not is_needed(reviews, network):
        logger.info(
            "%s: not trained, because %s training texts are fewer than %s.min_texts (%s)",
            network.cell,
            f"{len(find_texts(reviews, 'train')):,}",
            network.cell,
            f"{network.min_texts:,}",
        )
        return NO_NETWORK, NO_HISTORY.copy(), NO_TRAINING
    vectors = word_vectors.vectors
    _require_memory(features, vectors, network, plan)
    if plan.checkpoints is not None:
        plan = replace(plan, fingerprint=_fingerprint(features, reviews))
    has_enough = has_enough_texts(reviews, network)
    if not has_enough:
        # The pretrained states do not know the n-grams, and the last layer alone cannot learn to read them.
        network = network.model_copy(update={"ngram_inputs": False})
    start = None
    pretraining_seconds = 0.0
    if network.pretraining_epochs:
        start, pretraining_seconds = _pretrain(features, reviews, vectors, network, plan)
        plan = _spend(plan, pretraining_seconds)
    if has_enough:
        model, history, record = _fit_network(features, reviews, vectors, network, plan, start)
    else:
        parts = _select_parts(features, reviews, reviews["label"].cat.codes.to_numpy())
        num_outputs = count_outputs(len(list_classes(reviews)))
        model, history, record = load_tensorflow().fit_last_layer(
            network, vectors, parts, num_outputs, plan, start
        )
    record["training_seconds"] += pretraining_seconds
    return model, history, record


def _pretrain(
    features: TextFeatures,
    reviews: Reviews,
    vectors: np.ndarray,
    network: ClassifierSpec,
    plan: TextTrainingPlan,
) -> tuple[list[np.ndarray], float]:
    """Return the weights of a network that learnt the next words of training and unlabelled texts, and the seconds."""
    texts = find_texts(reviews, "train", "unlabelled")
    is_held_out = np.arange(len(texts)) % HELD_OUT_EVERY == 0
    parts = [features.select(texts[part]) for part in (~is_held_out, is_held_out)]
    num_outputs = count_outputs(len(list_classes(reviews)))
    weights, history, record = load_tensorflow().pretrain_network(
        network, vectors, parts, num_outputs, plan
    )
    logger.info(
        "%s: validation loss of the next words %.4f, with %s texts",
        network.cell,
        history["val_loss"].min(),
        f"{len(texts):,}",
    )
    return weights, record["training_seconds"]


def _fit_network(
    features: TextFeatures,
    reviews: Reviews,
    vectors: np.ndarray,
    network: ClassifierSpec,
    plan: TextTrainingPlan,
    start: list[np.ndarray] | None,
) -> Training:
    """Train all layers on the labels; with `pseudo_labels`, once more on the unlabelled texts too."""
    library = load_tensorflow()
    labels = reviews["label"].cat.codes.to_numpy()
    targets = mark_classes(labels, len(list_classes(reviews))).astype(np.float32)
    parts = _select_parts(features, reviews, targets)
    model, history, record = library.fit_network(network, vectors, parts, plan, start)
    num_unlabelled = len(find_texts(reviews, "unlabelled"))
    if not network.pseudo_labels or not num_unlabelled:
        return model, history, record
    parts[0] = _add_pseudo_labels(model, features, reviews, targets, plan.padding)
    plan = _spend(plan, record["training_seconds"])
    plan = replace(plan, fingerprint=f"{plan.fingerprint} student")
    student, student_history, student_record = library.fit_network(
        network, vectors, parts, plan, start
    )
    student_record["training_seconds"] += record["training_seconds"]
    logger.info(
        "%s: validation loss %.4f from labels alone, %.4f with %s unlabelled texts",
        network.cell,
        history["val_loss"].min(),
        student_history["val_loss"].min(),
        f"{num_unlabelled:,}",
    )
    return student, student_history, student_record


def _select_parts(
    features: TextFeatures, reviews: Reviews, answers: np.ndarray
) -> list[tuple[TextFeatures, np.ndarray]]:
    """Return the features and the answers of the training and of the validation part."""
    parts = []
    for part in ("train", "validation"):
        texts = find_texts(reviews, part)
        parts.append((features.select(texts), answers[texts]))
    return parts


def _require_memory(
    features: TextFeatures, vectors: np.ndarray, network: ClassifierSpec, plan: TextTrainingPlan
) -> None:
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


def _spend(plan: TextTrainingPlan, seconds: float) -> TextTrainingPlan:
    """Return a plan whose time is what is left after a training."""
    if plan.max_seconds is None:
        return plan
    return replace(plan, max_seconds=max(plan.max_seconds - seconds, 0.0))


def _add_pseudo_labels(
    teacher: KerasModel,
    features: TextFeatures,
    reviews: Reviews,
    targets: np.ndarray,
    padding: PaddingSpec,
) -> tuple[TextFeatures, np.ndarray]:
    """Return the training and the unlabelled texts with their targets, float32[num_texts, num_outputs].

    Those of unlabelled texts are the probabilities of the teacher and the n-gram classifier, calibrated on validation.

    Source: Hinton, Vinyals & Dean (2015), Distilling the Knowledge in a Neural Network, arXiv:1503.02531.
    """
    train, validation, unlabelled = (
        find_texts(reviews, part) for part in ("train", "validation", "unlabelled")
    )
    labels = reviews["label"].cat.codes.to_numpy(int)[validation]
    calibration = fit_calibration(
        _score_stack(teacher, features.select(validation), padding),
        labels,
        len(list_classes(reviews)),
    )
    stack = _score_stack(teacher, features.select(unlabelled), padding)
    probabilities = to_probabilities(apply_calibration(calibration, stack))
    return (
        features.select(np.concatenate([train, unlabelled])),
        np.concatenate([targets[train], probabilities[:, -targets.shape[1] :]]).astype(np.float32),
    )


def _score_stack(
    model: KerasModel, features: TextFeatures, padding: PaddingSpec
) -> dict[str, np.ndarray]:
    return {"network": score_texts(model, features, padding), NB_NGRAM: features.logits}


def _fingerprint(features: TextFeatures, reviews: Reviews) -> str:
    digest = hashlib.sha256(
        pd.util.hash_pandas_object(reviews[["part", "label"]], index=False).to_numpy().tobytes()
    )
    for array in (features.ids, features.offsets, features.ngrams):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def score_texts(model: KerasModel, features: TextFeatures, padding: PaddingSpec) -> np.ndarray:
    """Return the network's logits of each text, float64[num_texts, num_outputs]; with the padding of its training."""
    logits: np.ndarray = load_tensorflow().compute_logits(model, features, padding)
    return logits


def score_reviews(
    model: KerasModel,
    features: TextFeatures,
    reviews: Reviews,
    network: ClassifierSpec,
    padding: PaddingSpec,
) -> Scores:
    """Return the network's logits of the validation and test reviews, in columns with the name of its cell.

    With an n-gram path, the logits of the n-gram classifier follow. There are none of a network that was not trained.
    If only the last layer was fitted, there are logits of the training reviews too, out-of-fold. `features` are those
    of all reviews, `padding` is that of the training.
    """
    texts = find_texts(reviews, "validation", "test")
    if not is_trained(model):
        return pd.DataFrame({"review_id": reviews["review_id"].to_numpy()[texts]})
    logits = score_texts(model, features.select(texts), padding)
    if not has_enough_texts(reviews, network):
        train = find_texts(reviews, "train")
        labels = reviews["label"].cat.codes.to_numpy(int)[train]
        folds = assign_folds(reviews, FEW_TEXTS.folds)[train]
        out_of_fold = load_tensorflow().score_by_folds(
            model, features.select(train), labels, folds, padding
        )
        texts = np.concatenate([texts, train])
        logits = np.concatenate([logits, out_of_fold])
    scores = pd.DataFrame({"review_id": reviews["review_id"].to_numpy()[texts]})
    scores = scores.assign(**tabulate_logits(network.cell, logits))
    if network.ngram_path:
        scores = scores.assign(**tabulate_logits(NB_NGRAM, features.logits[texts]))
    return scores
