"""One task in MLflow: its runs, the versions of its model, and which of them is the champion.

Imports MLflow, and so it is imported by `publish` only, which has set MLflow's environment by then.
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
# Where the files of a model lie among those of its run.
MODEL = "model"
# As many parameters as MLflow takes at once.
BATCH_SIZE = 100


class Registry:
    """Adds what MLflow lacks of a task; each call compares anew.

    Args:
        client: of MLflow.
        store: the task's versions, pointer and history.
        name: of the experiment and of the registered model.
        artifacts: where files of runs go; None where the server knows.
    """

    def __init__(self, client: MlflowClient, store: ChampionStore, name: str, artifacts: str | None) -> None:
        self._client = client
        self._store = store
        self._name = name
        self._artifacts = artifacts

    def add_runs(self) -> int:
        """A run for each retraining on record, complete when it is no longer running; returns how many were not."""
        experiment, known = self._find_experiment(), self._list_runs()
        num_added = 0
        for record in self._list_retrainings():
            run = known.get(record[RECORD])
            if run is None:
                run = self._client.create_run(experiment, find_times(record)[0], make_tags(record), make_name(record))
            # A run that somebody has deleted in MLflow stays deleted.
            if run.info.status == RunStatus.to_string(RunStatus.RUNNING) and _is_active(run):
                self._complete(run.info.run_id, record)
                num_added += 1
        return num_added

    def add_versions(self) -> int:
        """A version of the model for each of the store that is whole, with a copy of its files; returns how many."""
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
        """Gives the alias to the version that the pointer names, and returns its name.

        None where there is no champion, or MLflow hasn't got it: the alias then names nothing, rather than another one.
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
        """All of this can be told twice; that the run is over is told last."""
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
        # A server takes no folder of another machine for a version's source, and prune removes it some day.
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
        """By the records that they tell of, those that were deleted in MLflow too."""
        experiment = self._find_experiment()
        runs = _list_all(
            lambda token: self._client.search_runs([experiment], run_view_type=ViewType.ALL, page_token=token)
        )
        return {run.data.tags[RECORD]: run for run in runs if RECORD in run.data.tags}

    def _list_versions(self) -> dict[str, ModelVersion]:
        """By their names in the store."""
        versions = _list_all(
            lambda token: self._client.search_model_versions(f"name = '{self._name}'", page_token=token)
        )
        return {found.tags[VERSION]: found for found in versions if VERSION in found.tags}


def _list_all(search: Callable[[str | None], Any]) -> Iterator[Any]:
    """Page by page."""
    page = search(None)
    yield from page
    while page.token:
        page = search(page.token)
        yield from page


def _is_active(run: Run) -> bool:
    return run.info.lifecycle_stage == LifecycleStage.ACTIVE
