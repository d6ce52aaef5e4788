"""Forecasts of the newest series by the champion."""

from rnn_pipelines.pipelines.predict_forecast.pipeline import create_pipeline as create_pipeline
