"""The wiring of `forecast`."""

from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.pipelines.forecast import create_pipeline


def test_every_network_comes_from_one_template() -> None:
    by_network: dict[str, list[str]] = {f"methods.{name}": [] for name in NETWORKS}
    for node in create_pipeline().nodes:
        if node.namespace and "." in node.namespace:
            by_network[node.namespace].append(node.short_name)
    assert by_network == {
        f"methods.{name}": ["take_network", "export_network"] for name in NETWORKS
    }


def test_graph_has_four_parts() -> None:
    parts = ("preparation", "methods", "evaluation", "report")
    place = {
        node.name: parts.index(str(node.namespace).partition(".")[0])
        for node in create_pipeline().nodes
    }
    assert set(place.values()) == {0, 1, 2, 3}


def test_each_part_reads_only_those_before() -> None:
    """Otherwise kedro-viz could not draw a part as one box."""
    parts = ("preparation", "methods", "evaluation", "report")
    place = {
        node.name: parts.index(str(node.namespace).partition(".")[0])
        for node in create_pipeline().nodes
    }
    readers = [
        (place[parent.name], place[node.name])
        for node, parents in create_pipeline().node_dependencies.items()
        for parent in parents
    ]
    assert [pair for pair in readers if pair[0] > pair[1]] == []


def test_all_methods_see_the_same_windows() -> None:
    readers = {node.name for node in create_pipeline().nodes if "forecast_windows" in node.inputs}
    assert {
        "methods.fit_linear_models",
        "methods.fit_all_methods",
        "methods.train_networks",
    } <= readers


def test_linear_models_are_fitted_once() -> None:
    # Which is fitted once.
    readers = {node.name for node in create_pipeline().nodes if "forecast_linear" in node.inputs}
    assert {"methods.fit_all_methods", "methods.train_networks"} <= readers


def test_every_network_reaches_the_ensemble() -> None:
    nodes = {node.name: set(node.inputs) for node in create_pipeline().nodes}
    assert {f"forecast_{name}_model" for name in NETWORKS} <= nodes["methods.fit_all_methods"]


def test_data_come_from_outside() -> None:
    data = {name for name in create_pipeline().inputs() if not name.startswith("params:")}
    assert data == {"forecast_external", "forecast_run_before", "forecast_partition_folder"}


def test_data_are_checked_before_they_are_saved() -> None:
    nodes = {node.name: node for node in create_pipeline().nodes}
    assert nodes["preparation.read_source"].outputs[0] == "forecast_table"
    assert nodes["preparation.prepare_series"].inputs[0] == "forecast_table"
