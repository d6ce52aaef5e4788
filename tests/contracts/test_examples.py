"""The examples of Hypothesis are the same on every machine, and in a test alone or among all."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture.providers import HypothesisProvider


def list_examples() -> list[object]:
    found: list[object] = []

    @given(st.integers() | st.floats() | st.text())
    def keep(value: object) -> None:
        found.append(repr(value))

    keep()
    return found


def test_examples_are_the_same_each_time() -> None:
    assert settings().database is None
    assert list_examples() == list_examples()
    assert len(HypothesisProvider(None)._local_constants) == 0
