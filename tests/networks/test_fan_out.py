"""Each job comes back with its result, from as many processes as asked for, and what ends one is told."""

import os
import sys
from concurrent.futures import Future
from typing import Any

import pytest
from pydantic import ValidationError

from rnn_pipelines.errors import ParallelError
from rnn_pipelines.networks import fan_out as fan_out_module
from rnn_pipelines.networks.fan_out import ParallelSpec, fan_out, run_beside

TWO = ParallelSpec(workers=2)
PROCESS, THREADS = "__import__('os').getpid()", "__import__('os').environ.get('TF_NUM_INTRAOP_THREADS')"


def run(jobs: list[Any], parallel: ParallelSpec = TWO, train: Any = eval) -> dict[Any, Any]:
    """Functions of Python itself as trainings, for other processes can't import a test."""
    return dict(fan_out(train, jobs, parallel))


@pytest.mark.parametrize("workers", [1, 2])
def test_every_job_comes_with_its_result(workers: int) -> None:
    assert run([1.0, 4.0, 9.0], ParallelSpec(workers=workers), abs) == {1.0: 1.0, 4.0: 4.0, 9.0: 9.0}


@pytest.mark.parametrize("parallel", [TWO, ParallelSpec(backend="dask", scheduler="tcp://127.0.0.1:9")], ids=str)
def test_no_job_has_no_result(parallel: ParallelSpec) -> None:
    """And needs no scheduler."""
    assert run([], parallel) == {}


def test_one_worker_is_this_process() -> None:
    assert run([PROCESS, f"{PROCESS} "], ParallelSpec(workers=1)) == {PROCESS: os.getpid(), f"{PROCESS} ": os.getpid()}


def test_one_job_has_the_threads_of_one_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left of an interrupted comparison takes as long as it would have among the others."""
    monkeypatch.setattr("joblib.cpu_count", lambda: 8)
    assert run([THREADS]) == {THREADS: "4"}


def test_several_workers_are_other_processes() -> None:
    assert os.getpid() not in run([PROCESS, f"{PROCESS} "]).values()


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
    assert run([PROCESS, f"{PROCESS} "], ParallelSpec()) == {PROCESS: os.getpid(), f"{PROCESS} ": os.getpid()}


@pytest.mark.parametrize("workers", [1, 2])
def test_error_of_a_job_is_raised(workers: int) -> None:
    with pytest.raises(ZeroDivisionError):
        run(["1", "1 / 0"], ParallelSpec(workers=workers))


def test_what_ended_before_one_failed_is_handed_out() -> None:
    ended = fan_out(eval, ["1", "__import__('time').sleep(2) or 1 / 0"], TWO)
    assert next(ended) == ("1", 1)
    with pytest.raises(ZeroDivisionError):
        next(ended)


def test_worker_that_dies_ends_all_with_an_error() -> None:
    with pytest.raises(RuntimeError, match="terminated"):
        run([7, 8], train=os._exit)


def test_next_jobs_have_new_workers_after_one_has_died() -> None:
    with pytest.raises(RuntimeError):
        run([7, 8], train=os._exit)
    assert run([1.0, 2.0], train=abs) == {1.0: 1.0, 2.0: 2.0}


# What is refused


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"backend": "dask", "scheduler": "here"}, "scheduler: expected an address with a port"),
        ({"backend": "dask"}, "scheduler: expected the address"),
        ({"scheduler": "tcp://here:1"}, "none with loky"),
        ({"backend": "dask", "scheduler": "tcp://here:1", "workers": 2}, "workers: expected null"),
        ({"workers": 0}, "greater than or equal to 1"),
        ({"backend": "threads"}, "'loky' or 'dask'"),
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
    with pytest.raises(ParallelError, match=r"received tcp://127\.0\.0\.1:9 .*Start them with dask scheduler"):
        run(["1"], ParallelSpec(backend="dask", scheduler="tcp://127.0.0.1:9"))


LONG = "__import__('time').sleep(1)"


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("joblib.cpu_count", lambda: 2)


@pytest.mark.usefixtures("two_cores")
def test_others_run_beside_a_long_job_and_after_a_short_one() -> None:
    assert os.getpid() not in run_beside(eval, [LONG, PROCESS, f"{PROCESS} "], 0.1)
    assert run_beside(eval, ["1", PROCESS, "3"], 60) == [1, os.getpid(), 3]


@pytest.mark.usefixtures("two_cores")
def test_lines_of_jobs_beside_are_logged_here(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    names = ("rnn_pipelines.forecast", "rnn_pipelines.networks.time_left", "other")
    jobs = [f"__import__('logging').getLogger({name!r}).info('%d of %s', 70, {name!r})" for name in names]
    run_beside(eval, [LONG, *jobs], 0.1)
    assert [line for line in caplog.messages if line.startswith("70 of")] == ["70 of rnn_pipelines.forecast"]


@pytest.mark.usefixtures("two_cores")
def test_lines_below_the_level_of_this_process_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING", "rnn_pipelines.forecast")
    caplog.set_level("INFO")
    log = "__import__('logging').getLogger('rnn_pipelines.forecast')"
    run_beside(eval, [LONG, f"({log}.info('low'), {log}.warning('high'))"], 0.1)
    assert [line for line in caplog.messages if line in ("low", "high")] == ["high"]


def test_one_core_runs_one_job_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("joblib.cpu_count", lambda: 1)
    assert run_beside(eval, [LONG, PROCESS], 0.1) == [None, os.getpid()]


@pytest.mark.usefixtures("two_cores")
def test_processes_of_jobs_start_no_others() -> None:
    nested = f"__import__('{run_beside.__module__}', fromlist=['']).run_beside(eval, [{LONG!r}, {PROCESS!r}], 0.1)"
    (inner,) = run([f"({nested}, {PROCESS})"]).values()
    assert inner == ([None, inner[1]], inner[1])


@pytest.mark.usefixtures("two_cores")
def test_job_of_a_lost_process_is_repeated_here() -> None:
    lost = f"{PROCESS} if {PROCESS} == {os.getpid()} else __import__('os')._exit(1)"
    assert run_beside(eval, [LONG, lost], 0.1) == [None, os.getpid()]


@pytest.mark.usefixtures("two_cores")
@pytest.mark.parametrize("jobs", [[f"{LONG} or 1 / 0", LONG], [LONG, "1 / 0"]], ids=["here", "beside"])
def test_error_of_any_job_is_raised(jobs: list[str]) -> None:
    with pytest.raises(ZeroDivisionError):
        run_beside(eval, jobs, 0.1)


@pytest.mark.usefixtures("two_cores")
def test_job_that_fails_beside_is_repeated_here(caplog: pytest.LogCaptureFixture) -> None:
    """As with memory that another training takes; the lines of the failed attempt are not logged."""
    caplog.set_level("INFO")
    log = "__import__('logging').getLogger('rnn_pipelines.forecast').info('attempt')"
    job = f"({log}, {PROCESS} if {PROCESS} == {os.getpid()} else [][0])[1]"
    assert run_beside(eval, [LONG, job, "3"], 0.1) == [None, os.getpid(), 3]
    assert caplog.messages.count("attempt") == 1
    assert [record.levelname for record in caplog.records].count("WARNING") == 1


class Unstartable:
    """An executor whose process starts for the first job only."""

    def __init__(self) -> None:
        self.num_jobs, self.is_shut_down = 0, False

    def submit(self, *_: object) -> Future[Any]:
        self.num_jobs += 1
        if self.num_jobs > 1:
            raise OSError("no process")
        return Future()

    def shutdown(self, **_: object) -> None:
        self.is_shut_down = True


@pytest.mark.usefixtures("two_cores")
@pytest.mark.parametrize("num_processes", [0, 1])
def test_jobs_that_cannot_start_beside_run_here(
    num_processes: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    executor = Unstartable()
    executor.num_jobs = 1 - num_processes
    monkeypatch.setattr(fan_out_module, "_get_executor", lambda _: executor)
    assert run_beside(eval, [LONG, PROCESS, f"{PROCESS} "], 0.1) == [None, os.getpid(), os.getpid()]
    assert executor.is_shut_down
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.usefixtures("two_cores")
def test_jobs_start_beside_if_there_is_memory_for_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fan_out_module, "find_free_bytes", lambda: 1000)
    assert run_beside(eval, [LONG, PROCESS], 0.1, num_bytes=501) == [None, os.getpid()]
    assert run_beside(eval, [LONG, PROCESS], 0.1, num_bytes=499) != [None, os.getpid()]
