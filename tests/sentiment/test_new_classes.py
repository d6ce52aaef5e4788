"""A retraining on texts of a class that the champion lacks: the class is learnt, and on record."""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from rnn_pipelines.champion.artefacts import Candidate, LoadedChampion
from rnn_pipelines.pipelines.retrain_sentiment import create_pipeline
from rnn_pipelines.sentiment.fitting import FittedClassifier
from rnn_pipelines.sentiment.interface import describe_parameters, read_sentiment_spec
from rnn_pipelines.sentiment.methods.specs import RetrainSentimentSpec
from rnn_pipelines.sentiment.operations.reference import REFERENCE
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec


@pytest.fixture(scope="module")
def outcome(
    make_reviews: Callable[..., pd.DataFrame],
    two_classes: FittedClassifier,
    tmp_path_factory: pytest.TempPathFactory,
) -> Candidate:
    """That of a retraining on bad, good and loud texts; the champion knows bad and good."""
    path = tmp_path_factory.mktemp("new") / "reviews.csv"
    reviews = make_reviews(240, seed=1, classes=("bad", "good", "loud"))
    reviews.assign(day=range(240))[["text", "label", "day"]].to_csv(path, index=False)
    names = {**two_classes.classifier.class_facts, "classes": ["bad", "good"]}
    artefact = replace(two_classes.classifier, class_facts=names)
    champion = LoadedChampion("v1", artefact, "2026-01-01T00:00:00+00:00", (), {})
    return run_retraining(path, champion)


def run_retraining(path: Path, champion: LoadedChampion) -> Candidate:
    source = ReviewSourceSpec(path=str(path))
    blocks = describe_parameters(read_sentiment_spec({"vocabulary": {"min_count": 1}}), source)
    policy = {"max_age_days": None}
    spec = RetrainSentimentSpec.model_validate({"time": "day", "policy": policy, "budget": {}})
    inputs = {
        "params:sentiment": blocks,
        "params:retrain_sentiment": spec,
        "champion_sentiment": champion,
        "retrain_sentiment_checkpoints": None,
        **{f"params:sentiment.{name}": block for name, block in blocks.items()},
    }
    pipeline = create_pipeline()
    datasets = {
        name: MemoryDataset(value, copy_mode="assign")
        for name, value in inputs.items()
        if name in pipeline.inputs()
    }
    catalog = DataCatalog(datasets | {"retrain_sentiment_outcome": KeptDataset(copy_mode="assign")})
    SequentialRunner().run(pipeline, catalog)
    candidate: Candidate = catalog.load("retrain_sentiment_outcome")
    return candidate


class KeptDataset(MemoryDataset):
    """Stays after its last reader."""

    def _release(self) -> None:
        pass


def test_a_new_class_is_learnt(outcome: Candidate) -> None:
    assert outcome.artefact.class_facts["classes"] == ["bad", "good", "loud"]


def test_a_new_class_is_on_record(outcome: Candidate) -> None:
    assert "new classes: loud (16 texts of the holdout)" in outcome.manifest["notes"]


def test_a_challenger_that_knows_a_new_class_is_promoted(outcome: Candidate) -> None:
    assert outcome.decision.is_promoted


def test_the_reference_has_the_probability_of_a_new_class(outcome: Candidate) -> None:
    reference = pd.read_parquet(BytesIO(outcome.files[REFERENCE]))
    assert "probability loud" in reference
