"""The wiring of `predict_forecast`."""

from rnn_pipelines.pipelines.predict_forecast import create_pipeline


def test_only_the_table_and_the_champion_are_read() -> None:
    data = {name for name in create_pipeline().inputs() if not name.startswith("params:")}
    assert data == {"forecast_external", "champion_forecast"}


def test_only_forecasts_and_their_summary_come_out() -> None:
    assert create_pipeline().all_outputs() - {"predict_forecast_table", "predict_forecast_covariate_table"} == {
        "predict_forecast_forecasts",
        "predict_forecast_next_paths",
        "predict_forecast_summary",
    }
