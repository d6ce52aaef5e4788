"""The report of `monitor_sentiment`, and its part of the overview of all champions: drift of scored texts."""

import numpy as np
import pandas as pd
from plotly.graph_objects import Figure

from rnn_pipelines.champion.report import describe_monitor
from rnn_pipelines.champion.verdict import Level
from rnn_pipelines.report.figures import add_menu, draw_line, set_layout
from rnn_pipelines.report.numbers import (
    NO_NUMBER,
    begin_sentence,
    format_minute,
    format_number,
    format_p_cell,
    format_percent,
)
from rnn_pipelines.report.page import Part, Table
from rnn_pipelines.report.report import Report
from rnn_pipelines.report.styles import BLUE, VERMILION, Style
from rnn_pipelines.report.texts import fill_template
from rnn_pipelines.report.trainings import tabulate_parameters
from rnn_pipelines.sentiment.evaluation.drift import MEASURES, get_measure
from rnn_pipelines.sentiment.methods.tables import Reference, ScoredTexts
from rnn_pipelines.sentiment.operations.monitoring import MonitorSentimentSpec, SentimentVerdict

IN_WORDS: dict[Level, str] = {"ok": "Ok", "retrain": "Label and retrain", "alarm": "Alarm"}
NUM_POINTS = 201


def report_sentiment_monitoring(
    verdict: SentimentVerdict, monitoring: MonitorSentimentSpec, distributions: Figure
) -> Report:
    """Return the report on the verdict of a day and its evidence."""
    has_distributions = verdict["num_texts"] and verdict["num_reference"]
    reasons = [begin_sentence(f"{reason}.") for reason in verdict["reasons"]]
    measures = tabulate_measures(verdict)
    return fill_template(
        __package__,
        "monitor",
        [*reasons[1:], measures],
        verdict=describe_monitor(verdict, IN_WORDS),
        limits=verdict["cannot_know"],
        reasons=reasons,
        measures=measures,
        distributions=distributions if has_distributions else None,
        parameters=tabulate_parameters("monitor_sentiment", monitoring),
    )


def tabulate_measures(verdict: SentimentVerdict) -> Table:
    """Return a table of the measures of scored texts and reference, with effect and p-value."""
    rows = []
    for row in verdict["measures"]:
        measure = get_measure(row["measure"])
        format_mean = format_number if row["measure"] == "num_words" else format_percent
        rows.append(
            [
                measure.label,
                "distance" if measure.axis else "Cohen's h",
                format_mean(row["newest"]),
                format_mean(row["reference"]),
                format_number(row["effect"], 3),
                format_p_cell(row["p_value"]),
            ]
        )
    header = ["measure", "effect is", "scored texts", "held-out reviews", "effect", "p"]
    caption = f"means of {verdict['num_texts']:,} scored texts and {verdict['num_reference']:,} held-out reviews"
    return Table(header, rows, 2, caption=caption)


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
        mean = NO_NUMBER if pd.isna(confidence) else format_percent(confidence, 1)
        rows.append([str(label), f"{number:,}", format_percent(number / len(scores), 1), mean])
    return Table(["label", "texts", "share", "mean confidence"], rows)


def report_text_monitor(verdict: SentimentVerdict) -> list[Part]:
    """Return the last verdict with its time, and all measures."""
    text = (
        f"The monitor ran at {format_minute(verdict['at'])}. {describe_monitor(verdict, IN_WORDS)}"
    )
    return [text, tabulate_measures(verdict), verdict["cannot_know"]]
