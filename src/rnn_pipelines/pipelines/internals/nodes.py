"""What of `internals` loads Keras, and does so when it is run."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from rnn_pipelines.forecast.series.windows import WindowedPanel
from rnn_pipelines.internals.records import Traces
from rnn_pipelines.internals.specs import SampleSpec, SmallClassifierSpec, SmallForecasterSpec
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec

# Kedro resolves these hints when it checks parameters, and must not load Keras for it.
if TYPE_CHECKING:
    from keras import Model as KerasModel

    from rnn_pipelines.internals.choice import ChosenClassifier, ChosenForecasters
    from rnn_pipelines.sentiment.classifier import TextClassifier
else:
    KerasModel = ChosenClassifier = ChosenForecasters = TextClassifier = Any


def choose_forecasters(
    panel: WindowedPanel | None, small: SmallForecasterSpec, **found: KerasModel | None
) -> ChosenForecasters:
    """Takes the networks that `forecast` has left, and trains small ones where it has left none."""
    from rnn_pipelines.internals import choice

    return choice.choose_forecasters(found, panel, small)


def choose_classifier(
    found: TextClassifier | None, reviews: pd.DataFrame | None, source: ReviewSourceSpec, small: SmallClassifierSpec
) -> ChosenClassifier:
    """Takes the classifier that `sentiment` has left, and trains a small one where it has left none."""
    from rnn_pipelines.internals import choice

    return choice.choose_classifier(found, reviews, source, small)


def trace_forecasters(forecasters: ChosenForecasters, sample: SampleSpec) -> Traces:
    """Follows every gate and state through test windows, and holds them against Keras."""
    from rnn_pipelines.internals import traces

    return traces.trace_forecasters(forecasters, sample)


def trace_classifier(classifier: ChosenClassifier, sample: SampleSpec) -> tuple[Traces, pd.DataFrame]:
    """Follows every gate and state through texts, holds them against Keras, and reads some texts word by word."""
    from rnn_pipelines.internals import traces

    return traces.trace_classifier(classifier, sample)
