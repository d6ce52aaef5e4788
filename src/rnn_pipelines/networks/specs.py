"""Parameters of training; does not import Keras, so that parameters are checked before it loads."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from rnn_pipelines.parameter_models import ParameterModel, expect

# The range that NumPy and Keras accept.
MAX_SEED = 2**32 - 1
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]

MAX_UNITS, MAX_LAYERS = 1024, 10
Width = Annotated[int, Field(ge=1, le=MAX_UNITS)]


def list_units(units: int | Sequence[int]) -> tuple[int, ...]:
    """Return the units of each recurrent layer; a number is that of a single layer."""
    return (units,) if isinstance(units, int) else tuple(units)


def format_units(units: int | Sequence[int]) -> str:
    """Return the units as text, such as 64+32, which parameters accept too."""
    return "+".join(map(str, list_units(units)))


# The units of a recurrent layer, or of each layer of a stack, from the inputs to the head. Text such as 64+32 is read,
# because lists cannot be given on the command line.
Units = Annotated[
    Width | Annotated[tuple[Width, ...], Field(min_length=1, max_length=MAX_LAYERS)] | None,
    BeforeValidator(lambda units: units.split("+") if isinstance(units, str) else units),
    AfterValidator(
        lambda units: units[0] if isinstance(units, tuple) and len(units) == 1 else units
    ),
    expect(
        f"a whole number from 1 to {MAX_UNITS:,}, or up to {MAX_LAYERS} of them, such as [64, 32] or 64+32"
    ),
]


class TrainingSpec(ParameterModel, frozen=True):
    """The parameters of training a network.

    Attributes:
        seed: of the weights, the order of the batches and dropout. The same seed reproduces the same numbers.
        epochs: largest number of epochs.
        patience: epochs without a better validation loss after which training stops; the best weights are restored.
        batch_size: examples in a gradient step.
        learning_rate: of Adam, at the start.
        schedule: `plateau` halves the learning rate whenever half the patience has passed without a validation loss
            that is lower by 0.0001 or more (of series, scaled), `cosine` decreases it to 0 over all epochs, `constant`
            keeps it.
        clip_norm: largest norm of the gradient of all weights together; None for no limit.
        weight_average: decay of the running mean of the weights that is validated and kept; 0 for the weights
            themselves.
        jit_compile: compile the training step with XLA. It is faster with one output at the end of a window: on the
            adding problem of 200 steps, with 64 units and one thread, 1.7 times for an LSTM and 2.6 for a GRU. It is
            slower for copy memory, with an output at each of 120 steps (1.6 and 1.2 times), and for texts.
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
    """The limits of a retraining.

    Attributes:
        max_seconds: the training of a network ends with its best weights after the epoch that exceeds them; None for no
            limit.
        epochs: largest number of epochs; None for the number of a manual training.
    """

    max_seconds: float | None = Field(None, gt=0, le=1e7)
    epochs: int | None = Field(None, ge=1, le=100_000)
