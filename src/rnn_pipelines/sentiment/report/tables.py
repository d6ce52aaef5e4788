"""The tables of `sentiment`: classifiers, sources of their accuracy, calibration and data; and quotes of reviews."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.report.numbers import (
    Column,
    format_count,
    format_p_cell,
    format_percent,
    format_points,
    format_share,
    format_tenths,
)
from rnn_pipelines.report.page import Quote, Table, tabulate
from rnn_pipelines.sentiment.evaluation.metrics import ClassifierMetrics
from rnn_pipelines.sentiment.methods.calibration import Calibration, choose_best_classifier
from rnn_pipelines.sentiment.methods.registry import (
    ENSEMBLE,
    NB_NGRAM,
    list_candidate_networks,
    name_alone,
)
from rnn_pipelines.sentiment.model.class_facts import ClassFacts
from rnn_pipelines.sentiment.model.examples import Examples
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
    "macro_f1": Column("macro F1", format_fraction, "up"),
    "f1": Column("F1", format_fraction, "up"),
    "roc_auc": Column("ROC-AUC", format_fraction, "up"),
    "log_loss": Column("log loss", format_fraction, "down"),
    "calibration_error": Column("calibration error", format_fraction, "down"),
    "mean_absolute_error": Column("mean absolute error", format_fraction, "down"),
    "num_parameters": Column("parameters", format_count),
    "training_seconds": Column("training, s", format_tenths),
}
# The columns that a terminal leaves out.
COSTS = ("num_parameters", "training_seconds")
SAMPLE_LENGTH = 1200
MISTAKE_LENGTH = 400
NAME_LENGTH = 40
# Words of a class in the table of classes.
NUM_WORDS = 6
NUM_WORDS_IN_TERMINAL = 3
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
    styles = get_styles(metrics)
    # Two classes have no need of the mean of their F1; more have no ROC-AUC.
    needless = {"macro_f1"} if "f1" in metrics[NB_NGRAM] else set()
    measured = {"interval", *metrics[NB_NGRAM]} - needless
    columns = {key: column for key, column in columns.items() if key in measured}
    rows = []
    for name in names:
        low = metrics[name]["accuracy_low"]
        high = metrics[name]["accuracy_high"]
        interval = "–".join(format_share(end, 2) for end in (low, high))
        rows.append((styles[name].name, {**metrics[name], "interval": interval}))
    return tabulate(first, rows, columns)


def tabulate_sources(metrics: Metrics, calibrations: Calibrations) -> Table:
    """Return a table of the parts of each classifier and its gain over the n-gram classifier."""
    styles = get_styles(metrics)
    models = get_styles()
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
        parts = ", ".join(models[part].name for part in calibrations[name]["weights"])
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
        if all(before in metrics and after in metrics for before, after in pairs)
    ]
    header = ["added part", "to", *(styles[cell].name for cell in cells)]
    return Table(header, rows, num_text_columns=2, caption="Gain of each part in percentage points")


def tabulate_calibrations(metrics: Metrics, calibrations: Calibrations) -> Table:
    """Return a table of the weights of each classifier's parts; the lowest validation loss of a candidate is marked.

    The intercepts of more than two classes are left out.
    """
    names = list_measured(calibrations)
    styles = get_styles(metrics)
    parts = list_measured({part for name in names for part in calibrations[name]["weights"]})
    models = get_styles()
    columns = {part: Column(f"weight of {models[part].name}", format_weight) for part in parts}
    is_binary = len(calibrations[NB_NGRAM]["intercept"]) == 1
    if is_binary:
        columns["intercept"] = Column("intercept", format_weight)
    columns["validation_log_loss"] = Column("validation log loss", format_fraction)
    rows = [
        (
            styles[name].name,
            {
                **calibrations[name]["weights"],
                "intercept": calibrations[name]["intercept"][0],
                "validation_log_loss": calibrations[name]["validation_log_loss"],
            },
        )
        for name in names
    ]
    chosen = names.index(choose_best_classifier(calibrations)), len(columns)
    return replace(tabulate("classifier", rows, columns), best=frozenset({chosen}))


def tabulate_review_parts(profile: ReviewProfile) -> Table:
    """Return a table of texts and groups by part."""
    rows = []
    for part in PARTS:
        if part in profile["num_reviews"]:
            counts = [f"{profile[key][part]:,}" for key in ("num_reviews", "num_groups")]
            rows.append([part, *counts])
    return Table(["part", "texts", "groups"], rows)


def tabulate_classes(
    metrics: ClassifierMetrics,
    class_facts: ClassFacts,
    profile: ReviewProfile,
) -> Table:
    """Return a table of the classes: their texts, precision, recall and F1 on the test part, and their words."""
    columns = {
        "words": Column("words"),
        "num_test": Column("test texts", format_count),
        "precision": Column("precision", format_percent),
        "recall": Column("recall", format_percent),
        "f1": Column("F1", format_fraction),
        "num_training": Column("training texts", format_count),
    }
    confusion = np.array(metrics["confusion"])
    right = np.diag(confusion)
    of_class = confusion.sum(axis=1)
    predicted = confusion.sum(axis=0)
    rows = []
    for number, label in enumerate(class_facts["classes"]):
        words = class_facts["words_by_class"][label][:NUM_WORDS]
        values = {
            "num_training": profile["num_texts_by_class"][label].get("train", 0),
            "num_test": int(of_class[number]),
            "precision": _divide(right[number], predicted[number]),
            "recall": _divide(right[number], of_class[number]),
            "f1": _divide(2 * right[number], of_class[number] + predicted[number]),
            "words": ", ".join(words),
        }
        rows.append((shorten(label, NAME_LENGTH), values))
    return tabulate("class", rows, columns, num_text_columns=2)


def shorten_classes(table: Table) -> Table:
    """Return the table of `tabulate_classes` for a terminal: without the training texts, and with fewer words."""
    rows = []
    for label, words, *numbers, _ in table.rows:
        few = ", ".join(words.split(", ")[:NUM_WORDS_IN_TERMINAL])
        rows.append([label, few, *numbers])
    return replace(table, header=table.header[:-1], rows=rows)


def _divide(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None


def tabulate_abstention(metrics: ClassifierMetrics) -> Table:
    """Return a table of the share of test texts that reach a confidence, and the accuracy on them."""
    columns = {
        "share": Column("texts with an answer", lambda share: format_percent(share, 1)),
        "accuracy": Column("accuracy on them", format_percent),
    }
    rows = [(f"{row['abstain_below']:g}", row) for row in metrics["abstention"]]
    return tabulate("abstain below", rows, columns)


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
    """Return shortened texts without markup, each with its ID, group, rating, label, prediction and words."""
    return [
        Quote(facts=describe_review(review), text=shorten(clean_text(review["text"]), max_length))
        for review in examples.to_dict("records")
    ]


def describe_review(review: Mapping[str, Any]) -> list[str]:
    """Return the facts of one of the `Examples`; those that a table of the user's own lacks are left out."""
    facts = [shorten(review["review_id"], NAME_LENGTH)]
    # Without a column of groups, each text is a group of its own.
    if review["group"] != review["review_id"]:
        facts.append(f"group {shorten(review['group'], NAME_LENGTH)}")
    if not pd.isna(review["rating"]):
        facts.append(f"rated {review['rating']} of 10")
    facts.append(f"label: {shorten(review['label'], NAME_LENGTH)}")
    predicted = shorten(review["predicted"], NAME_LENGTH)
    facts.append(f"predicted: {predicted}, confidence {format_confidence(review['confidence'])}")
    if review["words_for"]:
        facts.append(f"words for it: {review['words_for']}")
    if review["words_against"]:
        facts.append(f"words against it: {review['words_against']}")
    return facts


def format_confidence(confidence: float) -> str:
    """Return the probability of the predicted class as text; never 100 %, because no prediction is certain."""
    return "over 99.9 %" if confidence >= 0.9995 else format_percent(confidence, 1)


def shorten(text: str, max_length: int) -> str:
    """Return the beginning of a text in one line, cut between two words, or inside a very long word."""
    line = " ".join(text.split())
    if len(line) <= max_length:
        return line
    cut = line[: max_length - 1]
    return f"{cut[: cut.rfind(' ')] if ' ' in cut[max_length // 2 :] else cut}…"
