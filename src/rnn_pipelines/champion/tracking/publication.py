"""Publication of a champion's folder to MLflow."""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.champion.tracking.specs import SQLITE, TrackingSpec
from rnn_pipelines.champion.tracking.telemetry import turn_telemetry_off
from rnn_pipelines.errors import LockedError, TrackingError
from rnn_pipelines.storage.lock import hold_lock

if TYPE_CHECKING:
    from mlflow import MlflowClient

logger = logging.getLogger(__name__)

LOCK_SECONDS = 60
# By default, MLflow waits minutes for a server that is down, configures the log, and prints into the JSON output.
ENVIRONMENT = {
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_CONFIGURE_LOGGING": "false",
}


@dataclass(frozen=True)
class Publication:
    """The result of a publication.

    Attributes:
        num_runs: the number of new retrainings.
        num_versions: the number of new versions of the model.
        champion: the version that the alias names; None if it names none.
    """

    num_runs: int
    num_versions: int
    champion: str | None


def publish(store: ChampionStore, task: str, spec: TrackingSpec) -> Publication:
    """Add missing parts to MLflow: a run per retraining, the versions of the model, and the alias of the champion.

    A repeated call adds only the missing parts, so that it completes an earlier one that failed.

    Args:
        store: of the task.
        task: its name.
        spec: settings of MLflow.
    Raises:
        TrackingError: something could not be published.
        LockedError: another process is publishing, and did not finish in time.
    """
    set_environment()
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    from rnn_pipelines.champion.tracking.registry import Registry

    try:
        with hold_lock(store.folder / "mlflow.lock", LOCK_SECONDS):
            registry = Registry(connect(spec), store, f"{spec.name}-{task}", _find_artifacts(spec))
            return Publication(registry.add_runs(), registry.add_versions(), registry.name_champion())
    except LockedError:
        raise
    except (MlflowException, SQLAlchemyError, OSError) as error:
        raise TrackingError(_explain(spec, error)) from error


def publish_if_possible(store: ChampionStore, task: str, find_spec: Callable[[], TrackingSpec | None]) -> None:
    """Publish to MLflow if it is on; a failure is logged and does not end the run.

    Args:
        store, task: see `publish`.
        find_spec: returns the settings of MLflow; None if it is off.
    """
    try:
        spec = find_spec()
        if spec is not None:
            logger.info("MLflow: %s", describe_publication(publish(store, task, spec), task, spec))
    # MLflow and its libraries may raise any error; the recorded decision does not depend on the publication.
    except Exception as error:
        is_known = isinstance(error, TrackingError | LockedError)
        logger.error("MLflow was not told, and will be next time: %s", error, exc_info=not is_known)


def connect(spec: TrackingSpec) -> "MlflowClient":
    """Return a client of MLflow."""
    set_environment()
    from mlflow import MlflowClient

    return MlflowClient(spec.tracking_uri, registry_uri=spec.tracking_uri)


def set_environment() -> None:
    """Set the variables that MLflow reads at import: no telemetry, and short timeouts."""
    turn_telemetry_off()
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def describe_publication(publication: Publication, task: str, spec: TrackingSpec) -> str:
    """Return the result of a publication in words."""
    champion = publication.champion or "none"
    return (
        f"new in {spec.name}-{task}: runs {publication.num_runs}, versions {publication.num_versions}; "
        f"champion: {champion} ({spec.tracking_uri})"
    )


def _find_artifacts(spec: TrackingSpec) -> str | None:
    """Return the folder of the files of runs: next to the database; None for a server, which has its own."""
    if not spec.tracking_uri.startswith(SQLITE):
        return None
    return f"{spec.tracking_uri.removeprefix(SQLITE).rpartition('/')[0]}/mlruns"


def _explain(spec: TrackingSpec, error: Exception) -> str:
    if spec.tracking_uri.startswith(SQLITE):
        advice = "mlflow.yml: tracking_uri names the database"
    else:
        advice = "Is the server running there? mlflow.yml: tracking_uri names it"
    return f"{spec.tracking_uri}: {_quote(error)}. {advice}; kedro champion publish tries again."


def _quote(error: BaseException) -> str:
    """Return the message of the system's own error, which MLflow and requests wrap in up to three others."""
    first = error
    while first.__cause__ or first.__context__:
        first = first.__cause__ or first.__context__ or first
    said = str(first if isinstance(first, OSError) else error).strip() or type(error).__name__
    # SQLAlchemy adds the query below the first line.
    return said.splitlines()[0].rstrip(".")
