"""Results of a run, made up instead of by training."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.sentiment.evaluation.metrics import evaluate_classifiers
from rnn_pipelines.sentiment.fitting import FittedClassifier
from rnn_pipelines.sentiment.model.class_facts import ClassFacts
from rnn_pipelines.sentiment.model.examples import find_examples
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec

PATHS = {
    "nb_ngram": ["nb_ngram"],
    "pointwise": ["pointwise", "nb_ngram"],
    "lstm": ["lstm", "nb_ngram"],
    "gru": ["gru", "nb_ngram"],
    "ensemble": ["lstm", "nb_ngram", "gru"],
    "lstm_alone": ["lstm"],
    "gru_alone": ["gru"],
}
CLASSES = ["negative", "positive"]
LAYERS = [
    {"layer": "words", "kind": "InputLayer", "output_shape": [None], "num_parameters": 0},
    {"layer": "lstm", "kind": "LSTM", "output_shape": [8], "num_parameters": 4512},
]
NGRAMS = {"layer": "ngrams", "kind": "InputLayer", "output_shape": [None, 3], "num_parameters": 0}
CLASS_FACTS: ClassFacts = {
    "classes": CLASSES,
    "unlike_below": 0.2,
    "abstention": [
        {"abstain_below": 0.5, "share": 1.0, "accuracy": 0.925},
        {"abstain_below": 0.9, "share": 0.625, "accuracy": 0.984},
        {"abstain_below": 0.99, "share": 0.0, "accuracy": None},
    ],
    "words_by_class": {
        "negative": ["worst", "boring", "waste of", "dull", "awful", "the … worst", "not worth"],
        "positive": ["great", "excellent"],
    },
}


@pytest.fixture(scope="session")
def make_sentiment(two_classes: FittedClassifier) -> Callable[..., SimpleNamespace]:
    """Makes all that the figures and the report of `sentiment` are given; both networks together are best.

    Each classifier is right where its logit, the true one plus noise, has the right sign. If wanted, the LSTM reads the
    weights of n-grams. The words of the examples are those of a classifier of n-grams.
    """

    def make(
        has_path: bool = True,
        has_ratings: bool = True,
        has_weights: bool = False,
        noise: float = 1.0,
        text: str = "A film.",
        group: str = "tt1",
    ) -> SimpleNamespace:
        generator = np.random.default_rng(0)
        labels = np.tile([0, 1], 200)
        table = pd.DataFrame(
            {
                "review_id": [f"test/{number}" for number in range(400)],
                "label": pd.Categorical.from_codes(labels, CLASSES),
            }
        )
        table["rating"] = pd.array(
            np.tile([2, 9] if has_ratings else [None, None], 200), dtype="Int8"
        )
        table["num_words"] = generator.integers(1, 1200, size=400)
        names = [name for name in PATHS if has_path or not name.endswith("_alone")]
        for name in names:
            table[name] = (2.0 * labels - 1) * 2 + noise * generator.normal(size=400)
        record = {
            "training_seconds": 61.26,
            "compile_seconds": 2.4,
            "num_epochs": 3,
            "best_epoch": 2,
            "num_parameters": 4512,
            "layers": LAYERS,
        }
        records = dict.fromkeys(("lstm", "gru", "pointwise"), record)
        if has_weights:
            records["lstm"] = record | {"layers": [*LAYERS, NGRAMS]}
        cost = {"nb_ngram": {"training_seconds": 7.0, "num_parameters": 123456}}
        reviews = pd.DataFrame({"review_id": table["review_id"], "group": group, "text": text})
        losses = pd.DataFrame(
            {"epoch": [1, 2, 3], "loss": [0.6, 0.3, 0.1], "val_loss": [0.5, 0.4, 0.45]}
        )
        calibrations = {
            name: {
                "weights": {
                    part: 1.25 for part in PATHS[name] if has_path or part in (name, "lstm", "gru")
                },
                "intercept": [-0.5],
                "validation_log_loss": 0.2 if name == "ensemble" else 0.3,
            }
            for name in names
        }
        metrics, by_group, by_confidence = evaluate_classifiers(
            table, calibrations, **records, **cost
        )
        return SimpleNamespace(
            metrics=metrics,
            calibrations=calibrations,
            by_group=by_group,
            by_confidence=by_confidence,
            histories=dict.fromkeys(records, losses),
            examples=find_examples(table, reviews, calibrations, two_classes.classifier),
            class_facts=CLASS_FACTS,
            profile={
                "num_reviews": {"train": 1800, "validation": 200, "test": 400},
                "num_groups": {"train": 90, "validation": 10, "test": 20},
                "num_texts_by_class": {
                    "negative": {"train": 900, "validation": 110, "test": 200},
                    "positive": {"train": 900, "validation": 90, "test": 200},
                },
                "num_groups_in_train_and_test": 1,
                "num_words": {"mean": 227.4, "median": 168.0, "max": 2470},
                "num_dropped": {"in_test": 123, "repeated": 96, "other_label": 7},
            },
            parameters={"source": ReviewSourceSpec(), "padding": PaddingSpec(max_length=321)},
            records=records,
            predictions=table,
        )

    return make
