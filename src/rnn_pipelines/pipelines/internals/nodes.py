"""Nodes of `internals`: each calls one function of the library with its typed parameters."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from rnn_pipelines.forecast.series.windows import WindowedPanel
from rnn_pipelines.internals.specs import SampleSpec, SmallClassifierSpec, SmallForecasterSpec
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec

# Kedro resolves these hints when it checks parameters, and must not load Keras for it.
if TYPE_CHECKING:
    from keras import Model as KerasModel
    from plotly.graph_objects import Figure

    from rnn_pipelines.internals.choice import ChosenClassifier, ChosenForecasters
    from rnn_pipelines.internals.traces import Traces
    from rnn_pipelines.sentiment.classifier import TextClassifier
else:
    KerasModel = Figure = Traces = ChosenClassifier = ChosenForecasters = TextClassifier = Any


def choose_forecasters(
    lstm: KerasModel | None, gru: KerasModel | None, panel: WindowedPanel | None, small: SmallForecasterSpec
) -> ChosenForecasters:
    """Takes the networks that `forecast` has left, and trains small ones where it has left none."""
    from rnn_pipelines.internals import choice as internals_models

    return internals_models.choose_forecasters({"lstm": lstm, "gru": gru}, panel, small)


def choose_classifier(
    found: TextClassifier | None, reviews: pd.DataFrame | None, source: ReviewSourceSpec, small: SmallClassifierSpec
) -> ChosenClassifier:
    """Takes the classifier that `sentiment` has left, and trains a small one where it has left none."""
    from rnn_pipelines.internals import choice as internals_models

    return internals_models.choose_classifier(found, reviews, source, small)


def trace_forecasters(forecasters: ChosenForecasters, sample: SampleSpec) -> Traces:
    """Follows every gate and state through test windows, and holds them against Keras."""
    from rnn_pipelines.internals import traces as internals

    return internals.trace_forecasters(forecasters, sample)


def trace_classifier(classifier: ChosenClassifier, sample: SampleSpec) -> tuple[Traces, pd.DataFrame]:
    """Follows every gate and state through texts, holds them against Keras, and reads some texts word by word."""
    from rnn_pipelines.internals import traces as internals

    return internals.trace_classifier(classifier, sample)


def measure_traces(
    forecast: Traces, sentiment: Traces
) -> tuple[dict[str, Any], pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Measures openness, memory length and gradient by lag of each layer."""
    from rnn_pipelines.internals import traces as internals

    return internals.measure_traces(forecast, sentiment)


def draw_figures(
    forecast: Traces,
    readings: pd.DataFrame,
    distributions: pd.DataFrame,
    half_lives: pd.DataFrame,
    gradients: pd.DataFrame,
) -> dict[str, Figure]:
    """Draws every gate at work, distributions, memory lengths, gradients by lag and texts word by word."""
    from rnn_pipelines.internals.report import figures as internals_figures

    return internals_figures.draw_figures(forecast.layers, readings, distributions, half_lives, gradients)


def render_report(
    summary: dict[str, Any], readings: pd.DataFrame, parameters: dict[str, Any], **figures: Figure
) -> str:
    """Puts equations, figures and tables into one HTML file that needs no network."""
    from rnn_pipelines.internals.report import report as internals_report

    return internals_report.render_internals_report(summary, readings, parameters, figures)
