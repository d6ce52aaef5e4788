"""Traces of trained classifiers: every gate and state over texts."""

from collections.abc import Mapping, Sequence
from itertools import islice

import numpy as np
import pandas as pd

from rnn_pipelines.cells.cell import CANDIDATE
from rnn_pipelines.lab.internals.gate_statistics import differentiate, probe_last_states
from rnn_pipelines.lab.internals.records import (
    ClassifierSummary,
    LayerTrace,
    NetworkSummary,
    Traces,
)
from rnn_pipelines.lab.internals.sentiment.choice import ChosenClassifier
from rnn_pipelines.lab.internals.specs import SampleSpec
from rnn_pipelines.sentiment.methods.calibration import apply_calibration
from rnn_pipelines.sentiment.methods.logits import predict_classes
from rnn_pipelines.sentiment.methods.registry import ENSEMBLE
from rnn_pipelines.sentiment.model.classifier import (
    ClassifierArtefact,
    make_text_features,
    read_probabilities,
    score_parts,
    score_sentiment,
)
from rnn_pipelines.sentiment.text.cleaning import tokenize
from rnn_pipelines.sentiment.text.encoding import pad_texts, place_words

# The number of units whose gate is shown word by word.
NUM_UNITS_SHOWN = 6
# The columns of the readings, see `trace_classifier`.
READINGS = {
    "cell": "str",
    "text": "int64",
    "place": "int64",
    "gate": "str",
    "unit": "int64",
    "word": "str",
    "probability": "float64",
    "value": "float32",
}


def trace_classifier(chosen: ChosenClassifier, sample: SampleSpec) -> tuple[Traces, pd.DataFrame]:
    """Trace the recurrent layer of each network of a classifier over texts, in both directions.

    The head reads a pooling over all words, which each word reaches directly. The gradients are therefore those of the
    layer's last state, see `probe_last_states`, with respect to the layer's inputs.

    Returns:
        The traces over the shown texts and a sample of the test reviews. And the readings of the shown texts, one row
        for each word and value: `cell`, `text` (number, from 1), `place` (from 0, of the words that the network reads),
        `word`, `probability` (of the second of two classes, if the text ended with this word), `gate`, `unit` (−1 for
        the mean over units) and `value`, all of the forward direction.
        If there is no classifier, traces without layers and no rows.
    Raises:
        NetworkError: see `trace_layer`.
    """
    if chosen.classifier is None:
        no_readings = pd.DataFrame(columns=list(READINGS)).astype(READINGS)
        return Traces({}, {}, {}, chosen.origin, _summarize(chosen, sample)), no_readings
    # They load Keras, which a report without texts does not need.
    from rnn_pipelines.lab.internals.sentiment.layers import summarize_classifier, trace_layer

    classifier = chosen.classifier
    short = (text for text in chosen.texts if 1 <= len(tokenize(text)) <= sample.max_words)
    shown = [*sample.texts, *islice(short, 1)]
    drawn = [chosen.texts[number] for number in _draw(len(chosen.texts), sample.reviews)]
    inputs, places = _pad_inputs(classifier, [*shown, *drawn])
    layers: dict[str, LayerTrace] = {}
    networks: dict[str, NetworkSummary] = {}
    for cell, network in classifier.networks.items():
        names = [f"sentiment_{cell}_{direction}" for direction in ("forward", "backward")]
        summary = summarize_classifier(network)
        for name, layer in zip(names, trace_layer(network, inputs), strict=False):
            layers[name] = layer
            networks[name] = summary
    gradients = {
        name: differentiate(layer, probe_last_states(layer.trace, layer.mask))
        for name, layer in layers.items()
    }
    readings = [
        _read_text(classifier, layers, row, text, places[row]) for row, text in enumerate(shown)
    ]
    traced = {name: [layer] for name, layer in layers.items()}
    traces = Traces(traced, gradients, networks, chosen.origin, _summarize(chosen, sample))
    return traces, pd.concat(readings, ignore_index=True)


def _summarize(chosen: ChosenClassifier, sample: SampleSpec) -> ClassifierSummary:
    held_out = _draw(len(chosen.texts), sample.held_out)
    accuracy: dict[str, float] = {}
    if chosen.classifier is not None and len(held_out):
        texts = [chosen.texts[number] for number in held_out]
        logits = score_parts(chosen.classifier, make_text_features(chosen.classifier, texts))
        logits[ENSEMBLE] = apply_calibration(chosen.classifier.calibration, logits)
        labels = np.asarray(chosen.labels)[held_out]
        accuracy = {
            name: float((predict_classes(values) == labels).mean())
            for name, values in logits.items()
        }
    is_missing = chosen.classifier is None
    return {
        "is_missing": is_missing,
        "origin": chosen.origin,
        "accuracy": accuracy,
        "num_texts": len(held_out),
    }


def _draw(num_texts: int, num_drawn: int) -> np.ndarray:
    """Return the numbers of random texts, in ascending order."""
    return np.sort(np.random.default_rng(0).permutation(num_texts)[:num_drawn])


def _pad_inputs(
    classifier: ClassifierArtefact, texts: Sequence[str]
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the networks' inputs, and the number of the word at each step: int64[batch, time], −1 for padding."""
    features = make_text_features(classifier, texts)
    encoded = features.encoded
    places = place_words(encoded.lengths, classifier.padding)
    ngrams = np.zeros((*places.shape, features.ngrams.shape[1]), np.float32)
    ngrams[places >= 0] = features.ngrams[(places + encoded.offsets[:-1, None])[places >= 0]]
    words = pad_texts(encoded, np.arange(len(encoded)), classifier.padding)
    return {"words": words, "ngrams": ngrams}, places


def _read_text(
    classifier: ClassifierArtefact,
    layers: Mapping[str, LayerTrace],
    row: int,
    text: str,
    places: np.ndarray,
) -> pd.DataFrame:
    """Return the readings of one shown text; see `trace_classifier`."""
    words = tokenize(text, classifier.signs)
    beginnings = pd.DataFrame({"row": range(len(words)), "text": list_beginnings(words)})
    classes = classifier.class_facts["classes"]
    probabilities = read_probabilities(score_sentiment(classifier, beginnings), classes)
    # Of more than two classes, that of the whole text.
    shown = classes[1] if len(classes) == 2 else probabilities.iloc[-1].idxmax()
    probability = probabilities[shown].to_numpy()
    is_read = places >= 0
    read = places[is_read]
    words_read = [words[place] for place in read]
    tables = []
    for layer in (one for one in layers.values() if not one.trace.backwards):
        gates = {
            name: gate[row][is_read]
            for name, gate in layer.trace.gates._asdict().items()
            if name != CANDIDATE
        }
        # The mean over units of each gate, and the most varying units of the keeping gate.
        chosen = [(name, -1, values.mean(axis=1)) for name, values in gates.items()]
        keeping = gates[layer.cell.keeping]
        varying = np.argsort(-keeping.std(axis=0))[:NUM_UNITS_SHOWN]
        chosen += [(layer.cell.keeping, int(unit), keeping[:, unit]) for unit in varying]
        for gate, unit, values in chosen:
            columns = {
                "cell": layer.cell.name,
                "text": row + 1,
                "place": range(len(read)),
                "gate": gate,
                "unit": unit,
                "word": words_read,
                "probability": probability[read],
                "value": values,
            }
            tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def list_beginnings(words: Sequence[str]) -> list[str]:
    return [" ".join(words[: place + 1]) for place in range(len(words))]
