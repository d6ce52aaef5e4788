"""Trainings beside the first one have its results, whether they run in other processes or in this one."""

import os
from concurrent.futures import Future
from typing import Any

import pytest

from rnn_pipelines.networks import beside
from rnn_pipelines.networks.beside import run_beside
from rnn_pipelines.networks.fan_out import ParallelSpec, fan_out

# Functions of Python itself as trainings, because other processes cannot import a test.
PROCESS = "__import__('os').getpid()"
LONG = "__import__('time').sleep(1)"


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("joblib.cpu_count", lambda: 2)


@pytest.mark.usefixtures("two_cores")
def test_others_run_beside_a_long_job() -> None:
    assert os.getpid() not in run_beside(eval, [LONG, PROCESS, f"{PROCESS} "], 0.1)


@pytest.mark.usefixtures("two_cores")
def test_others_run_after_a_short_job() -> None:
    assert run_beside(eval, ["1", PROCESS, "3"], 60) == [1, os.getpid(), 3]


@pytest.mark.usefixtures("two_cores")
def test_lines_of_jobs_beside_are_logged_at_the_level_of_this_process(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    names = ("rnn_pipelines.forecast", "rnn_pipelines.networks.time_left", "other")
    jobs = [
        f"__import__('logging').getLogger({name!r}).info('%d of %s', 70, {name!r})"
        for name in names
    ]
    run_beside(eval, [LONG, *jobs], 0.1)
    assert [line for line in caplog.messages if line.startswith("70 of")] == [
        "70 of rnn_pipelines.forecast"
    ]
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
    ((_, inner),) = fan_out(eval, [f"({nested}, {PROCESS})"], ParallelSpec(workers=2))
    assert inner == ([None, inner[1]], inner[1])


@pytest.mark.usefixtures("two_cores")
def test_job_of_a_lost_process_is_repeated_here() -> None:
    lost = f"{PROCESS} if {PROCESS} == {os.getpid()} else __import__('os')._exit(1)"
    assert run_beside(eval, [LONG, lost], 0.1) == [None, os.getpid()]


@pytest.mark.usefixtures("two_cores")
@pytest.mark.parametrize(
    "jobs", [[f"{LONG} or 1 / 0", LONG], [LONG, "1 / 0"]], ids=["here", "beside"]
)
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
    monkeypatch.setattr(beside, "get_executor", lambda _: executor)
    assert run_beside(eval, [LONG, PROCESS, f"{PROCESS} "], 0.1) == [None, os.getpid(), os.getpid()]
    assert executor.is_shut_down
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.usefixtures("two_cores")
def test_jobs_start_beside_if_there_is_memory_for_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "find_free_bytes", lambda: 1000)
    assert run_beside(eval, [LONG, PROCESS], 0.1, num_bytes=501) == [None, os.getpid()]
    assert run_beside(eval, [LONG, PROCESS], 0.1, num_bytes=499) != [None, os.getpid()]
