"""Nodes of `predict_sentiment`: each calls one function of the library with its typed parameters."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.sentiment import prediction
from rnn_pipelines.sentiment.classifier import TextClassifier
from rnn_pipelines.sentiment.text import files
from rnn_pipelines.sentiment.text.files import TextFileSpec

# Kedro resolves these hints when it checks parameters; each of the two may be None, which is no type to check.
if not TYPE_CHECKING:
    LoadedChampion = TextClassifier = Any


def read_texts(file: TextFileSpec) -> pd.DataFrame:
    """Reads the texts to score, by the numbers of their rows or lines."""
    return files.read_texts(file)


def score_newest(
    champion: LoadedChampion | None, classifier: TextClassifier | None, texts: pd.DataFrame
) -> pd.DataFrame:
    """Gives each text a label, a probability and a confidence, and notes by which version."""
    return prediction.score_newest(champion, classifier, texts)
