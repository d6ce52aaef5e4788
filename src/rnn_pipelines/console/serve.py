"""The command `serve`: forecasts and sentiment over HTTP by the champions, with the standard library's server.

A server of its own needs no further library, and its handlers are the functions that the commands call. It has neither
encryption nor passwords: reach it through a proxy that has them.
"""

import json
import logging
import signal
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from rnn_pipelines.console.models import ServedModels
from rnn_pipelines.console.results import list_rows
from rnn_pipelines.console.settings import Command
from rnn_pipelines.console.tasks import TASKS, Answer, Options, RequestLimits, Task, read_options
from rnn_pipelines.errors import ChampionError, RnnPipelinesError, TimeLimitError, make_line
from rnn_pipelines.networks.time_limit import limit_time
from rnn_pipelines.printing import print_text
from rnn_pipelines.version import __version__

logger = logging.getLogger(__name__)

# Seconds without a byte after which a connection is closed, and seconds in which a body must be complete.
TIMEOUT = 60
# Bytes of a body that are read at once.
CHUNK = 65_536
# A Content-Length with more digits is no length.
MAX_DIGITS = 18
LIMITS = RequestLimits()


@click.command(cls=Command)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address; 0.0.0.0 for all of the machine.",
)
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0 for any free port.",
)
@click.option("--champions", default="data/06_models/champion", show_default=True, type=click.Path(path_type=Path),
              help="Folder with the champions of forecast and sentiment.")  # fmt: skip
@click.option(
    "--workers",
    default=2,
    show_default=True,
    type=click.IntRange(1),
    help="Forecasts at the same time.",
)
@click.option(
    "--max-bytes",
    default=LIMITS.max_bytes,
    show_default=True,
    type=click.IntRange(1),
    help="Of a request.",
)
@click.option("--max-steps", default=LIMITS.max_steps, show_default=True, type=click.IntRange(1),
              help="Of h. The trained horizon is always allowed.")  # fmt: skip
@click.option(
    "--max-rows",
    default=LIMITS.max_rows,
    show_default=True,
    type=click.IntRange(1),
    help="Of an answer.",
)
@click.option("--max-seconds", default=LIMITS.max_seconds, show_default=True,
              type=click.FloatRange(0, min_open=True), help="For an answer.")  # fmt: skip
def serve(host: str, port: int, champions: Path, workers: int, **limits: Any) -> None:
    """Serve the champions: GET /health, POST /forecast, POST /sentiment. A new champion is used from then on."""
    server = make_server((host, port), ServedModels(champions), RequestLimits(**limits), workers)
    for number in (signal.SIGTERM, signal.SIGINT):
        # `shutdown` waits for the loop that this thread runs.
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print_text(f"http://{host}:{server.server_port}")
    server.serve_forever()
    # Requests in progress are answered first.
    server.server_close()


def make_server(
    address: tuple[str, int], models: ServedModels, limits: RequestLimits = LIMITS, workers: int = 2
) -> ThreadingHTTPServer:
    """Return a server that listens, but does not answer yet."""
    slots = threading.BoundedSemaphore(workers)
    shared = {"models": models, "limits": limits, "slots": slots}
    return _Server(address, type("Handler", (_Handler,), shared))


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        # Clients close connections at any moment.
        if isinstance(sys.exception(), ConnectionError | TimeoutError):
            logger.info("%s closed the connection", client_address[0])
        else:
            logger.exception("the connection of %s failed", client_address[0])


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    models: ServedModels
    limits: RequestLimits
    slots: threading.BoundedSemaphore
    protocol_version = "HTTP/1.1"
    server_version = f"rnn-pipelines/{__version__}"
    sys_version = ""
    timeout = TIMEOUT

    def do_HEAD(self) -> None:
        # Load balancers ask so.
        self.do_GET()

    def do_GET(self) -> None:
        if self._split_address()[0] != "/health":
            self._fail_address()
            return
        versions = self.models.list_versions()
        status = HTTPStatus.OK if any(versions.values()) else HTTPStatus.SERVICE_UNAVAILABLE
        self._send(status, json.dumps({"version": __version__, "champions": versions}).encode())

    def do_POST(self) -> None:
        path, query = self._split_address()
        task = TASKS.get(path)
        length = self.headers.get("Content-Length", "")
        if task is None:
            self._fail_address()
        elif not length.isdecimal() or "Transfer-Encoding" in self.headers:
            message = (
                "the request has no Content-Length. Send the body in one piece, with its length."
            )
            self._fail(HTTPStatus.LENGTH_REQUIRED, message, closes=True)
        elif len(length) > MAX_DIGITS or int(length) > self.limits.max_bytes:
            message = f"the body has more than {self.limits.max_bytes:,} bytes (--max-bytes). Send fewer rows."
            self._fail(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message, closes=True)
        else:
            self._answer(task, int(length), query)

    def _split_address(self) -> tuple[str, str]:
        """Return path and query; an empty path for no address."""
        try:
            address = urlsplit(self.path)
        except ValueError:
            return "", ""
        return address.path, address.query

    def _fail_address(self) -> None:
        is_path = self._split_address()[0] in ("/health", *TASKS)
        status = HTTPStatus.METHOD_NOT_ALLOWED if is_path else HTTPStatus.NOT_FOUND
        self._fail(status, "expected GET /health, POST /forecast or POST /sentiment.", closes=True)

    def _answer(self, task: Task, length: int, query: str) -> None:
        try:
            body = self._receive(length)
        except TimeoutError:
            message = f"the body was not complete after {TIMEOUT} seconds."
            self._fail(HTTPStatus.REQUEST_TIMEOUT, message, closes=True)
            return
        if len(body) < length:
            message = f"the body ends after {len(body):,} of {length:,} bytes."
            self._fail(HTTPStatus.BAD_REQUEST, message, closes=True)
            return
        try:
            options = read_options(
                body,
                self.headers.get_content_type(),
                query,
                lambda: task.list_columns(self.models),
            )
            answer = self._compute(task, options)
            content, kind = self._render(answer)
        except (ChampionError, TimeLimitError) as error:
            self._fail(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        except RnnPipelinesError as error:
            self._fail(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        # A fault of one request must not end the others.
        except Exception:
            logger.exception("%s failed", make_line(self.path))
            self._fail(
                HTTPStatus.INTERNAL_SERVER_ERROR, "an error of the server, which its log describes."
            )
        else:
            self._send(HTTPStatus.OK, content, kind, answer.version)

    def _receive(self, length: int) -> bytes:
        """Return the body, or its beginning if the client sends no more; raise a TimeoutError for a slow client."""
        end = time.monotonic() + TIMEOUT
        body = bytearray()
        while len(body) < length:
            part = self.rfile.read1(min(CHUNK, length - len(body)))
            if not part:
                break
            body += part
            if time.monotonic() > end:
                raise TimeoutError
        return bytes(body)

    def _compute(self, task: Task, options: Options) -> Answer:
        started = time.monotonic()
        seconds = self.limits.max_seconds
        if not self.slots.acquire(timeout=seconds):
            raise TimeLimitError(
                f"all workers were busy for {seconds:g} seconds (--max-seconds). Ask again later."
            )
        try:
            with limit_time(seconds, time.monotonic() - started):
                return task.answer(self.models, options, self.limits)
        finally:
            self.slots.release()

    def _render(self, answer: Answer) -> tuple[bytes, str]:
        """Return the content of an answer, and its type."""
        if "text/csv" in self.headers.get("Accept", ""):
            return answer.rows.to_csv(index=False).encode(), "text/csv; charset=utf-8"
        content = {"model_version": answer.version, "rows": list_rows(answer.rows)}
        return json.dumps(content).encode(), "application/json"

    def _fail(self, status: HTTPStatus, message: str, closes: bool = False) -> None:
        # An unread body would be taken for the next request.
        self.close_connection = self.close_connection or closes
        self._send(status, json.dumps({"error": make_line(message)}).encode())

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer a request that is not of HTTP, or has another method, as all others are answered."""
        status = HTTPStatus(code)
        self._fail(status, f"{message or status.phrase}.", closes=True)

    def _send(
        self, status: HTTPStatus, content: bytes, kind: str = "application/json", version: str = ""
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if version:
            self.send_header("Model-Version", version)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        logger.info("%s %s", self.address_string(), make_line(format % args))
