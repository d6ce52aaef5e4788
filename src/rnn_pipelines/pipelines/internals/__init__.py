"""Inside the cells of trained networks: gates, states, memory."""

from rnn_pipelines.pipelines.internals.pipeline import create_pipeline

__all__ = ["create_pipeline"]
