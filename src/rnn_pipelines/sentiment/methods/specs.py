"""Parameters of text classifiers; this module imports no Keras, so that they are checked before Keras loads."""

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
    """A network that classifies texts.

    Attributes:
        cell: a name in the registry's `NETWORKS`: the kind of the recurrent layer. `pointwise` has no recurrence: a
            dense layer of the same width reads each word separately.
        units: width of the recurrent layer, in each direction.
        bidirectional: whether the words are read in both directions.
        pooling: input of the head: the `last` output of the recurrent layer, the maximum over time (`max`), or maximum
            and mean (`max_mean`).
        word_vectors: whether training starts from the vectors of `learn_word_vectors`, not from random ones.
        ngram_inputs: whether the network reads, with each word, the weights of the n-grams that begin at it.
        ngram_path: whether the n-gram classifier's logit is added to the network's, by weights from held-out texts.
        word_dropout: fraction of the words that are dropped in a training step.
        vector_dropout: fraction of the vectors' entries that are dropped, the same ones for the whole text.
        input_dropout: fraction of the recurrent layer's inputs that are dropped, the same ones at every step.
        recurrent_dropout: the same for its state; slower on a GPU.
        dropout: fraction of the head's inputs that are dropped.
        pretraining_epochs: epochs in which the states first learn to predict the next words of training and unlabelled
            texts; 0 for none.
        pseudo_labels: whether a first network, with the n-gram classifier, labels unlabelled texts with probabilities,
            from which the network learns too.
        min_texts: number of training texts from which on the network is trained. With fewer, the n-gram classifier is
            as good, and fitted in seconds; of a network that was pretrained on unlabelled texts, only the last layer is
            fitted.
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
    pretraining_epochs: int = Field(0, ge=0, le=100_000)
    pseudo_labels: bool = False
    min_texts: int = Field(4_000, ge=0, le=10**9)

    @model_validator(mode="after")
    def _validate_pooling(self) -> "ClassifierSpec":
        if self.pooling == "last" and not NETWORKS[self.cell].is_recurrent:
            raise ValueError(
                f"cell {self.cell} with pooling last reads only the last word: set max or max_mean"
            )
        if self.pooling == "last" and self.pretraining_epochs:
            raise ValueError(
                "pretraining needs the states of all words: set pooling to max or max_mean"
            )
        return self


@dataclass(frozen=True)
class TextTrainingPlan:
    """The settings and limits of training a network, each of which has at most `max_seconds`; None for no limit.

    An interrupted training is resumed from the folder of checkpoints; None for no checkpoints. The fingerprint of the
    data, which a checkpoint must have, is set by `train_text_network`.
    """

    padding: PaddingSpec
    training: TrainingSpec
    max_seconds: float | None = None
    checkpoints: Path | None = None
    fingerprint: str = ""


BaselineName = Annotated[str, AfterValidator(lambda name: require_known(name, BASELINES))]


class SentimentPolicySpec(PolicySpec, frozen=True):
    """The rules for promoting a text classifier.

    Attributes:
        must_beat: names in the registry's `BASELINES`; the challenger's loss must be below theirs.
    """

    must_beat: tuple[BaselineName, ...] = ("majority",)


class RetrainSentimentSpec(AsOfReviewsSpec, frozen=True):
    """The parameters of retraining; data, networks and training are those of `sentiment`.

    Attributes:
        policy: rules for promoting the challenger.
        budget: limits of its training.
    """

    policy: SentimentPolicySpec
    budget: LimitsSpec
