"""The command `serve`: forecasts and sentiment over HTTP by the champions, with the standard library's server.

A server of its own needs no further library, and its handlers are the functions that the commands call. It has neither
encryption nor passwords: reach it through a proxy that has them.
"""

import json
import logging
import signal
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import click
import pandas as pd

from rnn_pipelines.console.models import ServedModels
from rnn_pipelines.console.results import list_rows
from rnn_pipelines.errors import ChampionError, ParameterError, RnnPipelinesError, make_line, show
from rnn_pipelines.printing import print_text
from rnn_pipelines.reading.dialect import Dialect
from rnn_pipelines.reading.table_files import TableFiles
from rnn_pipelines.reading.user_files import open_csv, read_csv
from rnn_pipelines.version import __version__

logger = logging.getLogger(__name__)

MAX_BYTES = 10_000_000
# Seconds without a byte after which a connection is closed.
TIMEOUT = 60
BODIES = TableFiles(error=ParameterError, path="the body", columns="the header of the body")


class Answer(NamedTuple):
    """The rows of an answer, and the version of the model that made them."""

    version: str
    rows: pd.DataFrame


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address; 0.0.0.0 for all of the machine.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 for any free port.")
@click.option("--champions", default="data/06_models/champion", show_default=True, type=click.Path(path_type=Path),
              help="Folder with the champions of forecast and sentiment.")  # fmt: skip
@click.option("--max-bytes", default=MAX_BYTES, show_default=True, type=click.IntRange(1), help="Of a request.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1), help="Forecasts at the same time.")
def serve(host: str, port: int, champions: Path, max_bytes: int, workers: int) -> None:
    """Serve the champions: GET /health, POST /forecast, POST /sentiment. A new champion is used from then on."""
    server = make_server((host, port), ServedModels(champions), max_bytes, workers)
    for number in (signal.SIGTERM, signal.SIGINT):
        # `shutdown` waits for the loop that this thread runs.
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print_text(f"http://{host}:{server.server_port}")
    server.serve_forever()
    # Requests in progress are answered first.
    server.server_close()


def make_server(
    address: tuple[str, int], models: ServedModels, max_bytes: int = MAX_BYTES, workers: int = 2
) -> ThreadingHTTPServer:
    """Return a server that listens, but does not answer yet."""
    slots = threading.BoundedSemaphore(workers)
    own = {"models": models, "max_bytes": max_bytes, "slots": slots}
    return _Server(address, type("Handler", (_Handler,), own))


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    models: ServedModels
    max_bytes: int
    slots: threading.BoundedSemaphore
    protocol_version = "HTTP/1.1"
    server_version, sys_version = f"rnn-pipelines/{__version__}", ""
    timeout = TIMEOUT

    def do_GET(self) -> None:
        if urlsplit(self.path).path != "/health":
            self._fail(HTTPStatus.NOT_FOUND, "expected GET /health, POST /forecast or POST /sentiment.")
            return
        found = self.models.list_versions()
        status = HTTPStatus.OK if any(found.values()) else HTTPStatus.SERVICE_UNAVAILABLE
        self._send(status, json.dumps({"version": __version__, "champions": found}).encode())

    def do_POST(self) -> None:
        target = urlsplit(self.path)
        task = TASKS.get(target.path)
        length = self.headers.get("Content-Length", "")
        if task is None:
            self._fail(HTTPStatus.NOT_FOUND, "expected GET /health, POST /forecast or POST /sentiment.", closes=True)
        elif not length.isdecimal():
            self._fail(HTTPStatus.LENGTH_REQUIRED, "the request has no Content-Length.", closes=True)
        elif int(length) > self.max_bytes:
            message = f"the body has {int(length):,} bytes. At most {self.max_bytes:,} are accepted."
            self._fail(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message, closes=True)
        else:
            self._answer(*task, self.rfile.read(int(length)), parse_qs(target.query))

    def _answer(self, answer: Callable[..., Answer], column: str, body: bytes, query: Mapping[str, list[str]]) -> None:
        try:
            options = _read_body(body, self.headers.get_content_type(), query, column)
            with self.slots:
                found = answer(self.models, options)
            self._send_rows(found)
        except ChampionError as error:
            self._fail(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        except RnnPipelinesError as error:
            self._fail(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        # A fault of one request must not end the others.
        except Exception:
            logger.exception("%s failed", self.path)
            self._fail(HTTPStatus.INTERNAL_SERVER_ERROR, "an error of the server, which its log describes.")

    def _send_rows(self, found: Answer) -> None:
        if "text/csv" in self.headers.get("Accept", ""):
            content, kind = found.rows.to_csv(index=False).encode(), "text/csv; charset=utf-8"
        else:
            answer = {"model_version": found.version, "rows": list_rows(found.rows)}
            content, kind = json.dumps(answer).encode(), "application/json"
        self._send(HTTPStatus.OK, content, kind, found.version)

    def _fail(self, status: HTTPStatus, message: str, closes: bool = False) -> None:
        # An unread body would be taken for the next request.
        self.close_connection = self.close_connection or closes
        self._send(status, json.dumps({"error": make_line(message)}).encode())

    def _send(self, status: HTTPStatus, content: bytes, kind: str = "application/json", version: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if version:
            self.send_header("Model-Version", version)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        logger.info("%s %s", self.address_string(), format % args)


def _read_body(body: bytes, kind: str, query: Mapping[str, list[str]], column: str) -> dict[str, Any]:
    """Return the options of a request, with a table as `rows`; a body of CSV has its other options in the address."""
    if kind == "text/csv":
        file = open_csv("the body", lambda: BytesIO(body), [column], BODIES, Dialect())
        table = read_csv(file, [column], Dialect(), None, has_all=True)
        try:
            given = {name: [int(one) for one in ",".join(values).split(",")] for name, values in query.items()}
        except ValueError as error:
            raise ParameterError(f"the address: expected whole numbers such as h=7&level=80,95 ({error}).") from error
        return {"rows": table, **{name: values[0] if name == "h" else values for name, values in given.items()}}
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ParameterError(f"the body: expected JSON, or CSV with the type text/csv ({error}).") from error
    if not isinstance(found, dict):
        raise ParameterError(f"the body: expected an object, received {show(found)}.")
    return found


def _make_table(rows: Any) -> pd.DataFrame:
    if isinstance(rows, pd.DataFrame):
        return rows
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        example = "{'ds': '2024-01-31', 'y': 5}"
        raise ParameterError(f"rows: expected a list of objects such as {example}, received {show(rows)}.")
    try:
        return pd.DataFrame(rows)
    except UnicodeEncodeError as error:
        raise ParameterError(f"rows: expected texts that UTF-8 can hold, received {show(error.object)}.") from error


def _forecast(models: ServedModels, options: Mapping[str, Any]) -> Answer:
    _check_names(options, {"rows", "h", "level"})
    table = _make_table(options.get("rows"))
    served = models.get("forecast")
    return Answer(served.version, served.model.predict(table, options.get("h"), options.get("level")))


def _classify(models: ServedModels, options: Mapping[str, Any]) -> Answer:
    _check_names(options, {"texts", "rows"})
    texts = options["rows"].get("text") if isinstance(options.get("rows"), pd.DataFrame) else options.get("texts")
    served = models.get("sentiment")
    return Answer(served.version, served.model.predict(texts))


def _check_names(options: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(set(options) - known)
    if unknown:
        raise ParameterError(f"{unknown[0]}: no such option. Expected some of {sorted(known)}.")


# The answers of each address, and the column that a table must have there.
TASKS = {"/forecast": (_forecast, "ds"), "/sentiment": (_classify, "text")}
