"""The versions of a task's model, which never change: a folder each, with a checksum of every file."""

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
    """The folder of a task's versions. Who changes it holds the lock of the task's store.

    Args:
        folder: made with the first version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, files: Mapping[str, bytes]) -> str:
        """Writes a version and returns its name.

        Args:
            files: content by name, no folders; one at least.
        Raises:
            ValueError: there is no file, or one that can't have its name.
            OSError: it could not be written. Nothing is left, or a whole version that nothing names.
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
            # Whoever predicts may be another user.
            os.chmod(unfinished, 0o755)
            # The list comes first: it proves that what a killed process left is ours.
            for name, content in {CHECKSUMS: list_checksums(files), **files}.items():
                replace_file(unfinished / name, content)
            os.rename(unfinished, self.folder / version)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        sync_folder(self.folder)
        return version

    def verify(self, version: str) -> tuple[dict[str, bytes], str]:
        """The files of a version, and the checksum of their list.

        Raises:
            ChampionError: there is no such version, or it is damaged.
            NewerFormatError: a newer version of the project has written it.
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
        """All that are complete, the oldest first."""
        found = (path.name for path in list_folder(self.folder) if is_name(path.name) and path.is_dir())
        return sorted(found, key=give_order)

    def list_linked(self) -> list[str]:
        """Those that somebody moved to another place, such as another disk, and linked."""
        return [name for name in self.list_complete() if (self.folder / name).is_symlink()]

    def remove(self, versions: Sequence[str]) -> list[str]:
        """Removes versions, none of which is linked, and what processes left that ended midway.

        Returns:
            The versions that were removed. One stays if it holds what the project did not write there, or what changed
            since; a warning names these files.
        """
        removed = self.list_removable(versions)
        # Out of sight first: a removal that is interrupted leaves no version without some of its files.
        for name in removed:
            os.rename(self.folder / name, self._hide(name))
        if removed:
            sync_folder(self.folder)
        self._remove_unfinished()
        return removed

    def list_removable(self, versions: Sequence[str]) -> list[str]:
        """Return the versions that hold nothing but what the project wrote; a warning names the files of the others."""
        return [name for name in versions if _is_removable(self.folder / name)]

    def _hide(self, version: str) -> Path:
        """The folder of a version that is not complete yet, or is being removed."""
        return self.folder / f".{version}.part"

    def _remove_unfinished(self) -> None:
        """Removes what processes left that ended midway; the lock's holder finds no other."""
        for path in self.folder.glob(".*.part"):
            if not is_name(path.name[1:].removesuffix(".part")) or not is_folder(path):
                continue
            # Only files that were there before the check are removed, and the list last, because it proves the others.
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
