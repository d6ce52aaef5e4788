"""Serving on loopback: requests by 20 clients during two promotions and a restart of the server, with their times.

    .venv/bin/python benchmarks/serve.py [--requests 2000] [--clients 20]

A champion of daily values is asked for 7 days, with 90 rows in each request, as JSON or CSV. Each answer is compared
with the forecasts of the version that it names. Every fifth request is malformed, and must be refused. A request that
finds no server during the restart is sent again.
"""

import argparse
import json
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from rnn_pipelines import Forecaster
from rnn_pipelines.champion.folders import load_folder
from rnn_pipelines.champion.store import ChampionStore

SINCE = "2024-01-01T00:00:00+00:00"
CSV = {"Content-Type": "text/csv"}
# Seconds until a server has started, or a request is given up.
PATIENCE = 120


class Request(NamedTuple):
    """A request, and the status that its answer must have."""

    body: bytes
    headers: dict[str, str]
    status: int
    path: str = "/forecast"


class Reply(NamedTuple):
    """The answer to a request; `repeats` counts how often it found no server."""

    seconds: float
    status: int
    content: Any
    repeats: int


def make_frame(seed: int) -> pd.DataFrame:
    values = (
        50
        + 5 * np.sin(np.arange(400) * 2 * np.pi / 7)
        + np.random.default_rng(seed).normal(0, 1, 400)
    )
    return pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=400).astype(str), "y": values})


def make_store(folder: Path) -> ChampionStore:
    """Two fitted versions, the first of which is the champion."""
    store = ChampionStore(folder / "forecast")
    for seed in (0, 1):
        Forecaster(h=7).fit(make_frame(seed)).save(folder / f"saved-{seed}")
        store.add_version(load_folder(folder / f"saved-{seed}"))
    store.promote(store.list_versions()[0], ["first"], SINCE)
    return store


def list_good(rows: pd.DataFrame) -> list[Request]:
    listed = rows.to_dict(orient="records")
    return [
        Request(json.dumps({"rows": listed}).encode(), {}, 200),
        Request(rows.to_csv(index=False).encode(), CSV, 200),
        Request(rows.to_csv(index=False, sep=";", decimal=",").encode("utf-16"), CSV, 200),
    ]


def list_malformed(rows: pd.DataFrame) -> list[Request]:
    listed = rows.to_dict(orient="records")
    text = rows.to_csv(index=False)
    wrong: list[Any] = [
        {}, [], {"rows": 3}, {"rows": []}, {"rows": [{"ds": "\ud800", "y": 1}]}, {"rows": [{"\ud800": 1}]},
        {"rows": listed, "h": 0}, {"rows": listed, "h": 10**30}, {"rows": listed, "level": ["80", None]},
        {"rows": listed, "levels": [80]}, {"rows": [{"ds": 10**400, "y": {}}]}, {"rows": [{"ds": "soon", "y": "a"}]},
    ]  # fmt: skip
    bodies = [b"", b"{", b"\xff", b"[" * 100_000, *(json.dumps(one).encode() for one in wrong)]
    tables = [
        b"", b"\0", b"PK\3\4", text.replace("\n", ",\n").replace(",\n", "\n", 1).encode(),
        text.replace("y", "y,y", 1).encode(),
        f"{text}2025-02-04\n".encode(), text.replace("ds", "day", 1).encode(), b"ds,y\n2024-01-01,high\n",
    ]  # fmt: skip
    return [
        *(Request(body, {}, 422) for body in bodies),
        *(Request(body, CSV, 422) for body in tables),
        Request(text.encode(), CSV, 422, "/forecast?h=a"),
        Request(b" " * 10_000_001, {}, 413),
        Request(b"{}", {}, 404, "/nothing"),
        Request(b'{"texts": ["good"]}', {}, 503, "/sentiment"),
    ]


class Server:
    """The program `rnn-pipelines serve`, which can be ended and started again on its port."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._folder = folder
        self.is_away = threading.Event()

    def start(self) -> None:
        arguments = ["serve", "--port", str(self.port), "--champions", str(self._folder)]
        command = [sys.executable, "-m", "rnn_pipelines.console.main", *arguments]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + PATIENCE
        while self._process.poll() is None and time.monotonic() < until:
            try:
                if self.send(Request(b"", {}, 200, "/health"), "GET")[0] == 200:
                    self.is_away.clear()
                    return
            except (OSError, HTTPException):
                time.sleep(0.1)
        raise RuntimeError("the server did not start")

    def end(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(PATIENCE)

    def restart(self) -> None:
        self.is_away.set()
        self.end()
        self.start()

    def send(self, request: Request, method: str = "POST") -> tuple[int, Any]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, request.path, request.body or None, request.headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def ask(self, request: Request) -> Reply:
        """Send a request, again if it finds no server during the restart; the status 0 is a failure outside of it."""
        started = time.perf_counter()
        repeats = 0
        while True:
            was_away = self.is_away.is_set()
            try:
                status, found = self.send(request)
                return Reply(time.perf_counter() - started, status, found, repeats)
            # A refused connection, or one that the server has closed before it has read all.
            except (OSError, HTTPException) as error:
                is_expected = was_away or self.is_away.is_set() or request.status == 413
                if not is_expected or time.perf_counter() - started > PATIENCE:
                    return Reply(time.perf_counter() - started, 0, str(error), repeats)
                if request.status == 413 and not was_away:
                    return Reply(time.perf_counter() - started, 413, str(error), repeats)
                repeats += 1
                time.sleep(0.1)


@contextmanager
def run_server(folder: Path) -> Iterator[Server]:
    server = Server(folder)
    server.start()
    try:
        yield server
    finally:
        server.end()


def measure(folder: Path, num_requests: int, num_clients: int) -> dict[str, Any]:
    """Return requests per second, quantiles of their seconds, and the numbers of failed and mixed answers."""
    store = make_store(folder)
    rows = make_frame(0)[-90:].round(2)
    versions = store.list_versions()
    expected = {
        one: Forecaster.unpack(store.read_version(one)).predict(rows)["ensemble"].to_numpy()
        for one in versions
    }
    good = list_good(rows)
    malformed = list_malformed(rows)
    promotions = {num_requests // 4: versions[1], 3 * num_requests // 4: versions[0]}

    def run(number: int) -> tuple[Request, Reply]:
        if number in promotions:
            store.promote(promotions[number], ["next"], SINCE)
        if number == num_requests // 2:
            server.restart()
        wrong = number // 5 % len(malformed)
        request = malformed[wrong] if number % 5 == 4 else good[number % len(good)]
        return request, server.ask(request)

    with run_server(folder) as server, ThreadPoolExecutor(num_clients) as pool:
        started = time.perf_counter()
        answers = list(pool.map(run, range(num_requests)))
        seconds = time.perf_counter() - started
    answered = [
        reply.content for request, reply in answers if request.status == reply.status == 200
    ]
    is_mixed = [
        not np.allclose(
            [row["ensemble"] for row in found["rows"]], expected[found["model_version"]]
        )
        for found in answered
    ]
    taken = np.array(
        [reply.seconds for request, reply in answers if request.status == 200 and not reply.repeats]
    )
    wrong = [(request, reply) for request, reply in answers if request.status != reply.status]
    for request, reply in wrong[:5]:
        print(
            f"expected {request.status}, received {reply.status}: {request.body[:80]!r}: {reply.content}"
        )
    return {
        "requests a second": round(num_requests / seconds, 1),
        "p50, ms": round(1000 * float(np.median(taken))),
        "p99, ms": round(1000 * float(np.quantile(taken, 0.99))),
        "answered": len(answered),
        "refused as malformed": sum(
            request.status == reply.status != 200 for request, reply in answers
        ),
        "sent again during the restart": sum(reply.repeats > 0 for _, reply in answers),
        "failed": len(wrong),
        "mixed": sum(is_mixed),
        "errors of the server": sum(
            reply.status >= 500 and request.status < 500 for request, reply in answers
        ),
        "versions": len({found["model_version"] for found in answered}),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--clients", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, value in measure(Path(folder), arguments.requests, arguments.clients).items():
            print(f"{name}: {value}")


if __name__ == "__main__":
    main()
