"""The champions that a server uses: loaded once, and again when another one was promoted."""

import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from rnn_pipelines.champion.folders import unpack_safely
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.errors import ChampionError, RnnPipelinesError
from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.sentiment.interface import TextClassifier

logger = logging.getLogger(__name__)

INTERFACES: dict[str, type[Forecaster] | type[TextClassifier]] = {
    "forecast": Forecaster,
    "sentiment": TextClassifier,
}


class Served(NamedTuple):
    """A champion with its version; both change together."""

    version: str
    model: Any


@dataclass
class _Task:
    """The state of one task. Only the holder of the lock changes it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    served: Served | None = None
    # The pointer that was read last; another one is read even if it named a model that can't be loaded.
    pointer: bytes = b""


class ServedModels:
    """The champions of all tasks, in a folder with a folder for each task."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tasks = {task: _Task() for task in INTERFACES}

    def get(self, task: str) -> Served:
        """Return the champion in use; a ChampionError if there is none, or it can't be loaded.

        While a new champion is loaded, requests get the one before it. If it can't be loaded, it stays in use.
        """
        state = self._tasks[task]
        pointer = self._read_pointer(task)
        if state.served is None:
            with state.lock:
                if state.served is None or state.pointer != pointer:
                    self._load(task, pointer)
        elif pointer not in (state.pointer, b"") and state.lock.acquire(blocking=False):
            try:
                self._load(task, pointer)
            except RnnPipelinesError as error:
                # Not tried again until the pointer changes.
                state.pointer = pointer
                logger.error(
                    "%s: the new champion can't be loaded; the one before it stays in use (%s)",
                    task,
                    error,
                )
            finally:
                state.lock.release()
        assert state.served is not None
        return state.served

    def list_versions(self) -> dict[str, str | None]:
        """Return the version of each task's champion; None for none."""
        pointers = {task: ChampionStore(self._folder / task).find_pointer() for task in INTERFACES}
        return {
            task: None if pointer is None else pointer.version for task, pointer in pointers.items()
        }

    def _read_pointer(self, task: str) -> bytes:
        try:
            return (self._folder / task / "champion.json").read_bytes()
        except OSError:
            return b""

    def _load(self, task: str, pointer: bytes) -> None:
        state = self._tasks[task]
        folder = self._folder / task
        if not folder.is_dir():
            raise ChampionError(
                f"{folder}: no champion yet. Run kedro champion retrain {task} first."
            )
        champion = ChampionStore(folder).load()
        for alarm in champion.alarms:
            logger.warning("%s: %s", task, alarm)
        model = unpack_safely(folder, lambda: INTERFACES[task].unpack(champion.files))
        state.served = Served(champion.version, model)
        state.pointer = pointer
        logger.info("%s: version %s", task, champion.version)
