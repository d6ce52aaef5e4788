"""Trainings over a Dask scheduler and two worker processes on this machine; one of them may die in the middle."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dask_cluster import open_cluster
from rnn_pipelines.errors import ParallelError
from rnn_pipelines.lab.compare.comparison import compare_cells
from rnn_pipelines.lab.compare.specs import PlanSpec, TaskBook
from rnn_pipelines.networks.fan_out import ParallelSpec, fan_out

Prepare = Callable[..., SimpleNamespace]

pytestmark = pytest.mark.slow

PARENT = "__import__('time').sleep(1) or __import__('os').getppid()"
ENDLESS = ["1", "__import__('time').sleep(600)", "__import__('time').sleep(601)"]
MEASURED = ("seconds_per_epoch", "seconds_to_best", "compile_seconds", "num_threads")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Prepare]:
    """Starts a scheduler and its workers, see `open_cluster`."""
    with open_cluster(tmp_path) as start_cluster:
        yield start_cluster


def test_jobs_are_spread_over_the_workers(start: Prepare) -> None:
    cluster = start("--no-nanny")
    found = fan_out(eval, [PARENT + " " * number for number in range(6)], cluster.parallel)
    assert {pid for _, pid in found} == set(cluster.pids)


def test_error_of_a_job_is_raised(start: Prepare) -> None:
    with pytest.raises(ZeroDivisionError):
        list(fan_out(eval, ["1", "1 / 0"], start("--no-nanny").parallel))


def test_job_that_kills_its_process_ends_with_an_error(start: Prepare) -> None:
    """It must not be waited for without end."""
    with pytest.raises(RuntimeError, match="terminated"):
        list(fan_out(os._exit, [7], start("--no-nanny").parallel))


def test_workers_that_all_die_end_with_an_error(
    start: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dask waits for others without end."""
    monkeypatch.setattr("rnn_pipelines.networks.fan_out.PATIENCE_SECONDS", 2)
    cluster = start("--no-nanny")
    ended = fan_out(eval, ENDLESS, cluster.parallel)
    assert next(ended) == ("1", 1)
    kill(*cluster.pids)
    with pytest.raises(
        ParallelError,
        match=r"Only 0/1 workers .*Start them with dask scheduler, and with dask worker",
    ):
        next(ended)


def test_scheduler_that_dies_ends_all_with_an_error(start: Prepare) -> None:
    cluster = start("--no-nanny")
    ended = fan_out(eval, ENDLESS, cluster.parallel)
    assert next(ended) == ("1", 1)
    kill(cluster.scheduler)
    with pytest.raises(ParallelError, match=rf"{cluster.parallel.scheduler}"):
        next(ended)


def test_training_that_its_workers_die_of_ends_with_an_error(
    start: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dask tries it on four of them, unless told otherwise."""
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "0")
    with pytest.raises(ParallelError, match=r"those workers died while running it"):
        list(
            fan_out(
                eval,
                ["__import__('os').kill(__import__('os').getppid(), 9)"],
                start("--no-nanny").parallel,
            )
        )


def test_workers_that_can_not_start_processes_are_refused(start: Prepare) -> None:
    with pytest.raises(ParallelError, match="Start them with --no-nanny"):
        list(fan_out(eval, ["1"], start().parallel))


def test_comparison_loses_nothing_when_a_worker_is_killed(start: Prepare) -> None:
    """And comes to the same as one in processes of this machine."""
    data = {"kind": "adding", "num_steps": 8, "num_train": 64, "num_validation": 8, "num_test": 8}
    contenders = {"lstm": {"cell": "lstm", "units": 8}, "gru": {"cell": "gru", "units": 9}}
    training = {"epochs": 20, "batch_size": 8, "jit_compile": False, "weight_average": 0.0}
    tasks = TaskBook.model_validate(
        {"adding": {"data": data, "contenders": contenders, "training": training}}
    )
    cluster = start("--no-nanny")
    plan = PlanSpec(tasks="adding", seeds=4)
    runs, _ = compare_cells(tasks, plan, KillingDict(cluster.pids[0]), cluster.parallel)
    alone, _ = compare_cells(tasks, plan, {}, ParallelSpec(workers=2))
    assert [drop_times(run) for run in runs] == [drop_times(run) for run in alone]
    assert os.waitpid(cluster.pids[0], os.WNOHANG)[1] == signal.SIGKILL


class KillingDict(dict[str, dict[str, Any]]):
    """Kills a worker when the first of the trainings has ended; the others are still to come."""

    def __init__(self, pid: int) -> None:
        super().__init__()
        self.pid = pid

    def __setitem__(self, key: str, value: dict[str, Any]) -> None:
        if not self:
            os.kill(self.pid, signal.SIGKILL)
        super().__setitem__(key, value)


def kill(*pids: int) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def drop_times(run: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in run.items() if key not in MEASURED}
