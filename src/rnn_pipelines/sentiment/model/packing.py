"""The file format of a text classifier: `.keras`, JSON and `.npz` files, without pickles."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from rnn_pipelines.networks.packing import pack_networks, unpack_networks
from rnn_pipelines.sentiment.methods.nb_ngram import NgramClassifier
from rnn_pipelines.sentiment.methods.registry import NB_NGRAM
from rnn_pipelines.sentiment.model.classifier import TextClassifier
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.storage.arrays import pack_arrays, unpack_arrays
from rnn_pipelines.storage.formats import SCALER, VOCABULARY, check_kind, check_needed_files, read_object

SETTINGS, NGRAMS, SEEN = "settings.json", "ngrams.npz", "seen.npz"
# Format of all files together.
FORMAT = 1


def pack(classifier: TextClassifier) -> dict[str, bytes]:
    """Return the files of a text classifier: content by name."""
    settings = {"format": FORMAT, "signs": classifier.signs, "padding": classifier.padding.model_dump()}
    settings["calibration"] = dict(classifier.calibration)
    return {
        SETTINGS: json.dumps(settings, indent=2).encode(),
        VOCABULARY: json.dumps(list(classifier.vocabulary), ensure_ascii=False, indent=0).encode(),
        NGRAMS: pack_arrays(dataclasses.asdict(classifier.ngrams)),
        SEEN: pack_arrays({"seen": classifier.seen}),
        **pack_networks(classifier.networks),
    }


def unpack(files: Mapping[str, bytes]) -> TextClassifier:
    """Return the classifier from the files of `pack`; a FormatError if another version of the project wrote them.

    A missing file that the settings require, or a model of another kind, raises a ChampionError.
    """
    settings = read_settings(files)
    arrays = unpack_arrays(files[NGRAMS]).items()
    ngrams: dict[str, Any] = {name: array if array.ndim else array.item() for name, array in arrays}
    return TextClassifier(
        networks=unpack_networks(files),
        ngrams=NgramClassifier(**ngrams),
        vocabulary=json.loads(files[VOCABULARY]),
        padding=PaddingSpec(**settings["padding"]),
        calibration=settings["calibration"],
        signs=settings["signs"],
        **unpack_arrays(files[SEEN]),
    )


def read_settings(files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the settings of a text classifier, after a check that all its files are there; errors as in `unpack`."""
    check_kind(files, SCALER, "text classifier")
    check_needed_files(files, [SETTINGS], "text classifier")
    settings = read_object(files[SETTINGS], "text classifier", FORMAT)
    networks = [f"{name}.keras" for name in settings["calibration"]["weights"] if name != NB_NGRAM]
    check_needed_files(files, [VOCABULARY, NGRAMS, SEEN, *networks], "text classifier")
    return settings
