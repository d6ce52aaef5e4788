"""Further training of a fitted network with Keras: its windows and targets, and the check of the changed network."""

import numpy as np

from rnn_pipelines.errors import ParameterError, SeriesTooShortError, show
from rnn_pipelines.forecast.methods.folds import list_past
from rnn_pipelines.forecast.methods.method import FittingData, iterate_windows
from rnn_pipelines.forecast.methods.networks.network import Network, read_windows
from rnn_pipelines.forecast.methods.predictors import normalize_targets
from rnn_pipelines.forecast.methods.training.validation import MAX_RESIDUAL
from rnn_pipelines.networks.members import STATIC_INPUTS, STEPS
from rnn_pipelines.networks.memory import require_memory


def list_network_windows(
    data: FittingData, network: Network
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the training and validation windows as inputs and targets of `Network.to_keras`.

    The inputs by name are `steps`, float32[window, time, feature], and, if the network has them, `static_inputs`,
    float32[window, feature]. Targets, float32[window, horizon], normalised, are actual minus linear forecast, clipped.
    Raise a SeriesTooShortError without such windows, and a ParameterError if too little memory is free for all at once.
    """
    data = data.remove_start() if network.start == "none" else data
    panel = data.panel
    matrix = data.linear.combine()
    origins = list_past(data.panel)
    if not len(origins):
        raise SeriesTooShortError(
            f"no series has a window of {panel.lookback} + {panel.horizon} steps for training, before the parts for "
            "validation and test. Give longer series, or fit with a shorter lookback."
        )
    batches: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for some, windows in iterate_windows(panel, data.linear.normalizer, origins):
        steps, static_inputs = read_windows(panel, windows, some, network.layout)
        targets = normalize_targets(panel, windows, some) - windows.predictors @ matrix
        targets = np.clip(targets, -MAX_RESIDUAL, MAX_RESIDUAL).astype(np.float32)
        batch = (steps.swapaxes(0, 1), static_inputs, targets)
        if not batches:
            # Twice, because the batches are copied into one array.
            num_bytes = 2 * sum(array.nbytes for array in batch) * len(origins) / len(some)
            require_memory(
                num_bytes,
                f"a copy of {len(origins):,} windows",
                "window.lookback, or use fewer series",
            )
        batches.append(batch)
    steps, static_inputs, targets = (
        np.concatenate(arrays) for arrays in zip(*batches, strict=True)
    )
    inputs = {STEPS: steps} | ({STATIC_INPUTS: static_inputs} if static_inputs.shape[1] else {})
    return inputs, targets


def check_replacement(name: str, network: object, before: Network) -> Network:
    """Return the network if it differs from the one before only in its weights, which are finite.

    Otherwise, raise a ParameterError that names the first difference.
    """
    if not isinstance(network, Network):
        message = f"network: expected a Network, received {show(network)}. Use networks[{name!r}].from_keras(model)."
        raise ParameterError(message)
    received = _describe(network)
    expected = _describe(before)
    for part in sorted(received.keys() | expected.keys()):
        if received.get(part) != expected.get(part):
            raise ParameterError(
                f"network: expected the {part} {expected.get(part)} of {name}, received {received.get(part)}. Use "
                f"networks[{name!r}].from_keras(model) with a model of its to_keras, or fit with other parameters."
            )
    # Those of another fit, such as with another lookback, differ.
    if not np.array_equal(network.out_of_fold, before.out_of_fold):
        raise ParameterError(
            f"network: expected the out-of-fold corrections of {name}, received those of another fit. Use "
            f"networks[{name!r}].from_keras(model) of this forecaster."
        )
    wrong = [part for part, array in network.weights.items() if not np.isfinite(array).all()]
    if wrong:
        raise ParameterError(
            f"network: expected finite weights, received NaN or infinity in {wrong[0]}. Train with a lower learning "
            "rate."
        )
    return network


def _describe(network: Network) -> dict[str, object]:
    shapes = {f"shape of {name}": array.shape for name, array in network.weights.items()}
    facts = {name: getattr(network, name) for name in ("cell", "segment", "start", "shrinkage")}
    return {**facts, "calendar": np.asarray(network.calendar).tolist(), **shapes}
