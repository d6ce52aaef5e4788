"""Values of `--set` are read as a shell passes them."""

import pytest

from rnn_pipelines.console.settings import parse_settings
from rnn_pipelines.errors import ParameterError


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("%d.%m.%Y", "%d.%m.%Y"),
        ("'%d.%m.%Y'", "%d.%m.%Y"),
        ("[a, b]", ["a", "b"]),
        ("3", 3),
        ("D", "D"),
    ],
)
def test_format_of_times_needs_no_quotes(value: str, expected: object) -> None:
    """The message of an ambiguous column shows quotes, which a shell removes."""
    assert parse_settings((f"source.x={value}",)) == {"source": {"x": expected}}


def test_value_that_is_no_yaml_is_refused() -> None:
    with pytest.raises(ParameterError, match="expected a value of YAML"):
        parse_settings(("source.x=[a",))
