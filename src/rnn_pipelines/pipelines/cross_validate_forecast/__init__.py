"""Cross-validation from rolling origins: each fit uses only data before its origin."""

from rnn_pipelines.pipelines.cross_validate_forecast.pipeline import (
    create_pipeline as create_pipeline,
)
