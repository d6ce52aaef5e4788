"""The nodes of `sentiment` that import Keras, only when they run."""

import pandas as pd

from rnn_pipelines.networks.records import TrainingRecord
from rnn_pipelines.networks.specs import TrainingSpec
from rnn_pipelines.sentiment.methods.nb_ngram import TextFeatures
from rnn_pipelines.sentiment.methods.specs import ClassifierSpec, TrainingPlan
from rnn_pipelines.sentiment.methods.tables import Scores
from rnn_pipelines.sentiment.model.classifier import KerasModel
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.schema import Reviews
from rnn_pipelines.sentiment.text.vectors import WordVectors


def train_classifier(
    features: TextFeatures,
    reviews: Reviews,
    word_vectors: WordVectors,
    network: ClassifierSpec,
    padding: PaddingSpec,
    training: TrainingSpec,
) -> tuple[KerasModel, pd.DataFrame, TrainingRecord]:
    """Train the network on the training part, and keep the best weights on the validation part."""
    from rnn_pipelines.sentiment.methods.training import train_classifier

    return train_classifier(
        features, reviews, word_vectors, network, TrainingPlan(padding, training)
    )


def score_reviews(
    model: KerasModel,
    features: TextFeatures,
    reviews: Reviews,
    network: ClassifierSpec,
    padding: PaddingSpec,
) -> Scores:
    """Return the logits of the validation and test reviews."""
    from rnn_pipelines.sentiment.methods.training import score_reviews

    return score_reviews(model, features, reviews, network, padding)
