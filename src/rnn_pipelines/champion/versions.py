"""The versions of a task's model, which never change: a folder each, with a checksum of every file."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from rnn_pipelines.champion.files import is_folder, replace_file, sync_folder
from rnn_pipelines.champion.formats import FORMAT, is_plain, read_object
from rnn_pipelines.champion.history import give_order, is_name, list_folder, make_name
from rnn_pipelines.errors import ChampionError, show, show_all

CHECKSUMS = "checksums.json"


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
        for path in self._list_unfinished():
            shutil.rmtree(path, ignore_errors=True)
        unfinished = Path(tempfile.mkdtemp(dir=self.folder, prefix=".", suffix=".part"))
        try:
            # Made for its owner only; whoever predicts may be another user.
            os.chmod(unfinished, 0o755)
            for name, content in {**files, CHECKSUMS: _list_checksums(files)}.items():
                replace_file(unfinished / name, content)
            version = make_name(self.folder.parent)
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
            checksums = _parse_checksums(listed, version)
            files = {name: (folder / name).read_bytes() for name in checksums}
        except (OSError, ValueError) as error:
            raise ChampionError(f"{version}: it is damaged or missing ({error}).") from error
        damaged = [name for name in files if hashlib.sha256(files[name]).hexdigest() != checksums[name]]
        if damaged:
            raise ChampionError(f"{version}: {', '.join(damaged)} changed after it was written.")
        return files, hashlib.sha256(listed).hexdigest()

    def list_complete(self) -> list[str]:
        """All that are complete, the oldest first."""
        found = (path.name for path in list_folder(self.folder) if is_name(path.name) and path.is_dir())
        return sorted(found, key=give_order)

    def list_linked(self) -> list[str]:
        """Those that somebody moved to another place, such as another disk, and linked."""
        return [name for name in self.list_complete() if (self.folder / name).is_symlink()]

    def remove(self, versions: Sequence[str]) -> None:
        """Removes versions, none of which is linked, and what processes left that ended midway."""
        # Out of sight first: a removal that is interrupted leaves no version without some of its files.
        for name in versions:
            os.rename(self.folder / name, self.folder / f".{name}.part")
        if versions:
            sync_folder(self.folder)
        for path in self._list_unfinished():
            shutil.rmtree(path)

    def _list_unfinished(self) -> list[Path]:
        """What processes that ended midway left; the lock's holder finds no other."""
        return [path for path in self.folder.glob(".*.part") if is_folder(path)]


def _list_checksums(files: Mapping[str, bytes]) -> bytes:
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return json.dumps({"format": FORMAT, "files": checksums}, indent=2).encode()


def _parse_checksums(listed: bytes, version: str) -> dict[str, str]:
    found = read_object(listed, version)
    # Before there were formats, the list was nothing but the files.
    checksums = found.get("files") if "format" in found else found
    if not isinstance(checksums, dict) or not checksums or not all(map(is_plain, checksums)):
        raise ValueError(f"{CHECKSUMS}: expected names of files with their checksums")
    return checksums
