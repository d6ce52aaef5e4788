"""A trained network that corrects what is linear in a window: what it reads, and what it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np

from rnn_pipelines.cells.conventions import CellName
from rnn_pipelines.forecast.base import Base
from rnn_pipelines.forecast.effects import frame_moving, gather_ahead
from rnn_pipelines.forecast.predictions import Forecasts, forecast_parts
from rnn_pipelines.forecast.predictors import Framed, Reading, frame_windows
from rnn_pipelines.forecast.series.windows import WindowedPanel, count_padded, find_history
from rnn_pipelines.forecast.theta import forecast_theta
from rnn_pipelines.networks.members import MemberShape, Weights, run_members

PREDICT_BATCH_SIZE = 1024
NO_ARRAY = np.zeros((0, 0, 0), np.float32)


class NetworkRecord(TypedDict):
    """How one network was trained.

    Attributes:
        training_seconds: wall time.
        num_steps: of the gradient, until it ended.
        best_step: whose weights are kept; 0 if nothing was learnt that helps.
        is_cut_short: whether it ended because its time was over.
        gain: see `Network`.
        num_parameters: of all members.
        design: all that was chosen, see `Design`.
    """

    training_seconds: float
    num_steps: int
    best_step: int
    is_cut_short: bool
    gain: float
    num_parameters: int
    design: dict[str, Any]


@dataclass(frozen=True)
class Network:
    """The members of a network, and how far they are trusted; one forecaster together with a `Base`.

    Attributes:
        cell: `lstm` or `gru`.
        segment: steps of the series that are read as one.
        calendar: int64[feature], numbers of the features that are read at each step of the window.
        embedding_kernel to head_bias: see `members`; an array that the cell or the design doesn't have is empty.
        gain: what the mean of the members' corrections is multiplied by, 0 to 1: 0 leaves what is linear as it is.
        unseen: float32[judged, horizon], in the frame: corrections of the base's judged windows, by members that have
            not seen them.
    """

    cell: CellName
    segment: int
    calendar: np.ndarray
    embedding_kernel: np.ndarray
    embedding_bias: np.ndarray
    kernel: np.ndarray
    recurrent_kernel: np.ndarray
    bias: np.ndarray
    recurrent_bias: np.ndarray
    head_kernel: np.ndarray
    head_bias: np.ndarray
    gain: float
    unseen: np.ndarray

    @property
    def weights(self) -> Weights:
        """By name, those that there are."""
        names = ("embedding_kernel", "embedding_bias", "kernel", "recurrent_kernel", "bias", "recurrent_bias")
        arrays = {name: getattr(self, name) for name in (*names, "head_kernel", "head_bias")}
        return {name: array for name, array in arrays.items() if array.size}


def make_network(
    weights: Weights, cell: CellName, segment: int, calendar: np.ndarray, gain: float, unseen: np.ndarray
) -> Network:
    """A network of what was trained; see `Network`."""
    empty = dict.fromkeys(("embedding_kernel", "embedding_bias", "recurrent_bias"), NO_ARRAY)
    return Network(cell=cell, segment=segment, calendar=calendar, gain=gain, unseen=unseen, **(empty | weights))


def size_members(
    panel: WindowedPanel, cell: CellName, units: int, embedding: int, segment: int, calendar: tuple[int, ...]
) -> MemberShape:
    """The sizes of each member on the windows of a panel."""
    # The window twice where there is no embedding, as it is and less its mean; else once, and whether it is padding.
    num_covariates = panel.values.shape[1] - panel.calendar.stop
    num_channels = 1 + num_covariates if embedding else 2 + len(calendar) + num_covariates
    num_inputs = segment * num_channels + (1 if embedding else 0)
    num_known = (panel.num_known + panel.num_static if embedding else 0) + panel.num_future * panel.horizon
    return MemberShape(cell, num_inputs, embedding, units, num_known, panel.horizon)


def read_windows(
    panel: WindowedPanel, framed: Framed, origins: np.ndarray, segment: int, calendar: np.ndarray, has_embedding: bool
) -> tuple[np.ndarray, np.ndarray]:
    """What a network reads of some windows.

    Of one series, at each step: the window less its mean, the window, the calendar. Of many: the window in its frame,
    and whether its segment is padding; the calendar of the first target goes to the head. Covariates are read at each
    step of the window; what is known ahead goes to the head too, at all steps of the horizon, as does what is static.

    Returns:
        float32[time, batch, feature], and float32[batch, known] for the head.
    """
    history = framed.history.astype(np.float32)
    channels = [history[:, :, None]]
    known = np.zeros((len(origins), 0), np.float32)
    if has_embedding:
        # Calendar and static covariates, which stand side by side.
        known = panel.values[origins, 1 : panel.static.stop]
    else:
        channels.insert(0, channels[0] - channels[0].mean(axis=1, keepdims=True))
        if len(calendar):
            rows = find_history(panel, origins)
            channels.append(panel.values[rows][:, :, 1 + np.asarray(calendar)])
    if panel.calendar.stop < panel.values.shape[1]:
        covariates = panel.values[find_history(panel, origins)]
        channels.append(covariates[:, :, panel.static])
        channels.append(frame_moving(covariates[:, :, panel.moving], framed.units.spread))
        known = np.concatenate([known, gather_ahead(panel, origins, framed.units.spread)], axis=1)
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
    return np.ascontiguousarray(steps.transpose(1, 0, 2)), known.astype(np.float32, copy=False)


def correct(network: Network, panel: WindowedPanel, framed: Framed, origins: np.ndarray) -> np.ndarray:
    """The mean of the members' corrections, not yet multiplied by the gain: float32[window, horizon], in the frame."""
    steps, known = read_windows(
        panel, framed, origins, network.segment, network.calendar, bool(network.embedding_kernel.size)
    )
    outputs, _ = run_members(network.weights, steps, known)
    return outputs.mean(axis=0)


def forecast_origins(network: Network, base: Base, panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
    """Forecasts from some origins, float32[window, horizon], scaled: what is linear, and the correction."""
    return forecast_corrected(panel, base, base.combine(), [(network, network.gain)], origins)


def forecast_corrected(
    panel: WindowedPanel,
    reading: Reading,
    matrix: np.ndarray,
    corrections: Sequence[tuple[Network, float]],
    origins: np.ndarray,
    theta: float = 0.0,
) -> np.ndarray:
    """Forecasts by one matrix, shares of networks' corrections and one of the theta method, batch by batch.

    Args:
        panel: the windows.
        reading: how they are framed.
        matrix: float64[predictor, horizon], of all that is linear.
        corrections: networks, each with the share of its correction.
        origins: int64[window].
        theta: share of the forecast by the theta method.
    Returns:
        float32[window, horizon], scaled.
    """
    found = [np.zeros((0, panel.horizon), np.float32)]
    for begin in range(0, len(origins), PREDICT_BATCH_SIZE):
        some = origins[begin : begin + PREDICT_BATCH_SIZE]
        framed = frame_windows(panel, reading, some)
        forecasts = framed.predictors @ matrix
        for network, share in corrections:
            if share:
                forecasts += share * correct(network, panel, framed, some)
        if theta:
            forecasts += theta * framed.units.frame(forecast_theta(panel, some))
        found.append(framed.units.unframe(forecasts).astype(np.float32))
    return np.concatenate(found)


def forecast_windows(network: Network, base: Base, panel: WindowedPanel) -> Forecasts:
    """Forecasts the test windows and the steps after each series' end.

    Args:
        network: trained.
        base: on which it was trained.
        panel: the windows.
    """
    return forecast_parts(panel, lambda origins: forecast_origins(network, base, panel, origins))
