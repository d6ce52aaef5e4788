"""Reviews to sentiment by LSTM and GRU, judged beside the classical n-gram classifier."""

from rnn_pipelines.pipelines.sentiment.pipeline import create_pipeline

__all__ = ["create_pipeline"]
