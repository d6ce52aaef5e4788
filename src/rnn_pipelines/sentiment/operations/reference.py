"""Scores of texts by the champion, and the reference of their monitoring: reviews scored by the same version."""

import io
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.champion.policy import CHALLENGER
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.errors import ChampionError, count
from rnn_pipelines.sentiment.methods import tables
from rnn_pipelines.sentiment.methods.calibration import Calibration, choose_best_classifier
from rnn_pipelines.sentiment.methods.logits import read_logits
from rnn_pipelines.sentiment.methods.tables import Holdout, Predictions, Reference, ScoredTexts
from rnn_pipelines.sentiment.model.answers import AnswerSpec, answer_texts, write_words
from rnn_pipelines.sentiment.model.classifier import (
    ClassifierArtefact,
    tabulate_scores,
)
from rnn_pipelines.sentiment.text.encoding import EncodedTexts
from rnn_pipelines.sentiment.text.files import TextFileSpec, Texts
from rnn_pipelines.sentiment.text.schema import ABSTAINED_LABEL, UNKNOWN_LABEL, Reviews

logger = logging.getLogger(__name__)

REFERENCE = "reference.parquet"


class PredictSentimentSpec(AnswerSpec, TextFileSpec, frozen=True):
    """The texts of a prediction, and the form of the answers."""


# `model_version` of the classifier of `sentiment`, which is not a champion.
UNVERSIONED = "sentiment_classifier"


def score_newest(
    champion: LoadedChampion | None,
    classifier: ClassifierArtefact | None,
    texts: Texts,
    predict_spec: PredictSentimentSpec,
) -> ScoredTexts:
    """Return the class of each text and the version of the model: the champion or, without one, the classifier.

    Without both, a ChampionError is raised.
    """
    if champion is not None:
        return _answer(champion.artefact, texts, predict_spec, champion.version)
    if classifier is None:
        remedy = "Run kedro run --pipelines=sentiment, or kedro champion retrain sentiment, first."
        raise ChampionError(f"no classifier yet. {remedy}")
    return _answer(classifier, texts, predict_spec, UNVERSIONED)


def _answer(
    classifier: ClassifierArtefact, texts: Texts, predict_spec: PredictSentimentSpec, version: str
) -> ScoredTexts:
    answers = answer_texts(classifier, texts, predict_spec).assign(model_version=version)
    log_answers(answers)
    return write_words(answers)


def log_answers(answers: pd.DataFrame) -> None:
    """Log the number of texts, and those that need a look: abstentions, unknown words, and unlike texts."""
    numbers = {
        "abstained": (answers["label"] == ABSTAINED_LABEL).sum(),
        "without a known word": (answers["label"] == UNKNOWN_LABEL).sum(),
        "unlike the training texts": answers["is_unlike"].sum(),
    }
    parts = "".join(f", {number:,} {name}" for name, number in numbers.items() if number)
    logger.info("classified: %s%s", count(len(answers), "text"), parts)


def pack_reference(holdout: Holdout) -> dict[str, bytes]:
    """Return the reference file of a version, by name: its scores of its holdout."""
    return {REFERENCE: _tabulate_reference(holdout, CHALLENGER).to_parquet()}


def select_newest(scores: ScoredTexts | None) -> ScoredTexts:
    """Return the scores by the newest model version; a warning is logged if others are left out.

    `predict_sentiment` writes the scores of one version. If a table keeps the scores of several runs, only the newest
    version is monitored, because the confidences of other versions have another scale.
    """
    if scores is None or scores.empty:
        return tables.ScoredTextsTable.make_empty()
    is_newest = scores["model_version"] == scores["model_version"].iloc[-1]
    if not is_newest.all():
        logger.warning(
            "left out: %d of %d texts, because other versions scored them",
            (~is_newest).sum(),
            len(scores),
        )
    return scores[is_newest]


def describe_reference(
    scores: ScoredTexts,
    folder: Path,
    predictions: Predictions | None,
    reviews: Reviews | None,
    encoded: EncodedTexts | None,
    calibrations: dict[str, Calibration] | None,
) -> Reference:
    """Return the held-out reviews, scored by the same model version as the texts.

    For a champion, these are the reviews of its holdout; for the classifier of `sentiment`, its test part. The version
    is that of the scores, which may differ from the version now in use. There are no rows if there is no reference, or
    if a table of `sentiment` is missing or from another run.
    """
    version = UNVERSIONED if scores.empty else scores["model_version"].iloc[-1]
    if version != UNVERSIONED:
        try:
            content = ChampionStore(folder).read_version(version)[REFERENCE]
            return _add_confidence(pd.read_parquet(io.BytesIO(content)))
        except (ChampionError, KeyError) as error:
            logger.warning("%s: it has no reference (%s)", version, error)
            return tables.TextReferenceTable.make_empty()
    if predictions is None or reviews is None or encoded is None or calibrations is None:
        return tables.TextReferenceTable.make_empty()
    if (
        len(reviews) != len(encoded)
        or not predictions["review_id"].isin(reviews["review_id"]).all()
    ):
        return tables.TextReferenceTable.make_empty()
    words = pd.DataFrame(
        {"review_id": reviews["review_id"], "num_known_words": encoded.count_known()}
    )
    table = predictions.merge(words, on="review_id", validate="one_to_one")
    return _tabulate_reference(table, choose_best_classifier(calibrations))


def _tabulate_reference(table: pd.DataFrame, classifier: str) -> Reference:
    counts = table[["num_words", "num_known_words"]].reset_index(drop=True)
    classes = table["label"].cat.categories.tolist()
    logits = read_logits(table, classifier)
    scores = tabulate_scores(logits, counts["num_known_words"].to_numpy(), classes)
    return pd.concat([scores, counts], axis=1)


def _add_confidence(reference: Reference) -> Reference:
    """Return a reference with the confidence, which those of the first versions lack."""
    if "confidence" in reference:
        return reference
    probability = reference["probability"]
    return reference.assign(confidence=np.maximum(probability, 1 - probability))
