"""The models that MLflow serves, by task."""

from collections.abc import Mapping
from pathlib import Path

from rnn_pipelines.champion.tracking.specs import SaveModel


def save_forecaster(files: Mapping[str, bytes], folder: Path) -> None:
    """Write a forecaster as a model that MLflow serves, see `save_mlflow_model`."""
    # Here, because only a publication needs MLflow and the modules of an export.
    from rnn_pipelines.forecast.export.mlflow_model import save_mlflow_model

    save_mlflow_model(files, folder)


def save_classifier(files: Mapping[str, bytes], folder: Path) -> None:
    """Write a text classifier as a model that MLflow serves, see `save_mlflow_model`."""
    from rnn_pipelines.sentiment.export.mlflow_model import save_mlflow_model

    save_mlflow_model(files, folder)


SAVERS: Mapping[str, SaveModel] = {"forecast": save_forecaster, "sentiment": save_classifier}
