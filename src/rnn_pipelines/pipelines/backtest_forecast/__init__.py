"""A schedule of retrainings replayed over the past, to know how often to retrain."""

from rnn_pipelines.pipelines.backtest_forecast.pipeline import create_pipeline

__all__ = ["create_pipeline"]
