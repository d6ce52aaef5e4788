"""The graph of `compare`: tasks → trainings → summary → report."""

from kedro.pipeline import Pipeline

from rnn_pipelines.lab.compare.comparison import compare_cells
from rnn_pipelines.lab.compare.intervals import summarize_runs
from rnn_pipelines.lab.compare.report.figures import draw_comparison_figures
from rnn_pipelines.lab.compare.report.report import report_comparison
from rnn_pipelines.pipelines.wiring import node
from rnn_pipelines.report.failures import guard
from rnn_pipelines.report.notes import draw_notes, render_or_note, summarize_or_note

FIGURES = ("curves", "losses", "differences", "time")


def create_pipeline() -> Pipeline:
    """Train, summarise, draw and report."""
    settings = [
        "params:compare.tasks",
        "params:compare.plan",
        "compare_finished",
        "params:parallel",
    ]
    figures = {figure: f"compare_{figure}_figure" for figure in FIGURES}
    drawn = ["compare_runs", "compare_results", "compare_description"]
    reported = {
        "results": "compare_results",
        "description": "compare_description",
        "plan": "params:compare.plan",
        **figures,
    }
    nodes = [
        node(compare_cells, settings, ["compare_runs", "compare_description"]),
        node(summarize_runs, "compare_runs", "compare_results"),
        node(guard(draw_comparison_figures, draw_notes(FIGURES), "draw_figures"), drawn, figures),
        node(render_or_note(report_comparison), reported, "compare_report"),
        node(
            summarize_or_note(report_comparison, "summarize_comparison"),
            reported,
            "compare_summary",
        ),
    ]
    return Pipeline(nodes)
