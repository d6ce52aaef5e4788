"""A server of champions in the process of a test."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rnn_pipelines.console.models import ServedModels
from rnn_pipelines.console.serve import LIMITS, make_server
from rnn_pipelines.console.tasks import RequestLimits


@contextmanager
def serve(folder: Path, limits: RequestLimits = LIMITS, workers: int = 2) -> Iterator[int]:
    """A server in this process; its port."""
    server = make_server(("127.0.0.1", 0), ServedModels(folder), limits, workers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()
