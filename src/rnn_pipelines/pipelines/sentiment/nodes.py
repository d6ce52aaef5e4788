"""The nodes of `sentiment` that load Keras or Plotly, which they do no sooner than they run."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from rnn_pipelines.networks.records import TrainingRecord
from rnn_pipelines.networks.specs import TrainingSpec
from rnn_pipelines.sentiment.calibration import Calibration
from rnn_pipelines.sentiment.evaluation.examples import Examples
from rnn_pipelines.sentiment.nb_ngram import TextFeatures
from rnn_pipelines.sentiment.specs import ClassifierSpec
from rnn_pipelines.sentiment.tables import Confidences, Groups, Scores
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.schema import Reviews
from rnn_pipelines.sentiment.text.splits import ReviewProfile
from rnn_pipelines.sentiment.text.vectors import WordVectors

# Kedro resolves these hints when it checks parameters.
if TYPE_CHECKING:
    from keras import Model as KerasModel
    from plotly.graph_objects import Figure
else:
    KerasModel = Figure = Any


def train_classifier(
    features: TextFeatures,
    reviews: Reviews,
    word_vectors: WordVectors,
    network: ClassifierSpec,
    padding: PaddingSpec,
    training: TrainingSpec,
) -> tuple[KerasModel, pd.DataFrame, TrainingRecord]:
    """Trains the network on the training part and keeps the weights that are best on validation."""
    from rnn_pipelines.sentiment.training import train_classifier

    return train_classifier(features, reviews, word_vectors, network, padding, training)


def score_reviews(
    model: KerasModel, features: TextFeatures, reviews: Reviews, network: ClassifierSpec, padding: PaddingSpec
) -> Scores:
    """Gives the validation and test reviews their logits."""
    from rnn_pipelines.sentiment.training import score_reviews

    return score_reviews(model, features, reviews, network, padding)


def draw_figures(
    metrics: dict[str, Any],
    calibrations: dict[str, Calibration],
    by_group: Groups,
    by_confidence: Confidences,
    **histories: pd.DataFrame,
) -> dict[str, Figure]:
    """Draws accuracies, confusion, calibration, accuracy by length and rating, and loss curves."""
    from rnn_pipelines.sentiment.report.figures import draw_figures

    return draw_figures(metrics, calibrations, by_group, by_confidence, histories)


def render_report(
    metrics: dict[str, Any],
    calibrations: dict[str, Calibration],
    profile: ReviewProfile,
    examples: Examples,
    parameters: dict[str, Any],
    **records_and_figures: Any,
) -> str:
    """Puts verdict, tables, figures and examples into one HTML file that needs no network."""
    from rnn_pipelines.sentiment.report.report import SentimentResults, render_sentiment_report

    records, figures = (
        {name.removesuffix(kind): value for name, value in records_and_figures.items() if name.endswith(kind)}
        for kind in ("_record", "_figure")
    )
    return render_sentiment_report(
        SentimentResults(metrics, calibrations, profile, examples, parameters, records, figures)
    )
