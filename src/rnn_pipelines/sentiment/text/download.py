"""The archive of reviews: the user's own file, an earlier download, or a new download."""

import hashlib
import logging
import os
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from rnn_pipelines.errors import MAX_PATH, DownloadError, ReviewError, make_line
from rnn_pipelines.reading.table_files import expand_home

logger = logging.getLogger(__name__)

# A connection times out after this time without data.
TIMEOUT_SECONDS = 30
# Maximum number of characters of a library's error message.
MAX_REASON = 200


@dataclass(frozen=True)
class RemoteArchive:
    """A file on a server, with its size and hash."""

    url: str
    num_bytes: int
    sha256: str

    @property
    def name(self) -> str:
        return self.url.rsplit("/", 1)[1]


IMDB = RemoteArchive(
    url="https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
    num_bytes=84_125_825,
    sha256="c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
)


def has_archive(archive: str | None, download_to: str, remote: RemoteArchive = IMDB) -> bool:
    """Return whether `fetch_archive` has a file to read, so that it downloads nothing."""
    return (
        bool(archive or os.environ.get("IMDB_ARCHIVE"))
        or (Path(download_to) / remote.name).exists()
    )


def fetch_archive(archive: str | None, download_to: str, remote: RemoteArchive = IMDB) -> Path:
    """Return the path of the archive; download it if there is none.

    The user's own file is not checked here: it may be a part of the original or other reviews in the same layout, and
    `read_archive` checks every archive. The size and hash of a download are checked.

    Args:
        archive: the user's own file; defaults to the environment variable IMDB_ARCHIVE.
        download_to: folder of the download, used if no file is given.
    Raises:
        DownloadError: the server can't be reached, or sends another file.
        ReviewError: the given file does not exist, the downloaded file is damaged, or the folder can't be written.
    """
    named = {"sentiment.source.archive": archive, "IMDB_ARCHIVE": os.environ.get("IMDB_ARCHIVE")}
    for name, value in named.items():
        if value:
            path = expand_home(value)
            if not os.path.isfile(path):  # accepts invalid file names, unlike Path.is_file
                what = "a folder" if os.path.isdir(path) else "no such file"
                place = f"{make_line(path, MAX_PATH)}: {what} (looked in {Path.cwd()})"
                raise ReviewError(f"{place}. Name an archive in {name}.")
            return path
    path = Path(download_to) / remote.name
    if not path.exists():
        _download(path, remote)
        return path
    # Checked, so that another file of the same name is not read as the original.
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != remote.sha256:
            raise ReviewError(
                f"{path}: expected the original archive (sha256 {remote.sha256}), received another file. Delete it to "
                "download the original, or name it in sentiment.source.archive to read it anyway."
            )
    return path


def _download(path: Path, remote: RemoteArchive) -> None:
    import pooch

    logger.info("Downloading %s (%.0f MB) to %s", remote.url, remote.num_bytes / 1e6, path)
    pooch.get_logger().setLevel("WARNING")
    try:
        # pooch writes a temporary file beside `path`, renames it if its hash is right and removes it otherwise.
        checksum = f"sha256:{remote.sha256}"
        downloader = partial(_stream, remote, pooch.HTTPDownloader)
        pooch.retrieve(
            remote.url, checksum, fname=path.name, path=path.parent, downloader=downloader
        )
    except (OSError, ValueError) as error:
        reason = make_line(error, MAX_REASON).strip().rstrip(".")
        # Connection errors have no errno; errors of a folder or a full disk have one.
        kind = (
            ReviewError if isinstance(error, OSError) and error.errno is not None else DownloadError
        )
        raise kind(
            f"{remote.url}: the download failed: {reason}. Run again, or get the file in another way and name it "
            "in sentiment.source.archive or in the environment variable IMDB_ARCHIVE."
        ) from error


def _stream(
    remote: RemoteArchive,
    downloader: Any,
    url: str,
    output_file: str,
    _pooch: Any,
    *,
    check_only: bool = False,
) -> None:
    # Without transfer compression, because the archive would be unpacked once too often.
    headers = {"Accept-Encoding": "identity"}
    download = downloader(progressbar=sys.stderr.isatty(), timeout=TIMEOUT_SECONDS, headers=headers)
    with open(output_file, "wb") as file:
        download(url, _BoundedFile(file, remote.num_bytes), _pooch)


@dataclass
class _BoundedFile:
    """A file with a maximum size, so that a server can't fill the disk."""

    file: BinaryIO
    num_left: int

    def write(self, data: bytes) -> None:
        self.num_left -= len(data)
        if self.num_left < 0:
            raise ReviewError("the server sends more bytes than expected")
        self.file.write(data)

    def flush(self) -> None:
        self.file.flush()
