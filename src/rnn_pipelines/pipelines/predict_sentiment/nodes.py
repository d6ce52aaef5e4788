"""Nodes of `predict_sentiment`: each calls one function of the library with its typed parameters."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from rnn_pipelines.text import files
from rnn_pipelines.text.files import TextFileSpec

# Kedro resolves these hints when it checks parameters, and must not load Keras for it.
if TYPE_CHECKING:
    from rnn_pipelines.training.scoring import TextClassifier
else:
    TextClassifier = Any


def read_texts(file: TextFileSpec) -> pd.DataFrame:
    """Reads the texts to score, by the numbers of their rows or lines."""
    return files.read_texts(file)


def score_sentiment(classifier: TextClassifier, texts: pd.DataFrame) -> pd.DataFrame:
    """Gives each text a label, a probability and a confidence."""
    from rnn_pipelines.training import scoring

    return scoring.score_sentiment(classifier, texts)
