"""How networks are trained; free of Keras, so that parameters are checked before it loads."""

from typing import Annotated, Literal

from pydantic import Field

from rnn_pipelines.parameter_models import ParameterModel

# What NumPy and Keras take.
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class TrainingSpec(ParameterModel, frozen=True):
    """How a network is trained.

    Attributes:
        seed: of the weights, the order of the batches and dropout. The same seed gives the same numbers again.
        epochs: at most so many.
        patience: epochs without a better validation loss after which training stops; the best weights come back.
        batch_size: examples in a gradient step.
        learning_rate: of Adam, at the start.
        schedule: `plateau` halves the learning rate whenever half the patience has passed without a validation loss
            that is lower by 0.0001 or more (of series, scaled), `cosine` lets it fall to 0 over all epochs, `constant`
            keeps it.
        clip_norm: length to which the gradient of all weights together is shortened where it is longer; None for no
            limit.
        weight_average: decay of the running mean of the weights that is validated and kept; 0 for the weights
            themselves.
        jit_compile: compile the training step with XLA. Faster for one output at the end of a window: on the adding
            problem of 200 steps, with 64 units and one thread, 1.7 times for an LSTM and 2.6 for a GRU. Slower for
            copy memory, with an output at each of 120 steps (1.6 and 1.2 times), and not for texts.
    """

    seed: Seed = 0
    epochs: int = Field(250, ge=1, le=100_000)
    patience: int = Field(30, ge=1, le=100_000)
    batch_size: int = Field(64, ge=1, le=2**20)
    learning_rate: float = Field(1e-3, gt=0, le=10)
    schedule: Literal["constant", "plateau", "cosine"] = "plateau"
    clip_norm: float | None = Field(None, gt=0, le=1e6)
    weight_average: float = Field(0.98, ge=0, lt=1)
    jit_compile: bool = True


class LimitsSpec(ParameterModel, frozen=True):
    """What a retraining may cost.

    Attributes:
        max_seconds: after which the training of a network ends with its best weights, at the end of an epoch; None for
            no limit.
        epochs: at most so many; None for as many as in training by hand.
    """

    max_seconds: float | None = Field(None, gt=0, le=1e7)
    epochs: int | None = Field(None, ge=1, le=100_000)
