"""The wiring of `sentiment`, and the parameters of its presets."""

import pytest
import yaml

from documents import PROJECT
from rnn_pipelines.pipelines.sentiment import create_pipeline
from rnn_pipelines.pipelines.sentiment.pipeline import create_network_pipeline
from rnn_pipelines.sentiment.interface import list_sentiment_models
from rnn_pipelines.sentiment.methods.registry import NETWORKS
from rnn_pipelines.sentiment.methods.specs import ClassifierSpec


def test_every_network_is_trained_in_the_same_steps() -> None:
    names = [
        {node.short_name for node in create_network_pipeline(network).nodes} for network in NETWORKS
    ]
    assert names[0] == names[1] == names[2]
    assert len(names[0]) == 2


def test_all_classifiers_see_the_same_reviews() -> None:
    readers = {node.name for node in create_pipeline().nodes if "sentiment_reviews" in node.inputs}
    assert {
        "fit_nb_ngram",
        *(f"sentiment_{network}.train_classifier" for network in NETWORKS),
    } <= readers


def test_no_data_come_from_other_pipelines() -> None:
    assert {name for name in create_pipeline().inputs() if not name.startswith("params:")} == set()


def test_the_vocabulary_is_that_of_the_reviews() -> None:
    nodes = {node.name: node for node in create_pipeline().nodes}
    inputs = ["sentiment_reviews", "params:sentiment.vocabulary"]
    assert nodes["build_vocabulary"].inputs[:2] == inputs


def test_the_table_is_saved_before_it_is_split() -> None:
    nodes = {node.name: node for node in create_pipeline().nodes}
    assert nodes["read_reviews"].outputs == ["sentiment_table"]
    assert nodes["split_reviews"].inputs[0] == "sentiment_table"


@pytest.mark.parametrize("preset", ["classic", "unlabelled"])
def test_parameters_of_a_preset_are_valid(preset: str) -> None:
    path = PROJECT / "conf" / preset / "parameters_sentiment.yml"
    blocks = yaml.safe_load(path.read_text())["sentiment"]
    networks = {name: blocks.pop(name) for name in NETWORKS}
    for name, block in networks.items():
        assert ClassifierSpec.model_validate({"cell": name} | block).cell == name
    assert set(blocks) <= set(list_sentiment_models()) | {"source"}
