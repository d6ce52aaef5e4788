"""Measures of the source that reached their goal stay there."""

import ast

import pytest

from measures import GOALS, REACHED, count_statements, is_parallel, measure_all, measure_chain


@pytest.fixture(scope="module")
def measured() -> dict[str, float]:
    return measure_all()


@pytest.mark.parametrize("name", REACHED)
def test_a_goal_that_was_reached_is_kept(name: str, measured: dict[str, float]) -> None:
    assert measured[name] <= GOALS[name]


def test_goals_that_are_reached_are_in_the_list(measured: dict[str, float]) -> None:
    """So that none of them is lost again."""
    reached = [name for name, goal in GOALS.items() if measured[name] <= goal]
    assert reached == REACHED


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("a, b = f(x), g(y)", True),
        ("a, b = x.y, 1", True),
        ("a, b = b, a", False),
        ("a, b = -1, None", False),
        ("a, b = pair", False),
        ("a = f(x), g(y)", False),
    ],
)
def test_values_that_are_assigned_at_once_are_parallel(statement: str, expected: bool) -> None:
    assert is_parallel(ast.parse(statement).body[0]) == expected


def test_statements_are_counted_without_docstrings() -> None:
    (function,) = ast.parse(
        'def f():\n    """D."""\n    for x in y:\n        if x:\n            g(x)'
    ).body
    assert isinstance(function, ast.FunctionDef)
    assert count_statements(function) == 3


def test_the_longest_chain_of_imports_counts_its_modules() -> None:
    assert measure_chain({"a": {"b", "c"}, "b": {"c"}, "c": set(), "d": {"c"}}) == 3
