"""The report of `sentiment`: verdict, tables, figures and examples on one page."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plotly.graph_objects import Figure

from rnn_pipelines.errors import count
from rnn_pipelines.report.notes import find_failure, write_note
from rnn_pipelines.report.numbers import format_p_value, format_percent
from rnn_pipelines.report.page import Part, Section, render_page
from rnn_pipelines.report.texts import read_texts
from rnn_pipelines.report.trainings import tabulate_layers, tabulate_parameters, tabulate_trainings
from rnn_pipelines.sentiment.evaluation.examples import Examples
from rnn_pipelines.sentiment.evaluation.metrics import CONFUSION
from rnn_pipelines.sentiment.methods.calibration import choose_classifier
from rnn_pipelines.sentiment.methods.registry import NB_NGRAM, NETWORKS, list_candidates, name_alone
from rnn_pipelines.sentiment.report.examples import quote_mistakes, quote_sample
from rnn_pipelines.sentiment.report.styles import get_styles
from rnn_pipelines.sentiment.report.tables import (
    Calibrations,
    Metrics,
    tabulate_calibrations,
    tabulate_classifiers,
    tabulate_gains,
    tabulate_parts,
    tabulate_profile,
    tabulate_sources,
)
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec
from rnn_pipelines.sentiment.text.splits import ReviewProfile

# Maximum p-value of a difference that the report calls significant (exclusive).
SIGNIFICANCE = 0.05
NOTES = read_texts("rnn_pipelines.sentiment.report")["notes"]


@dataclass(frozen=True)
class SentimentResults:
    """The results of a run.

    Attributes:
        metrics: of each classifier.
        calibrations: of each classifier.
        profile: of the reviews.
        examples: sample and largest errors of the chosen classifier.
        parameters: of the run, as models or plain values, by name.
        records: training record of each network.
        figures: by name, see `draw_figures`.
    """

    metrics: Metrics
    calibrations: Calibrations
    profile: ReviewProfile
    examples: Examples
    parameters: Mapping[str, Any]
    records: Mapping[str, Mapping[str, Any]]
    figures: Mapping[str, Figure]


def render_report(results: SentimentResults) -> str:
    """Return the results of a run as one HTML page that needs no internet connection."""
    metrics, figures = results.metrics, results.figures
    chosen, styles = choose_classifier(results.calibrations), get_styles()
    sections = [
        Section(
            "Classifiers",
            [tabulate_classifiers(metrics), figures["accuracy"], NOTES["how_to_read"], NOTES["classifiers"]],
        ),
        Section("Where the accuracy comes from", _list_sources(results)),
        Section(_name_cells(" against "), [compare_cells(metrics)]),
        Section("Confusion matrix", [describe_confusion(metrics, chosen), figures["confusion"]]),
        Section("Calibration", _list_calibration(results)),
        Section("By length and rating", _list_groups(results)),
        *_list_examples(results.examples, chosen),
        Section("Loss curves", [figures["losses"]]),
        Section("Networks", [tabulate_trainings(results.records, styles), *tabulate_layers(results.records, styles)]),
        Section("Data", [tabulate_parts(results.profile), tabulate_profile(results.profile)]),
        Section("Parameters", [tabulate_parameters("sentiment", results.parameters)]),
    ]
    source = ReviewSourceSpec.model_validate(results.parameters["source"])
    return render_page(f"Sentiment of reviews: {Path(source.origin).name}", write_verdict(metrics, chosen), sections)


def write_verdict(metrics: Metrics, chosen: str) -> str:
    """Return one sentence on the gain of the chosen classifier over the n-gram classifier.

    Args:
        metrics: of all classifiers.
        chosen: name of the classifier with the lowest validation loss.
    """
    num_texts = sum(metrics[chosen][cell] for cell in CONFUSION)
    styles, test = get_styles(), metrics[chosen]["against_nb_ngram"]
    gain = test["only_reference_wrong"] - test["only_this_wrong"]
    is_shown = test["p_value"] < SIGNIFICANCE
    accuracies = [format_percent(metrics[name]["accuracy"]) for name in (chosen, NB_NGRAM)]
    if is_shown:
        difference = ", a significant difference"
        verdict = "so it is better" if gain > 0 else "so it is worse"
    else:
        difference, verdict = "", "so this test set shows no difference"
    return (
        f"{styles[chosen].name}, the best on validation, is right on {accuracies[0]} of {num_texts:,} test reviews, "
        f"the classical {styles[NB_NGRAM].name} on {accuracies[1]}: {_count_gain(gain)}{difference} "
        f"(McNemar {format_p_value(test['p_value'])}), {verdict}."
    )


def _count_gain(gain: int) -> str:
    if gain == 0:
        return "equally many reviews"
    return f"{count(abs(gain), 'review')} {'more' if gain > 0 else 'fewer'}"


def _name_cells(between: str) -> str:
    styles = get_styles()
    return between.join(styles[cell].name for cell in list_candidates()[:2])


def compare_cells(metrics: Metrics) -> str:
    """Return a comparison of the first two candidates, LSTM and GRU, in accuracy, training time and size."""
    styles, cells = get_styles(), list_candidates()[:2]
    names = [styles[cell].name for cell in cells]
    one, other = (metrics[cell] for cell in cells)
    alone = ""
    if all(name_alone(cell) in metrics for cell in cells):
        without = [metrics[name_alone(cell)]["accuracy"] for cell in cells]
        alone = f" Without the n-gram path, {_relate(names, without)}."
    return (
        f"{_relate(names, [one['accuracy'], other['accuracy']])}.{alone} The {names[0]}'s training took "
        f"{one['training_seconds']:,.1f} s, the {names[1]}'s {other['training_seconds']:,.1f} s, without compiling; "
        f"they have {one['num_parameters']:,} and {other['num_parameters']:,} parameters."
    )


def _relate(names: list[str], accuracies: list[float]) -> str:
    one, other = accuracies
    relation = (
        "as many" if one == other else f"{abs(100 * (other - one)):.2f} points {'more' if other > one else 'less'}"
    )
    return (
        f"{names[0]} is right on {format_percent(one)} of the test reviews, {names[1]} on {format_percent(other)}, "
        f"{relation}"
    )


def describe_confusion(metrics: Metrics, chosen: str) -> str:
    """Return the false positives and false negatives of the chosen and the n-gram classifier as text."""
    styles = get_styles()
    return " ".join(
        f"{styles[name].name} predicts positive for {metrics[name]['false_positive']:,} negative reviews, and negative "
        f"for {metrics[name]['false_negative']:,} positive reviews."
        for name in (chosen, NB_NGRAM)
    )


def _list_sources(results: SentimentResults) -> list[Part]:
    tables = [tabulate_sources(results.metrics, results.calibrations), tabulate_gains(results.metrics)]
    return [*tables, NOTES["mcnemar"], *_describe_inputs(results.records, results.metrics)]


def _describe_inputs(records: Mapping[str, Mapping[str, Any]], metrics: Metrics) -> list[str]:
    """Return a note on the networks that read n-gram weights, even if the n-gram logit is not added."""
    readers = [
        name for name, record in records.items() if any(layer["layer"] == "ngrams" for layer in record["layers"])
    ]
    if not readers:
        return []
    styles = get_styles()
    alone = [styles[name_alone(name)].name for name in readers if name_alone(name) in metrics]
    without = f" So {'do' if len(alone) > 1 else 'does'} {' and '.join(alone)}, but without its logit." if alone else ""
    return [
        "With each word, these networks read the n-gram classifier's weights of the n-grams that begin there: "
        f"{', '.join(styles[name].name for name in readers)}.{without}"
    ]


def _list_calibration(results: SentimentResults) -> list[Part]:
    table, candidates = tabulate_calibrations(results.calibrations), list_candidates()
    among = (
        f"{', '.join(NETWORKS[name].style.name for name in candidates)} and {'both' if len(candidates) == 2 else 'all'}"
    )
    return [results.figures["calibration"], NOTES["confidence"], table, NOTES["weights"].format(among)]


def _list_groups(results: SentimentResults) -> list[Part]:
    padding = PaddingSpec.model_validate(results.parameters["padding"])
    length = (
        f"The networks read at most {padding.max_length:,} words and signs of a review; NB n-grams reads all of them."
    )
    ratings = results.figures["by_rating"]
    is_empty = not (ratings.data or ratings.layout.annotations)
    return [results.figures["by_length"], length, "The reviews have no ratings." if is_empty else ratings]


def _list_examples(examples: Examples, chosen: str) -> list[Section]:
    if (reason := find_failure(examples)) is not None:
        return [Section("Examples", [write_note(reason)])]
    note = f"The first test review and the prediction of {get_styles()[chosen].name}."
    return [
        Section("Sample", [note, quote_sample(examples)]),
        Section("Largest errors", _list_mistakes(examples, chosen)),
    ]


def _list_mistakes(examples: Examples, chosen: str) -> list[Part]:
    mistakes, name = quote_mistakes(examples), get_styles()[chosen].name
    if not mistakes:
        return [f"{name} is right on all test reviews."]
    words = f"The test reviews to whose label {name} gives the lowest probability. {NOTES['mistakes']}"
    return [words, *mistakes]
