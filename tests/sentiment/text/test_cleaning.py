"""Markup goes, words and signs of every script stay, in lower case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_pipelines.sentiment.text.cleaning import clean_text, tokenize


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("good<br /><br />bad", ["good", "bad"]),
        ("a <i>very</i> good film", ["a", "very", "good", "film"]),
        ("see <A HREF='x.html'>this</A>", ["see", "this"]),
        ("good<!-- a remark -->bad", ["good", "bad"]),
    ],
)
def test_markup_is_no_word_and_parts_words(text: str, expected: list[str]) -> None:
    assert tokenize(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tom &amp; Jerry", ["tom", "&", "jerry"]),
        ("&quot;good&quot;", ['"', "good", '"']),
        ("caf&eacute;", ["café"]),
        ("good&nbsp;film", ["good", "film"]),
        ("good&lt;br /&gt;bad", ["good", "bad"]),
    ],
)
def test_entities_become_the_characters_they_stand_for(text: str, expected: list[str]) -> None:
    assert tokenize(text) == expected


@pytest.mark.parametrize("text", ["a < b and c > d", "1<2 and 3>2", "<3 this > that", "a <", "<>"])
def test_comparison_is_no_markup(text: str) -> None:
    assert clean_text(text) == text


def test_bracket_that_is_never_closed_eats_nothing() -> None:
    text = "better <than " + "very " * 100 + "good"
    assert clean_text(text) == text


@pytest.mark.parametrize("space", ["\x85", "\xa0", "\r\n"])
def test_white_space_of_every_kind_parts_words(space: str) -> None:
    """U+0085 stands in hundreds of reviews."""
    assert tokenize(f"good{space}film") == ["good", "film"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("don't", ["don't"]),
        ("don’t", ["don't"]),
        ("rock'n'roll", ["rock'n'roll"]),
        ("'good'", ["'", "good", "'"]),
        ("films' end", ["films", "'", "end"]),
    ],
)
def test_apostrophe_inside_a_word_belongs_to_it(text: str, expected: list[str]) -> None:
    assert tokenize(text) == expected


def test_every_sign_is_a_word_of_its_own() -> None:
    assert tokenize("Good!! 8/10...") == ["good", "!", "!", "8", "/", "10", ".", ".", "."]


def test_emoji_are_kept() -> None:
    assert tokenize("good 😀👍") == ["good", "😀", "👍"]


@pytest.mark.parametrize("text", ["прекрасный фильм", "素晴らしい 映画", "فيلم رائع"])
def test_words_of_other_scripts_are_kept(text: str) -> None:
    assert tokenize(text) == text.split()


def test_words_are_in_lower_case() -> None:
    assert tokenize("GOOD Élan ΤΑΙΝΊΑ") == ["good", "élan", "ταινία"]


@pytest.mark.parametrize("text", ["", " ", "\x85\n\t\xa0", "<br />", "&nbsp;"])
def test_text_without_words_has_none(text: str) -> None:
    assert tokenize(text) == []


@given(st.text(max_size=60))
def test_whatever_the_text_no_word_is_empty_or_holds_white_space(text: str) -> None:
    assert all(word.split() == [word] for word in tokenize(text))


@given(st.text(st.characters(exclude_characters="<&’"), max_size=60))
def test_without_markup_nothing_but_white_space_is_lost(text: str) -> None:
    assert "".join(tokenize(text)) == "".join(text.lower().split())
