"""The sentiment of reviews by LSTM and GRU, compared with a classical n-gram classifier."""

from rnn_pipelines.pipelines.sentiment.pipeline import create_pipeline as create_pipeline
