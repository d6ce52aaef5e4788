"""The wiring of `retrain_forecast`."""

from kedro.framework.project import configure_project, find_pipelines

from rnn_pipelines.pipelines.forecast.pipeline import CELLS, create_data_pipeline
from rnn_pipelines.pipelines.retrain_forecast import create_pipeline
from rnn_pipelines.pipelines.retrain_forecast.pipeline import create_network_pipeline


def test_both_networks_come_from_one_template() -> None:
    assert [[node.short_name for node in create_network_pipeline(cell).nodes] for cell in CELLS] == [
        ["train_challenger"],
        ["train_challenger"],
    ]


def test_data_is_prepared_as_by_hand() -> None:
    """By the same functions from the same parameters."""
    nodes = {node.short_name: node for node in create_pipeline().nodes}
    for node in create_data_pipeline().from_nodes("prepare_series").nodes:
        again = nodes[node.short_name]
        assert again.func == node.func
        assert [name for name in again.inputs if name.startswith("params:")] == [
            name for name in node.inputs if name.startswith("params:")
        ]


def test_all_parameters_of_forecast_are_read() -> None:
    blocks = {name.partition(".")[2] for name in create_pipeline().inputs() if name.startswith("params:forecast.")}
    expected = {"source", "gaps", "split", "window", "calendar", "training", "evaluation"}
    assert blocks == expected | set(CELLS)


def test_nothing_is_read_but_the_table_the_champion_and_checkpoints() -> None:
    data = {name for name in create_pipeline().inputs() if not name.startswith("params:")}
    assert data == {"forecast_external", "champion_forecast", "retrain_forecast_checkpoints"}


def test_table_is_cut_before_anything_reads_it() -> None:
    readers = {node.short_name for node in create_pipeline().nodes if "forecast_external" in node.inputs}
    assert readers == {"read_newest"}


def test_what_is_decided_on_is_what_was_evaluated() -> None:
    nodes = {node.short_name: node for node in create_pipeline().nodes}
    assert "retrain_forecast_challenger" in nodes["forecast_holdout"].inputs
    assert nodes["decide_promotion"].inputs[0] == "retrain_forecast_challenger"


def test_the_template_of_retrainings_is_no_pipeline() -> None:
    """Kedro takes folders in `pipelines/` for pipelines, and no modules."""
    configure_project("rnn_pipelines")
    assert {"forecast", "retrain_forecast"} <= (names := set(find_pipelines(raise_errors=True)))
    assert "retraining" not in names
