"""The graph of `monitor_sentiment`: scored texts and held-out reviews → verdict and report."""

from kedro.pipeline import Pipeline

from rnn_pipelines.champion.verdict import read_champion
from rnn_pipelines.pipelines.wiring import node
from rnn_pipelines.report.failures import guard
from rnn_pipelines.report.notes import draw_note, render_note, write_note
from rnn_pipelines.sentiment.evaluation.drift import compare_scores
from rnn_pipelines.sentiment.operations.monitoring import monitor_scores
from rnn_pipelines.sentiment.operations.reference import describe_reference, select_newest
from rnn_pipelines.sentiment.report.monitoring import draw_distributions, render_report, summarize_run

SCORES, FOLDER, REFERENCE, MEASURES, CHAMPION, VERDICT, FIGURE = (
    f"monitor_sentiment_{name}"
    for name in (
        "scores", "champion_folder", "reference", "measures", "champion", "verdict", "distributions_figure"
    )
)  # fmt: skip
PARAMETERS = "params:monitor_sentiment"


def create_pipeline() -> Pipeline:
    """Compare, conclude and report, without training or scoring."""
    left = [f"monitor_sentiment_found_{what}" for what in ("predictions", "reviews", "encoded", "calibrations")]
    return Pipeline(
        [
            node(select_newest, "monitor_sentiment_found_scores", SCORES),
            node(describe_reference, [SCORES, FOLDER, *left], REFERENCE),
            node(compare_scores, [SCORES, REFERENCE], MEASURES),
            node(read_champion, FOLDER, CHAMPION),
            node(monitor_scores, [MEASURES, CHAMPION, PARAMETERS], VERDICT),
            node(guard(draw_distributions, draw_note), [SCORES, REFERENCE], FIGURE),
            node(guard(render_report, render_note), [VERDICT, PARAMETERS, FIGURE], "monitor_sentiment_report"),
            node(guard(summarize_run, write_note), VERDICT, "monitor_sentiment_summary"),
        ]
    )
