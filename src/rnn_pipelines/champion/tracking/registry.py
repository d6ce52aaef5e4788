"""One task in MLflow: its runs, the versions of its model, and the alias of the champion.

This module imports MLflow, so that only `publish` may import it, after it has set MLflow's environment.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import LifecycleStage, Metric, Param, Run, RunStatus, ViewType
from mlflow.entities.model_registry import ModelVersion

from rnn_pipelines.champion.checksums import CHECKSUMS
from rnn_pipelines.champion.records import Record, list_reasons
from rnn_pipelines.champion.report import render_retraining_report
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.champion.tracking.facts import (
    RECORD,
    VERSION,
    find_times,
    list_metrics,
    list_parameters,
    make_name,
    make_tags,
    make_version_tags,
)
from rnn_pipelines.errors import ChampionError

logger = logging.getLogger(__name__)

ALIAS = "champion"
ABOUT = (
    "Versions of the champion's folder, with a copy of their files. The alias follows `kedro champion`: "
    "to set it here changes nothing there."
)
# The folder of a model among the files of its run.
MODEL = "model"
# The largest number of parameters that MLflow takes at once.
BATCH_SIZE = 100


class Registry:
    """The experiment and the registered model of a task in MLflow; each method adds only missing parts.

    Args:
        client: of MLflow.
        store: the task's versions, pointer and history.
        name: of the experiment and of the registered model.
        artifacts: folder of the files of runs; None if the server sets it.
    """

    def __init__(self, client: MlflowClient, store: ChampionStore, name: str, artifacts: str | None) -> None:
        self._client = client
        self._store = store
        self._name = name
        self._artifacts = artifacts

    def add_runs(self) -> int:
        """Add a run per recorded retraining and complete unfinished ones; return the number of changed runs."""
        experiment, known = self._find_experiment(), self._list_runs()
        num_added = 0
        for record in self._list_retrainings():
            run = known.get(record[RECORD])
            if run is None:
                run = self._client.create_run(experiment, find_times(record)[0], make_tags(record), make_name(record))
            # A run that was deleted in MLflow stays deleted.
            if run.info.status == RunStatus.to_string(RunStatus.RUNNING) and _is_active(run):
                self._complete(run.info.run_id, record)
                num_added += 1
        return num_added

    def add_versions(self) -> int:
        """Add a version of the model per intact version of the store, with a copy of its files; return their number."""
        if not self._client.search_registered_models(f"name = '{self._name}'"):
            self._client.create_registered_model(self._name, description=ABOUT)
        stored, runs, known = self._store.list_versions(), self._list_runs(), self._list_versions()
        num_added = 0
        for record in self._list_retrainings():
            version, run = record.get("version"), runs.get(record[RECORD])
            if version in stored and version not in known and run is not None and _is_active(run):
                num_added += self._add_version(run, record)
        return num_added

    def name_champion(self) -> str | None:
        """Set the alias to the champion and return the champion's version.

        None if there is no champion, or if MLflow lacks it; then the alias is removed.
        """
        pointer = self._store.find_pointer()
        found = None if pointer is None else self._list_versions().get(pointer.version)
        if pointer is None or found is None:
            self._client.delete_registered_model_alias(self._name, ALIAS)
            if pointer is not None:
                logger.error("MLflow has no version %s, which is the champion: no alias names it", pointer.version)
            return None
        self._client.set_registered_model_alias(self._name, ALIAS, found.version)
        return pointer.version

    def _complete(self, run_id: str, record: Record) -> None:
        """Log a retraining and end its run. The end comes last, because all else can be logged twice."""
        end = find_times(record)[1]
        parameters = [Param(key, value) for key, value in list_parameters(record).items()]
        for start in range(0, len(parameters), BATCH_SIZE):
            self._client.log_batch(run_id, params=parameters[start : start + BATCH_SIZE])
        metrics = [Metric(name, value, end, step) for name, value, step in list_metrics(record)]
        self._client.log_batch(run_id, metrics=metrics)
        self._client.log_text(run_id, json.dumps(record, indent=2), "record.json")
        self._client.log_text(run_id, render_retraining_report(record), "report.html")
        status = RunStatus.FAILED if record.get("outcome") == "failed" else RunStatus.FINISHED
        self._client.set_terminated(run_id, RunStatus.to_string(status), end)

    def _add_version(self, run: Run, record: Record) -> bool:
        version = str(record["version"])
        try:
            self._store.read_version(version)
        except ChampionError as error:
            logger.error("MLflow gets no version for %s", error)
            return False
        folder = self._store.find_folder(version)
        # A copy, because a server takes no folder of another machine as a source, and `prune` may remove the folder.
        self._client.log_artifacts(run.info.run_id, str(folder), MODEL)
        tags = make_version_tags(record, folder, hashlib.sha256((folder / CHECKSUMS).read_bytes()).hexdigest())
        source = f"{run.info.artifact_uri}/{MODEL}"
        self._client.create_model_version(
            self._name, source, run.info.run_id, tags, description="; ".join(list_reasons(record))
        )
        return True

    def _find_experiment(self) -> str:
        experiment = self._client.get_experiment_by_name(self._name)
        if experiment is not None:
            return experiment.experiment_id
        folder = None if self._artifacts is None else f"{self._artifacts}/{self._name}"
        return self._client.create_experiment(self._name, folder)

    def _list_retrainings(self) -> list[Record]:
        return [r for r in self._store.list_records() if r.get("kind") == "retrain" and RECORD in r]

    def _list_runs(self) -> dict[str, Run]:
        """Return the runs by the name of their record, including those deleted in MLflow."""
        experiment = self._find_experiment()
        runs = _list_all(
            lambda token: self._client.search_runs([experiment], run_view_type=ViewType.ALL, page_token=token)
        )
        return {run.data.tags[RECORD]: run for run in runs if RECORD in run.data.tags}

    def _list_versions(self) -> dict[str, ModelVersion]:
        """Return the versions of the model by their names in the store."""
        versions = _list_all(
            lambda token: self._client.search_model_versions(f"name = '{self._name}'", page_token=token)
        )
        return {found.tags[VERSION]: found for found in versions if VERSION in found.tags}


def _list_all(search: Callable[[str | None], Any]) -> Iterator[Any]:
    """Yield the results of a search, page by page."""
    page = search(None)
    yield from page
    while page.token:
        page = search(page.token)
        yield from page


def _is_active(run: Run) -> bool:
    return run.info.lifecycle_stage == LifecycleStage.ACTIVE
