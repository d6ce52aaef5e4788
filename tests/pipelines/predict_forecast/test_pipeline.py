"""The wiring of `predict_forecast`."""

from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner

from rnn_pipelines.pipelines.predict_forecast import create_pipeline
from rnn_pipelines.report.failures import pop_failures


def test_the_champion_is_read() -> None:
    data = {name for name in create_pipeline().inputs() if not name.startswith("params:")}
    assert data == {
        "forecast_external",
        "champion_forecast",
        "forecast_partition_folder",
        "predict_forecast_champion_folder",
        "predict_forecast_folder",
        "predict_forecast_found_forecasts",
    }


def test_forecasts_come_out() -> None:
    inside = (
        "table",
        "covariate_table",
        "sample",
        "newest",
        "night",
        "not_acting",
        "made",
        "stamp",
        "suspects",
        "all_totals",
    )
    assert create_pipeline().all_outputs() - {f"predict_forecast_{name}" for name in inside} == {
        "predict_forecast_forecasts",
        "predict_forecast_next_paths",
        "predict_forecast_next_totals",
        "predict_forecast_next_totals_csv",
        "predict_forecast_totals",
        "predict_forecast_all_next_values",
        "predict_forecast_all_series",
        "predict_forecast_nights",
        "predict_forecast_explanation",
        "predict_forecast_report",
        "predict_forecast_summary",
    }


def test_inputs_that_cannot_be_packed_do_not_end_the_run() -> None:
    """They serve only the explanation, and the forecasts are on record by then."""
    inputs = "predict_forecast_night", "predict_forecast_nights"
    (packing,) = [node for node in create_pipeline().nodes if node.outputs == [inputs[1]]]
    assert packing.inputs == [inputs[0]]
    found = SequentialRunner().run(
        Pipeline([packing]), DataCatalog({inputs[0]: MemoryDataset("no night")})
    )
    assert found[inputs[1]].load() == {}
    assert len(pop_failures()) == 1
