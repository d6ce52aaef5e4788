"""The graph of `compare`: tasks → trainings → summary → report."""

from kedro.pipeline import Node, Pipeline

from rnn_pipelines.pipelines.compare import nodes

FIGURES = ("curves", "losses", "differences", "time")


def create_pipeline() -> Pipeline:
    """Trains, summarises, draws and reports."""
    figures = {name: f"compare_{name}_figure" for name in FIGURES}
    return Pipeline(
        [
            Node(
                nodes.compare_cells,
                ["params:compare.tasks", "params:compare.plan", "compare_finished", "params:parallel"],
                ["compare_runs", "compare_description"],
                name="compare_cells",
            ),
            Node(
                nodes.summarize_runs,
                "compare_runs",
                "compare_results",
                name="summarize_runs",
            ),
            Node(
                nodes.draw_figures,
                ["compare_runs", "compare_results", "compare_description"],
                figures,
                name="draw_figures",
            ),
            Node(
                nodes.render_report,
                {
                    "results": "compare_results",
                    "description": "compare_description",
                    "plan": "params:compare.plan",
                    **figures,
                },
                "compare_report",
                name="render_report",
            ),
        ]
    )
