"""Training of the pretrained networks on generated series."""

from rnn_pipelines.pipelines.pretrain.pipeline import create_pipeline

__all__ = ["create_pipeline"]
