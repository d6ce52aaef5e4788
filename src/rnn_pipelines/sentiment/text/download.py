"""The archive of reviews on this machine: the one the user names, the one downloaded before, or a new download."""

import hashlib
import logging
import os
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from rnn_pipelines.errors import MAX_PATH, DownloadError, ReviewError, make_line

logger = logging.getLogger(__name__)

# Without a byte for so long, a connection has ended.
TIMEOUT_SECONDS = 30
# Letters of what a library says why a download failed.
MAX_REASON = 200


@dataclass(frozen=True)
class RemoteArchive:
    """A file on a server, and how it is known to be whole."""

    url: str
    num_bytes: int
    sha256: str

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.url.rsplit("/", 1)[1]


IMDB = RemoteArchive(
    url="https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
    num_bytes=84_125_825,
    sha256="c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
)


def fetch_archive(archive: str | None, download_to: str, remote: RemoteArchive = IMDB) -> Path:
    """Finds the archive, and downloads it where nobody has.

    A file that the user names is taken as it is: it may be a part of the original or reviews in its layout, and
    `read_archive` trusts no archive anyway. What comes over the network is held against its size and hash.

    Args:
        archive: the file that the user names; else the environment variable IMDB_ARCHIVE names it.
        download_to: folder of what is downloaded where nobody names a file.
        remote: what to download.
    Returns:
        Path of the archive.
    Raises:
        DownloadError: the server can't be reached, or sends another file.
        ReviewError: a named file does not exist, the file in `download_to` is damaged, or the folder can't be written.
    """
    named = {"sentiment.source.archive": archive, "IMDB_ARCHIVE": os.environ.get("IMDB_ARCHIVE")}
    for name, value in named.items():
        if value:
            path = Path(value)
            if not os.path.isfile(path):  # takes names that no file can have, unlike the path's own method
                what = "a folder" if os.path.isdir(path) else "no such file"
                raise ReviewError(
                    f"{make_line(path, MAX_PATH)}: {what} (looked in {Path.cwd()}). Name an archive in {name}."
                )
            return path
    path = Path(download_to) / remote.name
    if path.exists():
        _check_downloaded(path, remote)
    else:
        _download(path, remote)
    return path


def _check_downloaded(path: Path, remote: RemoteArchive) -> None:
    """Or a file of the same name that somebody put there would be read as the original."""
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != remote.sha256:
            raise ReviewError(
                f"{path}: expected the original archive (sha256 {remote.sha256}), received another file. Delete it to "
                "download the original, or name it in sentiment.source.archive to read it as it is."
            )


def _download(path: Path, remote: RemoteArchive) -> None:
    import pooch

    logger.info("Downloading %s (%.0f MB) to %s", remote.url, remote.num_bytes / 1e6, path)
    pooch.get_logger().setLevel("WARNING")
    try:
        # Into a temporary file beside `path`, which is renamed once its hash is right and removed otherwise.
        pooch.retrieve(
            remote.url,
            known_hash=f"sha256:{remote.sha256}",
            fname=path.name,
            path=path.parent,
            downloader=partial(_stream, remote),
        )
    except (OSError, ValueError) as error:
        reason = make_line(error, MAX_REASON).strip().rstrip(".")
        # The errors of a connection have no number of the operating system; those of a folder or a full disk have one.
        kind = ReviewError if isinstance(error, OSError) and error.errno is not None else DownloadError
        raise kind(
            f"{remote.url}: the download failed: {reason}. Run again, which starts it anew; or get the file in another "
            "way and name it in sentiment.source.archive or in the environment variable IMDB_ARCHIVE."
        ) from error


def _stream(remote: RemoteArchive, url: str, output_file: str, _pooch: Any, *, check_only: bool = False) -> None:
    from pooch import HTTPDownloader

    download = HTTPDownloader(
        progressbar=sys.stderr.isatty(),
        timeout=TIMEOUT_SECONDS,
        # As it is: what a server packs for the way would be unpacked once too often.
        headers={"Accept-Encoding": "identity"},
    )
    with open(output_file, "wb") as file:
        download(url, _BoundedFile(file, remote.num_bytes), _pooch)


@dataclass
class _BoundedFile:
    """Takes no more bytes than the file has, or a server could fill the disk."""

    file: BinaryIO
    num_left: int

    def write(self, data: bytes) -> None:
        self.num_left -= len(data)
        if self.num_left < 0:
            raise ReviewError("the server sends more bytes than the original has")
        self.file.write(data)

    def flush(self) -> None:
        self.file.flush()
