"""What a network is made of; free of Keras, so that parameters are checked before it loads."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from rnn_pipelines.cells.conventions import CellName


def _as_tuple(units: Any) -> Any:
    return (units,) if isinstance(units, int) else units


class NetworkSpec(BaseModel, extra="forbid", frozen=True):
    """One forecasting network.

    Attributes:
        cell: kind of the recurrent layers.
        units: width of each recurrent layer, from input to output; one number for a single layer.
        activation: of the candidate and the output of the cell. Other than `tanh` it is slower on a GPU.
        dropout: part of each recurrent layer's output that is dropped in training.
        centre: forecast the difference to the mean of the window's history. For series whose level drifts away from
            that of the training part, where the cells would saturate.
        members: networks that are trained one after another from other seeds, and whose forecasts are averaged.
    """

    cell: Literal["lstm", "gru"]
    units: Annotated[tuple[Annotated[int, Field(ge=1)], ...], BeforeValidator(_as_tuple), Field(min_length=1)] = (16,)
    activation: Literal["tanh", "relu", "sigmoid", "softsign", "linear"] = "tanh"
    dropout: float = Field(0.0, ge=0, lt=1)
    centre: bool = False
    members: int = Field(1, ge=1)


class ClassifierSpec(BaseModel, extra="forbid", frozen=True):
    """One network that classifies texts.

    Attributes:
        cell: kind of the recurrent layer; `pointwise` reads each word by itself, through a layer of the same width:
            what remains without recurrence.
        units: width of the recurrent layer, in each direction.
        bidirectional: read the words in both directions.
        pooling: what the head sees of the recurrent layer's outputs: `last` of them, the greatest (`max`), or the
            greatest and the `mean`, as `max_mean`.
        word_vectors: start from the vectors of `learn_word_vectors`; else from random ones of the same size.
        ngram_inputs: with each word, the network reads the weights of the n-grams that begin with it.
        ngram_path: add the n-gram classifier's logit to the network's; how much of each is fitted on validation.
        word_dropout: part of the words that the network doesn't see in a training step.
        vector_dropout: part of the vectors' entries that it doesn't see, the same ones in the whole text.
        input_dropout: part of the recurrent layer's inputs that is dropped, the same ones at every step.
        recurrent_dropout: likewise of its state. Slower on a GPU.
        dropout: part of the head's inputs that is dropped.
    """

    cell: Literal["lstm", "gru", "pointwise"]
    units: int = Field(64, ge=1)
    bidirectional: bool = True
    pooling: Literal["last", "max", "max_mean"] = "max_mean"
    word_vectors: bool = True
    ngram_inputs: bool = True
    ngram_path: bool = True
    word_dropout: float = Field(0.1, ge=0, lt=1)
    vector_dropout: float = Field(0.3, ge=0, lt=1)
    input_dropout: float = Field(0.0, ge=0, lt=1)
    recurrent_dropout: float = Field(0.0, ge=0, lt=1)
    dropout: float = Field(0.5, ge=0, lt=1)

    @model_validator(mode="after")
    def _refuse_last_word_alone(self) -> "ClassifierSpec":
        if self.cell == "pointwise" and self.pooling == "last":
            raise ValueError("cell pointwise with pooling last would read the last word alone: choose max or max_mean")
        return self


class ContenderSpec(BaseModel, extra="forbid", frozen=True):
    """One network of a comparison: a recurrent layer and a linear head.

    Attributes:
        cell: kind of the recurrent layer; `rnn` is the simple one, without gates.
        units: its width.
        activation: of the candidate and the output of the cell.
        unit_forget_bias: an LSTM's forget gate starts with the bias 1; else with 0.
    """

    cell: CellName
    units: int = Field(ge=1)
    activation: Literal["tanh", "relu"] = "tanh"
    unit_forget_bias: bool = True

    @model_validator(mode="after")
    def _refuse_bias_without_gate(self) -> "ContenderSpec":
        if not self.unit_forget_bias and self.cell != "lstm":
            raise ValueError(f"unit_forget_bias is for the cell lstm; {self.cell} has no forget gate")
        return self
