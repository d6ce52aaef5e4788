"""What of `internals` loads Keras or Plotly, and does so when it is run."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from rnn_pipelines.forecast.series.windows import WindowedPanel
from rnn_pipelines.internals.records import LayerSummary, Traces
from rnn_pipelines.internals.specs import SampleSpec, SmallClassifierSpec, SmallForecasterSpec
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec

# Kedro resolves these hints when it checks parameters, and must not load Keras for it.
if TYPE_CHECKING:
    from keras import Model as KerasModel
    from plotly.graph_objects import Figure

    from rnn_pipelines.internals.choice import ChosenClassifier, ChosenForecasters
    from rnn_pipelines.sentiment.classifier import TextClassifier
else:
    KerasModel = Figure = ChosenClassifier = ChosenForecasters = TextClassifier = Any


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


def draw_figures(forecast: Traces, readings: pd.DataFrame, *tables: pd.DataFrame) -> dict[str, Figure]:
    """Draws every gate at work, distributions, memory lengths, gradients by lag and texts word by word."""
    from rnn_pipelines.internals.report import figures

    return figures.draw_figures(forecast, readings, *tables)


def render_report(
    summary: dict[str, LayerSummary], readings: pd.DataFrame, parameters: dict[str, Any], **figures: Figure
) -> str:
    """Puts equations, figures and tables into one HTML file that needs no network."""
    from rnn_pipelines.internals.report.report import render_internals_report

    return render_internals_report(summary, readings, parameters, figures)
