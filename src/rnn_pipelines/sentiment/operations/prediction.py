"""Scoring of texts by the champion, with its version in the scores."""

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.errors import ChampionError
from rnn_pipelines.sentiment.methods.tables import ScoredTexts
from rnn_pipelines.sentiment.model.classifier import TextClassifier, score_sentiment
from rnn_pipelines.sentiment.text.files import Texts

# `model_version` of the classifier of `sentiment`, which is not a champion.
UNVERSIONED = "sentiment_classifier"


def score_newest(champion: LoadedChampion | None, classifier: TextClassifier | None, texts: Texts) -> ScoredTexts:
    """Return the sentiment of each text and the model version: the champion's or, without one, that of `sentiment`.

    Raises:
        ChampionError: there is neither a champion nor a classifier.
    """
    if champion is not None:
        return score_sentiment(champion.artefact, texts).assign(model_version=champion.version)
    if classifier is None:
        remedy = "Run kedro run --pipelines=sentiment, or kedro champion retrain sentiment, first."
        raise ChampionError(f"no classifier yet. {remedy}")
    return score_sentiment(classifier, texts).assign(model_version=UNVERSIONED)
