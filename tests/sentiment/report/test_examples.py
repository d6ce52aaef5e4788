"""Reviews are quoted in short, as text, with all that is known of them."""

import pandas as pd
import pytest

from rnn_pipelines.sentiment.report.tables import (
    MISTAKE_LENGTH,
    format_confidence,
    quote_mistakes,
    quote_sample,
    shorten,
)


def make_examples(**review: object) -> pd.DataFrame:
    """A table as `find_examples` returns it, of one review."""
    known = {"kind": "mistake", "review_id": "test/pos/380_9", "group": "tt0044079", "rating": 9, "label": 1}
    known |= {"num_words": 5, "probability": 0.0213, "text": "Well, that was a film."}
    return pd.DataFrame([known | review]).astype({"rating": "Int8", "label": "Int8"})


def test_quote_tells_all_that_is_known() -> None:
    (quote,) = quote_mistakes(make_examples())
    assert list(quote.facts) == [
        "test/pos/380_9",
        "group tt0044079",
        "rated 9 of 10",
        "label: positive",
        "predicted: negative, confidence 97.9 %",
    ]
    assert quote.text == "Well, that was a film."


def test_review_without_rating_says_so() -> None:
    assert "no rating" in quote_mistakes(make_examples(rating=None))[0].facts


def test_mistakes_keep_their_order() -> None:
    examples = pd.concat([make_examples(review_id=name) for name in "cab"])
    assert [quote.facts[0] for quote in quote_mistakes(examples)] == ["c", "a", "b"]


def test_sample_is_no_mistake() -> None:
    examples = pd.concat([make_examples(kind="sample", review_id="sample"), make_examples()])
    assert quote_sample(examples).facts[0] == "sample"
    assert [quote.facts[0] for quote in quote_mistakes(examples)] == ["test/pos/380_9"]


def test_markup_of_a_review_is_not_quoted() -> None:
    assert quote_mistakes(make_examples(text="One.<br /><br />Two &amp; three."))[0].text == "One. Two & three."


def test_long_text_is_cut() -> None:
    text = quote_mistakes(make_examples(text="word " * 20000))[0].text
    assert text.endswith("word…")
    assert len(text) <= MISTAKE_LENGTH


@pytest.mark.parametrize(
    ("text", "short"),
    [("one two", "one two"), ("one two three", "one two…"), ("a" * 100, "a" * 9 + "…"), ("a\n\t b", "a b"), (" ", "")],
)
def test_texts_are_cut_between_words_where_there_are_any(text: str, short: str) -> None:
    assert shorten(text, 10) == short


@pytest.mark.parametrize(
    ("probability", "text"), [(0.72, "72.0 %"), (0.28, "72.0 %"), (0.999, "99.9 %"), (0.99999, "over 99.9 %")]
)
def test_confidence_is_that_of_the_predicted_class(probability: float, text: str) -> None:
    assert format_confidence(probability) == text
