"""Forecasts and scores by the champion, with its name on them."""

from typing import TYPE_CHECKING

import pandas as pd

from rnn_pipelines.champion.retraining import LoadedChampion
from rnn_pipelines.errors import ChampionError
from rnn_pipelines.forecast import forecaster
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.sentiment import classifier as scoring

if TYPE_CHECKING:
    from rnn_pipelines.sentiment.classifier import TextClassifier

# The classifier of `sentiment`, which is no version of a champion.
BY_HAND = "sentiment_classifier"


def forecast_newest(champion: LoadedChampion | None, table: pd.DataFrame, source: SourceSpec) -> pd.DataFrame:
    """Forecasts the steps after each series' end.

    Args:
        champion: the forecaster in use.
        table: what `read_newest` returns.
        source: where it came from.
    Returns:
        `unique_id, cutoff, ds, horizon_step, y_hat, model_version, created_at` (UTC), the first five as in
        `forecast_cutoffs`.
    Raises:
        ChampionError: there is no champion, or it can forecast none of the series.
    """
    if champion is None:
        raise ChampionError("no forecaster that could be used yet. Run kedro champion retrain forecast first.")
    forecasts = forecaster.forecast_newest(champion.artefact, table, source)
    if forecasts.empty:
        raise ChampionError(
            f"the champion {champion.version} can forecast none of the series of {source.label}: it doesn't know them, "
            "or their ends have gaps. Run kedro champion retrain forecast."
        )
    return forecasts.assign(model_version=champion.version, created_at=pd.Timestamp.now("UTC").floor("s"))


def score_newest(
    champion: LoadedChampion | None, classifier: "TextClassifier | None", texts: pd.DataFrame
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
        return scoring.score_sentiment(champion.artefact, texts).assign(model_version=champion.version)
    if classifier is None:
        raise ChampionError(
            "no classifier yet. Run kedro run --pipelines=sentiment, or kedro champion retrain sentiment, first."
        )
    return scoring.score_sentiment(classifier, texts).assign(model_version=BY_HAND)
