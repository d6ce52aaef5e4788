"""What scored texts are held against: the held-out reviews, as the very version scored them that scored the texts."""

import io
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.champion.policy import CHALLENGER
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.errors import ChampionError
from rnn_pipelines.sentiment.calibration import choose_classifier
from rnn_pipelines.sentiment.evaluation.metrics import to_probability
from rnn_pipelines.sentiment.prediction import UNVERSIONED
from rnn_pipelines.sentiment.text.encoding import EncodedTexts
from rnn_pipelines.sentiment.text.vocabulary import UNKNOWN

logger = logging.getLogger(__name__)

REFERENCE = "reference.parquet"
FACTS = ("label", "probability", "num_words", "num_known_words")


def pack_reference(holdout: pd.DataFrame) -> dict[str, bytes]:
    """The file of a version that tells how it scored the reviews on which it was judged, by its name.

    Args:
        holdout: what `score_holdout` returns.
    """
    return {REFERENCE: describe_holdout(holdout).to_parquet()}


def select_newest(scores: pd.DataFrame | None) -> pd.DataFrame:
    """The texts that were scored last, as far as one version scored them; the log says what is left out.

    `predict_sentiment` leaves the scores of one version. Where a table keeps those of many nights, confidences of
    other versions are of another scale, and only what is scored now asks for anything.

    Args:
        scores: what `score_newest` returns; None where nothing was scored.
    """
    if scores is None or scores.empty:
        return pd.DataFrame(columns=[*FACTS, "model_version"])
    is_newest = scores["model_version"] == scores["model_version"].iloc[-1]
    if not is_newest.all():
        logger.warning("left out: %d of %d texts, for other versions scored them", (~is_newest).sum(), len(scores))
    return scores[is_newest]


def describe_reference(
    scores: pd.DataFrame,
    folder: Path,
    predictions: pd.DataFrame | None,
    reviews: pd.DataFrame | None,
    encoded: EncodedTexts | None,
    calibrations: Mapping[str, Any] | None,
) -> pd.DataFrame:
    """The held-out reviews as the version scored them that scored the texts.

    A champion's are those on which it was judged when it was retrained, those of the classifier of `sentiment` its test
    part. Which version is in use now doesn't matter: it may be another one than on the day of the scores.

    Args:
        scores: what `select_newest` returns.
        folder: of the champion.
        predictions, reviews, encoded, calibrations: see `describe_test_part`.
    Returns:
        `label, probability, num_words, num_known_words`; without rows where there is no reference.
    """
    version = UNVERSIONED if scores.empty else scores["model_version"].iloc[-1]
    if version == UNVERSIONED:
        return describe_test_part(predictions, reviews, encoded, calibrations)
    try:
        return pd.read_parquet(io.BytesIO(ChampionStore(folder).read_version(version)[REFERENCE]))
    except (ChampionError, KeyError) as error:
        logger.warning("%s: no reference can be had from it (%s)", version, error)
        return pd.DataFrame(columns=list(FACTS))


def describe_test_part(
    predictions: pd.DataFrame | None,
    reviews: pd.DataFrame | None,
    encoded: EncodedTexts | None,
    calibrations: Mapping[str, Any] | None,
) -> pd.DataFrame:
    """The test part of `sentiment` as the chosen classifier scored it, in the form of `score_sentiment`.

    Args:
        predictions, calibrations: what `calibrate_classifiers` returns.
        reviews: `review_id`, in the order of `encoded`.
        encoded: all reviews.
    Returns:
        `label, probability, num_words, num_known_words`; without rows where one of them is not there, or they are not
        of the same run.
    """
    if predictions is None or reviews is None or encoded is None or calibrations is None:
        return pd.DataFrame(columns=list(FACTS))
    if len(reviews) != len(encoded) or not predictions["review_id"].isin(reviews["review_id"]).all():
        return pd.DataFrame(columns=list(FACTS))
    ends = np.cumsum(np.concatenate([[0], encoded.ids != UNKNOWN]))[encoded.offsets]
    words = pd.DataFrame({"review_id": reviews["review_id"], "num_known_words": np.diff(ends)})
    table = predictions.merge(words, on="review_id", validate="one_to_one")
    return _describe(table, table[choose_classifier(calibrations)].to_numpy())


def describe_holdout(holdout: pd.DataFrame) -> pd.DataFrame:
    """The holdout of a retraining as the challenger scored it, in the form of `score_sentiment`.

    Args:
        holdout: what `score_holdout` returns.
    Returns:
        `label, probability, num_words, num_known_words`.
    """
    return _describe(holdout, holdout[CHALLENGER].to_numpy())


def _describe(table: pd.DataFrame, logits: np.ndarray) -> pd.DataFrame:
    known = table["num_known_words"].to_numpy() > 0
    probability = np.where(known, to_probability(logits), 0.5)
    label = np.where(known, np.where(probability > 0.5, "positive", "negative"), "unknown")
    return table.assign(label=label, probability=probability)[list(FACTS)]
