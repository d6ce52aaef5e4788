"""The report of `sentiment`: verdict, tables, figures and examples on one page."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from plotly.graph_objects import Figure

from rnn_pipelines.report.numbers import format_p_value, format_percent
from rnn_pipelines.report.page import Part, Section, render_page
from rnn_pipelines.report.trainings import tabulate_layers, tabulate_parameters, tabulate_trainings
from rnn_pipelines.sentiment.calibration import choose_classifier
from rnn_pipelines.sentiment.evaluation.metrics import CELLS, CLASSICAL
from rnn_pipelines.sentiment.report.examples import quote_mistakes, quote_sample
from rnn_pipelines.sentiment.report.looks import LOOKS
from rnn_pipelines.sentiment.report.tables import (
    tabulate_calibrations,
    tabulate_classifiers,
    tabulate_gains,
    tabulate_parts,
    tabulate_profile,
    tabulate_sources,
)
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec

# A difference that chance gives more often than this is none that the report speaks of.
SIGNIFICANCE = 0.05

HOW_TO_READ = (
    "All of this is measured on the test part, which trains and chooses nothing. The 95% interval (Wilson's) says "
    "where the accuracy on other reviews of this kind may lie. F1 is that of the positive class. ROC-AUC is the chance "
    "that a positive review gets a higher score than a negative one; 0.5 is guessing. Log loss is in nats; 0.693 is "
    "guessing. The calibration error is the mean distance between confidence and accuracy. The best value of each "
    "metric is marked."
)
CLASSIFIERS_IN_WORDS = (
    "NB n-grams is the classical baseline, a logistic regression on n-grams with naive Bayes weights (Wang and Manning "
    "2012). Each classifier is calibrated on the validation part. Parameters and seconds are those of its networks; "
    "those of NB n-grams come on top where it is one of the parts below."
)
MCNEMAR_IN_WORDS = (
    "A review is gained where only this classifier is right, and lost where only NB n-grams is. McNemar's test looks "
    "at these: p is the chance of a difference at least as large if both were equally good. Below 0.05 it is called "
    "significant. The p-values are not corrected for their number; the differences between other pairs of classifiers "
    "are not tested."
)
CONFIDENCE_IN_WORDS = (
    "Confidence is the probability of the class that a classifier predicts. Below the dashed line it is surer than it "
    "may be, above it less sure. Points over few reviews are uncertain. The classifiers that wait in the legend show "
    "up once they are clicked."
)
WEIGHTS_IN_WORDS = (
    "A classifier's logit is the weighted sum of the logits of its parts, plus an intercept; weights and intercept are "
    "fitted on the validation part. A part whose logit tells little beyond the others' weighs near 0, or below. The "
    "classifier with the lowest log loss there, among LSTM, GRU and both together, is the one that this report judges "
    "and that scores other reviews."
)
MISTAKES_IN_WORDS = (
    "The worst comes first. The label is that of the data, whatever the text says. Texts are without markup, and cut."
)


@dataclass(frozen=True)
class SentimentResults:
    """What a run leaves behind.

    Attributes:
        metrics: what `evaluate_classifiers` returns.
        calibrations: what `calibrate_classifiers` returns.
        profile: what `split_reviews` returns.
        examples: what `find_examples` returns for the classifier that `calibrations` choose.
        parameters: the run's blocks of parameters: models or plain values.
        records: what `train_classifier` returns for each network.
        figures: what `draw_figures` returns.
    """

    metrics: Mapping[str, Any]
    calibrations: Mapping[str, Mapping[str, Any]]
    profile: Mapping[str, Any]
    examples: pd.DataFrame
    parameters: Mapping[str, Any]
    records: Mapping[str, Mapping[str, Any]]
    figures: Mapping[str, Figure]


def render_sentiment_report(results: SentimentResults) -> str:
    """Puts a run's results on one HTML page that needs no network."""
    metrics, figures = results.metrics, results.figures
    chosen = choose_classifier(results.calibrations)
    sections = [
        Section("Classifiers", [tabulate_classifiers(metrics), figures["accuracy"], HOW_TO_READ, CLASSIFIERS_IN_WORDS]),
        Section("Where the accuracy comes from", _list_sources(results)),
        Section("LSTM against GRU", [compare_cells(metrics)]),
        Section("Confusion", [describe_confusion(metrics, chosen), figures["confusion"]]),
        Section("Calibration", _list_calibration(results)),
        Section("By length and rating", _list_groups(results)),
        Section(
            "A sample", [f"What {LOOKS[chosen].name} says of the first test review.", quote_sample(results.examples)]
        ),
        Section("Largest errors", _list_mistakes(results.examples, chosen)),
        Section("Loss curves", [figures["losses"]]),
        Section("Networks", [tabulate_trainings(results.records, LOOKS), *tabulate_layers(results.records, LOOKS)]),
        Section("Data", [tabulate_parts(results.profile), tabulate_profile(results.profile)]),
        Section("Parameters", [tabulate_parameters("sentiment", results.parameters)]),
    ]
    source = ReviewSourceSpec.model_validate(results.parameters["source"])
    return render_page(f"Sentiment of reviews: {Path(source.origin).name}", write_verdict(metrics, chosen), sections)


def write_verdict(metrics: Mapping[str, Any], chosen: str) -> str:
    """Whether the chosen classifier adds anything to the n-gram classifier, in one sentence.

    Args:
        metrics: what `evaluate_classifiers` returns.
        chosen: the classifier that is best on validation.
    """
    test = metrics[chosen]["against_nb_ngram"]
    gain = test["only_reference_wrong"] - test["only_this_wrong"]
    is_shown = test["p_value"] < SIGNIFICANCE
    accuracies = [format_percent(metrics[name]["accuracy"]) for name in (chosen, CLASSICAL)]
    if is_shown:
        difference = ", a significant difference"
        verdict = "so it is better" if gain > 0 else "so it adds nothing and is worse"
    else:
        difference, verdict = "", "so it adds nothing that this test set can show"
    return (
        f"{LOOKS[chosen].name}, the best on validation, is right on {accuracies[0]} of {metrics['num_texts']:,} test "
        f"reviews, the classical {LOOKS[CLASSICAL].name} on {accuracies[1]}: {_count_gain(gain)}{difference} "
        f"(McNemar {format_p_value(test['p_value'])}), {verdict}."
    )


def _count_gain(gain: int) -> str:
    if gain == 0:
        return "equally many reviews"
    return f"{abs(gain):,} review{'s' if abs(gain) > 1 else ''} {'more' if gain > 0 else 'fewer'}"


def compare_cells(metrics: Mapping[str, Any]) -> str:
    """LSTM against GRU in accuracy, time and size.

    Args:
        metrics: what `evaluate_classifiers` returns.
    """
    lstm, gru = (metrics[cell] for cell in CELLS)
    alone = ""
    if all(f"{cell}_alone" in metrics for cell in CELLS):
        without = [metrics[f"{cell}_alone"]["accuracy"] for cell in CELLS]
        alone = f" Without the n-gram path, LSTM is right on {_relate(*without)}."
    return (
        f"LSTM is right on {_relate(lstm['accuracy'], gru['accuracy'])}.{alone} The LSTM's training took "
        f"{lstm['training_seconds']:,.1f} s, the GRU's {gru['training_seconds']:,.1f} s, without compiling; they have "
        f"{lstm['num_parameters']:,} and {gru['num_parameters']:,} parameters."
    )


def _relate(lstm: float, gru: float) -> str:
    points = abs(100 * (gru - lstm))
    relation = "as many" if lstm == gru else f"{points:.2f} points {'more' if gru > lstm else 'less'}"
    return f"{format_percent(lstm)} of the test reviews, GRU on {format_percent(gru)}, {relation}"


def describe_confusion(metrics: Mapping[str, Any], chosen: str) -> str:
    """Both kinds of errors of the chosen and the n-gram classifier."""
    return " ".join(
        f"{LOOKS[name].name} takes {metrics[name]['false_positive']:,} negative reviews for positive and "
        f"{metrics[name]['false_negative']:,} positive ones for negative."
        for name in (chosen, CLASSICAL)
    )


def _list_sources(results: SentimentResults) -> list[Part]:
    tables = [tabulate_sources(results.metrics, results.calibrations), tabulate_gains(results.metrics)]
    return [*tables, MCNEMAR_IN_WORDS, *_describe_inputs(results.records, results.metrics)]


def _describe_inputs(records: Mapping[str, Mapping[str, Any]], metrics: Mapping[str, Any]) -> list[str]:
    """Which networks know the n-gram classifier even where its logit is not added."""
    readers = [
        name for name, record in records.items() if any(layer["layer"] == "ngrams" for layer in record["layers"])
    ]
    if not readers:
        return []
    alone = [LOOKS[f"{name}_alone"].name for name in readers if f"{name}_alone" in metrics]
    without = (
        f" So {'do' if len(alone) > 1 else 'does'} {' and '.join(alone)}; only its logit is not added." if alone else ""
    )
    return [
        "These networks read, with each word, the n-gram classifier's weights of the n-grams that begin there: "
        f"{', '.join(LOOKS[name].name for name in readers)}.{without}"
    ]


def _list_calibration(results: SentimentResults) -> list[Part]:
    table = tabulate_calibrations(results.calibrations)
    return [results.figures["calibration"], CONFIDENCE_IN_WORDS, table, WEIGHTS_IN_WORDS]


def _list_groups(results: SentimentResults) -> list[Part]:
    padding = PaddingSpec.model_validate(results.parameters["padding"])
    length = f"The networks read at most {padding.max_length:,} words and signs of a review, NB n-grams all of them."
    ratings = results.figures["by_rating"]
    return [results.figures["by_length"], length, ratings if ratings.data else "The reviews have no ratings."]


def _list_mistakes(examples: pd.DataFrame, chosen: str) -> list[Part]:
    mistakes = quote_mistakes(examples)
    if not mistakes:
        return [f"{LOOKS[chosen].name} is right on all test reviews."]
    words = (
        f"To the labels of these test reviews, {LOOKS[chosen].name} gives the least probability. {MISTAKES_IN_WORDS}"
    )
    return [words, *mistakes]
