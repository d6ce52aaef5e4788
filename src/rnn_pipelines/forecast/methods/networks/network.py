"""A trained network that corrects a linear forecast: its inputs and its corrections."""

from collections.abc import Mapping, Sized
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, TypedDict

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.methods.predictors import (
    NormalizedWindows,
    gather_covariate_inputs,
    normalize_time_varying,
)
from rnn_pipelines.forecast.windows.panel import WindowedPanel, count_padded, find_history
from rnn_pipelines.networks.members import MemberShape, Weights, count_units, forward
from rnn_pipelines.networks.specs import list_units

# Kedro resolves the type hints of nodes, which must not import Keras.
if TYPE_CHECKING:
    from keras import Model as KerasModel
else:
    KerasModel = Any

NO_ARRAY = np.zeros((0, 0, 0), np.float32)

# The forecast that a network corrects: the baseline ensemble, or 0.
NetworkStart = Literal["baseline_ensemble", "none"]


class InputLayout(NamedTuple):
    """The layout of a network's inputs, see `read_windows`."""

    segment: int  # steps of the series in one step of the network
    # int64[feature], numbers of the calendar features at each step of the window
    calendar: np.ndarray
    has_embedding: bool  # whether the network has an embedding, as those of panels have


class NetworkRecord(TypedDict):
    """The record of training one network."""

    training_seconds: float  # wall time
    num_steps: int  # gradient steps until the end
    best_step: int  # the step of the weights that are kept; 0 if training did not reduce the validation loss
    is_cut_short: bool  # whether the time limit ended the training
    shrinkage: float  # see `Network`
    values_needed: (
        int  # about the values of a series with which the network is trained; 0 if it was trained
    )
    num_parameters: int  # of all members
    hyperparameters: dict[str, Any]  # see `Hyperparameters`


@dataclass(frozen=True)
class Network:
    """The members of a network, whose mean output corrects the baseline ensemble, or is itself the forecast."""

    weights: Weights  # of the members
    cell: str  # its name in `CELLS`
    segment: int  # steps of the series in one step of the network
    # int64[feature], numbers of the calendar features at each step of the window
    calendar: np.ndarray
    shrinkage: float  # factor of the mean correction of the members, 0 to 1; 0 keeps the baseline ensemble unchanged
    # float32[validation, horizon], normalised: corrections of the validation windows by members trained without them.
    out_of_fold: np.ndarray
    seconds: float = 0.0  # wall time of the training; NaN if the pretrained network stands for it
    start: NetworkStart = "baseline_ensemble"  # the forecast that the network corrects

    @property
    def layout(self) -> InputLayout:
        return InputLayout(self.segment, self.calendar, "embedding_kernel" in self.weights)

    @property
    def num_members(self) -> int:
        return len(self.weights["head_kernel"])

    @property
    def units(self) -> tuple[int, ...]:
        return count_units(self.cell, self.weights)

    def to_keras(self) -> KerasModel:
        """Return the mean correction, without shrinkage, as a functional Keras model; see `keras_members.build_model`.

        Its inputs `steps` and `static_inputs` are those of `read_windows`, with the batch as the first axis. TensorFlow
        loads without its log lines, unless the environment variable TF_CPP_MIN_LOG_LEVEL is 0 or 1.
        """
        from rnn_pipelines.networks.keras_start import quicken_start

        quicken_start()
        from rnn_pipelines.networks.keras_members import build_model

        return build_model(self.cell, self.weights)

    def from_keras(self, model: KerasModel) -> Self:
        """Return this network with the weights of a model of `to_keras`, such as after further training."""
        from rnn_pipelines.networks.keras_members import read_model

        return replace(self, weights=read_model(self.cell, model))

    def to_arrays(self) -> dict[str, Any]:
        """Return arrays and numbers by name, for `from_arrays`."""
        own = {
            part.name: getattr(self, part.name) for part in fields(self) if part.name != "weights"
        }
        return {**own, **self.weights}

    @classmethod
    def from_arrays(cls, values: Mapping[str, Any]) -> Self:
        """Return the network with these values; all names that are no attributes are those of weights."""
        own = {part.name: values[part.name] for part in fields(cls) if part.name in values}
        weights = {name: array for name, array in values.items() if name not in own}
        return cls(weights, **own)


@dataclass(frozen=True)
class TrainedNetwork:
    """A network with the results of its training."""

    name: str  # in the registry
    network: Network
    # One row for each validation: `step`, `loss` (of the steps since the last validation), `val_loss` (both
    # normalised), `seconds`, `is_best`; the first row is step 0.
    history: pd.DataFrame
    record: NetworkRecord  # of the training
    parameters: dict[str, Any]  # of the network, as given
    seed: int  # of the training


def size_members(
    panel: WindowedPanel,
    cell: str,
    units: int | tuple[int, ...],
    embedding: int,
    segment: int,
    calendar: Sized,
) -> MemberShape:
    """Return the sizes of each member on the windows of a panel."""
    # Without an embedding, the window is read twice: less its mean, and unchanged. With one, it is read once, and a
    # padding flag is added.
    num_covariates = len(panel.roles)
    num_channels = 1 + num_covariates if embedding else 2 + len(calendar) + num_covariates
    num_inputs = segment * num_channels + (1 if embedding else 0)
    num_static_inputs = len(list_head_columns(panel, bool(embedding)))
    return MemberShape(
        cell, num_inputs, embedding, list_units(units), num_static_inputs, panel.horizon
    )


def list_head_columns(panel: WindowedPanel, has_embedding: bool) -> np.ndarray:
    """Return the column of each input of the head, see `read_windows`: int64[input]."""
    # Calendar features and static covariates are adjacent columns.
    num_first = panel.columns.static.stop if has_embedding else 1
    return np.append(np.arange(1, num_first), panel.columns.list_ahead(panel.horizon).columns)


def read_windows(
    panel: WindowedPanel, normalized: NormalizedWindows, origins: np.ndarray, layout: InputLayout
) -> tuple[np.ndarray, np.ndarray]:
    """Return the inputs of a network for some windows: float32[time, batch, feature], and float32[batch, feature].

    For a single series, each step has the window less its mean, the window, and calendar features. For a panel, it has
    the normalised window and a padding flag of the segment; the head reads the calendar features of the first target.
    Each step of the window also has the covariates. The head also reads future covariates at all steps of the horizon,
    and static covariates.
    """
    history = normalized.history.astype(np.float32)
    channels = [history[:, :, None]]
    static_inputs = np.zeros((len(origins), 0), np.float32)
    segment, calendar, has_embedding = layout
    rows = find_history(panel, origins)
    if has_embedding:
        static_inputs = panel.values[origins, 1 : panel.columns.static.stop]
    else:
        channels.insert(0, channels[0] - channels[0].mean(axis=1, keepdims=True))
        if len(calendar):
            channels.append(panel.values[rows][:, :, 1 + np.asarray(calendar)])
    if len(panel.roles):
        covariates = panel.values[rows]
        spread = normalized.units.spread
        channels.append(covariates[:, :, panel.columns.static])
        channels.append(
            normalize_time_varying(covariates[:, :, panel.columns.varying], spread[:, :, None])
        )
        ahead = gather_covariate_inputs(
            panel, rows, panel.columns.list_ahead(panel.horizon), spread
        )
        static_inputs = np.concatenate([static_inputs, ahead], axis=1)
    steps = np.concatenate(channels, axis=-1, dtype=np.float32)
    num_segments = -(-panel.lookback // segment)
    missing = num_segments * segment - panel.lookback
    if missing:
        steps = np.pad(steps, ((0, 0), (missing, 0), (0, 0)))
    steps = steps.reshape(len(origins), num_segments, -1)
    if has_embedding:
        first_real = (count_padded(panel, origins) + missing)[:, None]
        is_real = np.arange(num_segments) * segment >= first_real
        steps = np.concatenate([steps, is_real[:, :, None]], axis=-1, dtype=np.float32)
    return np.ascontiguousarray(steps.transpose(1, 0, 2)), static_inputs.astype(
        np.float32, copy=False
    )


def correct(
    network: Network, panel: WindowedPanel, normalized: NormalizedWindows, origins: np.ndarray
) -> np.ndarray:
    """Return the mean of the members' corrections, without shrinkage: float32[window, horizon], normalised."""
    outputs, _ = forward(
        network.cell, network.weights, *read_windows(panel, normalized, origins, network.layout)
    )
    return outputs.mean(axis=0)
