"""Trainings beside the first one of a program, in other processes; does not import Keras."""

import logging
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from logging.handlers import BufferingHandler
from threading import Timer
from typing import TypeVar

from rnn_pipelines.errors import make_line
from rnn_pipelines.networks.fan_out import count_cores, get_executor, is_first_process, train_apart
from rnn_pipelines.networks.memory import find_free_bytes
from rnn_pipelines.networks.time_left import TimeLeft

logger = logging.getLogger(__name__)

PACKAGE = __name__.partition(".")[0]

Job = TypeVar("Job")
Result = TypeVar("Result")
Started = list[Future[tuple[Result, list[logging.LogRecord]]]]


def run_beside(
    train: Callable[[Job], Result], jobs: Sequence[Job], seconds: float, num_bytes: float = 0
) -> list[Result]:
    """Return the results of jobs; the first one runs here, and the others beside it if it takes longer.

    Jobs of less than `seconds`, or without free memory for copies of `num_bytes`, run one after another: the start of a
    process costs about a second. Only the first process of a program starts others, and only if it may use another
    core. The results must not depend on the process.
    """
    first, *rest = jobs
    num_workers = min(len(rest), count_cores() - 1)
    if num_workers < 1 or not is_first_process():
        return [train(job) for job in jobs]
    started: Started[Result] = []
    timer = Timer(
        seconds, lambda: started.extend(_start_beside(train, rest, num_workers, num_bytes))
    )
    timer.start()
    try:
        result = train(first)
        # Joined, so that no process starts from here on.
        timer.cancel()
        timer.join()
        return [result, *_get_results(train, rest, started, num_workers)]
    except BaseException:
        timer.cancel()
        timer.join()
        if started:
            get_executor(num_workers).shutdown(wait=False, kill_workers=True)
        raise


def _start_beside(
    train: Callable[[Job], Result], jobs: Sequence[Job], num_workers: int, num_bytes: float
) -> Started[Result]:
    """Start all jobs in other processes; return nothing if one cannot start."""
    executor = None
    try:
        # Each is copied twice: as it is sent, and in its process.
        if 2 * len(jobs) * num_bytes > find_free_bytes():
            logger.info(
                "all trainings run in this process, because there is no free memory for copies of the data"
            )
            return []
        executor = get_executor(num_workers)
        started = [executor.submit(_train_with_log, train, job) for job in jobs]
    except Exception as error:
        logger.warning(
            "no other process could be started (%s); all trainings run in this one",
            make_line(repr(error)),
        )
        if executor is not None:
            executor.shutdown(wait=False, kill_workers=True)
        return []
    logger.info("%d trainings start in processes of their own", len(jobs))
    return started


def _get_results(
    train: Callable[[Job], Result], jobs: Sequence[Job], started: Started[Result], num_workers: int
) -> list[Result]:
    """Return the results of jobs that were started in other processes, and log their lines; or run them here.

    A job that fails there is repeated here, because it can lack memory only beside the others.
    """
    if not started:
        return [train(job) for job in jobs]
    wait(started)
    if any(future.exception() for future in started):
        # Idle processes keep their memory.
        get_executor(num_workers).shutdown(wait=True, kill_workers=True)
    return [_take_or_repeat(train, job, future) for job, future in zip(jobs, started, strict=True)]


def _take_or_repeat(
    train: Callable[[Job], Result], job: Job, future: Future[tuple[Result, list[logging.LogRecord]]]
) -> Result:
    try:
        result, records = future.result()
    except Exception as error:
        logger.warning(
            "a training in another process failed (%s); it is repeated in this one",
            make_line(repr(error)),
        )
        return train(job)
    for record in records:
        # The level applies where a line is logged, and `handle` ignores it.
        logger_of_record = logging.getLogger(record.name)
        if logger_of_record.isEnabledFor(record.levelno):
            logger_of_record.handle(record)
    return result


def _train_with_log(
    train: Callable[[Job], Result], job: Job
) -> tuple[Result, list[logging.LogRecord]]:
    """Train in this process of another one, and return the lines of the log too, without those of the time left."""
    handler = BufferingHandler(sys.maxsize)
    package_logger = logging.getLogger(PACKAGE)
    handler.addFilter(lambda record: record.name != TimeLeft.__module__)
    package_logger.addHandler(handler)
    package_logger.setLevel(logging.INFO)
    try:
        return train_apart(train, job, 1), handler.buffer
    finally:
        package_logger.removeHandler(handler)
