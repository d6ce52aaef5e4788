"""The JSON records of a training and of a network's layers; does not import Keras."""

from typing import NotRequired, TypedDict


class LayerRecord(TypedDict):
    """One layer of a network.

    Attributes:
        layer: its name.
        kind: its class in Keras.
        output_shape: without the batch; None for an axis that is as long as its input.
        num_parameters: number of weights, including those that are not trained.
    """

    layer: str
    kind: str
    output_shape: list[int | None]
    num_parameters: int


class TrainingRecord(TypedDict):
    """The duration and result of one training.

    Attributes:
        training_seconds: wall time without the compilation of graphs.
        compile_seconds: wall time of the compilation.
        num_epochs, num_steps: epochs and gradient steps until the end.
        best_epoch: epoch whose weights are kept, from 1.
        num_parameters: of the network.
        layers: from input to output.
    """

    training_seconds: float
    compile_seconds: float
    num_epochs: int
    num_steps: int
    best_epoch: int
    num_parameters: int
    layers: NotRequired[list[LayerRecord]]
