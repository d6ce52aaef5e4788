"""The newest versions of some files, such as the inputs of the last runs."""

import logging
from collections.abc import Mapping

from kedro.io.core import AbstractDataset, DatasetError

from rnn_pipelines.datasets.folder import find_local_path
from rnn_pipelines.errors import RnnPipelinesError
from rnn_pipelines.storage.lock import hold_lock
from rnn_pipelines.storage.names import make_later_name
from rnn_pipelines.versions.checksums import CHECKSUMS, list_checksums, list_own_files, read_version
from rnn_pipelines.versions.folder import VersionedFolder, warn_of_kept

logger = logging.getLogger(__name__)

# Writing a version takes a second. Only a suspended process holds the lock for longer.
LOCK_SECONDS = 60


class NewestVersionsDataset(AbstractDataset[Mapping[str, bytes], list[dict[str, bytes]]]):
    """Dataset of the newest versions of some files, `keep` of them, each in a folder of its own on this machine.

    Saves files, content by name, as a version with checksums, unless there are none or they equal the newest one; older
    versions are removed. Loads the versions that are intact, oldest first. A version that can't be saved is a warning,
    because a run must not lose its results for a copy of its inputs.
    """

    def __init__(
        self, *, path: str, keep: int = 2, metadata: dict[str, object] | None = None
    ) -> None:
        if not isinstance(keep, int) or keep < 1:
            raise DatasetError(f"keep: expected a whole number of 1 or more, received {keep!r}.")
        self._versions = VersionedFolder(find_local_path(path), CHECKSUMS, list_own_files)
        self._keep = keep
        self.metadata = metadata

    def load(self) -> list[dict[str, bytes]]:
        """Return the files of each version, content by name; a damaged version is logged and left out."""
        versions = []
        try:
            names = self._versions.list_complete()
        except OSError as error:
            logger.warning("%s: it can't be read (%s)", self._versions.folder, error)
            names = []
        for name in names:
            try:
                versions.append(read_version(self._versions.folder, name)[0])
            except RnnPipelinesError as error:
                logger.warning("%s: left out (%s)", self._versions.folder, error)
        return versions

    def save(self, data: Mapping[str, bytes]) -> None:
        """Add a version, whole or not at all, and remove the oldest ones."""
        try:
            if not data:
                return
            folder = self._versions.folder
            listed = list_checksums(data)
            with hold_lock(folder / ".lock", LOCK_SECONDS):
                warn_of_kept(self._versions.remove_unfinished())
                names = self._versions.list_complete()
                newest = folder / names[-1] / CHECKSUMS if names else folder / CHECKSUMS
                if not newest.exists() or newest.read_bytes() != listed:
                    self._versions.add(make_later_name(names), listed, data)
                old = self._versions.list_complete()[: -self._keep]
                warn_of_kept(self._versions.remove(folder / name for name in old))
        except OSError as error:
            # It may be a lock that another process holds.
            logger.warning("%s: no version was saved (%s)", self._versions.folder, error)

    def _exists(self) -> bool:
        return bool(self._versions.list_complete())

    def _describe(self) -> dict[str, object]:
        return {"path": str(self._versions.folder), "keep": self._keep}
