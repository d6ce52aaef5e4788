"""Comparison of simple RNN, LSTM and GRU with equal budgets, over several seeds and tasks."""

from rnn_pipelines.pipelines.compare.pipeline import create_pipeline as create_pipeline
