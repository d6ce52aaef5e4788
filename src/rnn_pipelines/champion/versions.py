"""The immutable versions of a task's model: one folder per version, with a checksum of every file."""

import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from rnn_pipelines.champion.checksums import CHECKSUMS, list_checksums, list_foreign, measure, read_listed
from rnn_pipelines.champion.history import make_name
from rnn_pipelines.errors import ChampionError, show, show_all
from rnn_pipelines.storage.files import is_folder, list_folder, replace_file, sync_folder
from rnn_pipelines.storage.formats import is_plain
from rnn_pipelines.storage.names import give_order, is_name

logger = logging.getLogger(__name__)


class Versions:
    """The folder of a task's versions. Methods that change it need the lock of the task's store.

    Args:
        folder: made with the first version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, files: Mapping[str, bytes]) -> str:
        """Write a version and return its name.

        Args:
            files: content by name, without folders; at least one.
        Raises:
            ValueError: there is no file, or a file name is invalid.
            OSError: the version could not be written. Nothing is left of it, or a complete version that is not in use.
        """
        wrong = [name for name in files if not is_plain(name) or name == CHECKSUMS]
        if wrong or not files:
            raise ValueError(
                f"expected plain names of files, other than {CHECKSUMS}; received "
                f"{show_all(wrong) if wrong else 'no file'}."
            )
        self.folder.mkdir(exist_ok=True)
        try:
            self._remove_unfinished()
        except OSError as error:
            logger.warning("%s: an unfinished version can't be removed (%s)", self.folder, error)
        version = make_name(self.folder.parent)
        unfinished = self._hide(version)
        unfinished.mkdir()
        try:
            # Another user may run the predictions.
            os.chmod(unfinished, 0o755)
            # The list comes first: it identifies the files that a killed process leaves.
            for name, content in {CHECKSUMS: list_checksums(files), **files}.items():
                replace_file(unfinished / name, content)
            os.rename(unfinished, self.folder / version)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        sync_folder(self.folder)
        return version

    def verify(self, version: str) -> tuple[dict[str, bytes], str]:
        """Return the files of a version, and the checksum of their list.

        Raises:
            ChampionError: there is no such version, or it is damaged.
            FormatError: another version of the project wrote it.
        """
        if not is_plain(version):
            raise ChampionError(f"expected the name of a version, received {show(version)}.")
        folder = self.folder / version
        try:
            listed = (folder / CHECKSUMS).read_bytes()
        except (OSError, ValueError) as error:
            raise ChampionError(f"{version}: it is damaged or missing ({error}).") from error
        return read_listed(folder, listed, version), measure(listed)

    def list_complete(self) -> list[str]:
        """Return all complete versions, oldest first."""
        found = (path.name for path in list_folder(self.folder) if is_name(path.name) and path.is_dir())
        return sorted(found, key=give_order)

    def list_linked(self) -> list[str]:
        """Return the versions that are links, such as to another disk."""
        return [name for name in self.list_complete() if (self.folder / name).is_symlink()]

    def remove(self, versions: Sequence[str]) -> list[str]:
        """Remove versions, none of which is linked, and the unfinished versions of killed processes.

        Returns:
            The removed versions. A version stays if it holds files that the project did not write, or that changed
            since; a warning names these files.
        """
        removed = self.list_removable(versions)
        # Hidden first, so that an interrupted removal leaves no incomplete version.
        for name in removed:
            os.rename(self.folder / name, self._hide(name))
        if removed:
            sync_folder(self.folder)
        self._remove_unfinished()
        return removed

    def list_removable(self, versions: Sequence[str]) -> list[str]:
        """Return the versions that hold only unchanged files of the project; a warning names any others."""
        return [name for name in versions if _is_removable(self.folder / name)]

    def _hide(self, version: str) -> Path:
        """Return the folder of a version that is incomplete or being removed."""
        return self.folder / f".{version}.part"

    def _remove_unfinished(self) -> None:
        """Remove the unfinished versions of killed processes; the caller holds the lock, so that none is in use."""
        for path in self.folder.glob(".*.part"):
            if not is_name(path.name[1:].removesuffix(".part")) or not is_folder(path):
                continue
            # Only files listed before the check are removed. The list goes last, because it identifies the others.
            names = sorted(os.listdir(path), key=lambda name: name == CHECKSUMS)
            if _is_removable(path):
                for name in names:
                    (path / name).unlink()
                path.rmdir()


def _is_removable(folder: Path) -> bool:
    foreign = list_foreign(folder)
    if foreign:
        logger.warning(
            "%s is kept, because these files are not as the project wrote them: %s. Move them away to have it removed.",
            *(folder, show_all(foreign)),
        )
    return not foreign
