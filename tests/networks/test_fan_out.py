"""Each job comes back with its result, from as many processes as asked for, and what ends one is told."""

import os
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from rnn_pipelines.errors import ParallelError
from rnn_pipelines.networks.fan_out import ParallelSpec, fan_out

TWO = ParallelSpec(workers=2)
PROCESS, THREADS = (
    "__import__('os').getpid()",
    "__import__('os').environ.get('TF_NUM_INTRAOP_THREADS')",
)


def run(jobs: list[Any], parallel: ParallelSpec = TWO, train: Any = eval) -> dict[Any, Any]:
    """Functions of Python itself as trainings, for other processes can't import a test."""
    return dict(fan_out(train, jobs, parallel))


@pytest.mark.parametrize("workers", [1, 2])
def test_every_job_comes_with_its_result(workers: int) -> None:
    assert run([1.0, 4.0, 9.0], ParallelSpec(workers=workers), abs) == {
        1.0: 1.0,
        4.0: 4.0,
        9.0: 9.0,
    }


@pytest.mark.parametrize(
    "parallel", [TWO, ParallelSpec(backend="dask", scheduler="tcp://127.0.0.1:9")], ids=str
)
def test_no_job_has_no_result(parallel: ParallelSpec) -> None:
    """And needs no scheduler."""
    assert run([], parallel) == {}


def test_one_worker_is_this_process() -> None:
    assert run([PROCESS, f"{PROCESS} "], ParallelSpec(workers=1)) == {
        PROCESS: os.getpid(),
        f"{PROCESS} ": os.getpid(),
    }


def test_several_workers_are_other_processes() -> None:
    assert os.getpid() not in run([PROCESS, f"{PROCESS} "]).values()


def test_results_are_handed_out_before_all_jobs_ended() -> None:
    ended = fan_out(eval, ["1", "__import__('time').sleep(2) or 1 / 0"], TWO)
    assert next(ended) == ("1", 1)
    with pytest.raises(ZeroDivisionError):
        next(ended)


def test_one_job_has_the_threads_of_one_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left of an interrupted comparison takes as long as it would have among the others."""
    monkeypatch.setattr("joblib.cpu_count", lambda: 8)
    assert run([THREADS]) == {THREADS: "4"}


def test_this_process_keeps_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    run([THREADS], ParallelSpec(workers=1))
    assert "TF_NUM_INTRAOP_THREADS" not in os.environ


@pytest.mark.parametrize(("cores", "threads"), [(1, "1"), (2, "1"), (8, "4"), (9, "4")])
def test_workers_share_the_cores(monkeypatch: pytest.MonkeyPatch, cores: int, threads: str) -> None:
    monkeypatch.setattr("joblib.cpu_count", lambda: cores)
    assert set(run([THREADS, f"{THREADS} "]).values()) == {threads}


def test_each_core_has_a_worker_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("joblib.cpu_count", lambda: 3)
    jobs = [THREADS + " " * number for number in range(3)]
    assert set(run(jobs, ParallelSpec()).values()) == {"1"}


def test_cores_that_this_process_may_not_use_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container."""
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0})
    assert run([PROCESS, f"{PROCESS} "], ParallelSpec()) == {
        PROCESS: os.getpid(),
        f"{PROCESS} ": os.getpid(),
    }


@pytest.mark.parametrize("workers", [1, 2])
def test_error_of_a_job_is_raised(workers: int) -> None:
    with pytest.raises(ZeroDivisionError):
        run(["1", "1 / 0"], ParallelSpec(workers=workers))


def test_a_worker_that_dies_ends_all_with_an_error() -> None:
    with pytest.raises(RuntimeError, match="terminated"):
        run([7, 8], train=os._exit)


def test_jobs_after_a_worker_died_have_new_workers() -> None:
    with pytest.raises(RuntimeError):
        run([7, 8], train=os._exit)
    assert run([1.0, 2.0], train=abs) == {1.0: 1.0, 2.0: 2.0}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"backend": "dask", "scheduler": "here"}, "scheduler: expected an address with a port"),
        ({"backend": "dask"}, "scheduler: expected the address"),
        ({"scheduler": "tcp://here:1"}, "none with loky"),
        ({"backend": "dask", "scheduler": "tcp://here:1", "workers": 2}, "workers: expected null"),
        ({"workers": 0}, "greater than or equal to 1"),
        ({"backend": "threads"}, "'loky', 'dask' or 'ray'"),
    ],
    ids=str,
)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ParallelSpec(**settings)


def test_dask_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ParallelError, match=r"pip install rnn-pipelines\[dask\]"):
        run(["1"], ParallelSpec(backend="dask", scheduler="tcp://127.0.0.1:9"))


def test_scheduler_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnn_pipelines.networks.fan_out.CONNECT_SECONDS", 0.5)
    with pytest.raises(
        ParallelError, match=r"received tcp://127\.0\.0\.1:9 .*Start them with dask scheduler"
    ):
        run(["1"], ParallelSpec(backend="dask", scheduler="tcp://127.0.0.1:9"))
