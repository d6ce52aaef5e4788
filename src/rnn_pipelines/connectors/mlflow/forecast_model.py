"""A forecaster as a model that MLflow serves: an export, and the schema of its data."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema, TensorSpec

from rnn_pipelines.champion.folders import unpack_safely
from rnn_pipelines.connectors.mlflow.served_model import save_served_model
from rnn_pipelines.forecast.export.files import REQUIRED, list_exported
from rnn_pipelines.forecast.methods.predictions import ANOMALY_LEVEL
from rnn_pipelines.forecast.model.artefact import Forecaster
from rnn_pipelines.forecast.model.packing import unpack

# The exported folder among the artifacts, see `served`.
ARTIFACT = "forecaster"


def save_mlflow_model(files: Mapping[str, bytes], folder: Path) -> None:
    """Write a model of the columns of the data, which needs MLflow and `REQUIRED`, but not the project.

    Files of another kind are a ChampionError, a method that cannot be exported is a ParameterError.
    """
    forecaster = unpack_safely(folder, lambda: unpack(files))
    requirements = [f"{name}=={version(name)}" for name in ("mlflow", *REQUIRED)]
    files_of_export = (ARTIFACT, list_exported(forecaster))
    program = Path(__file__).with_name("forecast_served.py")
    save_served_model(folder, program, files_of_export, _describe_data(forecaster), requirements)


def _describe_data(forecaster: Forecaster) -> ModelSignature:
    """Return the columns of the data, and the parameters with their defaults."""
    settings = forecaster.settings
    intervals = forecaster.intervals
    time = DataType.long if isinstance(settings.freq, int) else DataType.string
    columns: list[ColSpec | TensorSpec] = [
        ColSpec(DataType.string, "unique_id", required=len(forecaster.scaler) > 1),
        ColSpec(time, "ds"),
        ColSpec(DataType.double, "y", required=False),
        *(
            ColSpec(
                DataType.string if column.levels else DataType.double, column.name, required=False
            )
            for column in forecaster.coding.columns
        ),
    ]
    levels = (
        []
        if intervals is None
        else [one for one in intervals.levels.tolist() if one != ANOMALY_LEVEL]
    )
    parameters = [
        ParamSpec("h", DataType.long, settings.horizon),
        ParamSpec("level", DataType.long, levels, shape=(-1,)),
    ]
    return ModelSignature(inputs=Schema(columns), params=ParamSchema(parameters))
