"""A folder of versions, which appear when they are complete, and of which only files of the project are removed.

<folder>/2026-11-26T12.15.36.123456Z-a1b2c3           a complete version; the names sort by time
<folder>/.2026-11-26T12.15.36.123456Z-a1b2c3.part     one that is being written or removed, or left by a killed process
"""

import logging
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from rnn_pipelines.errors import RnnPipelinesError, show_all
from rnn_pipelines.storage.files import (
    find_target,
    is_folder,
    is_regular,
    list_folder,
    replace_file,
    sync_folder,
)
from rnn_pipelines.storage.names import give_order, is_name
from rnn_pipelines.versions.files import list_all_files, measure_file, remove_files

logger = logging.getLogger(__name__)

# Suffix of the hidden folder of a version that is being written or removed.
UNFINISHED = ".part"


@dataclass(frozen=True)
class OwnFiles:
    """The files of a version, by their paths relative to its folder."""

    checksums: Mapping[str, str]  # the sha256 of each file in hexadecimal, or its beginning
    planned: Collection[str] = ()  # paths at which any file is its own, because it is not complete
    has_folders: bool = True  # whether it has folders; else any folder is that of a user


@dataclass(frozen=True)
class Kept:
    """A folder that is kept because of other files in it."""

    name: str
    reason: str
    # That the project did not write, relative to the folder; empty if the version's own files are unknown.
    files: list[str]


@dataclass(frozen=True)
class Removal:
    """The names of removed folders, and the folders that were kept."""

    removed: list[str] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)


@dataclass(frozen=True)
class VersionedFolder:
    """The versions in a folder. Methods that change it need a lock, which the caller holds."""

    folder: Path  # made with the first version
    # The file in each version that lists the others. It is written first and removed last, so that the files that a
    # killed process leaves are known.
    list_name: str
    # Returns the own files of a version's folder, or raises an error of the project.
    read_list: Callable[[Path], OwnFiles]

    def list_complete(self) -> list[str]:
        """List the complete versions, oldest first, with those that are links, such as to another disk."""
        complete = (
            path.name for path in list_folder(self.folder) if is_name(path.name) and path.is_dir()
        )
        return sorted(complete, key=give_order)

    def list_hidden(self, ending: str = UNFINISHED) -> list[Path]:
        """List the hidden folders with an ending, oldest first."""
        hidden = self.folder.glob(f".*{ending}")
        return sorted(path for path in hidden if is_name(find_name(path)) and is_folder(path))

    def hide(self, name: str) -> Path:
        """Return the path of a version while it is being written or removed."""
        return self.folder / f".{name}{UNFINISHED}"

    def begin(self, name: str, listed: bytes) -> Path:
        """Make the hidden folder of a new version with its list, and return the folder."""
        hidden = self.hide(name)
        hidden.mkdir()
        replace_file(hidden / self.list_name, listed)
        return hidden

    def complete(self, name: str) -> None:
        """Give a version its name; all of its files are on disk."""
        os.rename(self.hide(name), self.folder / name)
        sync_folder(self.folder)

    def add(self, name: str, listed: bytes, files: Mapping[str, bytes]) -> None:
        """Write a version of files, content by name. An OSError leaves nothing of it, or a complete version."""
        hidden = self.hide(name)
        hidden.mkdir()
        try:
            # Another user may read the version.
            hidden.chmod(0o755)
            for file, content in {self.list_name: listed, **files}.items():
                replace_file(hidden / file, content)
            self.complete(name)
        except BaseException:
            shutil.rmtree(hidden, ignore_errors=True)
            raise

    def remove_unfinished(self, is_dry: bool = False) -> Removal:
        """Remove what killed processes left; see `remove`."""
        return self.remove(self.list_hidden(), is_dry)

    def remove(self, folders: Iterable[Path], is_dry: bool = False) -> Removal:
        """Remove versions, also hidden ones, unless they hold other files. If `is_dry`, only return the result."""
        result = Removal()
        for folder in folders:
            # Listed before the check, so that a file added later is not removed.
            names = list_all_files(folder)
            if kept := self._find_obstacle(folder):
                result.kept.append(kept)
                continue
            if not is_dry:
                # Hidden first, so that an interrupted removal leaves no incomplete version.
                hidden = folder if folder.name.startswith(".") else self.hide(folder.name)
                if hidden != folder:
                    os.rename(folder, hidden)
                    sync_folder(self.folder)
                remove_files(hidden, names, self.list_name)
            result.removed.append(folder.name)
        return result

    def _find_obstacle(self, folder: Path) -> Kept | None:
        is_hidden = folder.name.startswith(".")
        listed = folder / self.list_name
        if not is_hidden and os.path.lexists(hidden := self.hide(folder.name)):
            return Kept(folder.name, f"{hidden} exists; move it away", [])
        if not is_hidden and not listed.exists():
            return Kept(
                folder.name, f"it lacks {listed}, which would name its files; move it away", []
            )
        try:
            own = self.read_list(folder) if listed.exists() else OwnFiles({}, has_folders=False)
        except RnnPipelinesError as error:
            return Kept(folder.name, f"its own files are unknown: {error}", [])
        names = list_all_files(folder) if own.has_folders else os.listdir(folder)
        foreign = list_foreign(folder, names, self.list_name, own)
        text = f"{folder} holds files that the project did not write, or that changed since: {show_all(foreign)}; "
        return Kept(folder.name, f"{text}move them away", foreign) if foreign else None


def find_name(path: Path) -> str:
    """Return the name of the version of a folder, also of a hidden one."""
    return path.name[1:].rpartition(".")[0] if path.name.startswith(".") else path.name


def match_letters(names: Iterable[str], letters: str) -> list[str]:
    """Return the name itself, or else the names that begin or end with these letters."""
    listed = list(names)
    if letters in listed:
        return [letters]
    return [
        name for name in listed if letters and (name.startswith(letters) or name.endswith(letters))
    ]


def warn_of_kept(removal: Removal) -> None:
    """Log each kept folder with the reason."""
    for kept in removal.kept:
        logger.warning("%s is kept, because %s", kept.name, kept.reason)


def list_foreign(folder: Path, names: Iterable[str], list_name: str, own: OwnFiles) -> list[str]:
    """List what in a version's folder is not its own: other files, and every link, because the project makes none.

    Its own files are its list, files with the listed checksum or at a planned path, and temporary files of these.
    `names` are those of the files, links and folders in it, relative to the folder.
    """
    planned = {list_name, *own.planned}
    known = {*planned, *own.checksums}

    def is_own(name: str) -> bool:
        path = folder / name
        if not is_regular(path):
            # A missing file was removed by another process since it was listed.
            return not os.path.lexists(path)
        target = find_target(path.name)
        if target is not None:
            return str(PurePath(name).with_name(target)) in known
        if name in planned or name not in own.checksums:
            return name in planned
        facts = measure_file(path)
        return facts is None or facts["sha256"].startswith(own.checksums[name])

    return sorted(name for name in names if not is_own(name))
