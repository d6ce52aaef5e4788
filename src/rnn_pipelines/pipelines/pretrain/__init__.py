"""Training of the pretrained networks on generated series."""

from rnn_pipelines.pipelines.pretrain.pipeline import create_pipeline as create_pipeline
