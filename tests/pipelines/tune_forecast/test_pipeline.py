"""The wiring of `tune_forecast`."""

from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.recipe import Recipe
from rnn_pipelines.pipelines.tune_forecast import create_pipeline


def test_nothing_that_is_in_use_is_read_or_written() -> None:
    data = {name for name in create_pipeline().inputs() if not name.startswith("params:")}
    assert data == {"forecast_external", "tune_forecast_folder"}
    assert all(name.startswith("tune_forecast_") for name in create_pipeline().all_outputs())
    read = {
        name.removeprefix("params:")
        for name in create_pipeline().inputs()
        if name.startswith("params:")
    }
    blocks = {*Recipe.model_fields, *NETWORKS, "training", "level"}
    assert {f"forecast.{block}" for block in blocks} <= read
