"""Backtests of retraining schedules, which show how often to retrain."""

from rnn_pipelines.pipelines.backtest_forecast.pipeline import create_pipeline as create_pipeline
