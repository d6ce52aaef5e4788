"""Reviews to read in the report of `sentiment`: texts from outside, made short and plain."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from rnn_pipelines.report.numbers import format_percent
from rnn_pipelines.report.page import Quote
from rnn_pipelines.sentiment.evaluation.examples import Examples
from rnn_pipelines.sentiment.text.cleaning import clean_text

CLASSES = ("negative", "positive")
SAMPLE_LENGTH = 1200
MISTAKE_LENGTH = 400
NAME_LENGTH = 40


def quote_sample(examples: Examples) -> Quote:
    """One test review with its label, and what the classifier says of it."""
    return quote_reviews(examples[examples["kind"] == "sample"], SAMPLE_LENGTH)[0]


def quote_mistakes(examples: Examples) -> list[Quote]:
    """The largest errors, from the worst on; none where the classifier makes none."""
    return quote_reviews(examples[examples["kind"] == "mistake"], MISTAKE_LENGTH)


def quote_reviews(examples: Examples, max_length: int) -> list[Quote]:
    """Reviews without markup, cut, below their ID, film, rating, label and prediction."""
    return [
        Quote(
            facts=[
                shorten(review["review_id"], NAME_LENGTH),
                f"group {shorten(review['group'], NAME_LENGTH)}",
                "no rating" if pd.isna(review["rating"]) else f"rated {review['rating']} of 10",
                f"label: {CLASSES[review['label']]}",
                f"predicted: {predict(review)}, confidence {format_confidence(review)}",
            ],
            text=shorten(clean_text(review["text"]), max_length),
        )
        for review in examples.to_dict("records")
    ]


def predict(review: Mapping[Hashable, Any]) -> str:
    """The class that the classifier gives to a review."""
    return CLASSES[review["probability"] > 0.5]


def format_confidence(review: Mapping[Hashable, Any]) -> str:
    """The probability of that class; never 100 %, which no classifier says."""
    confidence = max(review["probability"], 1 - review["probability"])
    return "over 99.9 %" if confidence >= 0.9995 else format_percent(confidence, 1)


def shorten(text: str, max_length: int) -> str:
    """The beginning of a text in one line, cut between two words, or in one that is too long by itself."""
    line = " ".join(text.split())
    if len(line) <= max_length:
        return line
    cut = line[: max_length - 1]
    return f"{cut[: cut.rfind(' ')] if ' ' in cut[max_length // 2 :] else cut}…"
