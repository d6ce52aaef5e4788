"""Example reviews in the report of `sentiment`, shortened and without markup."""

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
    """Return one test review with its label and prediction."""
    return quote_reviews(examples[examples["kind"] == "sample"], SAMPLE_LENGTH)[0]


def quote_mistakes(examples: Examples) -> list[Quote]:
    """Return the largest errors in descending order; an empty list if there are no errors."""
    return quote_reviews(examples[examples["kind"] == "mistake"], MISTAKE_LENGTH)


def quote_reviews(examples: Examples, max_length: int) -> list[Quote]:
    """Return shortened reviews without markup, each with its ID, group, rating, label and prediction."""
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
    """Return the predicted class of a review."""
    return CLASSES[review["probability"] > 0.5]


def format_confidence(review: Mapping[Hashable, Any]) -> str:
    """Return the probability of the predicted class as text; never 100 %, because no prediction is certain."""
    confidence = max(review["probability"], 1 - review["probability"])
    return "over 99.9 %" if confidence >= 0.9995 else format_percent(confidence, 1)


def shorten(text: str, max_length: int) -> str:
    """Return the beginning of a text in one line, cut between two words, or inside a very long word."""
    line = " ".join(text.split())
    if len(line) <= max_length:
        return line
    cut = line[: max_length - 1]
    return f"{cut[: cut.rfind(' ')] if ' ' in cut[max_length // 2 :] else cut}…"
