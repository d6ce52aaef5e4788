"""The node of `sentiment` that trains a network."""

import pandas as pd

from rnn_pipelines.networks.hints import KerasModel
from rnn_pipelines.networks.records import TrainingRecord
from rnn_pipelines.networks.specs import TrainingSpec
from rnn_pipelines.sentiment.methods.nb_ngram import TextFeatures
from rnn_pipelines.sentiment.methods.specs import ClassifierSpec, TextTrainingPlan
from rnn_pipelines.sentiment.methods.training import train_text_network
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
    plan = TextTrainingPlan(padding, training)
    return train_text_network(features, reviews, word_vectors, network, plan)
