"""The blocks of parameters of `TextClassifier`, for editors. docs/generate.py writes this file."""

from typing import Literal, TypedDict

class SplitBlock(TypedDict, total=False):
    validation: float
    test: float
    seed: int

class VocabularyBlock(TypedDict, total=False):
    min_count: int
    max_words: int | None
    signs: bool

class PaddingBlock(TypedDict, total=False):
    max_length: int
    truncating: Literal["pre", "post", "middle"]
    padding: Literal["pre", "post"]

class WordVectorsBlock(TypedDict, total=False):
    num_words: int
    dimensions: int
    window: int
    seed: int

class NgramsBlock(TypedDict, total=False):
    order: int
    min_texts: int
    smoothing: float
    inverse_penalty: float
    unit_length: bool
    folds: int
    few_texts: int

class LstmBlock(TypedDict, total=False):
    cell: str
    units: int | str
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
    pretraining_epochs: int
    pseudo_labels: bool
    min_texts: int

class GruBlock(TypedDict, total=False):
    cell: str
    units: int | str
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
    pretraining_epochs: int
    pseudo_labels: bool
    min_texts: int

class TrainingBlock(TypedDict, total=False):
    seed: int
    epochs: int
    patience: int
    batch_size: int
    learning_rate: float
    schedule: Literal["constant", "plateau", "cosine"]
    clip_norm: float | None
    weight_average: float
    jit_compile: bool
