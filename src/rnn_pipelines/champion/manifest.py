"""What a retraining was made of: fingerprints of data, parameters and code, versions of the libraries."""

import hashlib
import json
import platform
import subprocess
from datetime import date
from importlib import metadata
from pathlib import Path, PurePath
from typing import Any

import pandas as pd

import rnn_pipelines

PACKAGE = Path(rnn_pipelines.__file__).parent
LIBRARIES = ("kedro", "keras", "tensorflow", "h5py", "numpy", "pandas", "scikit-learn", "scipy", "pydantic")


def fingerprint_table(table: pd.DataFrame) -> str:
    """A hash of columns, types and values of a table, in the order of its rows; its row labels don't count."""
    digest = hashlib.sha256(json.dumps({name: str(kind) for name, kind in table.dtypes.items()}).encode())
    digest.update(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())
    return digest.hexdigest()


def fingerprint_values(values: Any) -> str:
    """A hash of plain values: mappings in whatever order, lists, texts, numbers, dates and paths.

    Raises:
        TypeError: another value, whose text could differ from one process to the next.
    """
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=_describe).encode()).hexdigest()


def _describe(value: Any) -> str:
    if isinstance(value, date | PurePath):
        return str(value)
    raise TypeError(f"{value!r}: a {type(value).__name__} has no fingerprint; expected plain values.")


def fingerprint_code() -> str:
    """A hash of the project's own modules."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(f"{path.relative_to(PACKAGE)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def find_commit() -> str | None:
    """The commit that the project is checked out at; None where it is no Git checkout, or Git is not there."""
    try:
        finished = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=PACKAGE, capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    # Before the first commit Git prints the word HEAD, and fails.
    return finished.stdout.strip() if finished.returncode == 0 else None


def describe_loader() -> dict[str, Any]:
    """Code and libraries, on which depends whether a model that is whole can be loaded."""
    return {"code": fingerprint_code(), "versions": list_versions()}


def list_versions() -> dict[str, str]:
    """Versions of Python, of the project and of what it computes with."""
    versions = {name: metadata.version(name) for name in LIBRARIES}
    return {"python": platform.python_version(), "rnn-pipelines": rnn_pipelines.__version__, **versions}
