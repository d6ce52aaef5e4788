"""Fitting of a complete text classifier in one call, with the functions of the pipeline's nodes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rnn_pipelines.networks.keras_start import require_keras
from rnn_pipelines.networks.specs import TrainingSpec
from rnn_pipelines.networks.stages import begin_stage
from rnn_pipelines.sentiment.evaluation.metrics import evaluate_classifiers
from rnn_pipelines.sentiment.methods.calibration import calibrate_classifiers
from rnn_pipelines.sentiment.methods.nb_ngram import NgramSpec
from rnn_pipelines.sentiment.methods.preparation import (
    build_vocabulary,
    encode_reviews,
    fit_nb_ngram,
    learn_word_vectors,
)
from rnn_pipelines.sentiment.methods.registry import NB_NGRAM
from rnn_pipelines.sentiment.methods.specs import ClassifierSpec, TextTrainingPlan
from rnn_pipelines.sentiment.methods.training import score_reviews, train_text_network
from rnn_pipelines.sentiment.model.classifier import ClassifierArtefact, assemble_classifier
from rnn_pipelines.sentiment.operations.challenger import complete_challenger
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.schema import Reviews
from rnn_pipelines.sentiment.text.splits import ReviewSplitSpec, split_reviews
from rnn_pipelines.sentiment.text.vectors import WordVectorSpec
from rnn_pipelines.sentiment.text.vocabulary import VocabularySpec

# The stages of `fit_classifier` besides one for each network.
NUM_STAGES = 4


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
    require_keras()
    begin_stage("read the words")
    reviews, _ = split_reviews(table, spec.split)
    words = build_vocabulary(reviews, spec.vocabulary)
    encoded = encode_reviews(reviews, words, spec.vocabulary)
    begin_stage("learn the word vectors")
    vectors = learn_word_vectors(encoded, reviews, spec.word_vectors)
    begin_stage("fit the n-grams")
    ngrams, features, ngrams_record = fit_nb_ngram(encoded, reviews, spec.ngrams)
    plan = TextTrainingPlan(spec.padding, spec.training)
    networks = {}
    records = {}
    scores = {}
    for name, network in spec.networks.items():
        begin_stage(f"train {name}")
        model, _, record = train_text_network(features, reviews, vectors, network, plan)
        networks[name], records[name] = model, record
        scores[name] = score_reviews(model, features, reviews, network, spec.padding)
    begin_stage("evaluate")
    calibrations, predictions = calibrate_classifiers(reviews, features, **scores)
    metrics, *_ = evaluate_classifiers(predictions, **{NB_NGRAM: ngrams_record}, **records)
    classifier = assemble_classifier(
        ngrams, words, spec.vocabulary, spec.padding, calibrations, **networks
    )
    seeds = {name: {**record, "seeds": [spec.training.seed]} for name, record in records.items()}
    return complete_challenger(classifier, reviews, calibrations, **seeds)[0], metrics
