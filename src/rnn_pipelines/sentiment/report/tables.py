"""The tables of `sentiment`: classifiers, sources of their accuracy, calibration and data; and quotes of reviews."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from rnn_pipelines.report.numbers import (
    NO_NUMBER,
    Column,
    format_count,
    format_p_cell,
    format_percent,
    format_points,
    format_share,
    format_tenths,
)
from rnn_pipelines.report.page import Quote, Table, tabulate
from rnn_pipelines.sentiment.evaluation.examples import Examples
from rnn_pipelines.sentiment.evaluation.metrics import ClassifierMetrics
from rnn_pipelines.sentiment.methods.calibration import Calibration, choose_best_classifier
from rnn_pipelines.sentiment.methods.registry import (
    ENSEMBLE,
    NB_NGRAM,
    list_candidate_networks,
    name_alone,
)
from rnn_pipelines.sentiment.report.figures import list_measured
from rnn_pipelines.sentiment.report.styles import get_styles
from rnn_pipelines.sentiment.text.cleaning import clean_text
from rnn_pipelines.sentiment.text.schema import PARTS
from rnn_pipelines.sentiment.text.splits import ReviewProfile


def format_fraction(value: float) -> str:
    """Return a number with four decimals."""
    return f"{value:.4f}"


def format_weight(weight: float) -> str:
    """Return a weight with three decimals."""
    return f"{weight:.3f}".replace("-", "−")


# By the key in `metrics.json`; "interval" is that of the accuracy.
COLUMNS = {
    "accuracy": Column("accuracy", format_percent, "up"),
    "interval": Column("95 % interval"),
    "f1": Column("F1", format_fraction, "up"),
    "roc_auc": Column("ROC-AUC", format_fraction, "up"),
    "log_loss": Column("log loss", format_fraction, "down"),
    "calibration_error": Column("calibration error", format_fraction, "down"),
    "num_parameters": Column("parameters", format_count),
    "training_seconds": Column("training, s", format_tenths),
}
# The columns that a terminal leaves out.
COSTS = ("num_parameters", "training_seconds")
CLASSES = ("negative", "positive")
SAMPLE_LENGTH = 1200
MISTAKE_LENGTH = 400
NAME_LENGTH = 40
Metrics = Mapping[str, ClassifierMetrics]
Calibrations = Mapping[str, Calibration]


def tabulate_classifiers(metrics: Metrics) -> Table:
    """Return a table of metrics, parameters and training seconds of each classifier; the best values are marked."""
    return _tabulate("classifier", metrics, list_measured(metrics), COLUMNS)


def rank_classifiers(metrics: Metrics) -> Table:
    """Return the table of `tabulate_classifiers` for a terminal: by descending accuracy, without the costs."""
    ranked = sorted(list_measured(metrics), key=lambda name: -metrics[name]["accuracy"])
    return _tabulate(
        "on the test part",
        metrics,
        ranked,
        {key: COLUMNS[key] for key in COLUMNS if key not in COSTS},
    )


def _tabulate(
    first: str, metrics: Metrics, names: Sequence[str], columns: Mapping[str, Column]
) -> Table:
    styles = get_styles()
    rows = []
    for name in names:
        low = metrics[name]["accuracy_low"]
        high = metrics[name]["accuracy_high"]
        interval = "–".join(format_share(end, 2) for end in (low, high))
        rows.append((styles[name].name, {**metrics[name], "interval": interval}))
    return tabulate(first, rows, columns)


def tabulate_sources(metrics: Metrics, calibrations: Calibrations) -> Table:
    """Return a table of the parts of each classifier and its gain over the n-gram classifier."""
    styles = get_styles()
    columns = {
        "parts": Column("parts"),
        "accuracy": Column("accuracy", format_percent),
        "points": Column("points", format_points),
        "only_reference_wrong": Column("gained", format_count),
        "only_this_wrong": Column("lost", format_count),
        "p_value": Column("McNemar p", format_p_cell),
    }
    rows = []
    for name in list_measured(metrics):
        accuracy = metrics[name]["accuracy"]
        test = metrics[name].get("against_nb_ngram")
        parts = ", ".join(styles[part].name for part in calibrations[name]["weights"])
        added = {} if test is None else {**test, "points": accuracy - metrics[NB_NGRAM]["accuracy"]}
        rows.append((styles[name].name, {"parts": parts, "accuracy": accuracy, **added}))
    caption = f"Each classifier against {styles[NB_NGRAM].name}"
    return tabulate("classifier", rows, columns, caption, num_text_columns=2)


def tabulate_gains(metrics: Metrics) -> Table:
    """Return a table of the gains of recurrence, the n-gram path (if there is one) and the ensemble, in points."""
    styles = get_styles()
    cells = list_candidate_networks()
    steps = [
        (
            "recurrent layer",
            "the network without recurrence",
            [("pointwise", cell) for cell in cells],
        ),
        ("n-gram path", "the network alone", [(name_alone(cell), cell) for cell in cells]),
        ("other cell", "one cell", [(cell, ENSEMBLE) for cell in cells]),
    ]
    rows = [
        [
            *what,
            *(
                format_points(metrics[after]["accuracy"] - metrics[before]["accuracy"])
                for before, after in pairs
            ),
        ]
        for *what, pairs in steps
        if all(before in metrics for before, _ in pairs)
    ]
    header = ["added part", "to", *(styles[cell].name for cell in cells)]
    return Table(header, rows, num_text_columns=2, caption="Gain of each part in percentage points")


def tabulate_calibrations(calibrations: Calibrations) -> Table:
    """Return a table of the weights of each classifier's parts; the lowest validation loss of a candidate is marked."""
    names = list_measured(calibrations)
    styles = get_styles()
    parts = list_measured({part for name in names for part in calibrations[name]["weights"]})
    columns = {part: Column(f"weight of {styles[part].name}", format_weight) for part in parts}
    columns["intercept"] = Column("intercept", format_weight)
    columns["validation_log_loss"] = Column("validation log loss", format_fraction)
    rows = [
        (styles[name].name, {**calibrations[name]["weights"], **calibrations[name]})
        for name in names
    ]
    chosen = names.index(choose_best_classifier(calibrations)), len(columns)
    return replace(tabulate("classifier", rows, columns), best=frozenset({chosen}))


def tabulate_review_parts(profile: ReviewProfile) -> Table:
    """Return a table of reviews, groups and share of positive reviews by part."""
    rows = []
    for part in PARTS:
        if part in profile["num_reviews"]:
            positive = profile["positive_fraction"].get(part)
            counts = [f"{profile[key][part]:,}" for key in ("num_reviews", "num_groups")]
            rows.append(
                [part, *counts, NO_NUMBER if positive is None else format_percent(positive, 1)]
            )
    return Table(["part", "reviews", "groups", "positive"], rows)


def tabulate_review_profile(profile: ReviewProfile) -> Table:
    """Return a table of dropped reviews, shared groups and review lengths."""
    dropped = profile["num_dropped"]
    words = profile["num_words"]
    rows = [
        ["dropped, because the text is in the test part", f"{dropped['in_test']:,}"],
        ["dropped, because the text is repeated", f"{dropped['repeated']:,}"],
        ["groups in training and test part", f"{profile['num_groups_in_train_and_test']:,}"],
        ["words of a review, mean", f"{words['mean']:,.0f}"],
        ["words of a review, median", f"{words['median']:,.0f}"],
        ["words of a review, maximum", f"{words['max']:,}"],
    ]
    return Table(["fact", "count"], rows)


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
                f"predicted: {CLASSES[review['probability'] > 0.5]}, "
                f"confidence {format_confidence(review['probability'])}",
            ],
            text=shorten(clean_text(review["text"]), max_length),
        )
        for review in examples.to_dict("records")
    ]


def format_confidence(probability: float) -> str:
    """Return the probability of the predicted class as text; never 100 %, because no prediction is certain."""
    confidence = max(probability, 1 - probability)
    return "over 99.9 %" if confidence >= 0.9995 else format_percent(confidence, 1)


def shorten(text: str, max_length: int) -> str:
    """Return the beginning of a text in one line, cut between two words, or inside a very long word."""
    line = " ".join(text.split())
    if len(line) <= max_length:
        return line
    cut = line[: max_length - 1]
    return f"{cut[: cut.rfind(' ')] if ' ' in cut[max_length // 2 :] else cut}…"
