"""What of `internals` loads Keras, and does so when it is run."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from rnn_pipelines.internals.records import Traces
from rnn_pipelines.internals.specs import SampleSpec, SmallClassifierSpec
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec

# Kedro resolves these hints when it checks parameters, and must not load Keras for it.
if TYPE_CHECKING:
    from rnn_pipelines.internals.sentiment.choice import ChosenClassifier
    from rnn_pipelines.sentiment.model.classifier import TextClassifier
else:
    ChosenClassifier = TextClassifier = Any


def choose_classifier(
    found: TextClassifier | None, reviews: pd.DataFrame | None, source: ReviewSourceSpec, small: SmallClassifierSpec
) -> ChosenClassifier:
    """Takes the classifier that `sentiment` has left, and trains a small one where it has left none."""
    from rnn_pipelines.internals.sentiment import choice

    return choice.choose_classifier(found, reviews, source, small)


def trace_classifier(classifier: ChosenClassifier, sample: SampleSpec) -> tuple[Traces, pd.DataFrame]:
    """Follows every gate and state through texts, holds them against Keras, and reads some texts word by word."""
    from rnn_pipelines.internals.sentiment import traces

    return traces.trace_classifier(classifier, sample)
