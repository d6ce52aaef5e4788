"""Gates, states and memory of the cells of trained networks."""

from rnn_pipelines.pipelines.internals.pipeline import create_pipeline as create_pipeline
