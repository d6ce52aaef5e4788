"""The champion as a dataset of the catalog."""

import logging
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from kedro.io.core import AbstractDataset, DatasetError

from rnn_pipelines.champion.artefacts import Candidate, LoadedChampion
from rnn_pipelines.champion.changes import find_unreadable
from rnn_pipelines.champion.history import add_record, find_origin
from rnn_pipelines.champion.manifest import LIBRARIES, describe_loader
from rnn_pipelines.champion.outcome import save_outcome
from rnn_pipelines.champion.records import Record
from rnn_pipelines.champion.store import Champion, ChampionStore
from rnn_pipelines.datasets.folder import find_local_path
from rnn_pipelines.errors import ChampionError
from rnn_pipelines.storage.names import make_timestamp

logger = logging.getLogger(__name__)

# By name, because TensorFlow is not loaded here.
OUT_OF_MEMORY = ("MemoryError", "ResourceExhaustedError")


class ChampionDataset(AbstractDataset[Candidate, LoadedChampion | None]):
    """Dataset of a task's champion.

    Loads the champion, the same one for all nodes of a run. Saves a candidate as a version, records the outcome, and
    promotes the candidate if the manifest decides so.

    Args:
        path: the task's folder, on this machine.
        task: the name of the task's package. Its module `model.packing` converts an artefact to files (`pack`: bytes
            by name) and back (`unpack`).
    """

    def __init__(self, *, path: str, task: str, metadata: dict[str, object] | None = None) -> None:
        folder = find_local_path(path)
        if (
            find_spec(f"rnn_pipelines.{task}") is None
            or find_spec(f"rnn_pipelines.{task}.model") is None
        ):
            raise DatasetError(
                f"task: expected one with the module model.packing, received {task!r}."
            )
        self.store = ChampionStore(folder)
        self.metadata = metadata
        self._task = task
        self._loaded: LoadedChampion | None = None

    def load(self) -> LoadedChampion | None:
        """Return the champion; if it cannot be loaded, its newest predecessor that can, with alarms.

        None if none was promoted yet, or, with an alarm, if none can be loaded: the next retraining may then promote
        one.
        """
        if self._loaded is None:
            self._loaded = self._find_champion()
        return self._loaded

    def save(self, data: Candidate) -> None:
        """Save the candidate; if saving is interrupted, the champion in use is still complete and on record."""
        files = {**self._packing.pack(data.artefact), **data.files}
        save_outcome(self.store, files, data.manifest, make_timestamp())
        self._loaded = None

    @property
    def _packing(self) -> ModuleType:
        return import_module(f"rnn_pipelines.{self._task}.model.packing")

    def _find_champion(self) -> LoadedChampion | None:
        if self.store.find_pointer() is None:
            return None
        unreadable: dict[str, str] = {}
        problem: Exception | None = None
        while True:
            try:
                champion = self.store.load(unreadable)
            except ChampionError as error:
                if problem is not None:
                    raise problem from None
                self._report([str(error)], None, unreadable)
                return None
            try:
                artefact = self._packing.unpack(champion.files)
                break
            # There is no list of the exceptions that Keras, h5py, NumPy and zipfile raise on a damaged file.
            except Exception as error:
                logger.error("%s: %s", champion.version, error)
                cause = error.__cause__ or error
                # Without the message, which names a temporary file, so that the alarm is the same each time.
                why = (
                    f"it is whole, but can't be loaded ({type(cause).__name__}; the log has more)."
                )
                unreadable[champion.version] = f"{champion.version}: {why}"
                # If an earlier version can be loaded, the machine is not at fault. If none can, the error is raised:
                # after a full disk, a challenger would replace a champion that it was never compared with.
                problem = problem or (error if _may_be_the_machines(cause) else None)
        if champion.alarms:
            self._report(list(champion.alarms), champion.version, unreadable)
        if champion.version in find_unreadable(self.store.list_records()):
            why = f"{champion.version}: it can be loaded again."
            about: Record = {"kind": "recovery", "reasons": [why], "readable": [champion.version]}
            self._record(champion.version, {**about, "loader": describe_loader()})
        return self._complete(champion, artefact)

    def _complete(self, champion: Champion, artefact: Any) -> LoadedChampion:
        records = self.store.list_records()
        promotions = [
            r for r in records if r.get("is_promoted") and r.get("version") == champion.version
        ]
        pointer = self.store.find_pointer()
        since = pointer.since if pointer is not None and pointer.version == champion.version else ""
        return LoadedChampion(
            version=champion.version,
            artefact=artefact,
            promoted_at=since or (promotions[-1].get("at", "") if promotions else ""),
            alarms=tuple(champion.alarms),
            # A manual promotion has no measurements.
            record=find_origin(records, champion.version) or Record(),
        )

    def _report(
        self, alarms: list[str], version: str | None, unreadable: Mapping[str, str]
    ) -> None:
        """Log the alarms each time, and record them once for the same damage."""
        for alarm in alarms:
            logger.error("%s champion: %s", self._task, alarm)
        records = self.store.list_records()
        ends = [
            place
            for place, record in enumerate(records)
            if record.get("is_promoted") or record.get("readable")
        ]
        about: Record = {"kind": "alarm", "reasons": alarms}
        if unreadable:
            about = {**about, "unreadable": dict(unreadable), "loader": describe_loader()}
        if not any(about.items() <= r.items() for r in records[max(ends, default=0) :]):
            self._record(version, about)

    def _record(self, version: str | None, about: Record) -> None:
        record: Record = {
            "task": self._task,
            "at": make_timestamp(),
            "is_promoted": False,
            "version": version,
            **about,
        }
        try:
            add_record(self.store.folder, record)
        except OSError as error:
            # A prediction needs the champion, but not the record.
            logger.error(
                "%s: the %s could not be recorded (%s)", self.store.folder, about["kind"], error
            )

    def _exists(self) -> bool:
        return self.store.find_pointer() is not None

    def _release(self) -> None:
        self._loaded = None

    def _describe(self) -> dict[str, object]:
        return {"path": str(self.store.folder), "task": self._task}


def _may_be_the_machines(error: BaseException) -> bool:
    """Return whether disk, memory or installation may be the cause, rather than the model.

    Errors of the operating system have an errno; h5py's errors on damaged files have none. A missing module is the
    model's fault, unless it is one of the project's own libraries.
    """
    if isinstance(error, ModuleNotFoundError):
        return str(error.name).partition(".")[0] in LIBRARIES
    is_of_the_system = isinstance(error, OSError) and error.errno is not None
    return (
        is_of_the_system or isinstance(error, ImportError) or type(error).__name__ in OUT_OF_MEMORY
    )
