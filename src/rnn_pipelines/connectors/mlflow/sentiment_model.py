"""A text classifier as a model that MLflow serves: its files, and the schema of its data."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema

from rnn_pipelines.connectors.mlflow.served_model import save_served_model
from rnn_pipelines.sentiment.model.packing import read_settings
from rnn_pipelines.version import __version__

# The folder among the artifacts, see `served`.
ARTIFACT = "classifier"


def save_mlflow_model(files: Mapping[str, bytes], folder: Path) -> None:
    """Write a model of the column `text`, whose result is that of `TextClassifier.predict`, into a new folder.

    Other files than those of a text classifier, content by name, raise a ChampionError.
    """
    read_settings(files)
    # Only networks need Keras.
    extra = "[keras]" if any(name.endswith(".keras") for name in files) else ""
    save_served_model(
        folder,
        Path(__file__).with_name("sentiment_served.py"),
        (ARTIFACT, files),
        ModelSignature(inputs=Schema([ColSpec(DataType.string, "text")])),
        [f"mlflow=={version('mlflow')}", f"rnn-pipelines{extra}=={__version__}"],
    )
