"""Forecasts of series by LSTM and GRU, compared with simple baselines."""

from rnn_pipelines.pipelines.forecast.pipeline import create_pipeline as create_pipeline
