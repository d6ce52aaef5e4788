"""The model of a network: the linear forecast, plus the shrunk mean correction of its members."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_pipelines.forecast.methods.contributions import Contributions, add_weighted
from rnn_pipelines.forecast.methods.linear.models import LinearModel
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData, Model
from rnn_pipelines.forecast.methods.networks.attribution import attribute_correction
from rnn_pipelines.forecast.methods.networks.network import NO_ARRAY, Network, correct
from rnn_pipelines.forecast.methods.predictors import NormalizedWindows
from rnn_pipelines.forecast.windows.panel import WindowedPanel
from rnn_pipelines.report.styles import Style


@dataclass(frozen=True)
class NetworkModel:
    """A network with the linear forecast that it corrects; see `Model`."""

    start: LinearModel  # the baseline ensemble, or zeros
    network: Network  # the correction

    def forecast(self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray) -> np.ndarray:
        normalized = windows.predictors @ self.start.matrix
        if self.network.shrinkage:
            normalized = normalized + self.network.shrinkage * correct(self.network, panel, windows, origins)
        return windows.units.denormalize(normalized)

    def contribute(self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray) -> Contributions:
        """Return exact contributions to the linear forecast, and integrated gradients for the correction."""
        parts, shrinkage = self.start.contribute_normalized(panel, windows, origins), self.network.shrinkage
        if shrinkage:
            correction = attribute_correction(self.network, panel, windows, origins)
            parts = add_weighted([(1.0, parts), (shrinkage, correction)])
        return parts.denormalize(windows.units)

    def pack(self) -> dict[str, Any]:
        """Return the matrix of the linear forecast, and the network without the values that only a fit needs."""
        return {**self.start.pack(), **self.network.to_arrays(), "out_of_fold": NO_ARRAY, "seconds": 0.0}


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
    """Return whether a model is a network that adds nothing to the baseline ensemble, so that it equals it."""
    if not isinstance(model, NetworkModel):
        return False
    return not model.network.shrinkage and model.network.start == "baseline_ensemble"


def describe_network(data: FittingData, network: Network) -> FittedMethod:
    """Return a trained network as a fitted method."""
    data = data.remove_start() if network.start == "none" else data
    normalized = data.linear_forecasts + network.shrinkage * network.out_of_fold[: len(data.validation)]
    return FittedMethod(
        NetworkModel(LinearModel(data.linear.combine()), network),
        data.windows.units.denormalize(normalized),
        seconds=network.seconds,
        needs_linear=True,
        refitted=NetworkModel(LinearModel(data.linear.refit().combine()), network),
    )
