"""The wiring of `compare`."""

import pytest
from kedro.pipeline.node import Node

from rnn_pipelines.pipelines.compare import create_pipeline
from rnn_pipelines.pipelines.compare.pipeline import FIGURES


@pytest.fixture(scope="module")
def nodes() -> dict[str, Node]:
    return {node.name: node for node in create_pipeline().nodes}


def test_only_finished_trainings_come_from_outside() -> None:
    """And no node makes them: the folder fills while one runs."""
    inputs = {name for name in create_pipeline().inputs() if not name.startswith("params:")}
    assert inputs == {"compare_finished"}
    names = {node.name for node in create_pipeline().to_nodes("summarize_runs").nodes}
    assert names == {"compare_cells", "summarize_runs"}


def test_finished_trainings_are_read_by_the_comparison_alone(nodes: dict[str, Node]) -> None:
    """A training of other settings may lie there."""
    assert [name for name, node in nodes.items() if "compare_finished" in node.inputs] == [
        "compare_cells"
    ]


def test_results_are_those_of_the_runs(nodes: dict[str, Node]) -> None:
    """A training of other settings may lie there."""
    assert nodes["summarize_runs"].inputs == ["compare_runs"]


def test_every_figure_reaches_the_report(nodes: dict[str, Node]) -> None:
    figures = {f"compare_{name}_figure" for name in FIGURES}
    assert set(nodes["draw_figures"].outputs) == figures
    assert figures <= set(nodes["render_report"].inputs)


def test_the_plan_is_read_by_three_nodes(nodes: dict[str, Node]) -> None:
    readers = {name for name, node in nodes.items() if "params:compare.plan" in node.inputs}
    assert readers == {"compare_cells", "render_report", "summarize_comparison"}


def test_curves_of_runs_are_drawn(nodes: dict[str, Node]) -> None:
    # The results hold no curves.
    assert nodes["draw_figures"].inputs[0] == "compare_runs"
