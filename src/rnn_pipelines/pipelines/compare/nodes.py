"""Nodes of `compare`: each calls one function of the library with its typed parameters."""

from typing import TYPE_CHECKING, Any

from rnn_pipelines.compare import comparison, intervals
from rnn_pipelines.compare.specs import PlanSpec, TaskBook
from rnn_pipelines.networks.fan_out import ParallelSpec

# Kedro resolves these hints when it checks parameters, and must not load what only some commands need.
if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from rnn_pipelines.datasets.json_folder import JSONFolder
else:
    Figure = JSONFolder = Any


def compare_cells(
    tasks: TaskBook, plan: PlanSpec, finished: JSONFolder, parallel: ParallelSpec
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Trains every network with every seed, in several processes; what was finished before is not done again."""
    return comparison.compare_cells(tasks, plan, finished, parallel)


def summarize_runs(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Puts means, intervals and paired differences beside the runs."""
    return intervals.summarize_comparison(runs)


def draw_figures(runs: list[dict[str, Any]], results: dict[str, Any], description: dict[str, Any]) -> dict[str, Figure]:
    """Draws learning curves, losses by seed, differences and time."""
    from rnn_pipelines.compare.report import figures as compare_figures

    return compare_figures.draw_figures(runs, results["summary"], description)


def render_report(results: dict[str, Any], description: dict[str, Any], plan: PlanSpec, **figures: Figure) -> str:
    """Puts verdicts, tables and figures into one HTML file that needs no network."""
    from rnn_pipelines.compare.report import report as compare_report

    return compare_report.render_compare_report(results, description, plan, figures)
