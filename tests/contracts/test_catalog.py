"""Every dataset has an entry in the catalog, in the place and the layer where people look for it."""

import re
from pathlib import Path
from typing import Any

import pytest
from kedro.framework.context import KedroContext
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from rnn_pipelines.datasets import MODULES

LAYERS = [
    "raw",
    "intermediate",
    "primary",
    "feature",
    "model_input",
    "models",
    "model_output",
    "reporting",
]


# Patterns for the values in memory of several nodes.
GENERAL = re.compile(r"\{(run|experiment|task|value)\}")


@pytest.fixture(scope="module")
def catalog(context: KedroContext) -> DataCatalog:
    return context.catalog


@pytest.fixture(scope="module")
def entries(context: KedroContext) -> dict[str, dict]:
    """The entries as they are written."""
    return {
        name: entry
        for name, entry in context.config_loader["catalog"].items()
        if not name.startswith("_")
    }


def test_every_dataset_has_an_entry(catalog: Any, datasets: list[str]) -> None:
    assert [name for name in datasets if name not in catalog] == []


def test_every_dataset_has_a_layer(catalog: Any, datasets: list[str]) -> None:
    layers = {
        name: (catalog[name].metadata or {}).get("kedro-viz", {}).get("layer") for name in datasets
    }
    assert {name: layer for name, layer in layers.items() if layer not in LAYERS} == {}


def test_every_entry_belongs_to_a_pipeline(entries: dict[str, dict], datasets: list[str]) -> None:
    """A name with braces is a pattern, and stands for the datasets that it matches."""
    patterns = {
        name: re.compile(re.sub(r"\\{\w+\\}", r"\\w+", re.escape(name))) for name in entries
    }
    unused = [
        name
        for name, pattern in patterns.items()
        if not any(pattern.fullmatch(dataset) for dataset in datasets)
    ]
    assert unused == []


def test_every_entry_is_written_in_a_file_of_the_pipelines(
    project: Path, entries: dict[str, dict]
) -> None:
    """A search for a name, or for a pattern, finds the node that reads or writes it."""
    files = (project / "src" / "rnn_pipelines" / "pipelines").rglob("*.py")
    wiring = "\n".join(path.read_text(encoding="utf-8") for path in files)
    missing = [name for name in entries if f'"{name}"' not in wiring]
    assert [name for name in missing if not GENERAL.search(name)] == []
    # Those are for values in memory alone.
    assert {entries[name]["type"].rpartition(".")[2] for name in missing} == {"PassedDataset"}


def test_few_entries_only_give_a_layer(entries: dict[str, dict]) -> None:
    in_memory = [entry for entry in entries.values() if "PassedDataset" in entry["type"]]
    assert sum(entry.keys() == {"type", "metadata"} for entry in in_memory) <= 30


def test_no_node_leads_back_to_an_earlier_layer(
    catalog: Any, registered: dict[str, Pipeline]
) -> None:
    """kedro-viz hides all layers where two of them lead to each other."""

    def number(names: list[str]) -> list[int]:
        datasets = (catalog[name] for name in names if not name.startswith("param"))
        return [LAYERS.index(dataset.metadata["kedro-viz"]["layer"]) for dataset in datasets]

    nodes = [node for pipeline in registered.values() for node in pipeline.nodes]
    backward = {
        node.name
        for node in nodes
        if max(number(node.inputs), default=0) > min(number(node.outputs))
    }
    assert backward == set()


def test_every_file_lies_in_the_folder_of_its_layer(entries: dict[str, dict]) -> None:
    """`06_models` for the layer `models`."""
    misplaced = [
        name
        for name, entry in entries.items()
        if "filepath" in entry
        and f"/{LAYERS.index(entry['metadata']['kedro-viz']['layer']) + 1:02}_"
        not in entry["filepath"]
    ]
    assert misplaced == []


def test_folders_are_those_of_the_layers(entries: dict[str, dict]) -> None:
    folders = {
        Path(entry["filepath"]).parts[1]: entry["metadata"]["kedro-viz"]["layer"]
        for entry in entries.values()
        if "filepath" in entry
    }
    assert {folder.partition("_")[2] for folder in folders} == set(folders.values())


def test_paths_of_tests_are_in_their_own_folder(entries: dict[str, dict]) -> None:
    # That of the environment `test` is no folder of real results.
    roots = {Path(entry["filepath"]).parts[0] for entry in entries.values() if "filepath" in entry}
    assert roots == {".test_data"}


def test_every_path_is_below_its_pipeline(entries: dict[str, dict]) -> None:
    misplaced = [
        name
        for name, entry in entries.items()
        if "filepath" in entry and not name.startswith(f"{Path(entry['filepath']).parts[2]}_")
    ]
    assert misplaced == []


def test_nothing_is_pickled(entries: dict[str, dict]) -> None:
    assert [name for name, entry in entries.items() if "pickle" in str(entry).lower()] == []


def test_json_is_strict(entries: dict[str, dict]) -> None:
    # Kedro's own data set writes NaN and Infinity, which are no JSON; Plotly's writes null.
    assert [
        name for name, entry in entries.items() if entry.get("type") == "json.JSONDataset"
    ] == []


def test_every_own_class_of_datasets_has_its_line(project: Path, entries: dict[str, dict]) -> None:
    text = (project / "docs/reference/data-sets.md").read_text()
    section = text.partition("\n## Dataset classes\n")[2].partition("\n## ")[0]
    listed = re.findall(r"`(\w+Dataset)`", section)
    types = {entry["type"] for entry in entries.values()}
    own = {kind.rpartition(".")[2] for kind in types if kind.startswith("rnn_pipelines.")}
    assert sorted(listed) == sorted(own | set(MODULES))


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_has_its_folder(project: Path, layer: str) -> None:
    assert (project / "data" / f"{LAYERS.index(layer) + 1:02}_{layer}").is_dir()
