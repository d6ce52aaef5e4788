"""Everything that a text's sentiment depends on as one thing, and scoring texts with it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnn_pipelines.sentiment.methods.calibration import Calibration, apply_calibration, choose_classifier
from rnn_pipelines.sentiment.methods.logits import name_labels
from rnn_pipelines.sentiment.methods.nb_ngram import NgramClassifier, TextFeatures, score_ngrams, weigh_words
from rnn_pipelines.sentiment.methods.registry import NB_NGRAM
from rnn_pipelines.sentiment.text.encoding import PaddingSpec, encode_texts
from rnn_pipelines.sentiment.text.vocabulary import VocabularySpec

# Kedro resolves these hints when it checks parameters, and must not load Keras for it.
if TYPE_CHECKING:
    from keras import Model as KerasModel
else:
    KerasModel = Any

# Texts whose words are in memory at once.
CHUNK = 2000


@dataclass(frozen=True)
class TextClassifier:
    """A trained classifier, complete: text in, calibrated probability out.

    Attributes:
        networks: by name.
        ngrams: the n-gram classifier, whose weights the networks read and whose logit stands beside theirs.
        vocabulary: the words by number, see `build_vocabulary`.
        padding: how texts are cut and padded.
        calibration: how the logits of the networks and of the n-gram classifier are weighed.
        signs: whether signs are words too, see `VocabularySpec`.
        seen: uint64[num_texts], the hashes of the texts that it was trained, chosen or calibrated on (`hash_texts`);
            none where nobody is to know.
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
) -> TextClassifier:
    """Puts the parts of the classifier that is best on validation together (`choose_classifier`)."""
    calibration = calibrations[choose_classifier(calibrations)]
    chosen = {name: network for name, network in networks.items() if name in calibration["weights"]}
    return TextClassifier(chosen, ngrams, words, padding, calibration, vocabulary_spec.signs)


def score_sentiment(classifier: TextClassifier, texts: pd.DataFrame) -> pd.DataFrame:
    """The sentiment of each text, a few thousand in memory at a time.

    Args:
        classifier: whose calibration makes its confidence the probability that the label is right.
        texts: `row` and `text` (str, of any length, script and content).
    Returns:
        `ScoredTexts`, still without the version. Where no word is known, probability and confidence are 0.5.
    """
    chunks = [_score_chunk(classifier, texts.iloc[first : first + CHUNK]) for first in range(0, len(texts), CHUNK)]
    return pd.concat(chunks, ignore_index=True) if chunks else _score_chunk(classifier, texts)


def make_features(classifier: TextClassifier, texts: Iterable[str]) -> TextFeatures:
    """Return the inputs of the classifier's networks for each text, with the logits of its n-gram classifier."""
    encoded = encode_texts(texts, classifier.vocabulary, classifier.signs)
    ngram_logits = score_ngrams(classifier.ngrams, encoded)
    return TextFeatures(encoded.ids, encoded.offsets, weigh_words(classifier.ngrams, encoded), ngram_logits)


def score_parts(classifier: TextClassifier, features: TextFeatures) -> dict[str, np.ndarray]:
    """Return the logits of each network and of the n-gram classifier, before calibration; float64[num_texts] each."""
    from rnn_pipelines.sentiment.methods.training import score_texts

    logits = {name: score_texts(network, features, classifier.padding) for name, network in classifier.networks.items()}
    return logits | {NB_NGRAM: features.logits}


def _score_chunk(classifier: TextClassifier, texts: pd.DataFrame) -> pd.DataFrame:
    features = make_features(classifier, texts["text"])
    encoded = features.encoded
    num_known = encoded.count_known()
    logit = apply_calibration(classifier.calibration, score_parts(classifier, features))
    label, probability = name_labels(logit, num_known)
    return pd.DataFrame(
        {
            "row": texts["row"],
            "label": label,
            "probability": probability,
            "confidence": np.maximum(probability, 1 - probability),
            "num_words": encoded.lengths,
            "num_known_words": num_known,
            "text": texts["text"],
        }
    )
