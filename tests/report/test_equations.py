"""Equations are MathML that a browser sets, and keep their text for other readers."""

from xml.etree import ElementTree

import pytest

from rnn_pipelines.report.equations import Equation, parse_equation, write_mathml


def write(text: str) -> ElementTree.Element:
    """The row of an equation."""
    (row,) = ElementTree.fromstring(write_mathml(Equation("", text)))
    return row


def list_parts(text: str) -> list[tuple[str, str]]:
    return [(part.tag, "".join(part.itertext())) for part in write(text)]


def test_an_equation_has_a_name_with_its_text() -> None:
    assert parse_equation("Forget gate:  f = σ(x)") == Equation("Forget gate", "f = σ(x)")


def test_an_index_is_below_its_letter() -> None:
    index = write("W_f h′")[0]
    assert (index.tag, [part.text for part in index]) == ("msub", ["W", "f"])


def test_a_prime_is_above_its_letter() -> None:
    prime = write("W_f h′")[2]
    assert (prime.tag, [part.text for part in prime]) == ("msup", ["h", "′"])


def test_factors_are_multiplied() -> None:
    times = ("mo", "\u2062")
    assert list_parts("x W") == [("mi", "x"), times, ("mi", "W")]


def test_a_factor_before_brackets_is_multiplied() -> None:
    times = ("mo", "\u2062")
    assert list_parts("r (h)")[1] == times


def test_factors_with_a_dot_have_no_second_sign() -> None:
    times = ("mo", "\u2062")
    assert times not in list_parts("1 − z = r · c")


def test_a_function_is_applied_to_its_letter() -> None:
    assert list_parts("tanh c") == [("mi", "tanh"), ("mo", "\u2061"), ("mspace", ""), ("mi", "c")]


def test_a_function_is_applied_to_its_brackets() -> None:
    assert list_parts("σ(a)") == [
        ("mi", "σ"),
        ("mo", "\u2061"),
        ("mo", "("),
        ("mi", "a"),
        ("mo", ")"),
    ]


def test_an_equation_has_its_text_for_screen_readers() -> None:
    assert 'alttext="c′ = f · c,  h′ = o"' in write_mathml(Equation("", "c′ = f · c,  h′ = o"))


@pytest.mark.parametrize("text", ["a / b", "<b>", "a ^ 2", "a = b;"])
def test_unknown_sign_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="holds"):
        write_mathml(Equation("", text))
