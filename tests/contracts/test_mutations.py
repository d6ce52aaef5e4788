"""Mutations of the source change what they say, once, and never an annotation."""

import ast
import random
from pathlib import Path

import pytest

from mutations import change_node, draw_mutations, list_lines, mutate

SOURCE = Path(__file__).parents[2] / "src/rnn_pipelines"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a < b", "a <= b"),
        ("a is None", "a is not None"),
        ("a + b", "a - b"),
        ("a and b", "a or b"),
        ("not a", "a"),
        ("7", "8"),
        ("0.5", "1.5"),
        ("True", "False"),
    ],
)
def test_an_expression_is_changed_by_the_table(before: str, after: str) -> None:
    changed = change_node(ast.parse(before, mode="eval").body)
    assert changed is not None
    assert ast.unparse(changed) == after


@pytest.mark.parametrize("text", ["f(a)", "'a'", "a < b < c"])
def test_other_expressions_are_left(text: str) -> None:
    assert change_node(ast.parse(text, mode="eval").body) is None


def test_a_function_returns_none_instead_of_its_value(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text("def f(a):\n    return g(a)\n")
    mutation = mutate(path, 2, random.Random(0))
    assert (mutation.before, mutation.after) == ("return g(a)", "return None")
    assert mutation.text == "def f(a):\n    return None"


def test_annotations_are_left(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text("x: Literal[1]\n\n\ndef f(a: Literal[1]) -> Literal[1]: ...\n")
    assert list_lines(path) == {}


def test_mutations_depend_on_the_seed_alone() -> None:
    folder = SOURCE / "cells"
    assert draw_mutations(3, 1, folder) == draw_mutations(3, 1, folder)


def test_a_mutation_changes_its_module() -> None:
    (mutation,) = draw_mutations(1, 0, SOURCE / "cells")
    assert mutation.text != ast.unparse(ast.parse(mutation.path.read_text()))
