"""The explorer's pages of the networks of `forecast` and `sentiment`."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_pipelines.forecast.methods.linear.models import LinearModel
from rnn_pipelines.forecast.methods.networks.model import NetworkModel
from rnn_pipelines.forecast.report.explorer import NUM_WINDOWS, describe_networks, render_networks
from rnn_pipelines.forecast.series.tables import Features, Scaler
from rnn_pipelines.lab.internals.forecast.choice import ChosenForecasters
from rnn_pipelines.lab.internals.forecast.traces import choose_origins
from rnn_pipelines.lab.internals.specs import SampleSpec
from rnn_pipelines.report.page import render_page
from rnn_pipelines.sentiment.report.explorer import render_classifier

# Kedro resolves these hints when it checks parameters, which must not load the packages of texts.
if TYPE_CHECKING:
    from rnn_pipelines.lab.internals.sentiment.choice import ChosenClassifier
else:
    ChosenClassifier = Any

TITLE = "The gates of trained networks"


def explore_forecasters(
    forecasters: ChosenForecasters, features: Features | None, scaler: Scaler | None
) -> str:
    """Render the explorer's page over test windows; without trained networks, a page that says so.

    Args:
        features, scaler: of the windows; None without a run of `forecast`.
    """
    linear = forecasters.linear
    if linear is None or features is None or scaler is None or not forecasters.networks:
        return render_page(
            TITLE,
            "No network was trained. Run kedro run --pipelines=forecast on more values first.",
            [],
        )
    models = {}
    for cell, network in forecasters.networks.items():
        start = (
            replace(linear, weights=np.zeros_like(linear.weights))
            if network.start == "none"
            else linear
        )
        models[cell] = NetworkModel(LinearModel(start.combine()), network)
    origins = choose_origins(forecasters.panel, NUM_WINDOWS)
    described = describe_networks(
        forecasters.panel, features, scaler, linear.normalizer, models, origins
    )
    return render_networks(described)


def explore_classifier(chosen: ChosenClassifier, sample: SampleSpec) -> str:
    """Render the explorer's page over the texts of the parameters; without a classifier, a page that says so."""
    if chosen.classifier is None or not chosen.classifier.networks:
        return render_page(TITLE, f"No network reads texts: {chosen.origin}.", [])
    return render_classifier(chosen.classifier, sample.texts)
