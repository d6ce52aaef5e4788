"""What is wrong in `mlflow.yml` is told with what to do; MLflow itself is not imported for it."""

import re
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest
import yaml

from rnn_pipelines.connectors.mlflow import specs
from rnn_pipelines.connectors.mlflow.specs import TrackingSpec, read_tracking
from rnn_pipelines.errors import ParameterError, TrackingError


def fail(settings: dict[str, Any]) -> str:
    with pytest.raises((ParameterError, TrackingError)) as caught:
        read_tracking(settings, Path())
    return str(caught.value)


def test_mlflow_is_off_by_default() -> None:
    assert read_tracking({}, Path()) is None


def test_the_database_of_mlflow_lies_in_the_project(tmp_path: Path) -> None:
    spec = read_tracking({"is_on": True}, tmp_path)
    assert spec is not None
    assert spec.tracking_uri == f"sqlite:///{tmp_path}/mlflow.db"


def test_settings_of_the_project_are_the_defaults(project: Path) -> None:
    assert (
        yaml.safe_load((project / "conf/base/mlflow.yml").read_text())
        == TrackingSpec().model_dump()
    )


@pytest.mark.parametrize(
    "address", ["sqlite:////var/lib/mlflow.db", "http://127.0.0.1:5000", "https://mlflow.org/a"]
)
def test_absolute_address_stays(address: str, tmp_path: Path) -> None:
    assert read_tracking({"is_on": True, "tracking_uri": address}, tmp_path).tracking_uri == address


@pytest.mark.parametrize("name", ["uri", "server"])
def test_unknown_setting_is_refused(name: str) -> None:
    """`server` is one of kedro-mlflow."""
    assert fail({name: {}}).startswith(f"mlflow.{name}: ")


@pytest.mark.parametrize(
    "address",
    [
        "mlruns",
        "sqlite:mlflow.db",
        "sqlite:///",
        "postgresql://a/b",
        "http://a:5000/",
        "http://a\x1b",
    ],
)
def test_wrong_address_is_refused_with_the_right_forms(address: str) -> None:
    assert re.match(r"mlflow\.tracking_uri: .*sqlite:///.*http://", fail({"tracking_uri": address}))


@pytest.mark.parametrize(
    "address",
    [
        "https://me:hunter2@mlflow.example.org",
        "https://hunter2@mlflow.example.org",
        "https://mlflow.example.org?token=hunter2",
        "https://mlflow.example.org/a?b=c&token=hunter2",
        "https://mlflow.example.org#hunter2",
        "https://mlflow.example.org/#/a?token=hunter2",
        "postgresql://me:hunter2@host/mlflow",
        "sqlite:///mlflow.db?key=hunter2",
        ["https://me:hunter2@mlflow.example.org"],
    ],
)
def test_secret_in_the_address_is_refused_without_showing_it(address: Any) -> None:
    """Neither in the message nor in the traceback, which names the variables that MLflow reads instead."""
    with pytest.raises(ParameterError) as caught:
        read_tracking({"is_on": True, "tracking_uri": address}, Path())
    variables = {"MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"}
    assert variables <= set(re.findall(r"MLFLOW_\w+", str(caught.value)))
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_wrong_value_is_shown_without_mlflow() -> None:
    assert re.match(r"mlflow\.is_on: .*'often'", fail({"is_on": "often"}))
    code = (
        "import sys; from pathlib import Path; from rnn_pipelines.connectors.mlflow import publication, specs; "
        "print(specs.read_tracking({'is_on': True}, Path()).is_on, 'mlflow' in sys.modules)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert finished.stdout == "True False\n"


def test_missing_extra_is_told_unless_mlflow_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(specs, "find_spec", lambda name: None)
    assert 'pip install "rnn-pipelines[mlflow]"' in fail({"is_on": True})
    assert read_tracking({"is_on": False}, Path()) is None
