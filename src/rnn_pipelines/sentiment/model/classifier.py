"""The complete text classifier, from text to calibrated probability."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from rnn_pipelines.networks.hints import KerasModel
from rnn_pipelines.networks.time_limit import check_time
from rnn_pipelines.sentiment.methods.calibration import (
    Calibration,
    apply_calibration,
    choose_best_classifier,
)
from rnn_pipelines.sentiment.methods.logits import name_labels
from rnn_pipelines.sentiment.methods.nb_ngram import (
    NgramClassifier,
    TextFeatures,
    score_ngrams,
    weigh_words,
)
from rnn_pipelines.sentiment.methods.registry import NB_NGRAM
from rnn_pipelines.sentiment.methods.training import score_texts
from rnn_pipelines.sentiment.text.encoding import PaddingSpec, encode_texts
from rnn_pipelines.sentiment.text.vocabulary import VocabularySpec

# Number of texts whose words are in memory at once.
CHUNK = 2000


@dataclass(frozen=True)
class ClassifierArtefact:
    """A complete trained classifier, which returns a calibrated probability for a text.

    Attributes:
        networks: by name.
        ngrams: the n-gram classifier. The networks read its weights, and its logit is added to theirs.
        vocabulary: the words in the order of their numbers, see `build_vocabulary`.
        calibration: weights of the logits of the networks and of the n-gram classifier.
        signs: whether signs are words too, see `VocabularySpec`.
        seen: uint64[num_texts], hashes (`hash_texts`) of the texts used for training, selection or calibration; empty
            if they are not recorded.
    """

    networks: Mapping[str, KerasModel]
    ngrams: NgramClassifier
    vocabulary: Sequence[str]
    padding: PaddingSpec
    calibration: Calibration
    signs: bool = True
    seen: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint64))


def assemble_classifier(
    ngrams: NgramClassifier,
    words: list[str],
    vocabulary_spec: VocabularySpec,
    padding: PaddingSpec,
    calibrations: dict[str, Calibration],
    **networks: KerasModel,
) -> ClassifierArtefact:
    """Assemble the classifier with the lowest validation loss (`choose_best_classifier`) from its parts."""
    calibration = calibrations[choose_best_classifier(calibrations)]
    used = {name: network for name, network in networks.items() if name in calibration["weights"]}
    return ClassifierArtefact(used, ngrams, words, padding, calibration, vocabulary_spec.signs)


def score_sentiment(classifier: ClassifierArtefact, texts: pd.DataFrame) -> pd.DataFrame:
    """Return the `ScoredTexts` of the columns `row` and `text`, without `model_version`.

    At most `CHUNK` texts are in memory at a time. Probability and confidence are 0.5 for a text without a known word.
    """
    chunks = [
        _score_chunk(classifier, texts.iloc[first : first + CHUNK])
        for first in range(0, len(texts), CHUNK)
    ]
    return pd.concat(chunks, ignore_index=True) if chunks else _score_chunk(classifier, texts)


def make_text_features(classifier: ClassifierArtefact, texts: Iterable[str]) -> TextFeatures:
    """Return the network inputs and n-gram logits of each text."""
    encoded = encode_texts(texts, classifier.vocabulary, classifier.signs)
    ngram_logits = score_ngrams(classifier.ngrams, encoded)
    return TextFeatures(
        encoded.ids, encoded.offsets, weigh_words(classifier.ngrams, encoded), ngram_logits
    )


def score_parts(classifier: ClassifierArtefact, features: TextFeatures) -> dict[str, np.ndarray]:
    """Return the uncalibrated logits of each network and of the n-gram classifier, float64[num_texts] each."""
    logits = {
        name: score_texts(network, features, classifier.padding)
        for name, network in classifier.networks.items()
    }
    return logits | {NB_NGRAM: features.logits}


def _score_chunk(classifier: ClassifierArtefact, texts: pd.DataFrame) -> pd.DataFrame:
    check_time()
    features = make_text_features(classifier, texts["text"])
    encoded = features.encoded
    num_known = encoded.count_known()
    logit = apply_calibration(classifier.calibration, score_parts(classifier, features))
    label, probability = name_labels(logit, num_known)
    scores = {
        "label": label,
        "probability": probability,
        "confidence": np.maximum(probability, 1 - probability),
    }
    counts = {"num_words": encoded.lengths, "num_known_words": num_known}
    return pd.DataFrame({"row": texts["row"], **scores, **counts, "text": texts["text"]})
