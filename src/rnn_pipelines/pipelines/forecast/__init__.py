"""Series to forecasts by LSTM and GRU, judged beside simple baselines."""

from rnn_pipelines.pipelines.forecast.pipeline import create_pipeline

__all__ = ["create_pipeline"]
