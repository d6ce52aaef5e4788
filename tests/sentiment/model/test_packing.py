"""A classifier comes back from its files with its answers, also from those of earlier versions."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.sentiment.fitting import FittedClassifier
from rnn_pipelines.sentiment.model.classifier import ClassifierArtefact, score_sentiment
from rnn_pipelines.sentiment.model.packing import pack, unpack
from rnn_pipelines.storage.arrays import pack_arrays
from sealing import reseal

TEXTS = pd.DataFrame({"row": [1, 2, 3], "text": ["a great film", "so dull and loud", "xyzzy"]})


def pack_as_before(classifier: ClassifierArtefact) -> dict[str, bytes]:
    """The files of the versions with two classes: weights of one output, and no names of classes."""
    files = pack(classifier)
    ngrams = classifier.ngrams
    arrays = {
        "ngrams": ngrams.ngrams,
        "weights": ngrams.weights[:, 0],
        "intercept": np.array(float(ngrams.intercept[0])),
        "order": np.array(ngrams.order),
    }
    settings = json.loads(files["settings.json"])
    del settings["class_facts"]
    settings["format"] = 1
    settings["calibration"]["intercept"] = classifier.calibration["intercept"][0]
    content = json.dumps(settings).encode()
    return reseal({**files, "settings.json": content, "ngrams.npz": pack_arrays(arrays)})


def test_classifier_of_an_earlier_version_gives_the_same_answers(
    text_classifier: ClassifierArtefact,
) -> None:
    loaded = unpack(pack_as_before(text_classifier))
    expected = score_sentiment(text_classifier, TEXTS)
    pd.testing.assert_frame_equal(score_sentiment(loaded, TEXTS), expected)


def test_classifier_of_an_earlier_version_has_two_classes(
    text_classifier: ClassifierArtefact,
) -> None:
    loaded = unpack(pack_as_before(text_classifier))
    assert loaded.class_facts["classes"] == ["negative", "positive"]


@pytest.mark.parametrize("classes", ["two_classes", "three_classes"])
def test_packed_classifier_gives_the_same_answers(
    request: pytest.FixtureRequest, classes: str
) -> None:
    classifier = request.getfixturevalue(classes).classifier
    expected = score_sentiment(classifier, TEXTS)
    pd.testing.assert_frame_equal(score_sentiment(unpack(pack(classifier)), TEXTS), expected)


def test_packed_classifier_keeps_the_facts_of_its_classes(
    three_classes: FittedClassifier,
) -> None:
    classifier = three_classes.classifier
    assert unpack(pack(classifier)).class_facts == classifier.class_facts


def test_packed_classifier_keeps_its_calibration(three_classes: FittedClassifier) -> None:
    classifier = three_classes.classifier
    assert unpack(pack(classifier)).calibration == classifier.calibration


def test_names_of_classes_keep_their_umlauts(two_classes: FittedClassifier) -> None:
    class_facts = {**two_classes.classifier.class_facts, "classes": ["Ärger", "Größe 😀"]}
    packed = pack(replace(two_classes.classifier, class_facts=class_facts))
    assert unpack(packed).class_facts["classes"] == ["Ärger", "Größe 😀"]
