"""The model of a network: the linear forecast, plus the shrunk mean correction of its members.

The contributions of inputs to a correction are integrated gradients: the contribution of a value is the value times its
mean gradient on the straight path from a window at its own level to the actual window. The contributions of a step sum
to its correction, except for the quadrature error.

Source: Sundararajan, Taly & Yan (2017), Axiomatic attribution for deep networks, arXiv:1703.01365, equations 1 and 3.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnn_pipelines.forecast.methods.contributions import Contributions, add_weighted
from rnn_pipelines.forecast.methods.linear.models import LinearModel
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData, Model
from rnn_pipelines.forecast.methods.networks.network import (
    NO_ARRAY,
    Network,
    correct,
    list_head_columns,
    read_windows,
)
from rnn_pipelines.forecast.methods.predictors import NormalizedWindows
from rnn_pipelines.forecast.windows.panel import WindowedPanel
from rnn_pipelines.networks.gradients import find_input_gradients
from rnn_pipelines.networks.members import forward
from rnn_pipelines.report.styles import Style

# Points of the Gauss-Legendre rule on the path, which is exact for polynomials of a degree below twice this number.
NUM_POINTS = 24
# A network with a smaller shrinkage is a copy of the baseline ensemble, and takes no weight.
MIN_SHRINKAGE = 0.05


@dataclass(frozen=True)
class NetworkModel:
    """A network with the linear forecast that it corrects; see `Model`."""

    start: LinearModel  # the baseline ensemble, or zeros
    network: Network  # the correction

    def forecast(
        self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray
    ) -> np.ndarray:
        normalized = windows.predictors @ self.start.matrix
        if self.network.shrinkage:
            normalized = normalized + self.network.shrinkage * correct(
                self.network, panel, windows, origins
            )
        return windows.units.denormalize(normalized)

    def contribute(
        self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray
    ) -> Contributions:
        """Return exact contributions to the linear forecast, and integrated gradients for the correction."""
        parts = self.start.contribute_normalized(panel, windows, origins)
        shrinkage = self.network.shrinkage
        if shrinkage:
            correction = attribute_correction(self.network, panel, windows, origins)
            parts = add_weighted([(1.0, parts), (shrinkage, correction)])
        return parts.denormalize(windows.units)

    def pack(self) -> dict[str, Any]:
        """Return the matrix of the linear forecast, and the network without the values that only a fit needs."""
        return {
            **self.start.pack(),
            **self.network.to_arrays(),
            "out_of_fold": NO_ARRAY,
            "seconds": 0.0,
        }


@dataclass(frozen=True)
class NetworkMethod:
    """A kind of network, trained by `training.train_network`; see `Method`."""

    style: Style  # display name, and line style in plots
    cell: str  # of its recurrent layer, by its name in `CELLS`
    is_candidate: bool = True

    def unpack(self, values: Mapping[str, Any]) -> NetworkModel:
        of_network = {name: value for name, value in values.items() if name != "matrix"}
        return NetworkModel(LinearModel(values["matrix"]), Network.from_arrays(of_network))


def is_copy(model: Model) -> bool:
    """Return whether a model is a network that adds next to nothing to the baseline ensemble."""
    if not isinstance(model, NetworkModel):
        return False
    return model.network.shrinkage < MIN_SHRINKAGE and model.network.start == "baseline_ensemble"


def describe_network(data: FittingData, network: Network) -> FittedMethod:
    """Return a trained network as a fitted method."""
    data = data.remove_start() if network.start == "none" else data
    normalized = (
        data.linear_forecasts + network.shrinkage * network.out_of_fold[: len(data.validation)]
    )
    return FittedMethod(
        NetworkModel(LinearModel(data.linear.combine()), network),
        data.windows.units.denormalize(normalized),
        seconds=network.seconds,
        needs_linear=True,
        refitted=NetworkModel(LinearModel(data.linear.refit().combine()), network),
    )


def attribute_correction(
    network: Network, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray
) -> Contributions:
    """Return the contribution of each input to the correction of one window, before shrinkage."""
    has_embedding = network.layout.has_embedding
    steps, static_inputs = read_windows(panel, windows, origins, network.layout)
    points, weights = np.polynomial.legendre.leggauss(NUM_POINTS)
    # A batch of the points, mapped from -1 … 1 to 0 … 1.
    path = ((points + 1) / 2).astype(np.float32)[:, None]
    on_path = steps * path
    if has_embedding:
        on_path[:, :, -1] = steps[:, :, -1]  # the padding flag is constant on the path
    _, cache = forward(network.cell, network.weights, on_path, static_inputs * path)
    slopes = []
    for of_step in np.eye(panel.horizon, dtype=np.float32):
        of_outputs = np.broadcast_to(of_step, (network.num_members, NUM_POINTS, panel.horizon))
        found = find_input_gradients(network.weights, cache, np.ascontiguousarray(of_outputs))
        # Averaged over the path: float64[..., feature] of float32[..., point, feature].
        means = (one.mean(axis=0).astype(np.float64) for one in found)
        slopes.append([np.einsum("...pf,p->...f", one, weights / 2) for one in means])
    of_steps, of_static = (np.stack(one, axis=-1) for one in zip(*slopes, strict=True))
    parts = _split_channels(network, panel, of_steps, steps[:, 0])
    start = steps * np.float32(0)
    if has_embedding:
        start[:, :, -1] = steps[:, :, -1]
    baseline = forward(network.cell, network.weights, start, static_inputs * np.float32(0))[0].mean(
        axis=0
    )[0]
    head = list_head_columns(panel, has_embedding)
    calendar, covariates = panel.columns.sum_by_column(head, static_inputs[0][:, None] * of_static)
    return replace(
        parts,
        values=parts.values * windows.history[0][:, None],
        covariates=parts.covariates + covariates,
        calendar=parts.calendar + calendar,
        baseline=baseline.astype(np.float64),
    )


def _split_channels(
    network: Network, panel: WindowedPanel, slopes: np.ndarray, steps: np.ndarray
) -> Contributions:
    """Map slopes, float64[time, feature, horizon], from the inputs of a network back to the window; see `read_windows`.

    The `values` of the result are the slopes with respect to the history; it has no baseline yet.
    """
    has_embedding = network.layout.has_embedding
    if has_embedding:
        slopes = slopes[:, :-1]
        steps = steps[:, :-1]
    num_channels = slopes.shape[1] // network.segment
    horizon = slopes.shape[2]
    slopes = slopes.reshape(-1, num_channels, horizon)[-panel.lookback :]
    steps = steps.reshape(-1, num_channels)[-panel.lookback :]
    first = num_channels - len(panel.roles)
    products = np.einsum("tc,tch->ch", steps, slopes)
    # Without an embedding, the channels are the window less its mean, and the window. With one, only the window.
    history = (
        slopes[:, 0] if has_embedding else slopes[:, 0] - slopes[:, 0].mean(axis=0) + slopes[:, 1]
    )
    calendar = products[(1 if has_embedding else 2) : first].sum(axis=0)
    return Contributions(
        np.arange(panel.lookback, 0, -1), history, products[first:], calendar, np.zeros(horizon)
    )
