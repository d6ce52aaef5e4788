"""The wiring of `backtest_forecast`."""

from rnn_pipelines.pipelines.backtest_forecast import create_pipeline


def test_no_champion_is_read() -> None:
    data = {name for name in create_pipeline().inputs() if not name.startswith("params:")}
    assert data == {"forecast_external"}


def test_no_champion_is_written() -> None:
    assert all(name.startswith("backtest_forecast_") for name in create_pipeline().all_outputs())


def test_all_parameters_are_read() -> None:
    read = {
        name.removeprefix("params:")
        for name in create_pipeline().inputs()
        if name.startswith("params:")
    }
    assert {"forecast.lstm", "forecast.gru", "forecast.training", "retrain_forecast"} <= read
