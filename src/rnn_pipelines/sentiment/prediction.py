"""Scores by the champion, with its name on them."""

import pandas as pd

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.errors import ChampionError
from rnn_pipelines.sentiment.classifier import TextClassifier, score_sentiment

# The classifier of `sentiment`, which is no version of a champion.
UNVERSIONED = "sentiment_classifier"


def score_newest(
    champion: LoadedChampion | None, classifier: TextClassifier | None, texts: pd.DataFrame
) -> pd.DataFrame:
    """The sentiment of each text.

    Args:
        champion: the classifier in use.
        classifier: that of `sentiment`, for where there is no champion.
        texts: what `read_texts` returns.
    Returns:
        What `score_sentiment` returns, and `model_version`: the champion's, else `sentiment_classifier`.
    Raises:
        ChampionError: there is neither.
    """
    if champion is not None:
        return score_sentiment(champion.artefact, texts).assign(model_version=champion.version)
    if classifier is None:
        raise ChampionError(
            "no classifier yet. Run kedro run --pipelines=sentiment, or kedro champion retrain sentiment, first."
        )
    return score_sentiment(classifier, texts).assign(model_version=UNVERSIONED)
