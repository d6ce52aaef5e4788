"""The typed dictionaries of parameter blocks equal the models that check them."""

from inspect import signature
from typing import Any

import pytest
from pydantic import TypeAdapter

from rnn_pipelines import Forecaster, TextClassifier
from rnn_pipelines.forecast import blocks
from rnn_pipelines.forecast.parameters import IN_MEMORY, list_parameter_models
from rnn_pipelines.sentiment import blocks as text_blocks
from rnn_pipelines.sentiment.interface import list_sentiment_models

FORECAST = list_parameter_models()
SENTIMENT = list_sentiment_models()
CASES = [
    *((blocks.BLOCKS[name], FORECAST[name]) for name in blocks.BLOCKS),
    *((text_blocks.TEXT_BLOCKS[name], SENTIMENT[name]) for name in text_blocks.TEXT_BLOCKS),
]
NAMES = [f"{model.__name__}-{number}" for number, (_, model) in enumerate(CASES)]


@pytest.mark.parametrize(("block", "model"), CASES, ids=NAMES)
def test_a_block_has_the_names_of_its_model(block: Any, model: Any) -> None:
    expected = set(model.model_fields) - (set(IN_MEMORY) if block is blocks.SourceBlock else set())
    assert block.__optional_keys__ == expected


@pytest.mark.parametrize(("block", "model"), CASES, ids=NAMES)
def test_a_block_takes_the_defaults_of_its_model(block: Any, model: Any) -> None:
    fields = model.model_fields
    defaults = {
        name: fields[name].get_default(call_default_factory=True)
        for name in block.__optional_keys__
        if not fields[name].is_required()
    }
    assert TypeAdapter(block).validate_python(defaults).keys() == defaults.keys()


@pytest.mark.parametrize(
    ("kind", "listed"), [(Forecaster, blocks.BLOCKS), (TextClassifier, text_blocks.TEXT_BLOCKS)]
)
def test_arguments_have_the_types_of_their_blocks(kind: Any, listed: dict[str, Any]) -> None:
    parameters = signature(kind).parameters
    wrong = [
        name for name, block in listed.items() if block not in parameters[name].annotation.__args__
    ]
    assert wrong == []


def test_all_blocks_that_are_dictionaries_are_typed() -> None:
    named = {name for name, kind in FORECAST.items() if "root" not in kind.model_fields}
    assert set(blocks.BLOCKS) == named & set(signature(Forecaster).parameters)
