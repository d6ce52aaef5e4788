"""A version as a model that MLflow serves, of its flavour `python_function`: from code and without pickle."""

import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import mlflow.pyfunc
from mlflow.models import ModelSignature


def save_served_model(
    folder: Path,
    code: Path,
    artifact: tuple[str, Mapping[str, bytes]],
    signature: ModelSignature,
    requirements: Sequence[str],
) -> None:
    """Write a model that MLflow serves, into a folder that does not exist.

    Args:
        code: a file whose `set_model` names the class; MLflow runs a copy of it.
        artifact: the name of a folder among the artifacts, and its files: content by name.
        requirements: for pip. Given, because MLflow would load the model in another process to find them.
    """
    name, files = artifact
    with tempfile.TemporaryDirectory() as made:
        # The model keeps the name of the folder.
        own = Path(made, name)
        own.mkdir()
        for file, content in files.items():
            (own / file).parent.mkdir(parents=True, exist_ok=True)
            (own / file).write_bytes(content)
        # MLflow advises an example and type hints, of which the schema needs none. It sets its own filters, so that a
        # filter would not hide the advice.
        with warnings.catch_warnings(record=True):
            mlflow.pyfunc.save_model(
                folder,
                python_model=str(code),
                artifacts={name: str(own)},
                signature=signature,
                pip_requirements=list(requirements),
            )
