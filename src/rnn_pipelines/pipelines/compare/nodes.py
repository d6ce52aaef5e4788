"""What of `compare` loads Plotly, and does so when it is run."""

from typing import TYPE_CHECKING, Any

from rnn_pipelines.compare.records import Description, Results, RunWithCurve
from rnn_pipelines.compare.specs import PlanSpec

# Kedro resolves these hints when it checks parameters, and must not load what only some commands need.
if TYPE_CHECKING:
    from plotly.graph_objects import Figure
else:
    Figure = Any


def draw_figures(runs: list[RunWithCurve], results: Results, description: Description) -> dict[str, Figure]:
    """Draws learning curves, losses by seed, differences and time."""
    from rnn_pipelines.compare.report import figures

    return figures.draw_figures(runs, results, description)


def render_report(results: Results, description: Description, plan: PlanSpec, **figures: Figure) -> str:
    """Puts verdicts, tables and figures into one HTML file that needs no network."""
    from rnn_pipelines.compare.report.report import render_compare_report

    return render_compare_report(results, description, plan, figures)
