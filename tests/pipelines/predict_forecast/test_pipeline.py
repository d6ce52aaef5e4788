"""The wiring of `predict_forecast`."""

from rnn_pipelines.pipelines.predict_forecast import create_pipeline


def test_only_the_table_and_the_champion_are_read() -> None:
    data = {name for name in create_pipeline().inputs() if not name.startswith("params:")}
    assert data == {"forecast_external", "champion_forecast", "forecast_partition_folder"}


def test_only_forecasts_their_inputs_and_their_report_come_out() -> None:
    inside = ("table", "covariate_table", "sample", "newest")
    assert create_pipeline().all_outputs() - {f"predict_forecast_{name}" for name in inside} == {
        "predict_forecast_forecasts",
        "predict_forecast_next_paths",
        "predict_forecast_all_next_values",
        "predict_forecast_all_series",
        "predict_forecast_nights",
        "predict_forecast_explanation",
        "predict_forecast_report",
        "predict_forecast_summary",
    }
