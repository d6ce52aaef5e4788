"""LSTM and GRU networks at work in Kedro pipelines, always judged beside simple baselines."""

__version__ = "0.1.0"
