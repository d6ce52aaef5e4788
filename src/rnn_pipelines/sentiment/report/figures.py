"""The figures of `sentiment`. Classifiers for comparison only are hidden until they are clicked in the legend."""

from collections.abc import Container, Mapping

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
from rnn_pipelines.report.styles import REFERENCE_COLOR, Style
from rnn_pipelines.report.trainings import draw_losses
from rnn_pipelines.sentiment.evaluation.metrics import (
    CONFUSION,
    NUM_CONFIDENCE_BINS,
    ClassifierMetrics,
)
from rnn_pipelines.sentiment.methods.calibration import Calibration, choose_best_classifier
from rnn_pipelines.sentiment.methods.registry import (
    ENSEMBLE,
    NB_NGRAM,
    list_candidate_networks,
    list_classifiers,
)
from rnn_pipelines.sentiment.methods.tables import Confidences, Groups
from rnn_pipelines.sentiment.report.styles import get_styles

BIN_WIDTH = 0.5 / NUM_CONFIDENCE_BINS


def draw_sentiment_figures(
    metrics: Mapping[str, ClassifierMetrics],
    calibrations: Mapping[str, Calibration],
    by_group: Groups,
    by_confidence: Confidences,
    **histories: pd.DataFrame,
) -> dict[str, Figure]:
    """Draw all figures of the report, from the results of `evaluate_classifiers` and the histories of the networks.

    The classifier with the lowest validation loss has a confusion matrix.
    """
    lengths, ratings = (by_group[by_group["by"] == by] for by in ("length", "rating"))
    return {
        "accuracy": draw_or_note(draw_accuracy, metrics),
        "confusion": draw_or_note(draw_confusion, metrics, choose_best_classifier(calibrations)),
        "calibration": draw_or_note(draw_calibration, by_confidence),
        "by_length": draw_or_note(draw_groups, lengths, "Accuracy by length", "words and signs"),
        "by_rating": draw_or_note(draw_groups, ratings, "Accuracy by rating", "stars"),
        "losses": draw_or_note(draw_losses, histories, "cross-entropy in nats", get_styles()),
    }


def list_measured(measured: Container[str]) -> list[str]:
    """Return the measured classifiers, from the simplest to the ensemble."""
    return [name for name in list_classifiers() if name in measured]


def draw_accuracy(metrics: Mapping[str, ClassifierMetrics]) -> Figure:
    """Draw the accuracy of each classifier with its 95 % interval, and a line at that of the n-gram classifier."""
    figure = Figure()
    styles = get_styles()
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


def draw_confusion(metrics: Mapping[str, ClassifierMetrics], chosen: str) -> Figure:
    """Draw the confusion matrices of the chosen and the n-gram classifier."""
    styles = get_styles()
    figure = make_subplots(1, 2, shared_yaxes=True, horizontal_spacing=0.06)
    for column, name in enumerate((chosen, NB_NGRAM), start=1):
        style = styles[name]
        measured = [metrics[name][cell] for cell in CONFUSION]
        counts = [measured[:2], measured[2:]]
        classes = ["negative", "positive"]
        shares = [[count / sum(row) for count in row] for row in counts]
        text = [
            [f"{count:,}<br>{format_percent(count / sum(row), 1)}" for count in row]
            for row in counts
        ]
        heatmap = Heatmap(
            x=classes,
            y=classes,
            z=shares,
            colorscale=[[0, "#ffffff"], [1, style.color]],
            zmin=0,
            # At most half of the colour's intensity, so that dark text is readable on it.
            zmax=2,
            showscale=False,
            text=text,
            texttemplate="%{text}",
            textfont={"size": 14},
            name=style.name,
            xgap=2,
            ygap=2,
            hovertemplate="%{y}, predicted %{x}: %{text}",
        )
        figure.add_trace(heatmap, 1, column)
        figure.update_xaxes(title=style.name, col=column)
    axes = {"showgrid": False}, {"showgrid": False, "autorange": "reversed", "ticks": ""}
    subtitle = "columns: predicted; percent of the true class"
    set_layout(figure, "Confusion matrix", subtitle, *axes, hovermode="closest")
    return figure.update_yaxes(title="true class", col=1)


def draw_calibration(by_confidence: Confidences) -> Figure:
    """Draw the accuracy of each classifier by confidence, and the number of reviews by confidence below."""
    styles = get_styles()
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.68, 0.32], vertical_spacing=0.06)
    diagonal = Style("accuracy = confidence", REFERENCE_COLOR, "dash")
    figure.add_trace(draw_line(diagonal, [50, 100], [50, 100], mode="lines"), 1, 1)
    for name in list_measured(set(by_confidence["classifier"])):
        style = styles[name]
        table = by_confidence[by_confidence["classifier"] == name]
        line = draw_line(
            style, 100 * table["confidence"], 100 * table["accuracy"], mode="lines+markers"
        )
        bins = (table["confidence"] // BIN_WIDTH).clip(upper=2 * NUM_CONFIDENCE_BINS - 1)
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


def draw_groups(groups: Groups, title: str, unit: str) -> Figure:
    """Draw the accuracy of each classifier in each group of one kind; without groups, a figure without axes."""
    figure = Figure()
    styles = get_styles()
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
