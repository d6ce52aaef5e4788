"""Publication of a champion's folder to MLflow."""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.connectors.mlflow.specs import SQLITE, SaveModel, TrackingSpec
from rnn_pipelines.errors import LockedError, RnnPipelinesError, TrackingError
from rnn_pipelines.storage.lock import hold_lock
from rnn_pipelines.storage.names import is_name
from rnn_pipelines.telemetry import turn_telemetry_off

if TYPE_CHECKING:
    from mlflow import MlflowClient

logger = logging.getLogger(__name__)

LOCK_SECONDS = 60
# By default, MLflow waits minutes for a server that is down, configures the log, and prints into the JSON output.
ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_CONFIGURE_LOGGING": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
ENVIRONMENT["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"


@dataclass(frozen=True)
class Publication:
    """The number of retrainings that MLflow lacked, and the version that the alias names; None if it names none."""

    num_runs: int
    champion: str | None


def publish(
    store: ChampionStore,
    task: str,
    spec: TrackingSpec,
    num_newest: int | None = None,
    save_model: SaveModel | None = None,
) -> Publication:
    """Add retrainings to MLflow that it lacks, with their versions of the model, and set the alias of the champion.

    A repeated call adds only the missing parts, so that it completes an earlier one that failed. It adds the newest
    retrainings, None for all of them, with the model that `save_model` of the task writes; None for no served model.

    Raises:
        TrackingError: something could not be published.
        LockedError: another process is publishing, and did not finish in time.
    """
    set_environment()
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    from rnn_pipelines.connectors.mlflow.registry import Registry

    # A file of another name is not a record of this project.
    records = [
        r for r in store.list_records() if r.get("kind") == "retrain" and is_name(r["record"])
    ]
    records = records[-(num_newest or 0) :]
    # The files of runs lie next to the database; a server has its own folder.
    file = spec.tracking_uri.removeprefix(SQLITE)
    artifacts = f"{file.rpartition('/')[0]}/mlruns" if file != spec.tracking_uri else None
    try:
        with hold_lock(store.folder / "mlflow.lock", LOCK_SECONDS):
            registry = Registry(
                connect_mlflow(spec), store, f"{spec.name}-{task}", artifacts, save_model
            )
            return Publication(sum(map(registry.add, records)), registry.name_champion())
    except LockedError:
        raise
    except (MlflowException, SQLAlchemyError, OSError) as error:
        raise TrackingError(_explain(spec, error)) from error


def publish_if_possible(
    store: ChampionStore,
    task: str,
    find_spec: Callable[[], TrackingSpec | None],
    save_model: SaveModel | None = None,
) -> None:
    """Publish the newest retraining and the champion if MLflow is on, by its settings; a failure is only logged."""
    try:
        spec = find_spec()
        if spec is not None:
            published = publish(store, task, spec, num_newest=1, save_model=save_model)
            logger.info("MLflow: %s", describe_publication(published, task, spec))
    # MLflow and its libraries may raise any error; the recorded decision does not depend on the publication.
    except Exception as error:
        logger.error(
            "not published to MLflow: %s", error, exc_info=not isinstance(error, RnnPipelinesError)
        )


def connect_mlflow(spec: TrackingSpec) -> "MlflowClient":
    set_environment()
    from mlflow import MlflowClient

    return MlflowClient(spec.tracking_uri, registry_uri=spec.tracking_uri)


def set_environment() -> None:
    """Set the variables that MLflow reads at import: no telemetry, and short timeouts."""
    turn_telemetry_off()
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def describe_publication(publication: Publication, task: str, spec: TrackingSpec) -> str:
    champion = publication.champion or "none"
    return f"{publication.num_runs} new runs in {spec.name}-{task}; champion: {champion} ({spec.tracking_uri})"


def _explain(spec: TrackingSpec, error: BaseException) -> str:
    """Return the message of the system's own error, which MLflow and requests wrap in up to three others."""
    first = error
    while first.__cause__ or first.__context__:
        first = first.__cause__ or first.__context__ or first
    # SQLAlchemy adds the query below the first line.
    text = str(first if isinstance(first, OSError) else error).strip() or type(error).__name__
    return (
        f"{spec.tracking_uri}: {text.splitlines()[0].rstrip('.')}. Check that tracking_uri in mlflow.yml names a "
        "database or a server that is running. Then run kedro champion publish."
    )
