"""The figures of `sentiment`. Classifiers for comparison only are hidden until they are clicked in the legend."""

from collections.abc import Container, Mapping, Sequence
from typing import Any

import pandas as pd
from plotly.graph_objects import Figure, Heatmap
from plotly.subplots import make_subplots

from rnn_pipelines.report.figures import (
    choose_visible,
    draw_bars,
    draw_estimate,
    draw_line,
    set_layout,
)
from rnn_pipelines.report.notes import draw_or_note
from rnn_pipelines.report.numbers import format_percent
from rnn_pipelines.report.styles import REFERENCE_COLOR, Style, Styles
from rnn_pipelines.report.trainings import draw_losses
from rnn_pipelines.sentiment.evaluation.metrics import NUM_CONFIDENCE_BINS, ClassifierMetrics
from rnn_pipelines.sentiment.methods.calibration import Calibration, choose_best_classifier
from rnn_pipelines.sentiment.methods.registry import (
    ENSEMBLE,
    NB_NGRAM,
    list_candidate_networks,
    list_classifiers,
)
from rnn_pipelines.sentiment.methods.tables import Confidences, Groups
from rnn_pipelines.sentiment.report.styles import get_styles

BIN_WIDTH = 1 / NUM_CONFIDENCE_BINS
# With more classes, the cells of a confusion matrix are too small for numbers.
MAX_CLASSES_WITH_NUMBERS = 12
# Pixels of a class in a larger matrix, and of the rest of its figure.
CLASS_HEIGHT = 20
FRAME_HEIGHT = 250


def draw_sentiment_figures(
    metrics: Mapping[str, Any],
    calibrations: Mapping[str, Calibration],
    by_group: Groups,
    by_confidence: Confidences,
    **histories: pd.DataFrame,
) -> dict[str, Figure]:
    """Draw all figures of the report, from the results of `evaluate_classifiers` and the histories of the networks.

    The classifier with the lowest validation loss has a confusion matrix.
    """
    lengths, ratings = (by_group[by_group["by"] == by] for by in ("length", "rating"))
    chosen = choose_best_classifier(calibrations)
    styles = get_styles(metrics)
    return {
        "accuracy": draw_or_note(draw_accuracy, metrics),
        "confusion": draw_or_note(draw_confusion, metrics, metrics["classes"], chosen),
        "calibration": draw_or_note(draw_calibration, by_confidence, styles),
        "by_length": draw_or_note(
            draw_groups, lengths, "Accuracy by length", "words and signs", styles
        ),
        "by_rating": draw_or_note(draw_groups, ratings, "Accuracy by rating", "stars", styles),
        "losses": draw_or_note(_draw_trainings, histories),
    }


def _draw_trainings(histories: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the losses of the trained networks; without one, a figure without axes."""
    trained = {name: history for name, history in histories.items() if len(history)}
    if trained:
        return draw_losses(trained, "cross-entropy in nats", get_styles())
    hidden = {"visible": False}
    return set_layout(Figure(), "Loss by epoch", "no network was trained", hidden, hidden)


def list_measured(measured: Container[str]) -> list[str]:
    """Return the measured classifiers, from the simplest to the ensemble."""
    return [name for name in list_classifiers() if name in measured]


def draw_accuracy(metrics: Mapping[str, ClassifierMetrics]) -> Figure:
    """Draw the accuracy of each classifier with its 95 % interval, and a line at that of the n-gram classifier."""
    figure = Figure()
    styles = get_styles(metrics)
    for name in list_measured(metrics):
        style = styles[name]
        measured = metrics[name]
        accuracy, low, high = (
            100 * measured[key] for key in ("accuracy", "accuracy_low", "accuracy_high")
        )
        row = f"{style.name}<br>{format_percent(measured['accuracy'])}"
        hover = f"{accuracy:.2f} % ({low:.2f}–{high:.2f})"
        interval = (accuracy, low, high)
        figure.add_trace(draw_estimate(style, row, interval, hovertemplate=hover, showlegend=False))
    reference = styles[NB_NGRAM]
    figure.add_vline(
        100 * metrics[NB_NGRAM]["accuracy"], line={"color": reference.color, "dash": "dash"}
    )
    axes = "accuracy, %", {"title": "classifier", "autorange": "reversed"}
    return set_layout(
        figure, "Accuracy", f"95 % intervals; line: {reference.name}", *axes, hovermode="closest"
    )


def draw_confusion(
    metrics: Mapping[str, ClassifierMetrics], classes: Sequence[str], chosen: str
) -> Figure:
    """Draw the confusion matrix of the chosen classifier and, of two classes, that of the n-gram classifier."""
    styles = get_styles(metrics)
    names = [chosen, NB_NGRAM] if len(classes) == 2 and chosen != NB_NGRAM else [chosen]
    figure = make_subplots(1, len(names), shared_yaxes=True, horizontal_spacing=0.06)
    for column, name in enumerate(names, start=1):
        heatmap = _draw_matrix(metrics[name]["confusion"], classes, styles[name])
        figure.add_trace(heatmap, 1, column)
        figure.update_xaxes(title=styles[name].name, col=column)
    axes = {"showgrid": False}, {"showgrid": False, "autorange": "reversed", "ticks": ""}
    subtitle = "columns: predicted; percent of the true class"
    set_layout(figure, "Confusion matrix", subtitle, *axes, hovermode="closest")
    # Names of classes may be numbers, such as ratings.
    figure.update_xaxes(type="category").update_yaxes(type="category")
    if len(classes) > MAX_CLASSES_WITH_NUMBERS:
        # Room for all names.
        figure.update_layout(height=CLASS_HEIGHT * len(classes) + FRAME_HEIGHT)
        figure.update_xaxes(dtick=1).update_yaxes(dtick=1)
    return figure.update_yaxes(title="true class", col=1)


def _draw_matrix(confusion: list[list[int]], classes: Sequence[str], style: Style) -> Heatmap:
    shares = [[count / max(sum(row), 1) for count in row] for row in confusion]
    text = [
        [f"{count:,}<br>{format_percent(share, 1)}" for count, share in zip(*rows, strict=True)]
        for rows in zip(confusion, shares, strict=True)
    ]
    has_numbers = len(classes) <= MAX_CLASSES_WITH_NUMBERS
    return Heatmap(
        x=classes,
        y=classes,
        z=shares,
        colorscale=[[0, "#ffffff"], [1, style.color]],
        zmin=0,
        # At most half of the colour's intensity, so that dark text is readable on it.
        zmax=2 if has_numbers else 1,
        showscale=False,
        text=text,
        texttemplate="%{text}" if has_numbers else None,
        textfont={"size": 14 if len(classes) <= 4 else 10},
        name=style.name,
        xgap=2,
        ygap=2,
        hovertemplate="%{y}, predicted %{x}: %{text}",
    )


def draw_calibration(by_confidence: Confidences, styles: Styles) -> Figure:
    """Draw the accuracy of each classifier by confidence, and the number of reviews by confidence below."""
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.68, 0.32], vertical_spacing=0.06)
    diagonal = Style("accuracy = confidence", REFERENCE_COLOR, "dash")
    # From the confidence of a guess between two classes, or from the lowest one.
    first = min(50.0, 100 * by_confidence["confidence"].min())
    figure.add_trace(draw_line(diagonal, [first, 100], [first, 100], mode="lines"), 1, 1)
    for name in list_measured(set(by_confidence["classifier"])):
        style = styles[name]
        table = by_confidence[by_confidence["classifier"] == name]
        line = draw_line(
            style, 100 * table["confidence"], 100 * table["accuracy"], mode="lines+markers"
        )
        bins = (table["confidence"] // BIN_WIDTH).clip(upper=NUM_CONFIDENCE_BINS - 1)
        bars = draw_bars(
            style, 100 * (bins + 0.5) * BIN_WIDTH, table["num_texts"], showlegend=False
        )
        for row, trace in enumerate((line, bars), start=1):
            trace.update(legendgroup=name, visible=_choose_visible(name))
            figure.add_trace(trace, row, 1)
    set_layout(
        figure,
        "Calibration",
        "accuracy and number of reviews by confidence",
        hovermode="closest",
        barmode="group",
        bargap=0.15,
    )
    figure.update_xaxes(title="confidence, %", dtick=10, row=2)
    figure.update_yaxes(title="accuracy, %", hoverformat=".1f", row=1)
    return figure.update_yaxes(title="reviews", hoverformat=",d", row=2)


def draw_groups(groups: Groups, title: str, unit: str, styles: Styles) -> Figure:
    """Draw the accuracy of each classifier in each group of one kind; without groups, a figure without axes."""
    figure = Figure()
    for name in list_measured(set(groups["classifier"])):
        table = groups[groups["classifier"] == name]
        labels = []
        for group, num_texts in zip(table["group"], table["num_texts"], strict=True):
            # Narrow enough for a phone.
            short = group.replace("up to ", "≤ ").replace("over ", "> ").replace(" to ", "–")
            labels.append(f"{short}<br>{num_texts:,}")
        line = draw_line(
            styles[name],
            labels,
            100 * table["accuracy"],
            mode="lines+markers",
            marker={"size": 8},
            visible=_choose_visible(name),
        )
        figure.add_trace(line)
    is_there = len(groups) > 0
    x = {
        "title": unit,
        "type": "category",
        "tickangle": 0,
        "tickfont": {"size": 11},
        "visible": is_there,
    }
    y = {"title": "accuracy, %", "hoverformat": ".2f", "visible": is_there}
    return set_layout(
        figure,
        title,
        "and the number of test reviews" if is_there else "there are no such groups",
        x,
        y,
    )


def _choose_visible(name: str) -> bool | str:
    return choose_visible(name in (NB_NGRAM, *list_candidate_networks(), ENSEMBLE))
