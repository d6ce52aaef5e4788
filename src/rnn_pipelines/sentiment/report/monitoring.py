"""The report of `monitor_sentiment`, and its part of the overview of all champions: drift of scored texts."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from plotly.graph_objects import Figure

from rnn_pipelines.report import numbers
from rnn_pipelines.report.figures import add_menu, draw_line, set_layout
from rnn_pipelines.report.numbers import (
    begin_sentence,
    format_minute,
    format_number,
    format_percent,
)
from rnn_pipelines.report.page import Part, Table, make_table
from rnn_pipelines.report.styles import BLUE, VERMILION, Style
from rnn_pipelines.report.terminal import summarize
from rnn_pipelines.report.texts import render_template
from rnn_pipelines.report.trainings import tabulate_parameters
from rnn_pipelines.sentiment.evaluation.drift import MEASURES
from rnn_pipelines.sentiment.methods.tables import Reference, ScoredTexts
from rnn_pipelines.sentiment.operations.monitoring import MonitorSentimentSpec, SentimentVerdict

VERDICTS = {"ok": "Ok", "retrain": "Label and retrain", "alarm": "Alarm"}
NUM_POINTS = 201


def render_report(
    verdict: SentimentVerdict, monitoring: MonitorSentimentSpec, distributions: Figure
) -> str:
    """Return the verdict and its evidence as one HTML page that needs no internet connection."""
    has_distributions = verdict["num_texts"] and verdict["num_reference"]
    return render_template(
        __package__,
        "monitor",
        verdict=write_verdict(verdict),
        limits=verdict["cannot_know"],
        reasons=[begin_sentence(f"{reason}.") for reason in verdict["reasons"]],
        measures=tabulate_measures(verdict),
        distributions=distributions if has_distributions else None,
        parameters=tabulate_parameters("monitor_sentiment", monitoring.model_dump(mode="json")),
    )


def summarize_run(verdict: SentimentVerdict) -> str:
    """Return the verdict, its reasons and the measures for a terminal."""
    reasons = [begin_sentence(f"{reason}.") for reason in verdict["reasons"][1:]]
    return summarize([write_verdict(verdict), *reasons], tabulate_measures(verdict))


def write_verdict(verdict: SentimentVerdict) -> str:
    """Return the verdict and its most serious reason in one sentence."""
    first, *others = verdict["reasons"]
    more = f" ({len(others)} more below)" if others else ""
    return f"{VERDICTS[verdict['verdict']]}: {first}{more}."


def tabulate_measures(verdict: SentimentVerdict) -> Table:
    """Return a table of the measures of scored texts and reference, with effect and p-value."""

    def format_mean(row: Mapping[str, Any], name: str) -> str:
        return (
            format_number(row[name]) if row["measure"] == "num_words" else format_percent(row[name])
        )

    columns: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "measure": lambda row: MEASURES[row["measure"]].label,
        "effect is": lambda row: "distance" if MEASURES[row["measure"]].axis else "Cohen's h",
        "scored texts": lambda row: format_mean(row, "newest"),
        "held-out reviews": lambda row: format_mean(row, "reference"),
        "effect": lambda row: format_number(row["effect"], 3),
        "p": lambda row: numbers.format_p_cell(row["p_value"]),
    }
    caption = f"means of {verdict['num_texts']:,} scored texts and {verdict['num_reference']:,} held-out reviews"
    return make_table(verdict["measures"], columns, 2, caption)


def draw_distributions(scores: ScoredTexts, reference: Reference) -> Figure:
    """Draw the distribution functions of confidence, unknown words and length."""
    figure = Figure()
    measures = {name: measure for name, measure in MEASURES.items() if measure.axis}
    curves = (
        (Style("scored texts", BLUE), scores),
        (Style("held-out reviews", VERMILION, "dash"), reference),
    )
    for name, measure in measures.items():
        for style, table in curves:
            values = measure.compute(table)
            values = values[np.isfinite(values)] * (100.0 if name == "unknown_words" else 1.0)
            # Enough points for a smooth line.
            shares = np.linspace(0, 1, NUM_POINTS if len(values) else 0)
            points = np.quantile(values, shares, method="inverted_cdf") if len(values) else values
            figure.add_trace(
                draw_line(style, points, 100 * shares, mode="lines", line={"shape": "hv"})
            )
    layouts = [
        {"xaxis.title.text": measure.axis, "xaxis.type": "log" if name == "num_words" else "linear"}
        for name, measure in measures.items()
    ]
    add_menu(figure, [measure.label for measure in measures.values()], layouts)
    return set_layout(figure, "Distributions", "share of texts up to a value", y="texts, %")


def report_scores(scores: ScoredTexts, ended: str | None) -> list[Part]:
    """Return the shares of the labels, with the time (None if unknown) and the version of the scores."""
    if scores.empty:
        return []
    at = f" at {format_minute(ended)}" if ended else ""
    text = f"{len(scores):,} texts were scored{at} by version {scores['model_version'].iloc[0]}."
    return [text, tabulate_labels(scores)]


def tabulate_labels(scores: ScoredTexts) -> Table:
    """Return number, share and mean confidence of the texts with each label, the most frequent first."""
    confidences = scores.groupby("label")["confidence"].mean()
    rows = []
    for label, number in scores["label"].value_counts().items():
        confidence = confidences[label]
        mean = numbers.NO_NUMBER if pd.isna(confidence) else format_percent(confidence, 1)
        rows.append([str(label), f"{number:,}", format_percent(number / len(scores), 1), mean])
    return Table(["label", "texts", "share", "mean confidence"], rows)


def report_monitor(verdict: SentimentVerdict) -> list[Part]:
    """Return the last verdict with its time, and all measures."""
    text = f"The monitor ran at {format_minute(verdict['at'])}. {write_verdict(verdict)}"
    return [text, tabulate_measures(verdict), verdict["cannot_know"]]
