"""Fitting of a complete text classifier in one call, with the functions of the pipeline's nodes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rnn_pipelines.networks.hints import KerasModel
from rnn_pipelines.networks.keras_start import prepare_keras
from rnn_pipelines.networks.specs import TrainingSpec
from rnn_pipelines.networks.stages import Stage, begin_stage
from rnn_pipelines.sentiment.evaluation.metrics import evaluate_classifiers
from rnn_pipelines.sentiment.methods.calibration import Calibration, calibrate_classifiers
from rnn_pipelines.sentiment.methods.nb_ngram import NgramClassifier, NgramSpec
from rnn_pipelines.sentiment.methods.preparation import (
    build_vocabulary,
    encode_reviews,
    fit_nb_ngram,
    learn_word_vectors,
)
from rnn_pipelines.sentiment.methods.registry import NB_NGRAM
from rnn_pipelines.sentiment.methods.specs import ClassifierSpec, TextTrainingPlan
from rnn_pipelines.sentiment.methods.tables import Predictions
from rnn_pipelines.sentiment.methods.training import (
    load_tensorflow,
    score_reviews,
    train_text_network,
)
from rnn_pipelines.sentiment.model.classifier import ClassifierArtefact, assemble_classifier
from rnn_pipelines.sentiment.operations.challenger import complete_challenger
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.schema import Reviews
from rnn_pipelines.sentiment.text.splits import ReviewSplitSpec, split_reviews
from rnn_pipelines.sentiment.text.vectors import WordVectorSpec
from rnn_pipelines.sentiment.text.vocabulary import VocabularySpec


def list_text_stages(networks: Iterable[str]) -> list[Stage]:
    """Return the stages of a fit with some networks, with their seconds on a usual file."""
    return [
        ("read the words", 1.0),
        ("learn the word vectors", 1.0),
        ("fit the n-grams", 1.0),
        ("load TensorFlow", 3.0),
        *((f"train {name}", 20.0) for name in networks),
        ("evaluate", 1.0),
    ]


@dataclass(frozen=True)
class SentimentSpec:
    """The parameters of `sentiment`; `networks` are the candidates, by name in the registry."""

    split: ReviewSplitSpec
    vocabulary: VocabularySpec
    padding: PaddingSpec
    word_vectors: WordVectorSpec
    ngrams: NgramSpec
    networks: Mapping[str, ClassifierSpec]
    training: TrainingSpec


@dataclass(frozen=True)
class FittedParts:
    """The n-gram classifier and the networks, their records and calibrations by name, and the predictions of all."""

    words: list[str]
    ngrams: NgramClassifier
    networks: Mapping[str, KerasModel]
    records: Mapping[str, Mapping[str, Any]]
    calibrations: dict[str, Calibration]
    predictions: Predictions


def fit_classifier(
    table: Reviews, spec: SentimentSpec
) -> tuple[ClassifierArtefact, dict[str, Any]]:
    """Fit the n-gram classifier and the networks, calibrate them on the validation part and keep the best classifier.

    Returns:
        The classifier, with the hashes of the texts it was fitted on. And the metrics of all classifiers on the test
        part, see `evaluate_classifiers`.
    Raises:
        ReviewError: a part is empty or has only one class.
        TrainingError: a loss is no longer finite.
        MissingLibraryError: Keras is not installed.
    """
    reviews, _ = split_reviews(table, spec.split)
    parts = fit_parts(reviews, spec)
    metrics, *_ = evaluate_classifiers(parts.predictions, **parts.records)
    classifier = assemble_classifier(
        parts.ngrams,
        parts.words,
        spec.vocabulary,
        spec.padding,
        parts.calibrations,
        **parts.networks,
    )
    seeds = {
        name: {**parts.records[name], "seeds": [spec.training.seed]} for name in parts.networks
    }
    return complete_challenger(classifier, reviews, parts.calibrations, **seeds)[0], metrics


def fit_parts(reviews: Reviews, spec: SentimentSpec) -> FittedParts:
    """Fit n-gram classifier and networks on split reviews, and calibrate them; errors as in `fit_classifier`."""
    prepare_keras()
    begin_stage("read the words")
    words = build_vocabulary(reviews, spec.vocabulary)
    encoded = encode_reviews(reviews, words, spec.vocabulary)
    begin_stage("learn the word vectors")
    vectors = learn_word_vectors(encoded, reviews, spec.word_vectors)
    begin_stage("fit the n-grams")
    ngrams, features, ngrams_record = fit_nb_ngram(encoded, reviews, spec.ngrams)
    begin_stage("load TensorFlow")
    load_tensorflow()
    plan = TextTrainingPlan(spec.padding, spec.training)
    networks = {}
    records: dict[str, Mapping[str, Any]] = {NB_NGRAM: ngrams_record}
    scores = {}
    for name, network in spec.networks.items():
        begin_stage(f"train {name}")
        networks[name], _, records[name] = train_text_network(
            features, reviews, vectors, network, plan
        )
        scores[name] = score_reviews(networks[name], features, reviews, network, spec.padding)
    begin_stage("evaluate")
    calibrations, predictions = calibrate_classifiers(reviews, features, **scores)
    return FittedParts(words, ngrams, networks, records, calibrations, predictions)
