"""The report of `sentiment`: verdict, tables, figures and examples on one page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnn_pipelines.errors import count
from rnn_pipelines.report.notes import find_failure, write_note
from rnn_pipelines.report.numbers import format_p_value, format_percent
from rnn_pipelines.report.report import Report
from rnn_pipelines.report.texts import fill_template
from rnn_pipelines.report.trainings import tabulate_layers, tabulate_parameters, tabulate_trainings
from rnn_pipelines.sentiment.methods.calibration import choose_best_classifier
from rnn_pipelines.sentiment.methods.registry import (
    NB_NGRAM,
    NETWORKS,
    list_candidate_networks,
    name_alone,
)
from rnn_pipelines.sentiment.model.class_facts import ClassFacts
from rnn_pipelines.sentiment.model.examples import Examples
from rnn_pipelines.sentiment.report import tables
from rnn_pipelines.sentiment.report.styles import get_styles
from rnn_pipelines.sentiment.report.tables import Calibrations, Metrics
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec
from rnn_pipelines.sentiment.text.splits import ReviewProfile

# Maximum p-value of a difference that the report calls significant (exclusive).
SIGNIFICANCE = 0.05


def report_sentiment(
    metrics: dict[str, Any],
    calibrations: Calibrations,
    profile: ReviewProfile,
    examples: Examples,
    class_facts: ClassFacts,
    parameters: dict[str, Any],
    **records_and_figures: Any,
) -> Report:
    """Return the report on the classifiers of a run; a terminal shows them by descending accuracy.

    Args:
        examples: of the chosen classifier.
        parameters: models or plain values, by name.
        records_and_figures: of each network, such as `lstm_record`, and those of `draw_sentiment_figures`, such as
            `accuracy_figure`.
    """
    records, figures = (
        {
            name.removesuffix(kind): value
            for name, value in records_and_figures.items()
            if name.endswith(kind)
        }
        for kind in ("_record", "_figure")
    )
    chosen = choose_best_classifier(calibrations)
    classes = class_facts["classes"]
    records = {name: record for name, record in records.items() if record["num_epochs"]}
    styles = get_styles(metrics)
    models = get_styles()
    cells = [name for name in list_candidate_networks() if name in metrics]
    by_class = tables.tabulate_classes(metrics[chosen], class_facts, profile)
    failure = find_failure(examples)
    return fill_template(
        __package__,
        "report",
        [tables.shorten_classes(by_class), tables.rank_classifiers(metrics)],
        classes=classes,
        by_class=by_class,
        abstention=tables.tabulate_abstention(metrics[chosen]),
        source=Path(ReviewSourceSpec.model_validate(parameters["source"]).origin).name,
        figures=figures,
        verdict=describe_accuracy(metrics, chosen),
        gain=describe_gain(metrics, chosen) if chosen != NB_NGRAM else "",
        chosen=styles[chosen].name,
        classifiers=tables.tabulate_classifiers(metrics),
        sources=tables.tabulate_sources(metrics, calibrations),
        gains=tables.tabulate_gains(metrics),
        cells=[models[cell].name for cell in cells[:2]],
        comparison=relate_cells(metrics) if len(cells) > 1 else "",
        calibrations=tables.tabulate_calibrations(metrics, calibrations),
        candidates=[NETWORKS[name].style.name for name in cells],
        max_length=PaddingSpec.model_validate(parameters["padding"]).max_length,
        failure=None if failure is None else write_note(failure),
        sample=tables.quote_sample(examples) if failure is None else None,
        mistakes=tables.quote_mistakes(examples) if failure is None else [],
        trainings=tabulate_trainings(records, models),
        layers=tabulate_layers(records, models),
        parts=tables.tabulate_review_parts(profile),
        profile=tables.tabulate_review_profile(profile),
        parameters=tabulate_parameters("sentiment", parameters),
    )


def describe_accuracy(metrics: Mapping[str, Any], chosen: str) -> str:
    """Return one sentence on the accuracy of the chosen classifier, beside that of the most frequent class."""
    measured = metrics[chosen]
    sizes = [sum(row) for row in measured["confusion"]]
    low, high = (format_percent(measured[f"accuracy_{end}"], 1) for end in ("low", "high"))
    return (
        f"The class of {format_percent(measured['accuracy'], 1)} of {sum(sizes):,} test texts is right (95 % interval "
        f"{low} to {high}); always the most frequent class would be right for "
        f"{format_percent(max(sizes) / sum(sizes), 1)}."
    )


def describe_gain(metrics: Metrics, chosen: str) -> str:
    """Return one sentence on the gain of the chosen classifier, the best on validation, over the n-gram classifier."""
    num_texts = sum(map(sum, metrics[chosen]["confusion"]))
    styles = get_styles(metrics)
    test = metrics[chosen]["against_nb_ngram"]
    gain = test["only_reference_wrong"] - test["only_this_wrong"]
    relation = (
        f"{count(abs(gain), 'review')} {'more' if gain > 0 else 'fewer'}"
        if gain
        else "equally many reviews"
    )
    difference, verdict = "", "so this test set shows no difference"
    if test["p_value"] < SIGNIFICANCE:
        difference = ", a significant difference"
        verdict = f"so it is {'better' if gain > 0 else 'worse'}"
    accuracies = [format_percent(metrics[name]["accuracy"]) for name in (chosen, NB_NGRAM)]
    return (
        f"{styles[chosen].name}, the best on validation, is right on {accuracies[0]} of {num_texts:,} test reviews, "
        f"the classical {styles[NB_NGRAM].name} on {accuracies[1]}: {relation}{difference} "
        f"(McNemar {format_p_value(test['p_value'])}), {verdict}."
    )


def relate_cells(metrics: Metrics) -> str:
    """Return a comparison of the first two candidates, LSTM and GRU, in accuracy, training time and size."""
    styles = get_styles(metrics)
    models = get_styles()
    cells = list_candidate_networks()[:2]
    names = [styles[cell].name for cell in cells]
    plain = [models[cell].name for cell in cells]
    first, second = (metrics[cell] for cell in cells)
    alone = ""
    if all(name_alone(cell) in metrics for cell in cells):
        without = [metrics[name_alone(cell)]["accuracy"] for cell in cells]
        alone = f" Without the n-gram path, {_relate(plain, without)}."
    return (
        f"{_relate(names, [first['accuracy'], second['accuracy']])}.{alone} The {plain[0]}'s training took "
        f"{first['training_seconds']:,.1f} s, the {plain[1]}'s {second['training_seconds']:,.1f} s, without "
        f"compiling; they have {first['num_parameters']:,} and {second['num_parameters']:,} parameters."
    )


def _relate(names: list[str], accuracies: list[float]) -> str:
    first, second = accuracies
    points = f"{abs(100 * (second - first)):.2f} points {'more' if second > first else 'less'}"
    relation = "as many" if first == second else points
    return (
        f"{names[0]} is right on {format_percent(first)} of the test reviews, {names[1]} on {format_percent(second)}, "
        f"{relation}"
    )
