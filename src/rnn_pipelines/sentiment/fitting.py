"""Fitting of a complete text classifier in one call, with the functions of the pipeline's nodes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

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
from rnn_pipelines.sentiment.methods.tables import Confidences, Groups, Predictions
from rnn_pipelines.sentiment.methods.training import (
    is_needed,
    is_trained,
    load_tensorflow,
    score_reviews,
    train_text_network,
)
from rnn_pipelines.sentiment.model.class_facts import ClassFacts, describe_classes
from rnn_pipelines.sentiment.model.classifier import ClassifierArtefact, assemble_classifier
from rnn_pipelines.sentiment.operations.challenger import complete_challenger
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.schema import Reviews
from rnn_pipelines.sentiment.text.splits import (
    ReviewProfile,
    ReviewSplitSpec,
    split_reviews,
)
from rnn_pipelines.sentiment.text.vectors import NO_WORD_VECTORS, WordVectorSpec
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
    """The n-gram classifier and the trained networks, and the results of each classifier.

    `networks` are those that were trained. Histories, records and calibrations are by name.
    """

    words: list[str]
    ngrams: NgramClassifier
    networks: Mapping[str, KerasModel]
    histories: Mapping[str, pd.DataFrame]
    records: Mapping[str, Mapping[str, Any]]
    calibrations: dict[str, Calibration]
    predictions: Predictions
    class_facts: ClassFacts


@dataclass(frozen=True)
class FittedClassifier:
    """A classifier with the hashes of the texts it was fitted on, its parts, and the results on the test part.

    Metrics and groups are those of `evaluate_classifiers`.
    """

    classifier: ClassifierArtefact
    parts: FittedParts
    reviews: Reviews
    profile: ReviewProfile
    metrics: dict[str, Any]
    by_group: Groups
    by_confidence: Confidences


def fit_classifier(table: Reviews, spec: SentimentSpec) -> FittedClassifier:
    """Fit the n-gram classifier and the networks, calibrate them on the validation part and keep the best classifier.

    Raises:
        ReviewError: a part is empty or has only one class.
        TrainingError: a loss is no longer finite.
        MissingLibraryError: Keras is not installed, and a network is needed.
    """
    reviews, profile = split_reviews(table, spec.split)
    parts = fit_parts(reviews, spec)
    results = evaluate_classifiers(parts.predictions, parts.calibrations, **parts.records)
    classifier = assemble_classifier(
        parts.ngrams,
        parts.words,
        spec.vocabulary,
        spec.padding,
        parts.calibrations,
        parts.class_facts,
        **parts.networks,
    )
    seeds = {
        name: {**parts.records[name], "seeds": [spec.training.seed]} for name in parts.networks
    }
    complete, _ = complete_challenger(classifier, reviews, parts.calibrations, **seeds)
    return FittedClassifier(complete, parts, reviews, profile, *results)


def fit_parts(reviews: Reviews, spec: SentimentSpec) -> FittedParts:
    """Fit n-gram classifier and networks on split reviews, and calibrate them; errors as in `fit_classifier`."""
    is_large = any(is_needed(reviews, network) for network in spec.networks.values())
    if is_large:
        prepare_keras()
    begin_stage("read the words")
    words = build_vocabulary(reviews, spec.vocabulary)
    encoded = encode_reviews(reviews, words, spec.vocabulary)
    begin_stage("learn the word vectors")
    vectors = (
        learn_word_vectors(encoded, reviews, spec.word_vectors) if is_large else NO_WORD_VECTORS
    )
    begin_stage("fit the n-grams")
    ngrams, features, ngrams_record = fit_nb_ngram(encoded, reviews, spec.vocabulary, spec.ngrams)
    if is_large:
        begin_stage("load TensorFlow")
        load_tensorflow()
    plan = TextTrainingPlan(spec.padding, spec.training)
    networks = {}
    histories = {}
    records: dict[str, Mapping[str, Any]] = {NB_NGRAM: ngrams_record}
    scores = {}
    for name, network in spec.networks.items():
        begin_stage(f"train {name}")
        model, histories[name], records[name] = train_text_network(
            features, reviews, vectors, network, plan
        )
        scores[name] = score_reviews(model, features, reviews, network, spec.padding)
        if is_trained(model):
            networks[name] = model
    begin_stage("evaluate")
    calibrations, predictions = calibrate_classifiers(reviews, features, **scores)
    class_facts = describe_classes(reviews, features, ngrams, words)
    return FittedParts(
        words, ngrams, networks, histories, records, calibrations, predictions, class_facts
    )
