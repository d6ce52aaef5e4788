"""Serving on loopback: requests by 20 clients during two promotions, with their times.

    .venv/bin/python benchmarks/serve.py [--requests 1000] [--clients 20]

A champion of daily values is asked for 7 days, with 90 rows in each request. Each answer is compared with the forecasts
of the version that it names.
"""

import argparse
import json
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines import Forecaster
from rnn_pipelines.champion.folders import load_folder
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.console.models import ServedModels
from rnn_pipelines.console.serve import make_server

SINCE = "2024-01-01T00:00:00+00:00"


def make_frame(seed: int) -> pd.DataFrame:
    values = 50 + 5 * np.sin(np.arange(400) * 2 * np.pi / 7) + np.random.default_rng(seed).normal(0, 1, 400)
    return pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=400).astype(str), "y": values})


def make_store(folder: Path) -> ChampionStore:
    """Two fitted versions, the first of which is the champion."""
    store = ChampionStore(folder / "forecast")
    for seed in (0, 1):
        Forecaster(h=7).fit(make_frame(seed)).save(folder / f"saved-{seed}")
        store.add_version(load_folder(folder / f"saved-{seed}"))
    store.promote(store.list_versions()[0], ["first"], SINCE)
    return store


def ask(port: int, body: bytes) -> tuple[float, int, Any]:
    """Return seconds, status and answer of one request."""
    started = time.perf_counter()
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("POST", "/forecast", body)
    answer = connection.getresponse()
    found = json.loads(answer.read())
    connection.close()
    return time.perf_counter() - started, answer.status, found


def measure(folder: Path, num_requests: int, num_clients: int) -> dict[str, Any]:
    """Return requests per second, quantiles of their seconds, and the numbers of failed and mixed answers."""
    store, rows = make_store(folder), make_frame(0)[-90:]
    versions = store.list_versions()
    expected = {
        one: Forecaster.unpack(store.read_version(one)).predict(rows)["ensemble"].to_numpy() for one in versions
    }
    server = make_server(("127.0.0.1", 0), ServedModels(folder))
    threading.Thread(target=server.serve_forever).start()
    body = json.dumps({"rows": rows.to_dict(orient="records")}).encode()
    promotions = {num_requests // 3: versions[1], 2 * num_requests // 3: versions[0]}

    def run(number: int) -> tuple[float, int, Any]:
        if number in promotions:
            store.promote(promotions[number], ["next"], SINCE)
        return ask(server.server_port, body)

    started = time.perf_counter()
    with ThreadPoolExecutor(num_clients) as pool:
        answers = list(pool.map(run, range(num_requests)))
    seconds = time.perf_counter() - started
    server.shutdown()
    server.server_close()
    good = [found for _, status, found in answers if status == 200]
    mixed = [
        found
        for found in good
        if not np.allclose([row["ensemble"] for row in found["rows"]], expected[found["model_version"]])
    ]
    taken = np.array([one for one, _, _ in answers])
    return {
        "requests a second": round(num_requests / seconds, 1),
        "p50, ms": round(1000 * float(np.median(taken))),
        "p99, ms": round(1000 * float(np.quantile(taken, 0.99))),
        "failed": num_requests - len(good),
        "mixed": len(mixed),
        "versions": len({found["model_version"] for found in good}),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, value in measure(Path(folder), arguments.requests, arguments.clients).items():
            print(f"{name}: {value}")


if __name__ == "__main__":
    main()
