"""Which model is in use: versions that never change, and a pointer that is replaced whole."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rnn_pipelines.champion.files import replace_file, sync_folder
from rnn_pipelines.champion.history import add_record, list_records, make_name
from rnn_pipelines.champion.lock import hold_lock
from rnn_pipelines.errors import ChampionError

CHECKSUMS = "checksums.json"
# Of the retraining that made the version.
RECORD = "record.json"
# To write a version or a pointer takes seconds; only a process that was stopped holds the lock for longer.
LOCK_SECONDS = 60


@dataclass(frozen=True)
class Pointer:
    """Which version is the champion.

    Attributes:
        version: its name.
        checksum: sha256 of its list of checksums.
        since: ISO 8601, UTC.
        reasons: why.
        previous: the champions before, the newest first.
    """

    version: str
    checksum: str
    since: str
    reasons: Sequence[str]
    previous: Sequence[str]


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

    def add_version(self, files: Mapping[str, bytes]) -> str:
        """Writes a version, which is never changed after, and returns its name.

        Args:
            files: content by name, no folders; one at least.
        Raises:
            ValueError: there is no file, or one that can't have its name.
            OSError: it could not be written. Nothing is left, or a whole version that nothing names.
        """
        wrong = [name for name in files if not _is_plain(name) or name == CHECKSUMS]
        if wrong or not files:
            raise ValueError(f"expected plain names of files, other than {CHECKSUMS}; received {wrong or 'no file'}.")
        checksums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        with self._hold_lock():
            self._versions.mkdir(exist_ok=True)
            for path in self._list_unfinished():
                shutil.rmtree(path, ignore_errors=True)
            unfinished = Path(tempfile.mkdtemp(dir=self._versions, prefix=".", suffix=".part"))
            try:
                # Made for its owner only; whoever predicts may be another user.
                os.chmod(unfinished, 0o755)
                for name, content in {**files, CHECKSUMS: json.dumps(checksums, indent=2).encode()}.items():
                    replace_file(unfinished / name, content)
                version = make_name()
                os.rename(unfinished, self._versions / version)
            except BaseException:
                shutil.rmtree(unfinished, ignore_errors=True)
                raise
            sync_folder(self._versions)
        return version

    def promote(self, version: str, reasons: Sequence[str], since: str) -> Pointer:
        """Makes a version the champion.

        Args:
            version: its name; whole, or it is refused.
            reasons: why, in words.
            since: ISO 8601, UTC.
        Raises:
            ChampionError: there is no such version, or it is damaged.
            OSError: the pointer could not be written; it is as it was, or names the version, but might not outlast a
                power cut.
        """
        with self._hold_lock():
            checksum = self._verify(version)[1]
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
                    checksum = self._verify(version)[1]
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
        return self._verify(version)[0]

    def read_pointer(self) -> Pointer | None:
        """The pointer as it is written; None where there never was a champion.

        Raises:
            ChampionError: it is damaged, or missing although there were champions.
        """
        try:
            pointer = Pointer(**json.loads(self._pointer.read_text(encoding="utf-8")))
            if not isinstance(pointer.previous, list):
                raise TypeError("expected a list of the champions before")
            return pointer
        except FileNotFoundError:
            # What only versions tell doesn't count: the first one may have ended before it was promoted.
            if _list_promoted(list_records(self.folder)):
                raise ChampionError(f"{self._pointer}: it is missing, although there were champions.") from None
            return None
        except (OSError, ValueError, TypeError) as error:
            raise ChampionError(f"{self._pointer}: it is damaged ({error}).") from error

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
                files, found = self._verify(version)
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

    def list_records(self) -> list[dict[str, Any]]:
        """The history, the oldest first, and what a process that ended early left out of it.

        That is the record of the champion's retraining, which lies in its version too. Where the pointer is lost, each
        version that is on record nowhere may have been the champion.
        """
        records = list_records(self.folder)
        return sorted([*records, *self._list_left_out(records)], key=lambda record: str(record.get("record", "")))

    def find_folder(self, version: str) -> Path:
        """Where the files of a version lie."""
        return self._versions / version

    def list_versions(self) -> list[str]:
        """All versions that are complete, the oldest first."""
        return sorted(path.name for path in self._versions.glob("*") if path.is_dir() and _is_plain(path.name))

    def prune(self, num_kept: int) -> list[str]:
        """Removes old versions, never the champion or the one before it.

        Args:
            num_kept: newest versions that stay besides these two.
        Returns:
            The versions that were removed.
        Raises:
            ChampionError: the pointer is damaged, so that nothing says what must stay.
        """
        with self._hold_lock():
            pointer = self.read_pointer()
            protected = [] if pointer is None else list(self._list_protected(pointer))
            others = [name for name in self.list_versions() if name not in protected]
            removed = others[: max(0, len(others) - num_kept)]
            # Out of sight first: a removal that is interrupted leaves no version without some of its files.
            for name in removed:
                os.rename(self._versions / name, self._versions / f".{name}.part")
            if removed:
                sync_folder(self._versions)
            for path in self._list_unfinished():
                shutil.rmtree(path)
        return removed

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

    def _list_left_out(self, records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        known = [record.get("version") for record in records if record.get("kind") == "retrain"]
        try:
            pointer = self.read_pointer()
            versions = [] if pointer is None else [pointer.version]
        except ChampionError:
            versions = self.list_versions()
        found = [self._read_record(version) for version in versions if version not in known]
        return [record for record in found if record is not None]

    def _read_record(self, version: str) -> dict[str, Any] | None:
        try:
            return name_record(json.loads(self.read_version(version)[RECORD]), version)
        except (ChampionError, KeyError):  # damaged, or from when versions had no record
            return None

    def _replace_pointer(self, pointer: Pointer) -> None:
        # While the pointer still says whose records these are.
        for record in self._list_left_out(list_records(self.folder)):
            add_record(self.folder, record)
        replace_file(self._pointer, json.dumps(asdict(pointer), indent=2).encode())

    def _list_protected(self, pointer: Pointer) -> Iterator[str]:
        """The champion and those before it, back to one that is whole: what `load` could fall back to."""
        yield pointer.version
        for version in pointer.previous:
            yield version
            try:
                self._verify(version)
                return
            except ChampionError:
                pass

    def _list_unfinished(self) -> list[Path]:
        """What processes that ended midway left; the lock's holder finds no other."""
        return [path for path in self._versions.glob(".*.part") if path.is_dir()]

    def _verify(self, version: str) -> tuple[dict[str, bytes], str]:
        """The files of a version and the checksum of their list."""
        if not _is_plain(version):
            raise ChampionError(f"{version}: that is no name of a version.")
        folder = self.find_folder(version)
        try:
            listed = (folder / CHECKSUMS).read_bytes()
            checksums = _parse_checksums(listed)
            files = {name: (folder / name).read_bytes() for name in checksums}
        except (OSError, ValueError) as error:
            raise ChampionError(f"{version}: it is damaged or missing ({error}).") from error
        damaged = [name for name in files if hashlib.sha256(files[name]).hexdigest() != checksums[name]]
        if damaged:
            raise ChampionError(f"{version}: {', '.join(damaged)} changed after it was written.")
        return files, hashlib.sha256(listed).hexdigest()

    def _hold_lock(self) -> AbstractContextManager[None]:
        return hold_lock(self.folder / "pointer.lock", LOCK_SECONDS)

    @property
    def _versions(self) -> Path:
        return self.folder / "versions"

    @property
    def _pointer(self) -> Path:
        return self.folder / "champion.json"


def name_record(record: Mapping[str, Any], version: str) -> dict[str, Any]:
    """The record of a retraining, named after the version that it made."""
    return {"record": version, **record, "version": version}


def _list_promoted(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """The champion and those before it, the newest first, as the records tell."""
    promoted: list[str] = []
    for record in records:
        version = str(record.get("version"))
        if record.get("kind") == "rollback" and version in promoted:
            promoted = promoted[promoted.index(version) :]
        elif record.get("is_promoted"):
            promoted = [version, *(name for name in promoted if name != version)]
    return promoted


def _is_plain(name: object) -> bool:
    """Whether it names something in a folder that is not hidden: what a damaged file names must not lead elsewhere."""
    return isinstance(name, str) and name != "" and "/" not in name and not name.startswith(".")


def _parse_checksums(listed: bytes) -> dict[str, Any]:
    checksums = json.loads(listed)
    if not isinstance(checksums, dict) or not checksums or not all(map(_is_plain, checksums)):
        raise ValueError(f"{CHECKSUMS}: expected names of files with their checksums")
    return checksums
