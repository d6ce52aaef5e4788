"""Which model is in use: versions that never change, and a pointer that is replaced whole."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from rnn_pipelines.champion.history import add_record, hold_store_lock, list_records
from rnn_pipelines.champion.pointer import Pointer, read_pointer, write_pointer
from rnn_pipelines.champion.records import Record, read_record
from rnn_pipelines.champion.versions import Versions
from rnn_pipelines.errors import ChampionError, NewerFormatError
from rnn_pipelines.storage.files import remove_temporary
from rnn_pipelines.storage.names import give_order

logger = logging.getLogger(__name__)

# Of the retraining that made the version.
RECORD = "record.json"


@dataclass(frozen=True)
class Champion:
    """The model in use.

    Attributes:
        version: its name.
        files: what it is made of, each whole and as it was evaluated.
        alarms: what was wrong on the way to it; empty where it is the one that the pointer names.
    """

    version: str
    files: Mapping[str, bytes]
    alarms: Sequence[str]


class ChampionStore:
    """The versions of one task's model.

    A crash at any moment leaves the champion that was, or the new one, whole: a version appears under its name when all
    of its files are on disk, and the pointer names it only then.

    Args:
        folder: of the task; made with the first version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._versions = Versions(folder / "versions")

    def add_version(self, files: Mapping[str, bytes]) -> str:
        """Writes a version, which is never changed after, and returns its name.

        Args:
            files: content by name, no folders; one at least.
        Raises:
            ValueError: there is no file, or one that can't have its name.
            OSError: it could not be written. Nothing is left, or a whole version that nothing names.
        """
        with self._hold_lock():
            return self._versions.add(files)

    def promote(self, version: str, reasons: Sequence[str], since: str) -> Pointer:
        """Makes a version the champion.

        Args:
            version: its name; whole, or it is refused.
            reasons: why, in words.
            since: ISO 8601, UTC.
        Raises:
            ChampionError: there is no such version, or it is damaged.
            NewerFormatError: a newer version of the project has written it, or the pointer, which stays as it is.
            OSError: the pointer could not be written; it is as it was, or names the version, but might not outlast a
                power cut.
        """
        with self._hold_lock():
            checksum = self._versions.verify(version)[1]
            before = self.find_pointer()
            previous = [] if before is None else [before.version, *before.previous]
            pointer = Pointer(version, checksum, since, list(reasons), [name for name in previous if name != version])
            self._replace_pointer(pointer)
        return pointer

    def roll_back(self, reasons: Sequence[str], since: str) -> Pointer:
        """Makes the newest champion before this one that is whole the champion again.

        What is left behind is no champion before it any more, so that a second rollback goes further back.

        Args:
            reasons, since: see `promote`.
        Raises:
            ChampionError: there is no champion before this one, or none that is whole.
            OSError: see `promote`.
        """
        with self._hold_lock():
            before = self.find_pointer()
            previous = [] if before is None else list(before.previous)
            problems = []
            for place, version in enumerate(previous):
                try:
                    checksum = self._versions.verify(version)[1]
                except ChampionError as error:
                    problems.append(str(error))
                    continue
                pointer = Pointer(version, checksum, since, list(reasons), previous[place + 1 :])
                self._replace_pointer(pointer)
                return pointer
        raise ChampionError(
            f"{self.folder}: no champion before this one that could be used. {' '.join(problems) or 'There was none.'} "
            "Run kedro champion retrain, or promote another version."
        )

    def read_version(self, version: str) -> dict[str, bytes]:
        """The files of a version.

        Raises:
            ChampionError: there is no such version, or it is damaged.
        """
        return self._versions.verify(version)[0]

    def read_pointer(self) -> Pointer | None:
        """The pointer as it is written; None where there never was a champion.

        Raises:
            ChampionError: it is damaged, or missing although there were champions.
        """
        pointer = read_pointer(self._pointer)
        # What only versions tell doesn't count: the first one may have ended before it was promoted.
        if pointer is None and _list_promoted(list_records(self.folder)):
            raise ChampionError(f"{self._pointer}: it is missing, although there were champions.")
        return pointer

    def find_pointer(self) -> Pointer | None:
        """The pointer; where it is damaged or missing, what the records say that it was."""
        try:
            return self.read_pointer()
        except ChampionError:
            promoted = _list_promoted(self.list_records())
            return Pointer(promoted[0], "", "", [], promoted[1:]) if promoted else None

    def load(self, unreadable: Mapping[str, str] = MappingProxyType({})) -> Champion:
        """The champion; where it is damaged or missing, the one before it, with an alarm.

        Args:
            unreadable: versions that are of no use though they are whole, with the alarm of each.
        Raises:
            ChampionError: there is no champion, or none that could be used.
        """
        alarms: list[str] = []
        for version, checksum in self._list_candidates(alarms):
            try:
                files, found = self._versions.verify(version)
            except ChampionError as error:
                alarms.append(str(error))
                continue
            if checksum and found != checksum:
                alarms.append(f"{version}: its files are not those that were promoted.")
                continue
            if version in unreadable:
                alarms.append(unreadable[version])
                continue
            if alarms:
                alarms.append(f"{version} is in use instead.")
            return Champion(version, files, alarms)
        raise ChampionError(
            f"{self.folder}: no champion that could be used. {' '.join(alarms) or 'None was promoted yet.'} "
            "Run kedro champion retrain."
        )

    def list_records(self) -> list[Record]:
        """The history, the oldest first, and what a process that ended early left out of it.

        That is the record of the champion's retraining, which lies in its version too. Where the pointer is lost, each
        version that is on record nowhere may have been the champion.
        """
        records = list_records(self.folder)
        return sorted([*records, *self._list_left_out(records)], key=lambda record: give_order(record["record"]))

    def find_folder(self, version: str) -> Path:
        """Where the files of a version lie."""
        return self._versions.folder / version

    def list_versions(self) -> list[str]:
        """All versions that are complete, the oldest first."""
        return self._versions.list_complete()

    def prune(self, num_kept: int, is_dry: bool = False) -> list[str]:
        """Removes old versions, never the champion or the one before it, nor one that is a link to another place.

        A version also stays if it holds files that the project did not write, or that changed since; the log names
        them.

        Args:
            num_kept: newest versions that stay besides these.
            is_dry: remove nothing, and only say what would be removed.
        Returns:
            The versions that were removed, or would be.
        Raises:
            ChampionError: the pointer is damaged, so that nothing says what must stay.
        """
        with self._hold_lock():
            pointer = self.read_pointer()
            protected = [] if pointer is None else list(self._list_protected(pointer))
            stay = {*protected, *self._versions.list_linked()}
            others = [name for name in self.list_versions() if name not in stay]
            old = others[: max(0, len(others) - num_kept)]
            return self._versions.list_removable(old) if is_dry else self._versions.remove(old)

    def _list_candidates(self, alarms: list[str]) -> Iterator[tuple[str, str]]:
        """Versions to try, with the checksum where it is known; what is wrong with the pointer goes to `alarms`."""
        try:
            pointer = self.read_pointer()
        except ChampionError as error:
            alarms.append(str(error))
            pointer = self.find_pointer()
        if pointer is not None:
            yield pointer.version, pointer.checksum
            yield from ((version, "") for version in pointer.previous)

    def _list_left_out(self, records: Sequence[Record]) -> list[Record]:
        known = [record.get("version") for record in records if record.get("kind") == "retrain"]
        try:
            pointer = self.read_pointer()
            versions = [] if pointer is None else [pointer.version]
        except ChampionError:
            versions = self.list_versions()
        found = [self._read_record(version) for version in versions if version not in known]
        return [record for record in found if record is not None]

    def _read_record(self, version: str) -> Record | None:
        try:
            return name_record(read_record(self.read_version(version)[RECORD], version), version)
        except (ChampionError, KeyError):  # damaged, or from when versions had no record
            return None
        except ValueError as error:
            logger.error("%s: left out of the history, because its record is damaged (%s)", version, error)
            return None

    def _replace_pointer(self, pointer: Pointer) -> None:
        try:
            self.read_pointer()
        except NewerFormatError:
            raise
        except ChampionError:
            pass  # what is damaged may be replaced
        # While the pointer still says whose records these are.
        for record in self._list_left_out(list_records(self.folder)):
            add_record(self.folder, record, record["record"])
        write_pointer(self._pointer, pointer)
        remove_temporary(self.folder, self._pointer.name.__eq__)

    def _list_protected(self, pointer: Pointer) -> Iterator[str]:
        """The champion and those before it, back to one that is whole: what `load` could fall back to."""
        yield pointer.version
        for version in pointer.previous:
            yield version
            try:
                self._versions.verify(version)
                return
            except ChampionError:
                pass

    def _hold_lock(self) -> AbstractContextManager[None]:
        return hold_store_lock(self.folder)

    @property
    def _pointer(self) -> Path:
        return self.folder / "champion.json"


def name_record(record: Record, version: str) -> Record:
    """The record of a retraining, named after the version that it made, whatever it says itself."""
    named: Record = {"record": version, **record}
    named["record"] = named["version"] = version
    return named


def _list_promoted(records: Sequence[Record]) -> list[str]:
    """The champion and those before it, the newest first, as the records tell."""
    promoted: list[str] = []
    for record in records:
        version = str(record.get("version"))
        if record.get("kind") == "rollback" and version in promoted:
            promoted = promoted[promoted.index(version) :]
        elif record.get("is_promoted"):
            promoted = [version, *(name for name in promoted if name != version)]
    return promoted
