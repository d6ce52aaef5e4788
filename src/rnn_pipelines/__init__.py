"""LSTM and GRU networks at work in Kedro pipelines, always judged beside simple baselines."""

from rnn_pipelines.keras_start import quicken_start

__version__ = "0.1.0"

quicken_start()
