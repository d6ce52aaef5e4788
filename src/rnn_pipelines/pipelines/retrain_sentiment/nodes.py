"""Nodes of `retrain_sentiment`: each calls one function of the library with its typed parameters."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnn_pipelines.champion.artefacts import Candidate, LoadedChampion
from rnn_pipelines.champion.records import ChallengerTraining, Run
from rnn_pipelines.networks.specs import TrainingSpec
from rnn_pipelines.sentiment import challenger as sentiment_retraining
from rnn_pipelines.sentiment import decision as sentiment_decision
from rnn_pipelines.sentiment.classifier import TextClassifier
from rnn_pipelines.sentiment.decision import RetrainSentimentSpec
from rnn_pipelines.sentiment.nb_ngram import TextFeatures
from rnn_pipelines.sentiment.specs import ClassifierSpec, TextMeans
from rnn_pipelines.sentiment.text import newest
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec
from rnn_pipelines.sentiment.text.vectors import WordVectors

# Kedro resolves these hints when it checks parameters, and must not load Keras for it; a champion may be None, which is
# no type to check.
if TYPE_CHECKING:
    from keras import Model as KerasModel
else:
    KerasModel = LoadedChampion = Any


def read_newest(source_spec: ReviewSourceSpec, retrain_spec: RetrainSentimentSpec) -> tuple[pd.DataFrame, float]:
    """Reads the reviews up to the day of the retraining, says which are held out, and notes when it began."""
    return newest.read_newest(source_spec, retrain_spec), time.time()


def describe_run(
    table: pd.DataFrame,
    profile: dict[str, Any],
    sentiment: dict[str, Any],
    retrain_spec: RetrainSentimentSpec,
    started: float,
) -> Run:
    """Fingerprints data, parameters and code, and notes the versions of everything."""
    parameters = {"sentiment": sentiment, "retrain_sentiment": retrain_spec}
    return sentiment_decision.describe_run(table, profile, parameters, retrain_spec, started)


def allot_means(
    padding: PaddingSpec, training: TrainingSpec, retrain_spec: RetrainSentimentSpec, checkpoints: Path
) -> TextMeans:
    """Says how the networks are trained, and what it may cost."""
    return sentiment_retraining.allot_means(padding, training, retrain_spec.budget, checkpoints)


def train_challenger(
    features: TextFeatures, reviews: pd.DataFrame, word_vectors: WordVectors, network: ClassifierSpec, means: TextMeans
) -> tuple[KerasModel, dict[str, Any]]:
    """Trains one network within the budget, and keeps the weights that are best on validation."""
    return sentiment_retraining.train_challenger(features, reviews, word_vectors, network, means)


def complete_challenger(
    classifier: TextClassifier, reviews: pd.DataFrame, calibrations: dict[str, Any], **records: dict[str, Any]
) -> tuple[TextClassifier, ChallengerTraining]:
    """Lets the challenger remember which texts it has seen, and notes how it was trained and chosen."""
    return sentiment_retraining.complete_challenger(classifier, reviews, calibrations, records)


def score_holdout(
    reviews: pd.DataFrame, predictions: pd.DataFrame, challenger: TextClassifier, champion: LoadedChampion | None
) -> pd.DataFrame:
    """Scores the newest holdout by champion, challenger and baselines."""
    classifiers = {"challenger": challenger} | ({} if champion is None else {"champion": champion.artefact})
    return sentiment_retraining.score_holdout(reviews, predictions, classifiers)


def decide_promotion(
    challenger: TextClassifier,
    champion: LoadedChampion | None,
    holdout: pd.DataFrame,
    training: ChallengerTraining,
    run: Run,
    retrain_spec: RetrainSentimentSpec,
) -> Candidate:
    """Compares the two, decides by the policy, and writes the record with the reasons."""
    return sentiment_decision.decide_sentiment(challenger, champion, holdout, training, run, retrain_spec)
