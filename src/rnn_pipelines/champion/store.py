"""The store of a task's model: immutable versions, and a pointer that is replaced atomically."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from rnn_pipelines.champion.history import add_record, hold_store_lock, make_name, read_history
from rnn_pipelines.champion.pointer import Pointer, read_pointer, write_pointer
from rnn_pipelines.champion.records import Record, parse_record
from rnn_pipelines.errors import ChampionError, FormatError, show_all
from rnn_pipelines.storage.files import remove_temporary
from rnn_pipelines.storage.formats import is_plain
from rnn_pipelines.storage.names import give_order
from rnn_pipelines.versions.checksums import CHECKSUMS, list_checksums, list_own_files, read_version
from rnn_pipelines.versions.folder import VersionedFolder, warn_of_kept

logger = logging.getLogger(__name__)

# The record of the retraining that made the version.
RECORD = "record.json"


@dataclass(frozen=True)
class Champion:
    """The model in use: its files, verified by checksums, content by name, and the problems found while loading it.

    There are no alarms if it is the version that the pointer names.
    """

    version: str
    files: Mapping[str, bytes]
    alarms: Sequence[str]


class ChampionStore:
    """The versions of one task's model, in its folder, which is made with the first version.

    After a crash, either the old or the new champion is intact: a version gets its name when all of its files are on
    disk, and only then can the pointer name it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pointer = folder / "champion.json"
        self._versions = VersionedFolder(folder / "versions", CHECKSUMS, list_own_files)

    def add_version(self, files: Mapping[str, bytes]) -> str:
        """Write an immutable version of files, content by name without folders, and return its name.

        An OSError leaves nothing of the version, or a complete version that is not in use.
        """
        wrong = [name for name in files if not is_plain(name) or name == CHECKSUMS]
        if wrong or not files:
            expected = f"expected plain names of files, other than {CHECKSUMS}"
            raise ValueError(f"{expected}; received {show_all(wrong) if wrong else 'no file'}.")
        with hold_store_lock(self.folder):
            self._versions.folder.mkdir(exist_ok=True)
            try:
                warn_of_kept(self._versions.remove_unfinished())
            except OSError as error:
                logger.warning(
                    "%s: an unfinished version can't be removed (%s)", self._versions.folder, error
                )
            version = make_name(self.folder)
            self._versions.add(version, list_checksums(files), files)
        return version

    def promote(self, version: str, reasons: Sequence[str], since: str) -> Pointer:
        """Make a version the champion since now, in ISO 8601, UTC.

        Raises:
            ChampionError: there is no such version, or it is damaged.
            FormatError: another version of the project wrote the version or the pointer; the pointer is unchanged.
            OSError: the pointer could not be written. It is unchanged, or names the version but may not survive a power
                cut.
        """
        with hold_store_lock(self.folder):
            checksum = self._verify(version)[1]
            before = self.find_pointer()
            previous = [] if before is None else [before.version, *before.previous]
            pointer = Pointer(
                version,
                checksum,
                since,
                list(reasons),
                [name for name in previous if name != version],
            )
            self._replace_pointer(pointer)
        return pointer

    def roll_back(self, reasons: Sequence[str], since: str) -> Pointer:
        """Make the newest intact previous champion the champion again; errors are those of `promote`.

        The current champion is not added to the previous ones, so that a second rollback goes further back. Without a
        previous champion, or an intact one, a ChampionError is raised.
        """
        with hold_store_lock(self.folder):
            before = self.find_pointer()
            previous = [] if before is None else list(before.previous)
            problems: list[str] = []
            for version, _, checksum in self._list_intact(previous, problems):
                older = previous[previous.index(version) + 1 :]
                pointer = Pointer(version, checksum, since, list(reasons), older)
                self._replace_pointer(pointer)
                return pointer
        raise ChampionError(
            f"{self.folder}: no previous champion can be used. {' '.join(problems) or 'There was none.'} "
            "Run kedro champion retrain, or promote another version."
        )

    def read_version(self, version: str) -> dict[str, bytes]:
        """Return the files of a version, content by name; a ChampionError if there is none, or it is damaged."""
        return self._verify(version)[0]

    def _verify(self, version: str) -> tuple[dict[str, bytes], str]:
        return read_version(self._versions.folder, version)

    def _list_intact(
        self, versions: Iterable[str], problems: list[str]
    ) -> Iterator[tuple[str, dict[str, bytes], str]]:
        """Yield each intact version with its files and their checksum; add the problem of another to `problems`."""
        for version in versions:
            try:
                files, checksum = self._verify(version)
            except ChampionError as error:
                problems.append(str(error))
            else:
                yield version, files, checksum

    def read_pointer(self) -> Pointer | None:
        """Read the pointer; None if there never was a champion.

        A pointer that is damaged, or missing although there were champions, raises a ChampionError.
        """
        pointer = read_pointer(self._pointer)
        # Versions alone do not prove a promotion: the process may have stopped before it.
        if pointer is None and _list_promoted(read_history(self.folder)):
            raise ChampionError(f"{self._pointer}: it is missing, although there were champions.")
        return pointer

    def find_pointer(self) -> Pointer | None:
        """Return the pointer; if it is damaged or missing, reconstruct it from the records."""
        try:
            return self.read_pointer()
        except ChampionError:
            promoted = _list_promoted(self.list_records())
            return Pointer(promoted[0], "", "", [], promoted[1:]) if promoted else None

    def load(self, unreadable: Mapping[str, str] = MappingProxyType({})) -> Champion:
        """Load the champion; if it is damaged or missing, the newest usable previous one, with an alarm.

        `unreadable` are the alarms of intact versions that can't be loaded, by version. Without a usable champion, a
        ChampionError is raised.
        """
        alarms: list[str] = []
        candidates = dict(self._list_candidates(alarms))
        for version, files, checksum in self._list_intact(candidates, alarms):
            if candidates[version] not in ("", checksum):
                alarms.append(f"{version}: its files are not those that were promoted.")
            elif version in unreadable:
                alarms.append(unreadable[version])
            else:
                alarms += [f"{version} is in use instead."] if alarms else []
                return Champion(version, files, alarms)
        raise ChampionError(
            f"{self.folder}: no champion can be used. {' '.join(alarms) or 'None was promoted yet.'} "
            "Run kedro champion retrain."
        )

    def list_records(self) -> list[Record]:
        """Return the history, oldest first, with records that a killed process did not add to it.

        The record of the champion's retraining is also in its version, and is read from there. If the pointer is lost,
        each version without a record may have been the champion.
        """
        records = read_history(self.folder)
        return sorted(
            [*records, *self._list_left_out(records)],
            key=lambda record: give_order(record["record"]),
        )

    def find_folder(self, version: str) -> Path:
        return self._versions.folder / version

    def list_versions(self) -> list[str]:
        """Return all complete versions, oldest first."""
        return self._versions.list_complete()

    def prune(self, num_kept: int, is_dry: bool = False) -> list[str]:
        """Remove old versions, except the newest ones, the champion, its predecessor, and linked versions.

        A version also stays if it holds files that the project did not write, or that changed since; the log names
        them. If the pointer is damaged, so that the champion is unknown, a ChampionError is raised.

        Returns:
            The removed versions or, if it is dry, those that would be removed.
        """
        with hold_store_lock(self.folder):
            pointer = self.read_pointer()
            protected: list[str] = []
            if pointer is not None:
                # Back to an intact predecessor, to which `load` could fall back.
                intact = next(
                    (version for version, *_ in self._list_intact(pointer.previous, [])), None
                )
                end = None if intact is None else pointer.previous.index(intact) + 1
                protected = [pointer.version, *pointer.previous[:end]]
            folders = {
                name: self.find_folder(name)
                for name in self.list_versions()
                if name not in protected
            }
            removable = [folder for folder in folders.values() if not folder.is_symlink()]
            if not is_dry:
                warn_of_kept(self._versions.remove_unfinished())
            removal = self._versions.remove(removable[: max(0, len(removable) - num_kept)], is_dry)
            warn_of_kept(removal)
            return removal.removed

    def _list_candidates(self, alarms: list[str]) -> Iterator[tuple[str, str]]:
        """Yield the versions to try, with their checksum if known; add a problem of the pointer to `alarms`."""
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
        found = []
        for version in versions:
            try:
                if version not in known:
                    found.append(
                        name_record(
                            parse_record(self.read_version(version)[RECORD], version), version
                        )
                    )
            except (ChampionError, KeyError):  # damaged, or without a record
                continue
            except ValueError as error:
                logger.error(
                    "%s: left out of the history, because its record is damaged (%s)",
                    version,
                    error,
                )
        return found

    def _replace_pointer(self, pointer: Pointer) -> None:
        try:
            self.read_pointer()
        except FormatError:
            raise
        except ChampionError:
            pass  # a damaged pointer may be replaced
        # Before the pointer changes, because these are the records of its version.
        for record in self._list_left_out(read_history(self.folder)):
            add_record(self.folder, record, record["record"])
        write_pointer(self._pointer, pointer)
        remove_temporary(self.folder, self._pointer.name.__eq__)


def name_record(record: Record, version: str) -> Record:
    """Return the record of a retraining under the name of the version that it made."""
    named: Record = {"record": version, **record}
    named["record"] = named["version"] = version
    return named


def _list_promoted(records: Sequence[Record]) -> list[str]:
    """Return the champion and its predecessors, newest first, according to the records."""
    promoted: list[str] = []
    for record in records:
        version = str(record.get("version"))
        if record.get("kind") == "rollback" and version in promoted:
            promoted = promoted[promoted.index(version) :]
        elif record.get("is_promoted"):
            promoted = [version, *(name for name in promoted if name != version)]
    return promoted
