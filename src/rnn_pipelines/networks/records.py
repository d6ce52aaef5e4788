"""What is on record of a training and of a network's layers, as JSON; free of Keras."""

from typing import NotRequired, TypedDict


class LayerRecord(TypedDict):
    """One layer of a network.

    Attributes:
        layer: its name.
        kind: its class in Keras.
        output_shape: without the batch; None where an axis is as long as its input.
        num_parameters: weights, those that are not trained too.
    """

    layer: str
    kind: str
    output_shape: list[int | None]
    num_parameters: int


class TrainingRecord(TypedDict):
    """How one training went.

    Attributes:
        training_seconds: wall time without the compilation of graphs.
        compile_seconds: that of the compilation.
        num_epochs, num_steps: until it ended; a step is one of the gradient.
        best_epoch: whose weights are kept, from 1.
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
