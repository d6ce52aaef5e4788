"""A download is whole or leaves nothing behind; a file that the user names is never replaced by one."""

import errno
import hashlib
import os
import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from rnn_pipelines.errors import DownloadError, ReviewError
from rnn_pipelines.sentiment.text import download
from rnn_pipelines.sentiment.text.download import IMDB, RemoteArchive, fetch_archive
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec

CONTENT = bytes(range(256)) * 1_000
FILE = "reviews.tar.gz"


class Server(ThreadingHTTPServer):
    """Serves `CONTENT`, and otherwise what it is told to."""

    daemon_threads = True
    status = 200
    content = CONTENT
    announced: int | None = len(CONTENT)
    waits = False
    num_requests = 0
    num_sent = 0


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.num_requests += 1
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("Location", "/moved.tar.gz")
            self.send_header("Content-Length", "0")
            self.server.status = 200
        elif self.server.announced is not None:
            self.send_header("Content-Length", str(self.server.announced))
        self.end_headers()
        try:
            for start in range(0, len(self.server.content), 2**14):
                self.wfile.write(self.server.content[start : start + 2**14])
                self.server.num_sent += 2**14
        except OSError:
            pass
        if self.server.waits:
            self.rfile.read(1)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True)
def _no_archive_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMDB_ARCHIVE", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of the test's own."""
    with Server(("127.0.0.1", 0), Handler) as running:
        Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def remote(server: Server) -> RemoteArchive:
    """The file on the server."""
    return RemoteArchive(
        f"http://127.0.0.1:{server.server_port}/{FILE}",
        len(CONTENT),
        hashlib.sha256(CONTENT).hexdigest(),
    )


@pytest.fixture
def source(tmp_path: Path) -> ReviewSourceSpec:
    """Asks for a download into a folder that isn't there yet."""
    return ReviewSourceSpec(download_to=str(tmp_path / "raw/sentiment"))


@pytest.fixture
def fail(source: ReviewSourceSpec, remote: RemoteArchive) -> Callable[..., str]:
    """The message of the error that fetching ends in, once it has left nothing behind."""

    def fetch() -> str:
        with pytest.raises(DownloadError) as caught:
            fetch_archive(source.archive, source.download_to, remote)
        folder = Path(source.download_to)
        assert not folder.exists() or list(folder.iterdir()) == []
        return str(caught.value)

    return fetch


@pytest.mark.parametrize(
    "behaviour", [{}, {"status": 302}, {"announced": None}], ids=["plain", "redirect", "no size"]
)
def test_archive_is_downloaded(
    source: ReviewSourceSpec, remote: RemoteArchive, server: Server, behaviour: dict[str, object]
) -> None:
    vars(server).update(behaviour)
    path = fetch_archive(source.archive, source.download_to, remote)
    assert (path, path.read_bytes()) == (Path(source.download_to) / FILE, CONTENT)
    assert os.listdir(source.download_to) == [FILE]


def test_download_is_finished_under_another_name(
    source: ReviewSourceSpec, remote: RemoteArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that whoever reads the folder meanwhile finds all of it or nothing.
    seen = []
    write = download._BoundedFile.write
    monkeypatch.setattr(
        download._BoundedFile,
        "write",
        lambda file, data: (seen.append(os.listdir(source.download_to)), write(file, data)),
    )
    fetch_archive(source.archive, source.download_to, remote)
    assert seen
    assert all(len(names) == 1 and FILE not in names for names in seen)


def test_download_is_done_once(
    source: ReviewSourceSpec, remote: RemoteArchive, server: Server
) -> None:
    first = fetch_archive(source.archive, source.download_to, remote)
    assert fetch_archive(source.archive, source.download_to, remote) == first
    assert server.num_requests == 1


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_shown_in_a_terminal_only(
    source: ReviewSourceSpec,
    remote: RemoteArchive,
    terminal: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    fetch_archive(source.archive, source.download_to, remote)
    assert ("100%" in capsys.readouterr().err) == terminal


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ({"content": CONTENT[::-1]}, "hash"),
        ({"announced": 10}, "the download failed"),
        ({"announced": 10**12}, "the download failed"),
        ({"announced": None, "content": CONTENT[:-1]}, "hash"),
        ({"content": CONTENT[:100_000]}, "the download failed"),
        ({"status": 404, "content": b"no", "announced": 2}, "404"),
        ({"status": 503, "content": b"no", "announced": 2}, "503"),
        ({"content": CONTENT[:1_000], "waits": True}, "timed out"),
    ],
    ids=[
        "other content",
        "too short",
        "too long",
        "less than whole",
        "broken connection",
        "404",
        "503",
        "silence",
    ],
)
def test_incomplete_download_is_an_error(
    fail: Callable[..., str],
    server: Server,
    behaviour: dict[str, object],
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(download, "TIMEOUT_SECONDS", 0.2 if "waits" in behaviour else 30)
    vars(server).update(behaviour)
    assert reason in fail()


def test_server_that_sends_more_without_announcing_is_stopped(
    fail: Callable[..., str], server: Server
) -> None:
    """Before the disk is full."""
    server.announced = None
    server.content = CONTENT * 400
    assert "more bytes than expected" in fail()
    assert server.num_sent < len(server.content) / 2


def test_second_try_after_a_broken_connection_starts_anew(
    fail: Callable[..., str], source: ReviewSourceSpec, remote: RemoteArchive, server: Server
) -> None:
    server.content = CONTENT[:100_000]
    fail()
    server.content = CONTENT
    assert fetch_archive(source.archive, source.download_to, remote).read_bytes() == CONTENT


def test_interrupted_download_leaves_nothing_behind(
    source: ReviewSourceSpec, remote: RemoteArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(download._BoundedFile, "write", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch_archive(source.archive, source.download_to, remote)
    assert os.listdir(source.download_to) == []


def test_without_a_network_both_ways_to_get_it_are_named(source: ReviewSourceSpec) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}/{FILE}"
    with pytest.raises(DownloadError) as caught:
        fetch_archive(source.archive, source.download_to, RemoteArchive(url, 1, "0"))
    message = str(caught.value)
    assert message.startswith(f"{url}: the download failed")
    assert message.endswith(
        "name it in sentiment.source.archive or in the environment variable IMDB_ARCHIVE."
    )


@pytest.mark.parametrize("reason", ["Not a directory", "No space left"])
def test_folder_that_cannot_be_written_is_no_fault_of_the_download(
    tmp_path: Path, remote: RemoteArchive, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    def fill(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if reason == "No space left":
        monkeypatch.setattr(download._BoundedFile, "write", fill)
    else:
        (tmp_path / "file").touch()
    with pytest.raises(ReviewError, match=reason) as caught:
        fetch_archive(None, str(tmp_path / "file/raw"), remote)
    assert not isinstance(caught.value, DownloadError)


def test_other_file_under_the_name_is_not_read_or_replaced(
    source: ReviewSourceSpec, remote: RemoteArchive
) -> None:
    path = Path(source.download_to) / FILE
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    with pytest.raises(ReviewError, match=r"Delete it to download the original"):
        fetch_archive(source.archive, source.download_to, remote)
    assert path.read_text() == "mine"


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """An archive on this machine, which is not the one on the server."""
    path = tmp_path / "mine.tar.gz"
    path.write_text("mine")
    return path


# Whether parameter and environment variable name the local file, whether there is a download, and what is read.
NAMED = {
    "parameter": (True, None, False, "mine.tar.gz"),
    "variable": (False, "mine.tar.gz", False, "mine.tar.gz"),
    "parameter before variable": (True, "other.tar.gz", False, "mine.tar.gz"),
    "variable before download": (False, "mine.tar.gz", True, "mine.tar.gz"),
    "empty variable": (False, "", False, FILE),
}


@pytest.mark.parametrize(
    ("is_named", "variable", "is_downloaded", "expected"), NAMED.values(), ids=NAMED
)
def test_named_file_is_read_whatever_its_hash(
    *,
    local: Path,
    source: ReviewSourceSpec,
    server: Server,
    remote: RemoteArchive,
    monkeypatch: pytest.MonkeyPatch,
    is_named: bool,
    variable: str | None,
    is_downloaded: bool,
    expected: str,
) -> None:
    """It may be a part of the original, or one's own reviews in its layout."""
    if is_downloaded:
        fetch_archive(None, source.download_to, remote)
    if variable is not None:
        monkeypatch.setenv("IMDB_ARCHIVE", variable and str(local.with_name(variable)))
    assert (
        fetch_archive(str(local) if is_named else None, source.download_to, remote).name == expected
    )
    assert server.num_requests == (is_downloaded or expected == FILE)


@pytest.mark.parametrize("name", ["sentiment.source.archive", "IMDB_ARCHIVE"])
def test_missing_named_file_is_never_replaced_by_a_download(
    tmp_path: Path,
    server: Server,
    remote: RemoteArchive,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    path = str(tmp_path / "none.tar.gz")
    monkeypatch.setenv("IMDB_ARCHIVE", path if name == "IMDB_ARCHIVE" else "")
    with pytest.raises(ReviewError) as caught:
        fetch_archive(None if name == "IMDB_ARCHIVE" else path, str(tmp_path), remote)
    assert (str(caught.value).startswith(path), name in str(caught.value)) == (True, True)
    assert server.num_requests == 0


def test_a_folder_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(ReviewError, match="a folder"):
        fetch_archive(str(tmp_path), str(tmp_path))


def test_the_official_archive_has_its_name() -> None:
    assert IMDB.name == "aclImdb_v1.tar.gz"
