"""Scores by the champion, with its name on them."""

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.errors import ChampionError
from rnn_pipelines.sentiment.methods.tables import ScoredTexts
from rnn_pipelines.sentiment.model.classifier import TextClassifier, score_sentiment
from rnn_pipelines.sentiment.text.files import Texts

# The classifier of `sentiment`, which is not a version of a champion.
UNVERSIONED = "sentiment_classifier"


def score_newest(champion: LoadedChampion | None, classifier: TextClassifier | None, texts: Texts) -> ScoredTexts:
    """The sentiment of each text, and by which version: the champion's, else `sentiment_classifier`.

    Args:
        champion: the classifier in use.
        classifier: that of `sentiment`, for where there is no champion.
        texts: to score.
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
