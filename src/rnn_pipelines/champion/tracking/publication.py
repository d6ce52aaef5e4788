"""MLflow is made to say what a champion's folder says."""

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
# MLflow's own patience with a server that is down is minutes, its log has another form than ours, and what it prints
# would stand between the lines of our JSON.
ENVIRONMENT = {
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_CONFIGURE_LOGGING": "false",
}


@dataclass(frozen=True)
class Publication:
    """What was new to MLflow.

    Attributes:
        num_runs: retrainings.
        num_versions: versions of the model.
        champion: the version that the alias names; None where it names none.
    """

    num_runs: int
    num_versions: int
    champion: str | None


def publish(store: ChampionStore, task: str, spec: TrackingSpec) -> Publication:
    """Tells MLflow what it doesn't know yet: a run for each retraining, a version of the model, who is the champion.

    It compares, and so it can be repeated: what an earlier call could not tell, or only in part, the next one tells.

    Args:
        store: of the task.
        task: its name.
        spec: where MLflow is.
    Raises:
        TrackingError: MLflow could not be told everything.
        LockedError: another process is at it, and did not finish in time.
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
    """Tells MLflow, if it is told anything; where that fails, the log says so, and the work goes on.

    Args:
        store, task: see `publish`.
        find_spec: finds where MLflow is; None where it is told nothing.
    """
    try:
        spec = find_spec()
        if spec is not None:
            logger.info("MLflow: %s", describe_publication(publish(store, task, spec), task, spec))
    # Whatever MLflow and the libraries below it raise: what was decided and recorded stands, and nobody waits for this.
    except Exception as error:
        is_known = isinstance(error, TrackingError | LockedError)
        logger.error("MLflow was not told, and will be next time: %s", error, exc_info=not is_known)


def connect(spec: TrackingSpec) -> "MlflowClient":
    """A client of MLflow.

    Args:
        spec: where MLflow is.
    """
    set_environment()
    from mlflow import MlflowClient

    return MlflowClient(spec.tracking_uri, registry_uri=spec.tracking_uri)


def set_environment() -> None:
    """What MLflow reads when it is imported: it shall tell nobody what it is used for, and not wait for minutes."""
    turn_telemetry_off()
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def describe_publication(publication: Publication, task: str, spec: TrackingSpec) -> str:
    """In words.

    Args:
        publication: what was new to MLflow.
        task, spec: that it was called with.
    """
    champion = publication.champion or "none"
    return (
        f"new in {spec.name}-{task}: runs {publication.num_runs}, versions {publication.num_versions}; "
        f"champion: {champion} ({spec.tracking_uri})"
    )


def _find_artifacts(spec: TrackingSpec) -> str | None:
    """Where files of runs go: beside a database, whatever folder the command was called in; a server knows itself."""
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
    """What the system said, where a connection failed or a file: MLflow and requests wrap it in three errors more."""
    first = error
    while first.__cause__ or first.__context__:
        first = first.__cause__ or first.__context__ or first
    said = str(first if isinstance(first, OSError) else error).strip() or type(error).__name__
    # Below the first line SQLAlchemy has the query.
    return said.splitlines()[0].rstrip(".")
