"""The wiring of `forecast`."""

from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.pipelines.forecast import create_pipeline


def test_every_network_comes_from_one_template() -> None:
    by_network = {name: [] for name in NETWORKS}
    for node in create_pipeline().nodes:
        if node.namespace:
            by_network[node.namespace.removeprefix("forecast_")].append(node.short_name)
    assert by_network == {name: ["train_network", "export_network"] for name in NETWORKS}


def test_networks_and_baselines_see_the_same_windows() -> None:
    readers = {node.name for node in create_pipeline().nodes if "forecast_windows" in node.inputs}
    assert {
        "fit_linear_models",
        "fit_all_methods",
        "forecast_lstm.train_network",
        "forecast_gru.train_network",
    } <= readers


def test_networks_and_baselines_start_from_what_is_linear() -> None:
    """Which is fitted once."""
    readers = {node.name for node in create_pipeline().nodes if "forecast_linear" in node.inputs}
    assert {"fit_all_methods", "forecast_lstm.train_network", "forecast_gru.train_network"} <= readers


def test_ensemble_is_of_every_network() -> None:
    nodes = {node.name: set(node.inputs) for node in create_pipeline().nodes}
    assert {f"forecast_{name}_model" for name in NETWORKS} <= nodes["fit_all_methods"]


def test_data_from_outside_are_the_external_table_and_the_run_before() -> None:
    data = {name for name in create_pipeline().inputs() if not name.startswith("params:")}
    assert data == {"forecast_external", "forecast_run_before"}


def test_nothing_is_saved_before_the_series_is_checked() -> None:
    nodes = {node.name: node for node in create_pipeline().nodes}
    assert nodes["read_source"].outputs[0] == "forecast_table"
    assert nodes["prepare_series"].inputs[0] == "forecast_table"
