"""The blocks of parameters of `TextClassifier`, so that an editor completes their names and values.

Each has the fields of the model that `list_sentiment_models` names, which describes and checks them.
"""

from typing import Literal

# pydantic does not accept `typing.TypedDict` before Python 3.12.
from typing_extensions import TypedDict


class TextSplitBlock(TypedDict, total=False):
    """The sizes of the validation and test part: `ReviewSplitSpec`."""

    validation: float
    test: float
    seed: int


class VocabularyBlock(TypedDict, total=False):
    """The selection of known words: `VocabularySpec`."""

    min_count: int
    max_words: int | None
    signs: bool


class PaddingBlock(TypedDict, total=False):
    """The length of the texts that networks read: `PaddingSpec`."""

    max_length: int
    truncating: Literal["pre", "post", "middle"]
    padding: Literal["pre", "post"]


class WordVectorBlock(TypedDict, total=False):
    """The vectors of words: `WordVectorSpec`."""

    num_words: int
    dimensions: int
    window: int
    seed: int


class NgramBlock(TypedDict, total=False):
    """The classifier of n-grams: `NgramSpec`."""

    order: int
    min_texts: int
    smoothing: float
    inverse_penalty: float
    folds: int


class TextNetworkBlock(TypedDict, total=False):
    """A network: `ClassifierSpec`."""

    cell: str
    units: int
    bidirectional: bool
    pooling: Literal["last", "max", "max_mean"]
    word_vectors: bool
    ngram_inputs: bool
    ngram_path: bool
    word_dropout: float
    vector_dropout: float
    input_dropout: float
    recurrent_dropout: float
    dropout: float


class TextTrainingBlock(TypedDict, total=False):
    """The training of networks: `TrainingSpec`."""

    seed: int
    epochs: int
    patience: int
    batch_size: int
    learning_rate: float
    schedule: Literal["constant", "plateau", "cosine"]
    clip_norm: float | None
    weight_average: float
    jit_compile: bool


TEXT_BLOCKS = {
    "split": TextSplitBlock,
    "vocabulary": VocabularyBlock,
    "padding": PaddingBlock,
    "word_vectors": WordVectorBlock,
    "ngrams": NgramBlock,
    "lstm": TextNetworkBlock,
    "gru": TextNetworkBlock,
    "training": TextTrainingBlock,
}
