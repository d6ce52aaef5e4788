"""The graph of `monitor_sentiment`: scored texts and held-out reviews → verdict and report."""

from kedro.pipeline import Pipeline

from rnn_pipelines.pipelines.wiring import node
from rnn_pipelines.report.failures import guard
from rnn_pipelines.report.notes import draw_note, render_or_note, summarize_or_note
from rnn_pipelines.sentiment.evaluation.drift import compare_scores
from rnn_pipelines.sentiment.operations.monitoring import monitor_scores, read_champion
from rnn_pipelines.sentiment.operations.reference import describe_reference, select_newest
from rnn_pipelines.sentiment.report.monitoring import (
    draw_distributions,
    report_sentiment_monitoring,
)

PARAMETERS = "params:monitor_sentiment"


def create_pipeline() -> Pipeline:
    """Compare, conclude and report, without training or scoring."""
    folder, champion = "monitor_sentiment_champion_folder", "monitor_sentiment_champion"
    scores, reference = "monitor_sentiment_scores", "monitor_sentiment_reference"
    measures, verdict = "monitor_sentiment_measures", "monitor_sentiment_verdict"
    figure = "monitor_sentiment_distributions_figure"
    left = ["monitor_sentiment_found_predictions", "monitor_sentiment_found_reviews"]
    left += ["monitor_sentiment_found_encoded", "monitor_sentiment_found_calibrations"]
    reported = [verdict, PARAMETERS, figure]
    nodes = [
        node(select_newest, "monitor_sentiment_found_scores", scores),
        node(describe_reference, [scores, folder, *left], reference),
        node(compare_scores, [scores, reference], measures),
        node(read_champion, folder, champion),
        node(monitor_scores, [measures, champion, PARAMETERS], verdict),
        node(guard(draw_distributions, draw_note), [scores, reference], figure),
        node(render_or_note(report_sentiment_monitoring), reported, "monitor_sentiment_report"),
        node(summarize_or_note(report_sentiment_monitoring), reported, "monitor_sentiment_summary"),
    ]
    return Pipeline(nodes)
