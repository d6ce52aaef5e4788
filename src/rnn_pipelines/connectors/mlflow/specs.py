"""The settings of MLflow."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from rnn_pipelines.errors import TrackingError
from rnn_pipelines.parameter_models import ParameterModel, read_parameter_model

SQLITE = "sqlite:///"
# Writes the files of a version, content by name, as a model that MLflow serves, into a folder that does not exist.
SaveModel = Callable[[Mapping[str, bytes], Path], None]


class TrackingSpec(ParameterModel, frozen=True, hide_input_in_errors=True):
    """The settings in `mlflow.yml`.

    Attributes:
        is_on: whether anything is published to MLflow.
        tracking_uri: `sqlite:///` and a file relative to the project, or the address of an MLflow server.
        name: experiment and registered model are both called `<name>-<task>`.
    """

    is_on: bool = False
    tracking_uri: str = "sqlite:///mlflow.db"
    name: str = Field("rnn-pipelines", pattern=r"^[\w.-]+$")

    # Before pydantic's own check, whose message would show the address, which may hold a password.
    @field_validator("tracking_uri", mode="before")
    @classmethod
    def _validate_address(cls, value: Any) -> str:
        address = str(value)
        if any(sign in address for sign in "@?#"):
            raise ValueError(
                "expected no user, password or token in the address (@, ? or #), because logs and errors show it; set "
                "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, which MLflow reads"
            )
        has_scheme = address.startswith((SQLITE, "http://", "https://"))
        if not has_scheme or address.endswith("/") or not address.isprintable():
            raise ValueError(
                "expected sqlite:///<file>, or http://<server> or https://<server> with no / at its end"
            )
        return address


def read_tracking(settings: Mapping[str, Any], root: Path) -> TrackingSpec | None:
    """Check the settings, the content of `mlflow.yml`, and that MLflow is installed, without importing it.

    Returns:
        The settings, with the absolute path of the database, which may be relative to `root`; None if MLflow is off.
    Raises:
        ParameterError: a setting is unknown or has an invalid value.
        TrackingError: the extra is missing.
    """
    spec: TrackingSpec = read_parameter_model("mlflow", TrackingSpec, settings)
    if not spec.is_on:
        return None
    if find_spec("mlflow") is None:
        raise TrackingError(
            'mlflow.yml: is_on is true, but MLflow is not installed. Run pip install "rnn-pipelines[mlflow]", or write '
            "is_on: false."
        )
    if not spec.tracking_uri.startswith(SQLITE):
        return spec
    path = root.resolve() / spec.tracking_uri.removeprefix(SQLITE)
    return spec.model_copy(update={"tracking_uri": f"{SQLITE}{path}"})
