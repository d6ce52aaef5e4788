"""What scored texts are held against: the held-out reviews, as the very version scored them that scored the texts."""

import io
import logging
from pathlib import Path

import pandas as pd

from rnn_pipelines.champion.policy import CHALLENGER
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.errors import ChampionError
from rnn_pipelines.sentiment.methods.calibration import Calibration, choose_classifier
from rnn_pipelines.sentiment.methods.logits import name_labels
from rnn_pipelines.sentiment.methods.tables import (
    Holdout,
    Predictions,
    Reference,
    ReferenceTable,
    ScoredTexts,
    ScoredTextsTable,
    make_empty,
)
from rnn_pipelines.sentiment.operations.prediction import UNVERSIONED
from rnn_pipelines.sentiment.text.encoding import EncodedTexts
from rnn_pipelines.sentiment.text.schema import Reviews

logger = logging.getLogger(__name__)

REFERENCE = "reference.parquet"


def pack_reference(holdout: Holdout) -> dict[str, bytes]:
    """The file of a version that tells how it scored the reviews on which it was judged, by its name."""
    return {REFERENCE: _tabulate_reference(holdout, CHALLENGER).to_parquet()}


def select_newest(scores: ScoredTexts | None) -> ScoredTexts:
    """The texts that were scored last, as far as one version scored them; the log says what is left out.

    `predict_sentiment` leaves the scores of one version. Where a table keeps those of many nights, confidences of
    other versions are of another scale, and only what is scored now asks for anything.

    Args:
        scores: None where nothing was scored.
    """
    if scores is None or scores.empty:
        return make_empty(ScoredTextsTable)
    is_newest = scores["model_version"] == scores["model_version"].iloc[-1]
    if not is_newest.all():
        logger.warning("left out: %d of %d texts, for other versions scored them", (~is_newest).sum(), len(scores))
    return scores[is_newest]


def describe_reference(
    scores: ScoredTexts,
    folder: Path,
    predictions: Predictions | None,
    reviews: Reviews | None,
    encoded: EncodedTexts | None,
    calibrations: dict[str, Calibration] | None,
) -> Reference:
    """The held-out reviews as the version scored them that scored the texts.

    A champion's are those on which it was judged when it was retrained, those of the classifier of `sentiment` its test
    part. Which version is in use now doesn't matter: it may be another one than on the day of the scores.

    Args:
        scores: of one version.
        folder: of the champion.
        predictions, reviews, encoded, calibrations: see `describe_test_part`.
    Returns:
        No rows where there is no reference.
    """
    version = UNVERSIONED if scores.empty else scores["model_version"].iloc[-1]
    if version == UNVERSIONED:
        return describe_test_part(predictions, reviews, encoded, calibrations)
    try:
        return pd.read_parquet(io.BytesIO(ChampionStore(folder).read_version(version)[REFERENCE]))
    except (ChampionError, KeyError) as error:
        logger.warning("%s: no reference can be had from it (%s)", version, error)
        return make_empty(ReferenceTable)


def describe_test_part(
    predictions: Predictions | None,
    reviews: Reviews | None,
    encoded: EncodedTexts | None,
    calibrations: dict[str, Calibration] | None,
) -> Reference:
    """The test part of `sentiment` as the chosen classifier scored it.

    Args:
        predictions: of the test part, by all classifiers.
        reviews: all of them.
        encoded: their words.
        calibrations: which choose the classifier.
    Returns:
        No rows where one of them is not there, or they are not of the same run.
    """
    if predictions is None or reviews is None or encoded is None or calibrations is None:
        return make_empty(ReferenceTable)
    if len(reviews) != len(encoded) or not predictions["review_id"].isin(reviews["review_id"]).all():
        return make_empty(ReferenceTable)
    words = pd.DataFrame({"review_id": reviews["review_id"], "num_known_words": encoded.count_known()})
    table = predictions.merge(words, on="review_id", validate="one_to_one")
    return _tabulate_reference(table, choose_classifier(calibrations))


def _tabulate_reference(table: pd.DataFrame, classifier: str) -> Reference:
    label, probability = name_labels(table[classifier].to_numpy(), table["num_known_words"].to_numpy())
    return table.assign(label=label, probability=probability)[list(ReferenceTable.columns)]
