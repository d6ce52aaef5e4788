"""The effect of each input on a network's correction: gradient times input, summed by input."""

from collections.abc import Sequence

import numpy as np

from rnn_pipelines.forecast.methods.networks.network import Network
from rnn_pipelines.forecast.series.tables import Features
from rnn_pipelines.forecast.windows.panel import WindowedPanel

SERIES, CALENDAR, PADDING = "series", "calendar", "padding"


def name_covariates(panel: WindowedPanel, features: Features | None) -> tuple[str, ...]:
    """Return the names of the covariates in the order of the panel's columns.

    Covariates of the same column of the table have the same name.

    Args:
        features: the features of the windows; if None or of other windows, the names are numbers.
    """
    coded = () if features is None else (*features.static, *features.future, *features.past)
    num_covariates = panel.values.shape[1] - panel.calendar.stop
    if len(coded) != num_covariates:
        return tuple(f"covariate {number}" for number in range(1, num_covariates + 1))
    return tuple(name.split(":", 1)[-1].split("=", 1)[0] for name in coded)


def list_inputs(panel: WindowedPanel, network: Network, covariates: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the name of each input of the recurrent layer at a step, and of each input of the head.

    The order is that of `read_windows`.
    """
    static = list(covariates[: panel.num_static])
    future = list(covariates[panel.num_static : panel.num_static + panel.num_future])
    in_head = [name for name in future for _ in range(panel.horizon)]
    if network.layout.has_embedding:
        return [SERIES, *covariates] * network.segment + [PADDING], [CALENDAR] * panel.num_calendar + static + in_head
    return [SERIES, SERIES, *[CALENDAR] * len(network.calendar), *covariates] * network.segment, in_head


def measure_moves(
    network: Network,
    names: tuple[list[str], list[str]],
    steps: np.ndarray,
    head_inputs: np.ndarray,
    gradients: np.ndarray,
) -> dict[str, float]:
    """Return how much each input changes the correction of the first step ahead between windows, to first order.

    Args:
        names: see `list_inputs`.
        steps, head_inputs: see `read_windows`.
        gradients: float64[batch, time, feature], see `differentiate_correction`.
    Returns:
        By input, the mean over windows of |Σ gradient · (input − its mean over windows)|, normalised.
    """
    inputs = steps.transpose(1, 0, 2)
    of_steps = ((inputs - inputs.mean(axis=0)) * gradients).sum(axis=1)
    kernel = network.weights["head_kernel"][:, network.units[-1] :, 0].mean(axis=0)
    of_head = (head_inputs - head_inputs.mean(axis=0)) * kernel
    moves, labels = np.concatenate([of_steps, of_head], axis=1), np.array([*names[0], *names[1]])
    return {
        str(name): float(np.abs(moves[:, labels == name].sum(axis=1)).mean())
        for name in dict.fromkeys(labels.tolist())
        if name != PADDING
    }
