"""What a network that classifies texts is made of; free of Keras, so that parameters are checked before it loads."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from rnn_pipelines.champion.policy import PolicySpec
from rnn_pipelines.networks.specs import LimitsSpec, TrainingSpec
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.sentiment.methods.registry import BASELINES, NETWORKS, require_known
from rnn_pipelines.sentiment.text.as_of import AsOfReviewsSpec
from rnn_pipelines.sentiment.text.encoding import PaddingSpec

Cell = Annotated[str, AfterValidator(lambda name: require_known(name, NETWORKS))]


class ClassifierSpec(ParameterModel, frozen=True):
    """One network that classifies texts.

    Attributes:
        cell: one of the registry's `NETWORKS`: kind of the recurrent layer; `pointwise` reads each word by itself,
            through a layer of the same width: what remains without recurrence.
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

    cell: Cell
    units: int = Field(64, ge=1, le=4096)
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
    def _validate_pooling(self) -> "ClassifierSpec":
        if self.pooling == "last" and not NETWORKS[self.cell].is_recurrent:
            raise ValueError(f"cell {self.cell} with pooling last reads the last word alone: choose max or max_mean")
        return self


@dataclass(frozen=True)
class TrainingPlan:
    """How the networks of a challenger are trained, and what it may cost.

    Attributes:
        padding: how texts are cut and padded.
        training: how to train.
        max_seconds: of each network; None for no limit.
        checkpoints: where an interrupted training leaves what it needs to go on; None for nowhere.
    """

    padding: PaddingSpec
    training: TrainingSpec
    max_seconds: float | None = None
    checkpoints: Path | None = None


BaselineName = Annotated[str, AfterValidator(lambda name: require_known(name, BASELINES))]


class SentimentPolicySpec(PolicySpec, frozen=True):
    """When a text classifier is promoted.

    Attributes:
        must_beat: those of the registry's `BASELINES` whose loss the challenger must be below.
    """

    must_beat: tuple[BaselineName, ...] = ("majority",)


class RetrainSentimentSpec(AsOfReviewsSpec, frozen=True):
    """How text classifiers are retrained; data, networks and training are those of `sentiment`.

    Attributes:
        policy: when the challenger is promoted.
        budget: what its training may cost.
    """

    policy: SentimentPolicySpec
    budget: LimitsSpec
