"""One task in MLflow: a run per retraining, the versions of its model, and the alias of the champion.

This module imports MLflow, so that only `publish` may import it, after it has set MLflow's environment.
"""

import hashlib
import json
import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import LifecycleStage, Metric, Param, Run, RunStatus, ViewType
from mlflow.entities.model_registry import ModelVersion

from rnn_pipelines.champion.records import Record, list_reasons
from rnn_pipelines.champion.report import render_retraining_report
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.champion.tables import shorten_version
from rnn_pipelines.connectors.mlflow import facts
from rnn_pipelines.connectors.mlflow.facts import RECORD, VERSION
from rnn_pipelines.connectors.mlflow.specs import SaveModel
from rnn_pipelines.errors import ChampionError, RnnPipelinesError
from rnn_pipelines.versions.checksums import CHECKSUMS

logger = logging.getLogger(__name__)

ALIAS = "champion"
DESCRIPTION = (
    "Versions of the champion's folder, with a copy of their files. The alias follows `kedro champion`: "
    "to set it here changes nothing there."
)
# The folder of a model among the files of its run.
MODEL = "model"


class Registry:
    """The experiment and the registered model of a task in MLflow; both are made if they are missing.

    The files of runs are in `artifacts`; None if the server sets it. `save_model` writes the model that MLflow serves.
    """

    def __init__(
        self,
        client: MlflowClient,
        store: ChampionStore,
        name: str,
        artifacts: str | None,
        save_model: SaveModel | None = None,
    ) -> None:
        self._client = client
        self._store = store
        self._name = name
        self._save_model = save_model
        experiment = client.get_experiment_by_name(name)
        folder = None if artifacts is None else f"{artifacts}/{name}"
        self._experiment = (
            experiment.experiment_id if experiment else client.create_experiment(name, folder)
        )
        if not client.search_registered_models(f"name = '{name}'"):
            client.create_registered_model(name, description=DESCRIPTION)

    def add(self, record: Record) -> bool:
        """Add a retraining and the version that it made, or complete an unfinished run; return whether one was missing.

        A run that was deleted in MLflow stays deleted. A version that MLflow lacks is added to its run.
        """
        query = f"tags.{RECORD} = '{record['record']}'"
        # Also deleted ones.
        found = self._client.search_runs([self._experiment], query, ViewType.ALL, max_results=1)
        if found:
            run = found[0]
        else:
            version = record.get("version")
            outcome = str(record.get("outcome"))
            title = f"{shorten_version(version)} {outcome}" if version else outcome
            start = facts.find_retraining_times(record)[0]
            run = self._client.create_run(self._experiment, start, facts.make_tags(record), title)
        if run.info.lifecycle_stage != LifecycleStage.ACTIVE:
            return False
        if run.info.status != RunStatus.to_string(RunStatus.RUNNING):
            self._add_version(run, record)
            return False
        run_id = run.info.run_id
        end = facts.find_retraining_times(record)[1]
        metrics = [
            Metric(name, value, end, step) for name, value, step in facts.list_metrics(record)
        ]
        self._client.log_batch(
            run_id, metrics, [Param(*pair) for pair in facts.list_parameters(record).items()]
        )
        self._client.log_text(run_id, json.dumps(record, indent=2), "record.json")
        self._client.log_text(run_id, render_retraining_report(record), "report.html")
        self._add_version(run, record)
        # The end comes last, because all else can be repeated.
        status = RunStatus.FAILED if record.get("outcome") == "failed" else RunStatus.FINISHED
        self._client.set_terminated(run_id, RunStatus.to_string(status), end)
        return True

    def name_champion(self) -> str | None:
        """Set the alias to the champion and return the champion's version.

        None if there is no champion, or if MLflow lacks it; then the alias is removed.
        """
        pointer = self._store.find_pointer()
        found = None if pointer is None else self._find_version(pointer.version)
        if pointer is None or found is None:
            self._client.delete_registered_model_alias(self._name, ALIAS)
            if pointer is not None:
                logger.error(
                    "MLflow lacks the champion %s, so no alias names it; kedro champion publish adds it if its "
                    "retraining is on record",
                    pointer.version,
                )
            return None
        self._client.set_registered_model_alias(self._name, ALIAS, found.version)
        return pointer.version

    def _add_version(self, run: Run, record: Record) -> None:
        """Add a version with a copy of its files, unless it exists or was pruned; a damaged one is logged."""
        version = str(record.get("version"))
        if version not in self._store.list_versions() or self._find_version(version) is not None:
            return
        try:
            files = self._store.read_version(version)
        except ChampionError as error:
            logger.error("no version is added to MLflow: %s", error)
            return
        folder = self._store.find_folder(version)
        # A copy, because a server takes no folder of another machine as a source, and `prune` may remove the folder.
        self._client.log_artifacts(run.info.run_id, str(folder), MODEL)
        self._add_served(run, version, files)
        tags = facts.make_version_tags(
            record, folder, hashlib.sha256((folder / CHECKSUMS).read_bytes()).hexdigest()
        )
        source = f"{run.info.artifact_uri}/{MODEL}"
        reasons = "; ".join(list_reasons(record))
        self._client.create_model_version(
            self._name, source, run.info.run_id, tags, description=reasons
        )

    def _add_served(self, run: Run, version: str, files: Mapping[str, bytes]) -> None:
        """Add the model that MLflow serves to the files of a version; a version without it is logged."""
        if self._save_model is None:
            return
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made, MODEL)
            try:
                self._save_model(files, folder)
            except RnnPipelinesError as error:
                logger.error("MLflow cannot serve version %s: %s", version, error)
                return
            self._client.log_artifacts(run.info.run_id, str(folder), MODEL)

    def _find_version(self, version: str) -> ModelVersion | None:
        """Return the version of the model with a name in the store; None if MLflow lacks it."""
        found = self._client.search_model_versions(
            f"name = '{self._name}' and tags.{VERSION} = '{version}'"
        )
        return found[0] if found else None
