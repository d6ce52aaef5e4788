"""The JSON records of a training and of a network's layers; does not import Keras."""

from typing import NotRequired, TypedDict


class LayerRecord(TypedDict):
    """One layer of a network."""

    layer: str  # its name
    kind: str  # its class in Keras
    output_shape: list[
        int | None
    ]  # without the batch; None for an axis that is as long as its input
    num_parameters: int  # number of weights, including those that are not trained


class TrainingRecord(TypedDict):
    """The duration and result of one training."""

    training_seconds: float  # wall time without the compilation of graphs
    compile_seconds: float  # wall time of the compilation
    # `num_epochs` and `num_steps`: epochs and gradient steps until the end.
    num_epochs: int
    num_steps: int
    best_epoch: int  # epoch whose weights are kept, from 1
    num_parameters: int  # of the network
    layers: NotRequired[list[LayerRecord]]  # from input to output
