"""The inputs of a retraining: fingerprints of data, parameters and code, and versions of the libraries."""

import hashlib
import json
import platform
import subprocess
from collections.abc import Mapping
from datetime import date
from importlib import metadata
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from rnn_pipelines.champion.records import Fingerprints, Loader, RetrainingInputs, make_plain
from rnn_pipelines.storage.names import make_timestamp
from rnn_pipelines.version import __version__

if TYPE_CHECKING:
    import pandas as pd

PACKAGE = Path(__file__).parents[1]
LIBRARIES = (
    "kedro",
    "keras",
    "tensorflow",
    "h5py",
    "numpy",
    "pandas",
    "scikit-learn",
    "scipy",
    "pydantic",
)


def describe_retraining(
    table: "pd.DataFrame",
    data: Mapping[str, Any],
    parameters: Mapping[str, Any],
    as_of: int | str | None,
    started: float,
) -> RetrainingInputs:
    """Return the inputs of a retraining, for its record.

    The table is the data as read, up to `as_of`, the last time or step; `data` has facts of it. The parameters are the
    relevant ones, by pipeline, as the catalog holds them. `started` is in seconds since 1970.
    """
    return {
        "at": make_timestamp(),
        "started": started,
        "as_of": as_of,
        "fingerprints": make_fingerprints(table, parameters),
        "commit": find_commit(),
        "versions": list_versions(),
        "parameters": make_plain(parameters),
        "data": dict(data),
    }


def make_fingerprints(table: "pd.DataFrame", parameters: Mapping[str, Any]) -> Fingerprints:
    """Return the fingerprints of data, parameters and code; with the same three, a retraining gives the same result.

    The parameter `as_of` is left out, because the data depend on it.
    """
    plain = make_plain(parameters)
    for block in plain.values():
        if isinstance(block, dict):
            block.pop("as_of", None)
    return {
        "data": fingerprint_table(table),
        "parameters": fingerprint_values(plain),
        "code": fingerprint_code(),
    }


def join_covariates(
    table: "pd.DataFrame", covariate_table: "pd.DataFrame | None" = None
) -> "pd.DataFrame":
    """Return the table with the covariates, if there are some, as text columns, for one fingerprint of both."""
    if covariate_table is None or covariate_table.empty:
        return table
    cells = covariate_table.astype(str).add_prefix("covariate:")
    return table.reset_index(drop=True).join(cells.reset_index(drop=True), how="outer")


def fingerprint_table(table: "pd.DataFrame") -> str:
    """Return a hash of columns, types and values of a table, in the order of its rows; the index is ignored."""
    # Here, because `kedro champion show`, which reads no table, would take twice as long.
    from pandas.util import hash_pandas_object

    digest = hashlib.sha256(
        json.dumps({name: str(kind) for name, kind in table.dtypes.items()}).encode()
    )
    digest.update(hash_pandas_object(table, index=False).to_numpy().tobytes())
    return digest.hexdigest()


def fingerprint_values(values: Any) -> str:
    """Return a hash of plain values: mappings in any order, lists, texts, numbers, dates and paths.

    A value of another type raises a TypeError, because its text could differ between processes.
    """
    return hashlib.sha256(
        json.dumps(values, sort_keys=True, default=_write_value).encode()
    ).hexdigest()


def _write_value(value: Any) -> str:
    if isinstance(value, date | PurePath):
        return str(value)
    raise TypeError(
        f"{value!r}: a {type(value).__name__} has no fingerprint; expected plain values."
    )


def fingerprint_code() -> str:
    """Return a hash of the project's own modules."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(f"{path.relative_to(PACKAGE)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def find_commit() -> str | None:
    """Return the checked-out commit; None without a Git checkout or without Git."""
    try:
        command = ["git", "rev-parse", "HEAD"]
        finished = subprocess.run(
            command, cwd=PACKAGE, capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    # Before the first commit, Git prints the word HEAD and fails.
    return finished.stdout.strip() if finished.returncode == 0 else None


def describe_loader() -> Loader:
    """Return code and libraries, which decide whether an intact model can be loaded."""
    return {"code": fingerprint_code(), "versions": list_versions()}


def list_versions() -> dict[str, str]:
    """Return the versions of Python, of the project and of the installed libraries that affect results."""
    libraries = {name: next(iter(metadata.distributions(name=name)), None) for name in LIBRARIES}
    versions = {name: library.version for name, library in libraries.items() if library is not None}
    return {"python": platform.python_version(), "rnn-pipelines": __version__, **versions}
