"""No module imports one that imports it in turn: at the top, inside functions and for types counted."""

from graphlib import CycleError, TopologicalSorter

import grimp
import pytest


def find_cycle(imports: dict[str, set[str]]) -> list[str]:
    """The modules of one circle; none where there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Imports of types too, and those inside functions."""
    return grimp.build_graph("rnn_pipelines", exclude_type_checking_imports=False, cache_dir=None)


def test_no_modules_import_each_other(graph: grimp.ImportGraph) -> None:
    imports = {
        module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules
    }
    assert len(imports) > 100
    assert find_cycle(imports) == []


def test_no_packages_import_each_other(graph: grimp.ImportGraph) -> None:
    """The subpackages and modules at the root."""
    packages: dict[str, set[str]] = {}
    for module in graph.modules - {"rnn_pipelines"}:
        package = module.split(".")[1]
        imported = {
            name.split(".")[1]
            for name in graph.find_modules_directly_imported_by(module)
            if "." in name
        }
        packages.setdefault(package, set()).update(imported - {package})
    assert find_cycle(packages) == []


def test_imports_inside_functions_are_in_the_graph(graph: grimp.ImportGraph) -> None:
    """As that of Keras' own side of training, which makes commands start fast."""
    assert (
        "rnn_pipelines.sentiment.methods.keras_training"
        in graph.find_modules_directly_imported_by("rnn_pipelines.sentiment.methods.training")
    )


def test_a_circle_would_be_found() -> None:
    assert find_cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) != []
