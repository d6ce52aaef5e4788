"""The graph of `internals`: trained and pretrained networks → gates and states → statistics → report."""

from kedro.pipeline import Pipeline

from rnn_pipelines.lab.internals.explorer import explore_classifier, explore_forecasters
from rnn_pipelines.lab.internals.forecast.choice import choose_forecasters
from rnn_pipelines.lab.internals.forecast.pretrained import trace_pretrained
from rnn_pipelines.lab.internals.forecast.traces import trace_forecasters
from rnn_pipelines.lab.internals.gate_statistics import measure_traces
from rnn_pipelines.lab.internals.notation import CELLS, list_figures
from rnn_pipelines.lab.internals.report.figures import draw_internals_figures
from rnn_pipelines.lab.internals.report.report import report_internals
from rnn_pipelines.lab.internals.sentiment.choice import choose_classifier
from rnn_pipelines.lab.internals.sentiment.traces import trace_classifier
from rnn_pipelines.pipelines.wiring import node
from rnn_pipelines.report.failures import guard
from rnn_pipelines.report.notes import draw_notes, render_note, render_or_note, summarize_or_note

FORECASTERS = {
    "panel": "internals_found_windows",
    "linear": "internals_found_linear",
    "series": "params:internals.series",
    **{cell: f"internals_found_{cell}_model" for cell in CELLS},
}
EXPLORED = ["internals_forecasters", "internals_found_features", "internals_found_scaler"]
REVIEWS = ["internals_found_reviews", "params:internals.reviews"]
SAMPLE = "params:internals.sample"
FORECAST, PRETRAINED = "internals_forecast_traces", "internals_pretrained_traces"
SENTIMENT, READINGS = "internals_sentiment_traces", "internals_readings"
TABLES = ["internals_distributions", "internals_half_lives", "internals_gradients"]
FIGURES = {figure: f"internals_{figure}_figure" for figure in list_figures()}
REPORTED = {
    "summary": "internals_summary",
    "readings": READINGS,
    "parameters": "params:internals",
    **FIGURES,
}


def create_pipeline() -> Pipeline:
    """Choose and trace forecasters and a classifier, then measure, draw and report."""
    classifier = ["internals_found_classifier", *REVIEWS, "params:internals.classifier"]
    read = [SENTIMENT, READINGS]
    nodes = [
        node(choose_forecasters, FORECASTERS, "internals_forecasters"),
        node(choose_classifier, classifier, "internals_classifier"),
        node(trace_forecasters, ["internals_forecasters", SAMPLE], FORECAST),
        node(
            trace_pretrained,
            ["internals_forecasters", "params:forecast.pretrained", SAMPLE],
            PRETRAINED,
        ),
        node(trace_classifier, ["internals_classifier", SAMPLE], read),
        node(measure_traces, [FORECAST, PRETRAINED, SENTIMENT], ["internals_summary", *TABLES]),
        node(
            guard(draw_internals_figures, draw_notes(FIGURES), "draw_figures"),
            [FORECAST, PRETRAINED, READINGS, *TABLES],
            FIGURES,
        ),
        node(render_or_note(report_internals), REPORTED, "internals_report"),
        node(guard(explore_forecasters, render_note), EXPLORED, "internals_explorer_report"),
        node(
            guard(explore_classifier, render_note),
            ["internals_classifier", SAMPLE],
            "internals_texts_report",
        ),
        node(summarize_or_note(report_internals), REPORTED, "internals_text_summary"),
    ]
    return Pipeline(nodes)
