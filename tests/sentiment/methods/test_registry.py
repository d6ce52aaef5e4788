"""A further network or baseline is one line: everything from training to the report goes by the registry."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from pydantic import ValidationError

from rnn_pipelines.champion.artefacts import Candidate
from rnn_pipelines.networks.specs import TrainingSpec
from rnn_pipelines.pipelines.retrain_sentiment import create_pipeline as create_retrain_pipeline
from rnn_pipelines.pipelines.sentiment import create_pipeline
from rnn_pipelines.report.styles import CELL_STYLES, Style
from rnn_pipelines.sentiment.methods.nb_ngram import NgramSpec
from rnn_pipelines.sentiment.methods.registry import (
    BASELINES,
    NETWORKS,
    Baseline,
    TextNetwork,
    list_classifiers,
)
from rnn_pipelines.sentiment.methods.specs import ClassifierSpec, RetrainSentimentSpec
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec
from rnn_pipelines.sentiment.text.splits import ReviewSplitSpec
from rnn_pipelines.sentiment.text.vectors import WordVectorSpec
from rnn_pipelines.sentiment.text.vocabulary import VocabularySpec

pytestmark = pytest.mark.usefixtures("no_graphs")


def test_only_registered_networks_are_taken() -> None:
    with pytest.raises(
        ValidationError, match="expected one of lstm, gru, pointwise, received 'transformer'"
    ):
        ClassifierSpec.model_validate({"cell": "transformer"})


def test_classifiers_are_listed_by_simplicity() -> None:
    assert list_classifiers() == [
        "majority", "nb_ngram", "pointwise", "lstm_alone", "gru_alone", "lstm", "gru", "ensemble"
    ]  # fmt: skip


@pytest.fixture(scope="module")
def _registered() -> Any:
    """A simple RNN, and a baseline that finds everything as likely positive as not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(NETWORKS, "rnn", TextNetwork(CELL_STYLES["rnn"]))
        patch.setitem(
            BASELINES,
            "coin",
            Baseline(Style("coin"), lambda _, predictions: np.zeros((len(predictions), 1))),
        )
        yield


@pytest.fixture(scope="module")
def parameters(
    _registered: None, tmp_path_factory: pytest.TempPathFactory, make_reviews: Any
) -> dict[str, Any]:
    """Of tiny networks on made-up reviews."""
    path = tmp_path_factory.mktemp("own") / "reviews.csv"
    make_reviews(160)[["text", "label", "group"]].to_csv(path, index=False)
    return {
        "source": ReviewSourceSpec(path=str(path), group="group"),
        "split": ReviewSplitSpec(validation=0.3, test=0.3),
        "vocabulary": VocabularySpec(),
        "padding": PaddingSpec(max_length=8),
        "word_vectors": WordVectorSpec(num_words=12, dimensions=2),
        "ngrams": NgramSpec(order=1, folds=2),
        "training": TrainingSpec(epochs=1, batch_size=64, jit_compile=False),
        **{
            name: ClassifierSpec(cell=name, units=2, bidirectional=False, min_texts=0)
            for name in NETWORKS
        },
    }


class KeptDataset(MemoryDataset):
    """Stays after its last reader."""

    def _release(self) -> None:
        pass


def run(pipeline: Any, parameters: dict[str, Any], **data: Any) -> Callable[[str], Any]:
    """Runs a whole pipeline in memory; what loads its results."""
    inputs = {
        "params:sentiment": parameters,
        **{f"params:sentiment.{key}": parameters[key] for key in parameters},
    }
    catalog = DataCatalog(
        {name: MemoryDataset(value) for name, value in (inputs | data).items()}
        | {name: KeptDataset(copy_mode="assign") for name in pipeline.all_outputs()}
    )
    SequentialRunner().run(pipeline, catalog)
    return catalog.load


@pytest.fixture(scope="module")
def load(parameters: dict[str, Any]) -> Callable[[str], Any]:
    return run(create_pipeline(), parameters)


def test_a_further_network_is_measured_alone(load: Callable[[str], Any]) -> None:
    metrics = load("sentiment_metrics")
    assert {"rnn", "rnn_alone"} <= set(metrics)


def test_a_further_network_is_part_of_the_ensemble(load: Callable[[str], Any]) -> None:
    metrics = load("sentiment_metrics")
    parts = [metrics[name]["num_parameters"] for name in ("lstm", "gru", "rnn")]
    assert metrics["ensemble"]["num_parameters"] == sum(parts)
    assert set(load("sentiment_calibrations")["ensemble"]["weights"]) == {
        "lstm",
        "gru",
        "rnn",
        "nb_ngram",
    }


def test_a_further_network_is_in_the_report(load: Callable[[str], Any]) -> None:
    page = load("sentiment_report")
    assert "<td>simple RNN</td>" in page
    assert "LSTM + GRU + simple RNN + n-grams" in page
    assert "LSTM, GRU, simple RNN and all together" in page


@pytest.mark.slow
def test_both_take_part_in_a_retraining(parameters: dict[str, Any]) -> None:
    spec = RetrainSentimentSpec.model_validate(
        {"holdout": 0.3, "policy": {"must_beat": ["coin"]}, "budget": {"epochs": 1}}
    )
    load = run(
        create_retrain_pipeline(),
        parameters,
        champion_sentiment=None,
        retrain_sentiment_checkpoints=None,
        **{"params:retrain_sentiment": spec},
    )
    outcome: Candidate = load("retrain_sentiment_outcome")
    assert set(outcome.manifest["training"]["validation_losses"]) == {
        "lstm",
        "gru",
        "rnn",
        "ensemble",
        "nb_ngram",
    }
    assert outcome.manifest["metrics"]["baselines"]["coin"] == pytest.approx(np.log(2))
