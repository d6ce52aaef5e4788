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


def test_nothing_else_reads_what_is_finished(nodes: dict[str, Node]) -> None:
    """A training of other settings may lie there."""
    assert [name for name, node in nodes.items() if "compare_finished" in node.inputs] == ["compare_cells"]


def test_summary_is_made_of_the_runs_alone(nodes: dict[str, Node]) -> None:
    assert nodes["summarize_runs"].inputs == ["compare_runs"]


def test_results_can_be_had_without_the_report() -> None:
    names = {node.name for node in create_pipeline().to_nodes("summarize_runs").nodes}
    assert names == {"compare_cells", "summarize_runs"}


def test_every_figure_is_saved_and_stands_in_the_report(nodes: dict[str, Node]) -> None:
    figures = {f"compare_{name}_figure" for name in FIGURES}
    assert set(nodes["draw_figures"].outputs) == figures
    assert figures <= set(nodes["render_report"].inputs)


def test_plan_reaches_training_and_report(nodes: dict[str, Node]) -> None:
    readers = {name for name, node in nodes.items() if "params:compare.plan" in node.inputs}
    assert readers == {"compare_cells", "render_report"}


def test_figures_are_drawn_of_the_runs_with_their_curves(nodes: dict[str, Node]) -> None:
    """The results hold no curves."""
    assert nodes["draw_figures"].inputs[0] == "compare_runs"
