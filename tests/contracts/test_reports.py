"""What draws and renders never ends a run, and what measures and forecasts always does."""

import re
from pathlib import Path
from typing import Any

import pytest
from kedro.framework.context import KedroContext
from kedro.pipeline import Node, Pipeline
from plotly.graph_objects import Figure

from rnn_pipelines.datasets import NewestVersionsDataset
from rnn_pipelines.report.failures import Guarded, pop_failures

# `internals_summary` and `tune_forecast_summary` are numbers.
# The inputs of a night are kept for the explanation of the next one.
REPORTS = re.compile(
    r"(?!(internals|tune_forecast)_summary).*_(figure|report|examples|explanation|covariates|series_methods|summary)"
    r"|predict_forecast_nights"
)


def is_guarded(node: Node) -> bool:
    return isinstance(node.func, Guarded)


@pytest.fixture(scope="module")
def nodes(registered: dict[str, Pipeline]) -> dict[str, Node]:
    """Of all pipelines."""
    return {
        f"{name}: {node.name}": node
        for name, pipeline in registered.items()
        for node in pipeline.nodes
    }


def test_nodes_are_guarded_exactly_if_they_make_a_part_of_a_report(nodes: dict[str, Node]) -> None:
    is_report = {
        name: [bool(REPORTS.fullmatch(output)) for output in node.outputs]
        for name, node in nodes.items()
    }
    assert {name for name, node in nodes.items() if is_guarded(node)} == {
        name for name, parts in is_report.items() if any(parts)
    }


def test_all_outputs_of_such_a_node_are_parts_of_a_report(nodes: dict[str, Node]) -> None:
    is_report = {
        name: [bool(REPORTS.fullmatch(output)) for output in node.outputs]
        for name, node in nodes.items()
    }
    assert [name for name, parts in is_report.items() if any(parts) and not all(parts)] == []


def test_guarded_failures_are_as_the_catalog(
    nodes: dict[str, Node], context: KedroContext, tmp_path: Path
) -> None:
    """Given nothing that it can use."""
    guarded = {name: node for name, node in nodes.items() if is_guarded(node)}
    assert len(guarded) > 15
    catalog = context.catalog
    for name, node in guarded.items():
        outputs = node.run(dict.fromkeys(node.inputs))
        assert pop_failures(), name
        for dataset, note in outputs.items():
            assert save_and_load(catalog.get(dataset), note, tmp_path), name


def save_and_load(dataset: Any, note: Any, folder: Path) -> bool:
    """Whether the note comes back as what it was; in a folder instead of the data root."""
    wrapped = getattr(dataset, "_dataset", dataset)
    if isinstance(dataset, NewestVersionsDataset):
        # No files are no version.
        versions = dataset.load()
        dataset.save(note)
        return bool(dataset.load() == versions)
    if hasattr(wrapped, "_filepath"):
        before = wrapped._filepath
        wrapped._filepath = type(before)(folder / before.name)
    dataset.save(note)
    loaded = dataset.load()
    if hasattr(wrapped, "_filepath"):
        wrapped._filepath = before
    expected = Figure if isinstance(note, Figure) else type(note)
    return isinstance(loaded, expected)
