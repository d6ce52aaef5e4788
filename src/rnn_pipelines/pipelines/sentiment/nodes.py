"""Nodes of `sentiment`: each calls one function of the library with its typed parameters."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from rnn_pipelines.networks.records import TrainingRecord
from rnn_pipelines.networks.specs import TrainingSpec
from rnn_pipelines.sentiment import calibration, nb_ngram
from rnn_pipelines.sentiment.evaluation import metrics as classification
from rnn_pipelines.sentiment.nb_ngram import NgramClassifier, NgramSpec, TextFeatures
from rnn_pipelines.sentiment.specs import ClassifierSpec
from rnn_pipelines.sentiment.text import encoding, source, splits, vectors, vocabulary
from rnn_pipelines.sentiment.text.encoding import EncodedTexts, PaddingSpec
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec
from rnn_pipelines.sentiment.text.splits import ReviewSplitSpec
from rnn_pipelines.sentiment.text.vectors import WordVectors, WordVectorSpec
from rnn_pipelines.sentiment.text.vocabulary import VocabularySpec

# Kedro resolves these hints when it checks parameters, and must not load Keras for it.
if TYPE_CHECKING:
    from keras import Model as KerasModel
    from plotly.graph_objects import Figure

    from rnn_pipelines.sentiment.classifier import TextClassifier
else:
    KerasModel = Figure = TextClassifier = Any


def read_reviews(source_spec: ReviewSourceSpec) -> pd.DataFrame:
    """Reads the reviews from the archive, which is downloaded where it isn't there, or from the user's own table."""
    return source.read_reviews(source_spec)


def split_reviews(table: pd.DataFrame, split: ReviewSplitSpec) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Drops texts that are in the test part too, and holds films back for validation."""
    return splits.split_reviews(table, split)


def build_vocabulary(reviews: pd.DataFrame, vocabulary_spec: VocabularySpec) -> list[str]:
    """Numbers the words of the training part."""
    return vocabulary.build_vocabulary(reviews.loc[reviews["part"] == "train", "text"], vocabulary_spec)


def encode_reviews(reviews: pd.DataFrame, words: list[str], vocabulary_spec: VocabularySpec) -> EncodedTexts:
    """Turns every text into the numbers of its words."""
    return encoding.encode_texts(reviews["text"], words, vocabulary_spec.signs)


def learn_word_vectors(encoded: EncodedTexts, reviews: pd.DataFrame, word_vectors: WordVectorSpec) -> WordVectors:
    """Learns a vector for each frequent word from the training and unlabelled texts alone."""
    texts = splits.find_texts(reviews, "train", "unlabelled")
    return vectors.learn_word_vectors(encoded.select(texts), word_vectors)


def fit_nb_ngram(
    encoded: EncodedTexts, reviews: pd.DataFrame, ngrams: NgramSpec
) -> tuple[NgramClassifier, TextFeatures, dict[str, Any]]:
    """Fits the classical classifier, and gives its weights to the words of all texts, out of fold in training."""
    folds = splits.assign_folds(reviews, ngrams.folds)
    return nb_ngram.add_ngram_features(encoded, reviews["label"], folds, ngrams)


def train_classifier(
    features: TextFeatures,
    reviews: pd.DataFrame,
    word_vectors: WordVectors,
    network: ClassifierSpec,
    padding: PaddingSpec,
    training: TrainingSpec,
) -> tuple[KerasModel, pd.DataFrame, TrainingRecord]:
    """Trains the network on the training part and keeps the weights that are best on validation."""
    from rnn_pipelines.sentiment import training as training_classification

    return training_classification.train_classifier(features, reviews, word_vectors, network, padding, training)


def score_reviews(
    model: KerasModel, features: TextFeatures, reviews: pd.DataFrame, network: ClassifierSpec, padding: PaddingSpec
) -> pd.DataFrame:
    """Gives the validation and test reviews their logits."""
    from rnn_pipelines.sentiment import training as training_classification

    return training_classification.score_reviews(model, features, reviews, network, padding)


def calibrate_classifiers(
    reviews: pd.DataFrame, features: TextFeatures, **networks: pd.DataFrame
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Weighs networks and n-gram classifier by the validation part, and predicts the test part."""
    return calibration.calibrate_classifiers(reviews, features, networks)


def evaluate_classifiers(
    predictions: pd.DataFrame, **records: dict[str, Any]
) -> tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]:
    """Measures every classifier on the test part: over all, by group, by confidence."""
    return classification.evaluate_classifiers(predictions, records)


def find_examples(predictions: pd.DataFrame, reviews: pd.DataFrame, calibrations: dict[str, Any]) -> pd.DataFrame:
    """Picks a sample, and the reviews on which the classifier that is best on validation is most wrong."""
    return classification.find_examples(predictions, reviews, calibration.choose_classifier(calibrations))


def assemble_classifier(
    ngrams: NgramClassifier,
    words: list[str],
    vocabulary_spec: VocabularySpec,
    padding: PaddingSpec,
    calibrations: dict[str, Any],
    **networks: KerasModel,
) -> TextClassifier:
    """Puts the classifier that is best on validation together with all that it needs."""
    from rnn_pipelines.sentiment import classifier as scoring

    return scoring.assemble_classifier(networks, ngrams, words, padding, calibrations, vocabulary_spec.signs)


def draw_figures(
    metrics: dict[str, Any],
    calibrations: dict[str, Any],
    by_group: pd.DataFrame,
    by_confidence: pd.DataFrame,
    **histories: pd.DataFrame,
) -> dict[str, Figure]:
    """Draws accuracies, confusion, calibration, accuracy by length and rating, and loss curves."""
    from rnn_pipelines.sentiment.report import figures as sentiment_figures

    return sentiment_figures.draw_figures(metrics, calibrations, by_group, by_confidence, histories)


def render_report(
    metrics: dict[str, Any],
    calibrations: dict[str, Any],
    profile: dict[str, Any],
    examples: pd.DataFrame,
    parameters: dict[str, Any],
    **records_and_figures: Any,
) -> str:
    """Puts verdict, tables, figures and examples into one HTML file that needs no network."""
    from rnn_pipelines.sentiment.report import report as sentiment_report

    records, figures = (
        {name.removesuffix(kind): value for name, value in records_and_figures.items() if name.endswith(kind)}
        for kind in ("_record", "_figure")
    )
    return sentiment_report.render_sentiment_report(
        sentiment_report.SentimentResults(metrics, calibrations, profile, examples, parameters, records, figures)
    )
