"""Traces of recurrent layers, and what they come to; free of Keras."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NotRequired, TypedDict

import numpy as np

from rnn_pipelines.cells.gru import GRUWeights
from rnn_pipelines.cells.lstm import LSTMWeights
from rnn_pipelines.cells.unroll import Trace
from rnn_pipelines.networks.records import LayerRecord


class NetworkSummary(TypedDict):
    """A network.

    Attributes:
        layers: of it, or of one of its members; see `summarize_layers`.
        num_parameters: of all members.
        segment: steps of the series that a forecaster reads as one.
        shrinkage: factor of its corrections, 0 to 1.
        moved_by: how far each input moves a forecaster's correction, see `measure_moves`.
    """

    layers: list[LayerRecord]
    num_parameters: int
    segment: NotRequired[int]
    shrinkage: NotRequired[float]
    moved_by: NotRequired[dict[str, float]]


@dataclass(frozen=True)
class LayerTrace:
    """The recurrent layer of a forecaster's member, or one direction of a classifier's, over a batch.

    Attributes:
        cell: its kind.
        weights: what it has learned.
        inputs: float32[batch, time, feature], what it reads.
        mask: bool[batch, time], true where it reads.
        trace: its states and gates, from the equations.
        max_difference: the largest difference between their hidden states and those that the network computed.
        num_weights_by_gate: as they are in the layer.
        series: float64[batch, time, segment], in the frame of each window: what of the series comes with each step, NaN
            before its beginning; None on texts.
    """

    cell: Literal["lstm", "gru"]
    weights: LSTMWeights | GRUWeights
    inputs: np.ndarray
    mask: np.ndarray
    trace: Trace[Any, Any]
    max_difference: float
    num_weights_by_gate: dict[str, int]
    series: np.ndarray | None = None


class ClassifierSummary(TypedDict):
    """The classifier whose layers are traced.

    Attributes:
        is_missing: whether there is none.
        origin: where it comes from, or why it is missing, in words.
        accuracy: share of the held-out texts whose label is right: of each network alone and of the n-gram classifier,
            at logit 0, and of all of them together as calibrated (`ensemble`). Empty without such texts.
        num_texts: on which accuracy is measured.
    """

    is_missing: bool
    origin: str
    accuracy: dict[str, float]
    num_texts: int


@dataclass(frozen=True)
class Traces:
    """Recurrent layers at work.

    Attributes:
        layers: by task, cell and, if there are two, direction: `forecast_lstm`, `sentiment_gru_backward`. Each in every
            member of its network, one or more, over the same batch.
        gradients: float[batch, time, feature] for each layer: of the output whose dependence on the past is measured,
            with respect to all that its network reads at a step, or that the layer reads.
        networks: that of each layer.
        origin: where the networks come from, in words.
        classifier: to which they belong, if they read texts. If there is none, the traces have no layers.
    """

    layers: Mapping[str, Sequence[LayerTrace]]
    gradients: Mapping[str, np.ndarray]
    networks: Mapping[str, NetworkSummary]
    origin: str
    classifier: ClassifierSummary | None = None


class Openness(TypedDict):
    """Of a gate: its mean, and the shares of its values that are below 0.1 and above 0.9."""

    mean: float
    low_fraction: float
    high_fraction: float


class HalfLives(TypedDict):
    """Steps that 10 %, 50 % and 90 % of the units stay below; None where they have no end."""

    low: float | None
    median: float | None
    high: float | None


class LayerSummary(TypedDict):
    """What one layer does.

    Attributes:
        origin: where its network comes from, in words.
        cell, num_weights_by_gate: as in `LayerTrace`.
        max_difference: likewise, of all members.
        num_inputs, units: its size in each member.
        num_sequences, num_steps: that it read; steps of all sequences together.
        network: in which it stands.
        openness: of each gate, over all members.
        half_life_steps: of its units, those of all members.
        reach_steps: see `find_reach`.
    """

    origin: str
    cell: str
    num_inputs: int
    units: int
    num_sequences: int
    num_steps: int
    num_weights_by_gate: dict[str, int]
    max_difference: float
    network: NetworkSummary
    openness: dict[str, Openness]
    half_life_steps: HalfLives
    reach_steps: int | None


class Summary(TypedDict):
    """The file `summary.json`.

    Attributes:
        layers: by the names of `Traces`.
        classifier: whose layers are among them, or why there is none; missing if only forecasters are measured.
    """

    layers: dict[str, LayerSummary]
    classifier: NotRequired[ClassifierSummary]
