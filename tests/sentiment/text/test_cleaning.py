"""Markup goes, words and signs of every script stay, in lower case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_pipelines.sentiment.text.cleaning import clean_text, tokenize

WORDS: list[tuple[str, list[str]]] = [
    ("good<br /><br />bad", ["good", "bad"]),
    ("a <i>very</i> good film", ["a", "very", "good", "film"]),
    ("see <A HREF='x.html'>this</A>", ["see", "this"]),
    ("good<!-- a remark -->bad", ["good", "bad"]),
    ("Tom &amp; Jerry", ["tom", "&", "jerry"]),
    ("&quot;good&quot;", ['"', "good", '"']),
    ("caf&eacute;", ["café"]),
    ("good&nbsp;film", ["good", "film"]),
    ("good&lt;br /&gt;bad", ["good", "bad"]),
    # U+0085 stands in hundreds of reviews.
    *((f"good{space}film", ["good", "film"]) for space in ("\x85", "\xa0", "\r\n")),
    ("don't", ["don't"]),
    ("don’t", ["don't"]),
    ("rock'n'roll", ["rock'n'roll"]),
    ("'good'", ["'", "good", "'"]),
    ("films' end", ["films", "'", "end"]),
    ("Good!! 8/10...", ["good", "!", "!", "8", "/", "10", ".", ".", "."]),
    ("good 😀👍", ["good", "😀", "👍"]),
    *((text, text.split()) for text in ("прекрасный фильм", "素晴らしい 映画", "فيلم رائع")),
    ("GOOD Élan ΤΑΙΝΊΑ", ["good", "élan", "ταινία"]),
    *((text, []) for text in ("", " ", "\x85\n\t\xa0", "<br />", "&nbsp;")),
]


@pytest.mark.parametrize(("text", "expected"), WORDS)
def test_words_are_those_without_markup_in_lower_case(text: str, expected: list[str]) -> None:
    assert tokenize(text) == expected


@pytest.mark.parametrize("text", ["a < b and c > d", "1<2 and 3>2", "<3 this > that", "a <", "<>"])
def test_comparison_is_no_markup(text: str) -> None:
    assert clean_text(text) == text


def test_bracket_that_is_never_closed_eats_nothing() -> None:
    text = "better <than " + "very " * 100 + "good"
    assert clean_text(text) == text


@given(st.text(max_size=60))
def test_whatever_the_text_no_word_is_empty_or_holds_white_space(text: str) -> None:
    assert all(word.split() == [word] for word in tokenize(text))


@given(st.text(st.characters(exclude_characters="<&’"), max_size=60))
def test_without_markup_nothing_but_white_space_is_lost(text: str) -> None:
    assert "".join(tokenize(text)) == "".join(text.lower().split())
