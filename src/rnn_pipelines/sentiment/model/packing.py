"""The file format of a text classifier: `.keras`, JSON and `.npz` files, without pickles."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from rnn_pipelines.networks.packing import pack_networks, unpack_networks
from rnn_pipelines.sentiment.methods.nb_ngram import NgramClassifier
from rnn_pipelines.sentiment.methods.registry import NB_NGRAM
from rnn_pipelines.sentiment.model.class_facts import FORMAT, FORMATS
from rnn_pipelines.sentiment.model.classifier import TWO_CLASSES, ClassifierArtefact
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.storage.arrays import check_finite, pack_arrays, unpack_arrays
from rnn_pipelines.storage.formats import (
    SCALER,
    VOCABULARY,
    check_kind,
    check_needed_files,
    naming_damage,
    read_sealed,
    seal_files,
)

SETTINGS = "settings.json"
NGRAMS = "ngrams.npz"
SEEN = "seen.npz"


def pack(classifier: ClassifierArtefact) -> dict[str, bytes]:
    """Return the files of a text classifier: content by name."""
    files = {
        VOCABULARY: json.dumps(list(classifier.vocabulary), ensure_ascii=False, indent=0).encode(),
        NGRAMS: pack_arrays(dataclasses.asdict(classifier.ngrams)),
        SEEN: pack_arrays({"seen": classifier.seen}),
        **pack_networks(classifier.networks),
    }
    settings = {
        "format": FORMAT,
        "signs": classifier.signs,
        "padding": classifier.padding.model_dump(),
        "calibration": dict(classifier.calibration),
        "class_facts": dict(classifier.class_facts),
    }
    return {SETTINGS: seal_files(settings, files), **files}


def unpack(files: Mapping[str, bytes]) -> ClassifierArtefact:
    """Return the classifier from the files of `pack`; a FormatError if another version of the project wrote them.

    A ChampionError names a file that is missing, damaged or changed, or whose numbers are not finite.
    """
    settings = read_settings(files)
    with naming_damage(SETTINGS):
        padding = PaddingSpec(**settings["padding"])
        calibration = settings["calibration"]
        check_finite(calibration["weights"])
        calibration["intercept"] = np.atleast_1d(calibration["intercept"]).tolist()
    with naming_damage(NGRAMS):
        arrays = unpack_arrays(files[NGRAMS])
        check_finite(arrays)
        values: dict[str, Any] = {
            name: array if array.ndim else array.item() for name, array in arrays.items()
        }
        weights = values["weights"]
        values["weights"] = weights.reshape(len(weights), -1)
        values["intercept"] = np.atleast_1d(values["intercept"])
        ngrams = NgramClassifier(**values)
    with naming_damage(VOCABULARY):
        vocabulary = json.loads(files[VOCABULARY])
    with naming_damage(SEEN):
        seen = unpack_arrays(files[SEEN])["seen"]
    return ClassifierArtefact(
        networks=unpack_networks(files),
        ngrams=ngrams,
        vocabulary=vocabulary,
        padding=padding,
        calibration=calibration,
        class_facts=settings.get("class_facts", TWO_CLASSES),
        signs=settings["signs"],
        seen=seen,
    )


def read_settings(files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the settings of a text classifier, after a check that all its files are there; errors as in `unpack`."""
    check_kind(files, SCALER, "text classifier")
    settings = read_sealed(files, SETTINGS, "text classifier", FORMATS)
    with naming_damage(SETTINGS):
        networks = [
            f"{name}.keras" for name in settings["calibration"]["weights"] if name != NB_NGRAM
        ]
    check_needed_files(files, [VOCABULARY, NGRAMS, SEEN, *networks], "text classifier")
    return settings
