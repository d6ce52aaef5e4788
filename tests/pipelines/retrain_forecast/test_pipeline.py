"""The wiring of `retrain_forecast`."""

from kedro.framework.project import configure_project, find_pipelines

from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.pipelines import forecast
from rnn_pipelines.pipelines.retrain_forecast import create_pipeline


def test_every_network_is_trained() -> None:
    trained = [
        node.namespace for node in create_pipeline().nodes if node.short_name == "train_network"
    ]
    assert sorted(trained) == sorted(f"retrain_forecast_{name}" for name in NETWORKS)


def test_parameters_are_those_of_forecast() -> None:
    blocks = {
        name.partition(".")[2]
        for name in create_pipeline().inputs()
        if name.startswith("params:forecast.")
    }
    expected = {
        "source",
        "gaps",
        "breaks",
        "split",
        "window",
        "calendar",
        "covariates",
        "training",
        "evaluation",
    }
    assert blocks == expected | set(NETWORKS) | {
        "level",
        "use",
        "partitions",
        "pretrained",
        "totals",
    }


def test_the_champion_is_read_with_the_checkpoints() -> None:
    data = {name for name in create_pipeline().inputs() if not name.startswith("params:")}
    assert data == {
        "forecast_external",
        "forecast_partition_folder",
        "champion_forecast",
        "retrain_forecast_checkpoints",
    }


def test_one_node_reads_the_source() -> None:
    readers = {
        node.short_name for node in create_pipeline().nodes if "forecast_external" in node.inputs
    }
    assert readers == {"draw_sample"}


def test_data_is_prepared_as_by_forecast() -> None:
    """By the same functions from the same parameters."""
    prepared = {node.func: node for node in create_pipeline().nodes}
    for node in forecast.create_pipeline().to_outputs("forecast_windows").nodes:
        if node.short_name not in ("draw_sample", "read_source"):
            again = prepared[node.func]
            assert [name for name in again.inputs if name.startswith("params:")] == [
                name for name in node.inputs if name.startswith("params:")
            ]


def test_what_is_decided_on_is_what_was_evaluated() -> None:
    nodes = {node.short_name: node for node in create_pipeline().nodes}
    assert "retrain_forecast_challenger" in nodes["forecast_holdout"].inputs
    assert nodes["decide_promotion"].inputs[0] == "retrain_forecast_challenger"


def test_shared_modules_are_no_pipelines() -> None:
    # Kedro takes folders in `pipelines/` for pipelines, and no modules.
    configure_project("rnn_pipelines")
    assert {"forecast", "retrain_forecast"} <= (names := set(find_pipelines(raise_errors=True)))
    assert {"retraining", "steps", "wiring"} & names == set()
