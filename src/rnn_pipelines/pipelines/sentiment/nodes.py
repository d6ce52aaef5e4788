"""The nodes of `sentiment` that gather several inputs: training and report."""

from typing import Any

import pandas as pd

from rnn_pipelines.networks.hints import KerasModel
from rnn_pipelines.networks.records import TrainingRecord
from rnn_pipelines.networks.specs import TrainingSpec
from rnn_pipelines.sentiment.evaluation.examples import Examples
from rnn_pipelines.sentiment.methods.calibration import Calibration
from rnn_pipelines.sentiment.methods.nb_ngram import TextFeatures
from rnn_pipelines.sentiment.methods.specs import ClassifierSpec, TextTrainingPlan
from rnn_pipelines.sentiment.methods.training import train_text_network
from rnn_pipelines.sentiment.report import report
from rnn_pipelines.sentiment.report.report import SentimentResults
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.schema import Reviews
from rnn_pipelines.sentiment.text.splits import ReviewProfile
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


def render_report(
    metrics: dict[str, Any],
    calibrations: dict[str, Calibration],
    profile: ReviewProfile,
    examples: Examples,
    parameters: dict[str, Any],
    **records_and_figures: Any,
) -> str:
    """Render verdict, tables, figures and examples as one HTML file that loads nothing else."""
    records, figures = (
        {
            name.removesuffix(kind): value
            for name, value in records_and_figures.items()
            if name.endswith(kind)
        }
        for kind in ("_record", "_figure")
    )
    results = SentimentResults(
        metrics, calibrations, profile, examples, parameters, records, figures
    )
    return report.render_report(results)
