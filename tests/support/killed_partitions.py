"""Forecasts of partitions, some of which kill their process and its Dask worker; run by a test of killed workers."""

import os
import signal
from pathlib import Path
from typing import Any

from rnn_pipelines.forecast.partitions import fitted
from rnn_pipelines.forecast.partitions.jobs import PartitionJob, forecast_partition

# Functions at whose call the process ends: before the forecast, and with one of two tables written.
STAGES = ("tabulate_test", "measure_all", "written")


def forecast_or_die(job: PartitionJob, marks: Path) -> int:
    """Forecast a partition, as `forecast_partition` does, in a process that ends at the stage of its number.

    The second process with the same partition goes on.

    Args:
        job: the partition.
        marks: a folder for a file of each process that has ended.
    """
    stage = STAGES[job.number] if job.number < len(STAGES) else ""
    mark = marks / stage

    def end_once() -> None:
        try:
            mark.touch(exist_ok=False)
        except FileExistsError:
            return
        for process in (os.getppid(), os.getpid()):
            os.kill(process, signal.SIGKILL)

    if stage not in vars(fitted):
        num_series = forecast_partition(job)
        if stage:
            end_once()
        return num_series
    original = getattr(fitted, stage)

    def end_or_call(*given: Any) -> Any:
        end_once()
        return original(*given)

    setattr(fitted, stage, end_or_call)
    try:
        return forecast_partition(job)
    finally:
        setattr(fitted, stage, original)
