"""One word, five places; and every node says what it does."""

from pathlib import Path

import pytest
from kedro.pipeline import Pipeline


@pytest.fixture(scope="module")
def names(project: Path) -> list[str]:
    """The pipelines by their folders."""
    folders = (project / "src" / "rnn_pipelines" / "pipelines").iterdir()
    return sorted(folder.name for folder in folders if (folder / "pipeline.py").is_file())


def reads_parameters(pipeline: Pipeline) -> bool:
    return any(name.startswith("params:") for name in pipeline.inputs())


def test_every_folder_is_a_pipeline_on_the_command_line(
    registered: dict[str, Pipeline], names: list[str]
) -> None:
    assert sorted(registered) == names


def test_every_pipeline_has_its_catalog(project: Path, names: list[str]) -> None:
    files = sorted(path.name for path in (project / "conf" / "base").glob("catalog_*.yml"))
    assert files == [f"catalog_{name}.yml" for name in names]


def test_every_pipeline_that_reads_parameters_has_their_file(
    project: Path, registered: dict[str, Pipeline]
) -> None:
    """And no pipeline without parameters has an empty one."""
    files = sorted(path.name for path in (project / "conf" / "base").glob("parameters_*.yml"))
    assert files == [
        f"parameters_{name}.yml"
        for name in sorted(registered)
        if reads_parameters(registered[name])
    ]


def test_every_pipeline_has_its_tests(project: Path, names: list[str]) -> None:
    folders = {path.parent.name for path in (project / "tests" / "pipelines").glob("*/test_*.py")}
    assert folders == set(names)


def test_every_pipeline_has_its_wiring_with_only_nodes_beside_it(
    project: Path, names: list[str]
) -> None:
    folder = project / "src" / "rnn_pipelines" / "pipelines"
    modules = {name: sorted(path.name for path in (folder / name).glob("*.py")) for name in names}
    others = {name: sorted(set(found) - {"nodes.py"}) for name, found in modules.items()}
    assert {
        name: found for name, found in others.items() if found != ["__init__.py", "pipeline.py"]
    } == {}


def test_forecast_is_the_default(registered: dict[str, Pipeline]) -> None:
    from kedro.framework.project import pipelines

    assert pipelines["__default__"].describe() == registered["forecast"].describe()


def test_every_node_has_a_docstring(registered: dict[str, Pipeline]) -> None:
    silent = {
        node.name
        for pipeline in registered.values()
        for node in pipeline.nodes
        if not node.func.__doc__
    }
    assert silent == set()


def test_every_node_is_named_after_its_function(registered: dict[str, Pipeline]) -> None:
    """Behind its namespace, if it has one."""
    renamed = {
        node.name
        for pipeline in registered.values()
        for node in pipeline.nodes
        if node.name.rpartition(".")[2] != node.func.__name__
    }
    assert renamed == set()
