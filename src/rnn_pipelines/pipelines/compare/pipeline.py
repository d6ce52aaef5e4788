"""The graph of `compare`: tasks → trainings → summary → report."""

from kedro.pipeline import Pipeline, node

from rnn_pipelines.compare.comparison import compare_cells
from rnn_pipelines.compare.intervals import summarize_runs
from rnn_pipelines.pipelines.compare.nodes import draw_figures, render_report

FIGURES = ("curves", "losses", "differences", "time")


def create_pipeline() -> Pipeline:
    """Trains, summarises, draws and reports."""
    settings = ["params:compare.tasks", "params:compare.plan", "compare_finished", "params:parallel"]
    figures = {name: f"compare_{name}_figure" for name in FIGURES}
    drawn = ["compare_runs", "compare_results", "compare_description"]
    told = {"results": "compare_results", "description": "compare_description", "plan": "params:compare.plan"}
    return Pipeline(
        [
            node(compare_cells, settings, ["compare_runs", "compare_description"], name="compare_cells"),
            node(summarize_runs, "compare_runs", "compare_results", name="summarize_runs"),
            node(draw_figures, drawn, figures, name="draw_figures"),
            node(render_report, told | figures, "compare_report", name="render_report"),
        ]
    )
