"""The types of parameter blocks for editors; `test_docs_generated` compares their fields with the models."""

import ast
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

import rnn_pipelines
from rnn_pipelines import Forecaster, TextClassifier

PACKAGE = Path(rnn_pipelines.__file__).parent
CASES = [(Forecaster, "forecast"), (TextClassifier, "sentiment")]


def list_classes(place: str) -> list[str]:
    stub = ast.parse((PACKAGE / place / "blocks.pyi").read_text())
    return [node.name for node in stub.body if isinstance(node, ast.ClassDef)]


@pytest.mark.parametrize(("kind", "place"), CASES)
def test_each_block_is_the_type_of_its_argument(kind: Any, place: str) -> None:
    annotations = {
        name.title().replace("_", ""): str(parameter.annotation)
        for name, parameter in signature(kind).parameters.items()
    }
    wrong = [
        name
        for name in list_classes(place)
        if not annotations[name.removesuffix("Block")].startswith(f"blocks.{name} |")
    ]
    assert wrong == []


@pytest.mark.parametrize(("kind", "place"), CASES)
def test_arguments_name_blocks_of_the_stub(kind: Any, place: str) -> None:
    annotations = [str(parameter.annotation) for parameter in signature(kind).parameters.values()]
    named = [text.split()[0].removeprefix("blocks.") for text in annotations if "blocks." in text]
    assert set(named) <= set(list_classes(place))
