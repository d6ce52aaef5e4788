"""The data of the explorer's page of a text classifier: its networks, and texts with the vectors of their words."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnn_pipelines.cells.registry import CELLS
from rnn_pipelines.errors import ParameterError
from rnn_pipelines.report.explorer.page import encode_content, render_explorer
from rnn_pipelines.report.styles import CELL_STYLES
from rnn_pipelines.sentiment.methods.calibration import apply_calibration
from rnn_pipelines.sentiment.methods.nb_ngram import BITS
from rnn_pipelines.sentiment.model.classifier import (
    ClassifierArtefact,
    make_text_features,
    score_parts,
    tabulate_scores,
)
from rnn_pipelines.sentiment.text.cleaning import tokenize
from rnn_pipelines.sentiment.text.vocabulary import FIRST_WORD, UNKNOWN

SECTIONS = {
    "window": "The words and the cell",
    "change": "What if",
    "memory": "Memory",
    "models": "Networks compared",
}
# Each word is read again after every later one, so that a page of long texts would be slow.
MAX_WORDS, MAX_TEXTS = 60, 12
# A reader's own text consists of so many of the most frequent words: the largest number that needs at most these bytes.
NUM_WORDS = (2000, 1000, 500, 250)
MAX_VOCABULARY_BYTES = 250_000


def render_classifier(classifier: ClassifierArtefact, texts: Sequence[str]) -> str:
    """Render the page of the networks of a classifier over some texts; see `describe_classifier`."""
    return render_texts(describe_classifier(classifier, texts))


def render_texts(content: Mapping[str, Any]) -> str:
    """Render the page of `describe_classifier`."""
    verdict = (
        "The trained {names} read texts in this page, word by word. Move the cursor through a text, look at each gate, "
        "and change a unit or a gate: the probability follows at once."
    )
    return render_explorer("The gates of {names} on texts", verdict, content, SECTIONS)


def describe_classifier(classifier: ClassifierArtefact, texts: Sequence[str]) -> dict[str, Any]:
    """Return what the page reads: the networks, some texts, of long ones their first words, and the vocabulary.

    Raises:
        ParameterError: the classifier has no networks, more than two classes, or n-grams of few texts; or there is no
            text with a word.
    """
    if len(classifier.class_facts["classes"]) > 2:
        raise ParameterError("the page shows classifiers of two classes, and this one has more.")
    networks = classifier.networks
    if not networks:
        raise ParameterError(
            "the classifier has no recurrent network: it was fitted on too few texts (lstm.min_texts, gru.min_texts)."
        )
    if classifier.ngrams.has_unit_length:
        raise ParameterError(
            "the page shows n-grams that occur or not, and these are counted: fit with ngrams.few_texts 0 and "
            "ngrams.unit_length false."
        )
    most = min(MAX_WORDS, classifier.padding.max_length)
    tables = {
        name: model.get_layer("word_vectors").get_weights()[0] for name, model in networks.items()
    }
    words = [read[:most] for read in (tokenize(text, classifier.signs) for text in texts) if read][
        :MAX_TEXTS
    ]
    if not words:
        raise ParameterError("texts: expected a text with at least one word, received none.")
    described = (_describe_vocabulary(classifier, tables, count) for count in NUM_WORDS)
    vocabulary = next(
        vocabulary
        for vocabulary in described
        if len(encode_content(vocabulary)) <= MAX_VOCABULARY_BYTES
        or len(vocabulary["words"]) <= NUM_WORDS[-1]
    )
    return {
        "task": "text",
        "season": 1,
        "calibration": {
            "weights": classifier.calibration["weights"],
            "intercept": classifier.calibration["intercept"][0],
        },
        "networks": [_describe_network(name, model) for name, model in networks.items()],
        "windows": _describe_texts(classifier, words, tables),
        "vocabulary": vocabulary | {"maxWords": most},
    }


def _describe_network(name: str, model: Any) -> dict[str, Any]:
    """Return the weights of both directions and of the head; see `build_classifier`."""
    layers = {layer.name: layer for layer in model.layers}
    recurrent: Any = layers.get(f"bidirectional_{name}") or layers[name]
    both = (
        [recurrent.forward_layer, recurrent.backward_layer]
        if hasattr(recurrent, "forward_layer")
        else [recurrent]
    )
    weights: dict[str, np.ndarray] = {}
    for prefix, layer in zip(("", "backward_"), both, strict=False):
        arrays = CELLS[name].name_arrays(CELLS[name].weights.from_list(layer.get_weights()))
        weights |= {prefix + array: values for array, values in arrays.items()}
    kernel, bias = layers["logit"].get_weights()
    return {
        "name": name,
        "label": CELL_STYLES[name].name,
        "color": CELL_STYLES[name].color,
        "cell": name,
        "ngrams": "scaled_ngrams" in layers,
        "pooling": list(layers["pooling"].kinds) if "pooling" in layers else ["last"],
        "weights": [{**weights, "logit_kernel": kernel, "logit_bias": bias}],
    }


def _look_up(table: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Return the word vectors of a network, which may know fewer words than the n-gram classifier."""
    vectors: np.ndarray = table[np.where(ids < len(table), ids, UNKNOWN)]
    return vectors


def _describe_vocabulary(
    classifier: ClassifierArtefact, tables: Mapping[str, np.ndarray], num_words: int
) -> dict[str, Any]:
    """Return the most frequent words with their vectors, and the n-grams of these words with their weights."""
    words = classifier.vocabulary[:num_words]
    ngrams = classifier.ngrams
    numbers = np.arange(FIRST_WORD + len(words))
    of_ngrams = ngrams.ngrams[:, None] >> BITS * np.arange(ngrams.order) & (1 << BITS) - 1
    are_there = (of_ngrams < len(numbers)).all(axis=1)
    return {
        "words": list(words),
        "signs": classifier.signs,
        "vectors": {name: _look_up(table, numbers) for name, table in tables.items()},
        "ngrams": of_ngrams[are_there],
        "weights": ngrams.weights[are_there, 0],
        "intercept": float(ngrams.intercept[0]),
        "order": ngrams.order,
    }


def _describe_texts(
    classifier: ClassifierArtefact, texts: Sequence[Sequence[str]], tables: Mapping[str, np.ndarray]
) -> list[dict[str, Any]]:
    """Return the inputs at each word, and the outputs of the parts of the classifier for the text up to it."""
    # All beginnings at once, because each call of a network takes long.
    features = make_text_features(
        classifier, [" ".join(words[: k + 1]) for words in texts for k in range(len(words))]
    )
    logits = score_parts(classifier, features)
    known = features.encoded.count_known()
    classes = classifier.class_facts["classes"]
    scores = tabulate_scores(apply_calibration(classifier.calibration, logits), known, classes)
    probabilities = scores["probability"].to_numpy()
    whole = make_text_features(classifier, [" ".join(words) for words in texts])
    described = []
    for words, start, stop in zip(texts, whole.offsets[:-1], whole.offsets[1:], strict=True):
        rows = slice(start, stop)
        ids = whole.ids[start:stop]
        described.append(
            {
                "label": " ".join(words[:6]) + (" …" if len(words) > 6 else ""),
                "times": words,
                "vectors": {name: _look_up(table, ids) for name, table in tables.items()},
                "ngrams": whole.ngrams[rows],
                "known": known[rows].tolist(),
                "logits": {
                    name: np.asarray(values[rows, 0], float).tolist()
                    for name, values in logits.items()
                },
                "forecasts": {name: probabilities[rows].tolist() for name in tables},
            }
        )
    return described
