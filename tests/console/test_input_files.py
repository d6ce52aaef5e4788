"""The FILE of a command: a path, the standard input or an address."""

import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import click
import pytest
from click.testing import CliRunner, Result

from rnn_pipelines.console import input_files
from rnn_pipelines.console.input_files import FILE, InputFile
from rnn_pipelines.errors import RunError

CONTENT = b"ds,y\n2024-01-01,1\n"


@click.command
@FILE
def command(file: InputFile) -> None:
    """Print name and label of the file, and its content."""
    click.echo(f"{Path(file).name} {file.label} {Path(file).read_text()}")


def call(file: str, content: bytes = b"") -> Result:
    return CliRunner().invoke(command, [file], input=io.BytesIO(content), catch_exceptions=False)


class Files(BaseHTTPRequestHandler):
    """Answers with a table, or with a page at /page."""

    received: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.received.append(self.headers.get("Authorization"))
        if self.path.startswith("/missing"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if self.path == "/page" else "text/csv")
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Files)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_standard_input_is_a_table() -> None:
    assert call("-", CONTENT).output.startswith("stdin.csv standard input ds,y")


def test_an_address_is_a_table(host: str) -> None:
    output = call(f"http://{host}/sales.csv").output
    assert output.startswith(f"sales.csv http://{host}/sales.csv ds,y")


def test_a_table_at_an_address_without_an_ending_is_csv(host: str) -> None:
    assert call(f"http://{host}/export?id=3").output.startswith("export.csv ")


def test_an_address_is_shown_without_password_and_query(host: str) -> None:
    output = call(f"http://ann:secret@{host}/sales.csv?token=hidden").output
    assert "secret" not in output
    assert "hidden" not in output


def test_a_password_is_sent(host: str) -> None:
    call(f"http://ann:secret@{host}/sales.csv")
    assert Files.received[-1] == "Basic YW5uOnNlY3JldA=="


def test_a_missing_file_is_an_error_with_its_code(host: str) -> None:
    with pytest.raises(RunError, match=r"can't be downloaded \(HTTP 404, Not Found\)"):
        call(f"http://{host}/missing.csv")


def test_a_page_is_no_table(host: str) -> None:
    with pytest.raises(RunError, match="received a web page"):
        call(f"http://{host}/page")


def test_a_large_file_is_refused(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_files, "MAX_BYTES", len(CONTENT) - 1)
    with pytest.raises(RunError, match="expected at most"):
        call(f"http://{host}/sales.csv")


def test_the_temporary_file_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    call("-", CONTENT)
    assert list(tmp_path.iterdir()) == []


def test_an_address_that_is_none_is_an_error_of_the_user() -> None:
    with pytest.raises(RunError, match="the address is invalid"):
        call("http://[sales.csv")


def test_an_error_of_an_address_has_no_query(host: str) -> None:
    with pytest.raises(RunError) as raised:
        call(f"http://{host}/my sales?token=hidden")
    assert "hidden" not in str(raised.value)


def test_another_kind_of_address_is_refused_without_its_password() -> None:
    with pytest.raises(
        RunError, match="with http:// or https://, received one with ftp://"
    ) as error:
        call("ftp://ann:secret@example.org/sales.csv")
    assert "secret" not in str(error.value)
