"""The nodes of `internals` that import Keras, only when they run."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from rnn_pipelines.internals.records import Traces
from rnn_pipelines.internals.specs import SampleSpec, SmallClassifierSpec, TracedReviewsSpec

# Kedro resolves these type hints when it checks parameters, which must not import Keras.
if TYPE_CHECKING:
    from rnn_pipelines.internals.sentiment.choice import ChosenClassifier
    from rnn_pipelines.sentiment.model.classifier import TextClassifier
else:
    ChosenClassifier = TextClassifier = Any


def choose_classifier(
    found: TextClassifier | None, reviews: pd.DataFrame | None, source: TracedReviewsSpec, small: SmallClassifierSpec
) -> ChosenClassifier:
    """Return the classifier of `sentiment`, or train a small one if there is none."""
    from rnn_pipelines.internals.sentiment import choice

    return choice.choose_classifier(found, reviews, source, small)


def trace_classifier(classifier: ChosenClassifier, sample: SampleSpec) -> tuple[Traces, pd.DataFrame]:
    """Trace every gate and state through texts, compare them with Keras, and score some texts word by word."""
    from rnn_pipelines.internals.sentiment import traces

    return traces.trace_classifier(classifier, sample)
