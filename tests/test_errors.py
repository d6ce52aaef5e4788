"""What comes from outside stands in a message on one line, its signs escaped, and cut."""

import pickle

import pytest

from rnn_pipelines.errors import (
    MAX_MESSAGE,
    MAX_VALUE,
    SeriesError,
    count,
    make_line,
    show,
    show_all,
)


def test_texts_are_shown_in_quotes() -> None:
    assert show("a b") == "'a b'"


def test_numbers_are_shown_without_quotes() -> None:
    assert show(7) == "7"


def test_long_texts_are_cut() -> None:
    assert show("x" * 5_000_000) == f"'{'x' * MAX_VALUE}'… (5,000,000 characters)"


def test_numbers_of_too_many_digits_are_described() -> None:
    assert show(10**5000) == "int without a text"


def test_long_lists_are_cut() -> None:
    assert show_all(range(10_000)).endswith("18, 19, …] (10,000 in all)")


def test_words_follow_their_number() -> None:
    assert [count(number, "category", "categories") for number in (1, 2)] == [
        "1 category",
        "2 categories",
    ]


@pytest.mark.parametrize("sign", ["\n", "\r", "\x1b", "\0", "\u202e", "\u2028", "\ud800"])
def test_signs_that_a_terminal_acts_on_are_escaped(sign: str) -> None:
    assert show(f"a{sign}b").isprintable()
    assert make_line(f"a{sign}b").isprintable()


def test_message_of_an_error_is_one_line_of_bounded_length() -> None:
    assert str(SeriesError("a\nERROR  all is lost")) == "a ERROR  all is lost"
    message = str(SeriesError("file: " + "x" * 5_000_000 + ". Mend it."))
    assert (len(message), message[:6], message[-8:]) == (MAX_MESSAGE, "file: ", "Mend it.")
    error = SeriesError("a\x1b" + "x" * 5_000)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [(0, "row", "0 rows"), (1, "row", "1 row"), (1_200, "more step", "1,200 more steps")],
)
def test_count_has_the_noun_in_its_number(number: int, noun: str, text: str) -> None:
    assert count(number, noun) == text
