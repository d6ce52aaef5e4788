"""The networks of `forecast` that are traced, and the windows over which they and the pretrained ones are."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnn_pipelines.errors import NetworkError
from rnn_pipelines.forecast.methods.linear.layout import make_layout
from rnn_pipelines.forecast.methods.linear.models import LinearModels
from rnn_pipelines.forecast.methods.networks.network import Network, size_members
from rnn_pipelines.forecast.recipe import Recipe, prepare_panel
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.windows.panel import WindowedPanel
from rnn_pipelines.lab.internals.specs import TracedSeriesSpec

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChosenForecasters:
    """Networks that were trained, by cell, and the linear models that they correct; None without networks.

    The panel has the windows that both were fitted on; `series` is its origin, in words.
    """

    networks: Mapping[str, Network]
    linear: LinearModels | None
    panel: WindowedPanel
    series: str = "the series of forecast"


def choose_forecasters(
    panel: WindowedPanel | None,
    linear: LinearModels | None,
    series: TracedSeriesSpec,
    **found: Network | None,
) -> ChosenForecasters:
    """Return the networks that `forecast` trained, if any, and its windows, or those of other series without them.
    The series are those of `series` if there are no windows. Networks are None if they are missing. Linear models or
    windows that are not those of the networks raise a NetworkError.
    """
    if panel is None:
        label = series.source.label
        logger.info(
            "kedro run --pipelines=forecast has left no series. Tracing the pretrained networks over %s",
            label,
        )
        recipe = Recipe(source=series.source, window=series.window)
        return ChosenForecasters(
            {}, None, prepare_panel(read_source(series.source), recipe).windows, label
        )
    if linear is None or not linear.is_enough:
        return ChosenForecasters({}, None, panel)
    # A network that was not trained has no training time.
    networks = {
        cell: network
        for cell, network in found.items()
        if network and not np.isnan(network.seconds)
    }
    for cell, network in networks.items():
        sizes = _list_sizes(network, linear, panel)
        expected, received = ({name: pair[side] for name, pair in sizes.items()} for side in (0, 1))
        if expected != received:
            raise NetworkError(
                f"forecast_{cell}_model: expected windows of these sizes, {expected}, received {received} from "
                "forecast_linear and forecast_windows. They are of different runs: run kedro run --pipelines=forecast "
                "to its end."
            )
    return ChosenForecasters(networks, linear, panel)


def _list_sizes(
    network: Network, linear: LinearModels, panel: WindowedPanel
) -> dict[str, tuple[int, int]]:
    """Return the sizes for which the network and the linear models were made, each with that of the windows."""
    num_others = make_layout(panel, linear.normalizer).num_predictors - panel.lookback
    # Calendar features whose cycle does not occur twice are in the windows, but not read.
    num_features = max([panel.columns.num_calendar, *(linear.calendar + 1).tolist()])
    num_inputs = network.weights.get("embedding_kernel", network.weights["kernel"]).shape[-2]
    embedding = network.weights["kernel"].shape[-2] if network.layout.has_embedding else 0
    shape = size_members(
        panel, network.cell, network.units, embedding, network.segment, tuple(network.calendar)
    )
    return {
        "lookback": (linear.matrices.shape[-2] - num_others, panel.lookback),
        "horizon": (linear.horizon, panel.horizon),
        "features": (num_features, panel.columns.num_calendar),
        "inputs": (num_inputs, shape.num_inputs),
        "head": (
            network.weights["head_kernel"].shape[-2],
            shape.units[-1] + shape.num_static_inputs,
        ),
        "outputs": (network.weights["head_bias"].shape[-1], shape.num_outputs),
        "validation windows": (len(network.out_of_fold), len(linear.validation)),
    }
