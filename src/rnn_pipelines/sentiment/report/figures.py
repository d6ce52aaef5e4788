"""The figures of `sentiment`. Classifiers for comparison only are hidden until they are clicked in the legend."""

from collections.abc import Container, Mapping

import pandas as pd
from plotly.graph_objects import Bar, Figure, Heatmap, Scatter
from plotly.subplots import make_subplots

from rnn_pipelines.report.figures import set_title
from rnn_pipelines.report.notes import draw_or_note
from rnn_pipelines.report.numbers import format_percent
from rnn_pipelines.report.trainings import draw_losses
from rnn_pipelines.sentiment.evaluation.metrics import CONFUSION, NUM_CONFIDENCE_BINS, ClassifierMetrics
from rnn_pipelines.sentiment.methods.calibration import Calibration, choose_classifier
from rnn_pipelines.sentiment.methods.registry import ENSEMBLE, NB_NGRAM, list_candidates
from rnn_pipelines.sentiment.methods.registry import list_classifiers as list_all_classifiers
from rnn_pipelines.sentiment.methods.tables import Confidences, Groups
from rnn_pipelines.sentiment.report.styles import get_styles

BIN_WIDTH = 0.5 / NUM_CONFIDENCE_BINS


def draw_figures(
    metrics: Mapping[str, ClassifierMetrics],
    calibrations: Mapping[str, Calibration],
    by_group: Groups,
    by_confidence: Confidences,
    **histories: pd.DataFrame,
) -> dict[str, Figure]:
    """Draw all figures of the report.

    Args:
        metrics, by_group, by_confidence: see `evaluate_classifiers`.
        calibrations: of all classifiers; the one with the lowest validation loss has a confusion matrix.
        histories: training history of each network.
    Returns:
        `accuracy`, `confusion`, `calibration`, `by_length`, `by_rating` and `losses`.
    """
    lengths, ratings = (by_group[by_group["by"] == by] for by in ("length", "rating"))
    return {
        "accuracy": draw_or_note(draw_accuracy, metrics),
        "confusion": draw_or_note(draw_confusion, metrics, choose_classifier(calibrations)),
        "calibration": draw_or_note(draw_calibration, by_confidence),
        "by_length": draw_or_note(draw_groups, lengths, "Accuracy by length", "words and signs"),
        "by_rating": draw_or_note(draw_groups, ratings, "Accuracy by rating", "stars"),
        "losses": draw_or_note(draw_losses, histories, "cross-entropy in nats", get_styles()),
    }


def list_classifiers(measured: Container[str]) -> list[str]:
    """Return the measured classifiers, from the simplest to the ensemble."""
    return [name for name in list_all_classifiers() if name in measured]


def draw_accuracy(metrics: Mapping[str, ClassifierMetrics]) -> Figure:
    """Draw the accuracy of each classifier with its 95 % interval, and a line at that of the n-gram classifier."""
    figure, styles = Figure(), get_styles()
    for name in list_classifiers(metrics):
        accuracy, low, high = (100 * metrics[name][key] for key in ("accuracy", "accuracy_low", "accuracy_high"))
        style = styles[name]
        figure.add_scatter(
            x=[accuracy],
            y=[f"{style.name}<br>{format_percent(metrics[name]['accuracy'])}"],
            error_x={"array": [high - accuracy], "arrayminus": [accuracy - low], "thickness": 2, "width": 6},
            name=style.name,
            mode="markers",
            marker={"color": style.color, "size": 11},
            hovertemplate=f"{accuracy:.2f} % ({low:.2f}–{high:.2f})",
            showlegend=False,
        )
    figure.add_vline(100 * metrics[NB_NGRAM]["accuracy"], line={"color": styles[NB_NGRAM].color, "dash": "dash"})
    set_title(figure, "Accuracy", f"95 % intervals; line: {styles[NB_NGRAM].name}")
    figure.update_xaxes(title="accuracy, %")
    figure.update_yaxes(autorange="reversed")
    figure.update_layout(hovermode="closest")
    return figure


def draw_confusion(metrics: Mapping[str, ClassifierMetrics], chosen: str) -> Figure:
    """Draw the confusion matrices of the chosen and the n-gram classifier.

    Args:
        metrics: see `draw_figures`.
        chosen: name of the chosen classifier.
    """
    styles = get_styles()
    figure = make_subplots(1, 2, shared_yaxes=True, horizontal_spacing=0.06)
    for column, name in enumerate((chosen, NB_NGRAM), start=1):
        style = styles[name]
        measured = [metrics[name][cell] for cell in CONFUSION]
        counts = [measured[:2], measured[2:]]
        heatmap = Heatmap(
            x=["negative", "positive"],
            y=["negative", "positive"],
            z=[[count / sum(row) for count in row] for row in counts],
            text=[[f"{count:,}<br>{format_percent(count / sum(row), 1)}" for count in row] for row in counts],
            texttemplate="%{text}",
            textfont={"size": 14},
            colorscale=[[0, "#ffffff"], [1, style.color]],
            # At most half of the colour's intensity, so that dark text is readable on it.
            zmin=0,
            zmax=2,
            showscale=False,
            name=style.name,
            hovertemplate="%{y}, taken for %{x}: %{text}",
            xgap=2,
            ygap=2,
        )
        figure.add_trace(heatmap, 1, column)
        figure.update_xaxes(title=style.name, col=column)
    set_title(figure, "Confusion matrix", "columns: predicted; percent of the true class")
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(showgrid=False, autorange="reversed", ticks="")
    figure.update_yaxes(title="true", col=1)
    figure.update_layout(hovermode="closest")
    return figure


def draw_calibration(by_confidence: Confidences) -> Figure:
    """Draw the accuracy of each classifier by confidence, and the number of reviews by confidence below."""
    styles = get_styles()
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.68, 0.32], vertical_spacing=0.06)
    diagonal = Scatter(
        x=[50, 100], y=[50, 100], mode="lines", line={"color": "#999999", "dash": "dash"}, name="right as often as sure"
    )
    figure.add_trace(diagonal, 1, 1)
    for name in list_classifiers(set(by_confidence["classifier"])):
        style = styles[name]
        table = by_confidence[by_confidence["classifier"] == name]
        options = {"name": style.name, "legendgroup": name, "visible": _choose_visible(name)}
        line = {"color": style.color, "dash": style.dash, "width": 2}
        curve = Scatter(x=100 * table["confidence"], y=100 * table["accuracy"], line=line, mode="lines+markers")
        figure.add_trace(curve.update(options), 1, 1)
        bins = (table["confidence"] // BIN_WIDTH).clip(upper=2 * NUM_CONFIDENCE_BINS - 1)
        bars = Bar(x=100 * (bins + 0.5) * BIN_WIDTH, y=table["num_texts"], marker={"color": style.color})
        figure.add_trace(bars.update(options | {"showlegend": False}), 2, 1)
    set_title(figure, "Calibration", "how often right, and how many reviews, by confidence")
    figure.update_xaxes(title="confidence, %", dtick=10, row=2)
    figure.update_yaxes(title="accuracy, %", hoverformat=".1f", row=1)
    figure.update_yaxes(title="reviews", hoverformat=",d", row=2)
    figure.update_layout(hovermode="closest", barmode="group", bargap=0.15)
    return figure


def draw_groups(groups: Groups, title: str, unit: str) -> Figure:
    """Draw the accuracy of each classifier in each group of reviews; without groups, a figure without axes.

    Args:
        groups: rows of `by_group` for one kind of group, in the order of the axis.
        title: of the figure.
        unit: title of the axis of groups.
    """
    figure, styles = Figure(), get_styles()
    for name in list_classifiers(set(groups["classifier"])):
        style = styles[name]
        table = groups[groups["classifier"] == name]
        figure.add_scatter(
            x=[_name_group(*group) for group in zip(table["group"], table["num_texts"], strict=True)],
            y=100 * table["accuracy"],
            name=style.name,
            mode="lines+markers",
            line={"color": style.color, "dash": style.dash, "width": 2},
            marker={"size": 8},
            visible=_choose_visible(name),
        )
    set_title(figure, title, "and the number of test reviews" if len(groups) else "the reviews have none")
    figure.update_xaxes(title=unit, type="category", tickangle=0, tickfont={"size": 11}, visible=len(groups) > 0)
    figure.update_yaxes(title="accuracy, %", hoverformat=".2f", visible=len(groups) > 0)
    return figure


def _name_group(group: str, num_texts: int) -> str:
    """Return a label with the group and its size, narrow enough for a phone."""
    for words, sign in (("up to ", "≤ "), ("over ", "> "), (" to ", "–")):
        group = group.replace(words, sign)
    return f"{group}<br>{num_texts:,}"


def _choose_visible(name: str) -> bool | str:
    return True if name in (NB_NGRAM, *list_candidates(), ENSEMBLE) else "legendonly"
