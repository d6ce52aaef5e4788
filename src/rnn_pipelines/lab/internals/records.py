"""Traces of recurrent layers, and their summary. Does not import Keras."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

import numpy as np

from rnn_pipelines.cells.cell import Cell
from rnn_pipelines.cells.unroll import Trace
from rnn_pipelines.cells.weights import CellWeights
from rnn_pipelines.networks.records import LayerRecord


class NetworkSummary(TypedDict):
    """A network: the layers of one of its members, see `summarize_layers`, and the parameters of all members.

    A forecaster also has the number of steps of the series that it reads as one, the factor of its corrections, 0 to 1,
    and the effect of each input on its correction, see `measure_moves`.
    """

    layers: list[LayerRecord]
    num_parameters: int
    segment: NotRequired[int]
    shrinkage: NotRequired[float]
    moved_by: NotRequired[dict[str, float]]


@dataclass(frozen=True)
class LayerTrace:
    """The trace of a forecaster member's recurrent layer, or of one direction of a classifier's, over a batch.

    `inputs` are float32[batch, time, feature], `mask` is bool[batch, time], true for steps that are read. The trace has
    states and gates from the equations; `max_difference` is that from the hidden states that the network computed.
    `series` are the values of the series in each step, float64[batch, time, segment], normalised, NaN before its
    beginning; None on texts.
    """

    cell: Cell
    weights: CellWeights[Any, Any]
    inputs: np.ndarray
    mask: np.ndarray
    trace: Trace[Any, Any]
    max_difference: float
    num_weights_by_gate: dict[str, int]
    series: np.ndarray | None = None


class ClassifierSummary(TypedDict):
    """The classifier whose layers are traced.

    Attributes:
        is_missing: whether there is no classifier.
        origin: the origin of the classifier, or the reason why it is missing, in words.
        accuracy: the share of held-out texts that are classified correctly: by each network alone and by the n-gram
            classifier, at logit 0, and by all of them together, calibrated (`ensemble`). Empty without held-out texts.
        num_texts: the number of held-out texts.
    """

    is_missing: bool
    origin: str
    accuracy: dict[str, float]
    num_texts: int


@dataclass(frozen=True)
class Traces:
    """Traces of recurrent layers.

    Attributes:
        layers: traces of every member of the network over the same batch, by task, cell and, if there are several,
            direction or layer: `forecast_lstm`, `sentiment_gru_backward`, `forecast_gru_layer_2`.
        gradients: float[batch, time, feature] for each layer: the gradient of the output whose dependence on the past
            is measured, with respect to the inputs of the network or of the layer.
        networks: the network of each layer.
        origin: the origin of the networks, in words.
        classifier: the classifier of the layers, if they read texts. If it is missing, there are no layers.
    """

    layers: Mapping[str, Sequence[LayerTrace]]
    gradients: Mapping[str, np.ndarray]
    networks: Mapping[str, NetworkSummary]
    origin: str
    classifier: ClassifierSummary | None = None


class Openness(TypedDict):
    """The mean of a gate, and the shares of its values below 0.1 and above 0.9."""

    mean: float
    low_fraction: float
    high_fraction: float


class HalfLives(TypedDict):
    """The 10 %, 50 % and 90 % quantiles of the units' half-lives, in steps; None if infinite."""

    low: float | None
    median: float | None
    high: float | None


class LayerSummary(TypedDict):
    """The summary of one layer.

    Attributes:
        origin: the origin of its network, in words.
        cell, num_weights_by_gate: as in `LayerTrace`.
        max_difference: as in `LayerTrace`, over all members.
        num_inputs, units: the size of the layer in each member.
        num_sequences, num_steps: the numbers of sequences, and of steps of all sequences, that it read.
        network: the network of the layer.
        openness: the openness of each gate, over all members.
        half_life_steps: the half-lives of the units of all members.
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
        classifier: the classifier, or the reason why there is none; missing if only forecasters are measured.
    """

    layers: dict[str, LayerSummary]
    classifier: NotRequired[ClassifierSummary]
