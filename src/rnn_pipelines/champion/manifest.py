"""What a retraining was made of: fingerprints of data, parameters and code, versions of the libraries."""

import hashlib
import json
import platform
import subprocess
from collections.abc import Mapping
from datetime import date
from importlib import metadata
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from rnn_pipelines.champion.records import Fingerprints, Loader, Run, make_plain
from rnn_pipelines.storage.names import make_timestamp
from rnn_pipelines.version import __version__

# pandas is loaded where a table is read: `kedro champion show` reads none, and pandas would be half of its time.
if TYPE_CHECKING:
    import pandas as pd

PACKAGE = Path(__file__).parents[1]
LIBRARIES = ("kedro", "keras", "tensorflow", "h5py", "numpy", "pandas", "scikit-learn", "scipy", "pydantic")


def describe_run(
    table: "pd.DataFrame",
    data: Mapping[str, Any],
    parameters: Mapping[str, Any],
    as_of: int | str | None,
    started: float,
) -> Run:
    """What a retraining is made of, for its record.

    Args:
        table: the data as it was read, up to `as_of`.
        data: facts of it, by name.
        parameters: all that count, by pipeline, as the catalog holds them.
        as_of: up to when data was read.
        started: when, in seconds since 1970.
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
    """Of data, parameters and code: a retraining with the same three would give the same again.

    Args:
        table, parameters: see `describe_run`. Up to when data is read isn't a parameter here, because the data show it.
    """
    plain = {name: _drop_as_of(block) for name, block in make_plain(parameters).items()}
    return {"data": fingerprint_table(table), "parameters": fingerprint_values(plain), "code": fingerprint_code()}


def join_covariates(table: "pd.DataFrame", covariate_table: "pd.DataFrame | None" = None) -> "pd.DataFrame":
    """Return the table with the cells of the covariates as text beside it, for one fingerprint of both.

    Args:
        table: the data as it was read.
        covariate_table: see `read_covariates`; without rows if no covariate is read, None for a task without any.
    """
    if covariate_table is None or covariate_table.empty:
        return table
    import pandas as pd

    cells = covariate_table.astype(str).add_prefix("covariate:")
    return pd.concat([one.reset_index(drop=True) for one in (table, cells)], axis=1)


def fingerprint_table(table: "pd.DataFrame") -> str:
    """A hash of columns, types and values of a table, in the order of its rows; its row labels don't count."""
    import pandas as pd

    digest = hashlib.sha256(json.dumps({name: str(kind) for name, kind in table.dtypes.items()}).encode())
    digest.update(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())
    return digest.hexdigest()


def fingerprint_values(values: Any) -> str:
    """A hash of plain values: mappings in whatever order, lists, texts, numbers, dates and paths.

    Raises:
        TypeError: another value, whose text could differ from one process to the next.
    """
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=_write_value).encode()).hexdigest()


def _write_value(value: Any) -> str:
    if isinstance(value, date | PurePath):
        return str(value)
    raise TypeError(f"{value!r}: a {type(value).__name__} has no fingerprint; expected plain values.")


def _drop_as_of(block: Any) -> Any:
    return {key: value for key, value in block.items() if key != "as_of"} if isinstance(block, dict) else block


def fingerprint_code() -> str:
    """A hash of the project's own modules."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(f"{path.relative_to(PACKAGE)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def find_commit() -> str | None:
    """The commit that the project is checked out at; None where it isn't a Git checkout, or Git is not there."""
    try:
        finished = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=PACKAGE, capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    # Before the first commit Git prints the word HEAD, and fails.
    return finished.stdout.strip() if finished.returncode == 0 else None


def describe_loader() -> Loader:
    """Code and libraries, on which depends whether a model that is whole can be loaded."""
    return {"code": fingerprint_code(), "versions": list_versions()}


def list_versions() -> dict[str, str]:
    """Versions of Python, of the project and of what it computes with."""
    versions = {name: metadata.version(name) for name in LIBRARIES}
    return {"python": platform.python_version(), "rnn-pipelines": __version__, **versions}
