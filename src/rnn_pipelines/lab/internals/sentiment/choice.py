"""The classifier that is traced: the one of `sentiment`, or a small one that is trained here."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from rnn_pipelines.errors import DownloadError, ReviewError
from rnn_pipelines.lab.internals.notation import CELLS
from rnn_pipelines.lab.internals.specs import SmallClassifierSpec, TracedReviewsSpec
from rnn_pipelines.sentiment.fitting import SentimentSpec, fit_parts
from rnn_pipelines.sentiment.methods.nb_ngram import NgramSpec
from rnn_pipelines.sentiment.methods.registry import ENSEMBLE, list_candidate_networks
from rnn_pipelines.sentiment.methods.specs import ClassifierSpec
from rnn_pipelines.sentiment.model.classifier import ClassifierArtefact
from rnn_pipelines.sentiment.text.download import has_archive
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec, read_reviews
from rnn_pipelines.sentiment.text.splits import ReviewSplitSpec, find_texts, split_reviews
from rnn_pipelines.sentiment.text.vectors import WordVectorSpec
from rnn_pipelines.sentiment.text.vocabulary import VocabularySpec

logger = logging.getLogger(__name__)

NUM_FOLDS = 5
DOWNLOAD = "--params=internals.reviews.download=true"


@dataclass(frozen=True)
class ChosenClassifier:
    """A classifier of one or two networks, and labelled held-out texts, empty if they are missing.

    `labels` are the numbers of their classes. `origin` is that of the classifier, or the reason why there is none, in
    words: there are no reviews to train it, or their download failed.
    """

    classifier: ClassifierArtefact | None
    texts: Sequence[str]
    labels: Sequence[int]
    origin: str


def choose_classifier(
    found: ClassifierArtefact | None,
    reviews: pd.DataFrame | None,
    source: TracedReviewsSpec,
    small: SmallClassifierSpec,
) -> ChosenClassifier:
    """Return the classifier of `sentiment`, or a small one that is trained here if `sentiment` has left none.

    Without a classifier and reviews, nothing is downloaded unless the parameters ask for it: the gates of a series need
    no reviews, and the download takes minutes. The held-out texts are the test part of the reviews of `sentiment`, or
    of those that the small one is trained on.

    Raises:
        ReviewError: there is no classifier, and the reviews of `source` cannot be used. A failed download is only a
            warning, because the user has not named any reviews.
    """
    if found is not None:
        return ChosenClassifier(found, *_list_held_out(reviews), "trained by sentiment")
    if (
        source.path is None
        and not source.download
        and not has_archive(source.archive, source.download_to)
    ):
        logger.info(
            "The report is made without texts. Reviews for them (84 MB) are downloaded with %s",
            DOWNLOAD,
        )
        return ChosenClassifier(None, [], [], "there are no reviews")
    logger.info(
        "kedro run --pipelines=sentiment has left no classifier. Training a small one on %s",
        source.origin,
    )
    try:
        reviews = _read_some_reviews(source, small.num_reviews)
    except DownloadError as error:
        logger.warning("%s The report is made without texts.", error)
        return ChosenClassifier(None, [], [], "the download of the reviews failed")
    classifier = _train_small_classifier(reviews, small)
    origin = f"trained here, small, on {len(reviews):,} reviews of {source.origin}"
    return ChosenClassifier(classifier, *_list_held_out(reviews), origin)


def _read_some_reviews(source: ReviewSourceSpec, num_reviews: int) -> pd.DataFrame:
    try:
        table = read_reviews(source)
    except DownloadError:
        raise
    except ReviewError as error:
        raise ReviewError(
            f"{error} There is neither a trained classifier nor reviews to train a small one. Run kedro run "
            "--pipelines=sentiment first, or name reviews: the archive in the environment variable IMDB_ARCHIVE or in "
            "internals.reviews.archive, or your own table in internals.reviews.path."
        ) from error
    labelled = table[table["split"] != "unlabelled"]
    sample = labelled.sample(min(num_reviews, len(labelled)), random_state=0).sort_index()
    return split_reviews(sample, ReviewSplitSpec())[0]


def _train_small_classifier(
    reviews: pd.DataFrame, small: SmallClassifierSpec
) -> ClassifierArtefact:
    """Fit the parts of a classifier as `sentiment` does, and keep all networks with gates to trace."""
    cells = [name for name in list_candidate_networks() if name in CELLS]
    spec = SentimentSpec(
        split=ReviewSplitSpec(),
        vocabulary=VocabularySpec.model_validate({}),
        padding=PaddingSpec(max_length=small.max_length),
        word_vectors=WordVectorSpec.model_validate(
            {"num_words": small.num_words, "dimensions": small.dimensions}
        ),
        ngrams=NgramSpec.model_validate({"folds": NUM_FOLDS, "few_texts": 0}),
        networks={
            cell: ClassifierSpec.model_validate(
                {"cell": cell, "units": small.units, "min_texts": 0}
            )
            for cell in cells
        },
        training=small.training,
    )
    parts = fit_parts(reviews, spec)
    calibration = parts.calibrations[ENSEMBLE]
    return ClassifierArtefact(
        parts.networks, parts.ngrams, parts.words, spec.padding, calibration, parts.class_facts
    )


def _list_held_out(reviews: pd.DataFrame | None) -> tuple[list[str], list[int]]:
    if reviews is None:
        return [], []
    held_out = reviews.iloc[find_texts(reviews, "test")]
    return held_out["text"].tolist(), held_out["label"].cat.codes.tolist()
