"""The explorer's page of the networks of `forecast`."""

from dataclasses import replace

import numpy as np

from rnn_pipelines.forecast.methods.linear.models import LinearModel
from rnn_pipelines.forecast.methods.networks.model import NetworkModel
from rnn_pipelines.forecast.report.explorer import NUM_WINDOWS, describe_networks, render_networks
from rnn_pipelines.forecast.series.tables import Features, Scaler
from rnn_pipelines.internals.forecast.choice import ChosenForecasters
from rnn_pipelines.internals.forecast.traces import choose_origins
from rnn_pipelines.report.page import render_page


def explore_forecasters(forecasters: ChosenForecasters, features: Features | None, scaler: Scaler | None) -> str:
    """Render the explorer's page over test windows; without trained networks, a page that says so.

    Args:
        features, scaler: of the windows; None without a run of `forecast`.
    """
    linear = forecasters.linear
    if linear is None or features is None or scaler is None or not forecasters.networks:
        reason = "No network was trained: run kedro run --pipelines=forecast on a series of enough values first."
        return render_page("The gates of trained networks", reason, [])
    models = {}
    for cell, network in forecasters.networks.items():
        start = replace(linear, weights=np.zeros_like(linear.weights)) if network.start == "none" else linear
        models[cell] = NetworkModel(LinearModel(start.combine()), network)
    origins = choose_origins(forecasters.panel, NUM_WINDOWS)
    described = describe_networks(forecasters.panel, features, scaler, linear.normalizer, models, origins)
    return render_networks(described)
