"""Forecasters and text classifiers as files of `.keras`, JSON and `.npz`; nothing is pickled."""

import dataclasses
import io
import json
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_pipelines.datasets.keras_model import pack_model, unpack_model

if TYPE_CHECKING:
    from keras import Model

    from rnn_pipelines.forecast.forecaster import Forecaster
    from rnn_pipelines.sentiment.classifier import TextClassifier

SETTINGS, VOCABULARY, NGRAMS, SCALER = "settings.json", "vocabulary.json", "ngrams.npz", "scaler.json"
SEEN = "seen.npz"


def pack_text_classifier(classifier: "TextClassifier") -> dict[str, bytes]:
    """The files of a text classifier: content by name."""
    settings = {
        "signs": classifier.signs,
        "padding": classifier.padding.model_dump(),
        "calibration": dict(classifier.calibration),
    }
    return {
        SETTINGS: json.dumps(settings, indent=2).encode(),
        VOCABULARY: json.dumps(list(classifier.vocabulary), ensure_ascii=False, indent=0).encode(),
        NGRAMS: _pack_arrays(dataclasses.asdict(classifier.ngrams)),
        **({SEEN: _pack_arrays({"seen": classifier.seen})} if len(classifier.seen) else {}),
        **_pack_networks(classifier.networks),
    }


def unpack_text_classifier(files: Mapping[str, bytes]) -> "TextClassifier":
    """The classifier in the files of `pack_text_classifier`."""
    from rnn_pipelines.sentiment.classifier import TextClassifier
    from rnn_pipelines.sentiment.nb_ngram import NgramClassifier
    from rnn_pipelines.sentiment.text.encoding import PaddingSpec

    settings = json.loads(files[SETTINGS])
    ngrams: dict[str, Any] = {
        name: array if array.ndim else array.item() for name, array in _unpack_arrays(files[NGRAMS]).items()
    }
    seen = _unpack_arrays(files[SEEN]) if SEEN in files else {}
    return TextClassifier(
        networks=_unpack_networks(files),
        ngrams=NgramClassifier(**ngrams),
        vocabulary=json.loads(files[VOCABULARY]),
        padding=PaddingSpec(**settings["padding"]),
        calibration=settings["calibration"],
        signs=settings.get("signs", True),
        **seen,
    )


def pack_forecaster(forecaster: "Forecaster") -> dict[str, bytes]:
    """The files of a forecaster: content by name."""
    # As lists, for JSON writes a float64 with all its digits, and pandas' own writer with fewer.
    scaler = forecaster.scaler.to_dict(orient="list")
    return {
        SETTINGS: forecaster.settings.model_dump_json(indent=2).encode(),
        SCALER: json.dumps(scaler, ensure_ascii=False).encode(),
        **_pack_networks(forecaster.networks),
    }


def unpack_forecaster(files: Mapping[str, bytes]) -> "Forecaster":
    """The forecaster in the files of `pack_forecaster`."""
    import pandas as pd

    from rnn_pipelines.forecast.forecaster import Forecaster, ForecasterSettings

    settings = ForecasterSettings.model_validate_json(files[SETTINGS])
    return Forecaster(_unpack_networks(files), pd.DataFrame(json.loads(files[SCALER])), settings)


PACKERS: dict[str, tuple[Callable[[Any], dict[str, bytes]], Callable[[Mapping[str, bytes]], Any]]] = {
    "forecast": (pack_forecaster, unpack_forecaster),
    "sentiment": (pack_text_classifier, unpack_text_classifier),
}


def _pack_networks(networks: "Mapping[str, Model]") -> dict[str, bytes]:
    return {f"{name}.keras": pack_model(network) for name, network in networks.items()}


def _unpack_networks(files: Mapping[str, bytes]) -> "dict[str, Model]":
    return {PurePosixPath(name).stem: unpack_model(files[name]) for name in files if name.endswith(".keras")}


def _pack_arrays(arrays: Mapping[str, Any]) -> bytes:
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, **arrays)
    return packed.getvalue()


def _unpack_arrays(content: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)
