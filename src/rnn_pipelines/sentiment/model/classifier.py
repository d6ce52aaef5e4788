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
from rnn_pipelines.sentiment.methods.logits import to_probabilities
from rnn_pipelines.sentiment.methods.nb_ngram import (
    NgramClassifier,
    TextFeatures,
    measure_familiarity,
    score_ngrams,
    weigh_words,
)
from rnn_pipelines.sentiment.methods.registry import NB_NGRAM
from rnn_pipelines.sentiment.methods.tables import PROBABILITY_OF
from rnn_pipelines.sentiment.methods.training import score_texts
from rnn_pipelines.sentiment.model.class_facts import ClassFacts
from rnn_pipelines.sentiment.text.encoding import (
    PaddingSpec,
    encode_characters,
    encode_texts,
)
from rnn_pipelines.sentiment.text.schema import UNKNOWN_LABEL
from rnn_pipelines.sentiment.text.vocabulary import VocabularySpec

# The facts of classifiers that were saved before there were others than negative and positive.
TWO_CLASSES: ClassFacts = {
    "classes": ["negative", "positive"],
    "words_by_class": {},
    "unlike_below": 0.0,
}
# Number of texts whose words are in memory at once.
CHUNK = 2000


@dataclass(frozen=True)
class ClassifierArtefact:
    """A complete trained classifier, which returns the calibrated probabilities of classes for a text.

    Attributes:
        networks: by name.
        ngrams: the n-gram classifier. The networks read its weights, and its logit is added to theirs.
        vocabulary: the words in the order of their numbers, see `build_vocabulary`.
        calibration: weights of the logits of the networks and of the n-gram classifier.
        class_facts: names and words of its classes, and the familiarity of their texts.
        signs: whether signs are words too, see `VocabularySpec`.
        seen: uint64[num_texts], hashes (`hash_texts`) of the texts used for training, selection or calibration; empty
            if they are not recorded.
    """

    networks: Mapping[str, KerasModel]
    ngrams: NgramClassifier
    vocabulary: Sequence[str]
    padding: PaddingSpec
    calibration: Calibration
    class_facts: ClassFacts = field(default_factory=lambda: TWO_CLASSES)
    signs: bool = True
    seen: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint64))


def assemble_classifier(
    ngrams: NgramClassifier,
    words: list[str],
    vocabulary_spec: VocabularySpec,
    padding: PaddingSpec,
    calibrations: dict[str, Calibration],
    class_facts: ClassFacts,
    **networks: KerasModel,
) -> ClassifierArtefact:
    """Assemble the classifier with the lowest validation loss (`choose_best_classifier`) from its parts."""
    calibration = calibrations[choose_best_classifier(calibrations)]
    used = {name: network for name, network in networks.items() if name in calibration["weights"]}
    return ClassifierArtefact(
        used, ngrams, words, padding, calibration, class_facts, vocabulary_spec.signs
    )


def score_sentiment(classifier: ClassifierArtefact, texts: pd.DataFrame) -> pd.DataFrame:
    """Return the `ScoredTexts` of the columns `row` and `text`, without `model_version`.

    At most `CHUNK` texts are in memory at a time.
    """
    chunks = [
        _score_chunk(classifier, texts.iloc[first : first + CHUNK])
        for first in range(0, len(texts), CHUNK)
    ]
    return pd.concat(chunks, ignore_index=True) if chunks else _score_chunk(classifier, texts)


def make_text_features(classifier: ClassifierArtefact, texts: Iterable[str]) -> TextFeatures:
    """Return the network inputs and n-gram logits of texts."""
    texts = list(texts)
    encoded = encode_texts(texts, classifier.vocabulary, classifier.signs)
    characters = None
    if len(classifier.ngrams.characters):
        characters = encode_characters(texts, classifier.signs)
    return TextFeatures(
        encoded.ids,
        encoded.offsets,
        weigh_words(classifier.ngrams, encoded),
        score_ngrams(classifier.ngrams, encoded, characters),
    )


def score_parts(classifier: ClassifierArtefact, features: TextFeatures) -> dict[str, np.ndarray]:
    """Return the uncalibrated logits of each network and of the n-gram classifier, float64[num_texts, num_outputs]."""
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
    logits = apply_calibration(classifier.calibration, score_parts(classifier, features))
    scores = tabulate_scores(logits, num_known, classifier.class_facts["classes"])
    familiarity = measure_familiarity(classifier.ngrams, encoded)
    scores = scores.assign(
        num_words=encoded.lengths,
        num_known_words=num_known,
        is_unlike=familiarity < classifier.class_facts["unlike_below"],
    )
    scores.index = texts.index
    scores.insert(0, "row", texts["row"])
    return scores.assign(text=texts["text"])


def tabulate_scores(
    logits: np.ndarray, num_known_words: np.ndarray, classes: Sequence[str]
) -> pd.DataFrame:
    """Return label, probabilities and confidence of texts, see `TextReferenceTable`."""
    is_known = num_known_words > 0
    probabilities = np.where(is_known[:, None], to_probabilities(logits), 1 / len(classes))
    labels = np.where(is_known, np.asarray(classes)[probabilities.argmax(axis=1)], UNKNOWN_LABEL)
    scores = {"label": pd.Series(labels, dtype="str")}
    if len(classes) == 2:
        scores["probability"] = probabilities[:, 1]
    else:
        for name, values in zip(classes, probabilities.T, strict=True):
            scores[f"{PROBABILITY_OF}{name}"] = values
    return pd.DataFrame({**scores, "confidence": probabilities.max(axis=1)})


def read_probabilities(scores: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Return the probability of each class in a column with its name, from the table of `tabulate_scores`."""
    if len(classes) == 2:
        probability = scores["probability"]
        return pd.DataFrame({classes[0]: 1 - probability, classes[1]: probability})
    return pd.DataFrame({name: scores[f"{PROBABILITY_OF}{name}"] for name in classes})
