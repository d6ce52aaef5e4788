"""A Dask scheduler and its workers on this machine."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from rnn_pipelines.networks.fan_out import ParallelSpec


@contextmanager
def open_cluster(folder: Path) -> Iterator[Callable[..., SimpleNamespace]]:
    """Yield a function that starts a cluster: `parallel`, and the pids `scheduler` and `pids` of the workers.

    Args:
        folder: for the logs.
    """
    processes: list[subprocess.Popen[bytes]] = []

    def launch(*arguments: str) -> None:
        command = [sys.executable, "-m", "dask", *arguments, "--no-dashboard"]
        with (folder / f"{len(processes)}.log").open("wb") as log:
            processes.append(subprocess.Popen(command, cwd=folder, stdout=log, stderr=log))

    def start_cluster(*options: str, num_workers: int = 2) -> SimpleNamespace:
        from distributed import Client

        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        launch("scheduler", "--host", address)
        for _ in range(num_workers):
            launch("worker", address, "--nthreads", "1", *options)
        with Client(address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(num_workers, timeout=60)
        scheduler, *pids = (process.pid for process in processes)
        parallel = ParallelSpec(backend="dask", scheduler=address)
        return SimpleNamespace(parallel=parallel, scheduler=scheduler, pids=pids)

    yield start_cluster
    for process in processes:
        process.kill()
        process.wait()
